//! From what was sent to a stored lead, the same for both doors of a form.

use domain::error::{Chain, Error, Result};
use domain::idempotency::{self, Begun, Key};
use domain::lead::form_answers::{self, Sent};
use domain::lead::inquiry::{Inquiry, MAX_EXTERNAL_ID_CHARS};
use domain::lead::receive::{Receipt, receive};
use domain::link::Secrets;
use domain::playbook::Playbook;
use domain::viewer::Actor;
use entity::consent_event::{ConsentEvidence, ConsentSource};
use entity::form;
use hmac::{Hmac, KeyInit, Mac};
use poem::Request;
use poem::http::header;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::limit::address;
use crate::state::Api;

/// What proves a consent that was given on the page.
pub(super) const UNTICKED: &str = "checkbox, unticked by default";
/// What proves a consent that came as JSON: how it was asked lies with the page that sent it.
pub(super) const EMBEDDED: &str = "answered in an embedded form";

/// A key under which a request may be repeated.
#[derive(Clone, Debug)]
pub(super) struct Repeatable {
    /// The sender's key.
    pub key: String,
    /// Hash of what was sent.
    pub hash: String,
}

/// What it takes to store an inquiry.
pub(super) struct Store<'a> {
    pub api: &'a Api,
    pub playbook: &'a Playbook,
    pub form: &'a form::Model,
    pub consent_evidence: ConsentEvidence,
}

impl Store<'_> {
    /// Parses, stores, and tells.
    ///
    /// # Errors
    /// Refusals with the form's own field names, when something is wrong with what was sent; faults.
    pub async fn store(&self, mut sent: Sent, repeatable: Option<&Repeatable>) -> Result<Receipt> {
        let Self {
            playbook,
            form,
            consent_evidence,
            ..
        } = self;
        sent.consent_source = ConsentSource {
            form_id: Some(form.id),
            message_id: None,
        };
        sent.consent_evidence = consent_evidence.clone();
        if let Some(Repeatable { key, .. }) = repeatable {
            sent.external_id = external_id(&form.slug, key);
        }
        let stored = match form_answers::inquiry(form, playbook, sent) {
            Ok(inquiry) => self.once(inquiry, repeatable).await,
            Err(error) => Err(error),
        };
        super::count(match &stored {
            Ok(Receipt { created: true, .. }) => "stored",
            Ok(_) => "repeated",
            Err(Error::Fault(_)) => "failed",
            Err(_) => "refused",
        });
        let receipt = stored?;
        tracing::info!(form = %form.id, lead = %receipt.lead_id, created = receipt.created, "a form came in");
        Ok(receipt)
    }

    /// Receives an inquiry, or finds what its key was answered with.
    async fn once(&self, inquiry: Inquiry, repeatable: Option<&Repeatable>) -> Result<Receipt> {
        let h = &self.api.hospital;
        let Some(Repeatable { key, hash }) = repeatable else {
            return Ok(self.api.pass_on(receive(h, Actor::VISITOR, inquiry).await?));
        };
        let principal = format!("form:{}", self.form.id);
        let key = Key {
            principal: &principal,
            operation: "submit",
            key,
        };
        let first = match idempotency::begin(h, key, hash).await? {
            Begun::First => true,
            // Whoever came first is at it. The external id makes both of them find the one lead.
            Begun::Running | Begun::Erased => false,
            Begun::Answered(answer) => match answer["leadId"].as_str().and_then(|id| id.parse().ok()) {
                Some(lead_id) => {
                    return Ok(Receipt {
                        lead_id,
                        created: false,
                    });
                }
                None => false,
            },
        };
        let received = receive(h, Actor::VISITOR, inquiry).await;
        if first {
            let noted = match &received {
                Ok(done) => {
                    idempotency::finish(h, key, json!({ "leadId": done.value.lead_id.to_string() })).await
                }
                Err(_) => idempotency::forget(h, key).await,
            };
            // The lead is safe from doubling by its external id, so this failure changes nothing for anybody.
            if let Err(error) = noted {
                tracing::warn!(error = %Chain(&error), "an answer could not be kept under its key");
            }
        }
        Ok(self.api.pass_on(received?))
    }
}

/// The id of a form's inquiry among all inquiries of its channel. A long key is replaced by its hash.
fn external_id(slug: &str, key: &str) -> String {
    let plain = format!("{slug}/{key}");
    if plain.chars().count() <= MAX_EXTERNAL_ID_CHARS {
        return plain;
    }
    format!("{slug}/sha256:{}", hex::encode(Sha256::digest(key)))
}

/// What proves a consent: enough to recognize the same visitor if a consent is disputed, too little to tell who it
/// was.
pub(super) fn evidence(api: &Api, req: &Request, note: &str) -> ConsentEvidence {
    let secrets = &api.hospital.secrets;
    let address = address(req, api.settings.trust_proxy);
    let agent = req.header(header::USER_AGENT);
    ConsentEvidence {
        note: Some(note.to_owned()),
        ip_hash: address
            .map(|address| keyed_hash(secrets, "consent-address", address.to_string().as_bytes())),
        user_agent_hash: agent.map(|agent| keyed_hash(secrets, "consent-user-agent", agent.as_bytes())),
    }
}

/// The hash under which a key's content is compared. It is keyed, because a plain hash of a name and a phone number can
/// be found by trying.
pub(super) fn content_hash(secrets: &Secrets, content: &Value) -> String {
    keyed_hash(secrets, "idempotent-content", canonical(content).as_bytes())
}

fn keyed_hash(secrets: &Secrets, label: &str, content: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(&secrets.derive(label)).expect("HMAC takes a key of any length");
    mac.update(content);
    hex::encode(mac.finalize().into_bytes())
}

/// The same text for the same content, whatever the order of its keys.
fn canonical(content: &Value) -> String {
    match content {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            let entries = entries
                .into_iter()
                .map(|(name, value)| format!("{}:{}", json!(name), canonical(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_does_not_change_the_content() {
        let secrets = Secrets::new([1; 32]);
        let one: Value = serde_json::from_str(r#"{"a":1,"b":{"c":[1,2],"d":"x"}}"#).unwrap();
        let same: Value = serde_json::from_str(r#"{"b":{"d":"x","c":[1,2]},"a":1}"#).unwrap();
        let other: Value = serde_json::from_str(r#"{"a":1,"b":{"c":[2,1],"d":"x"}}"#).unwrap();
        assert_eq!(content_hash(&secrets, &one), content_hash(&secrets, &same));
        assert_ne!(content_hash(&secrets, &one), content_hash(&secrets, &other));
        assert_ne!(
            content_hash(&secrets, &one),
            content_hash(&Secrets::new([2; 32]), &one)
        );
    }

    #[test]
    fn a_key_belongs_to_its_form_and_always_fits() {
        assert_eq!(external_id("sleep", "k1"), "sleep/k1");
        assert_ne!(external_id("sleep", "k1"), external_id("imaging", "k1"));
        let (long, other) = ("k".repeat(200), format!("{}x", "k".repeat(199)));
        assert!(external_id("sleep", &long).chars().count() <= MAX_EXTERNAL_ID_CHARS);
        assert_ne!(external_id("sleep", &long), external_id("sleep", &other));
    }
}
