//! SNS, which carries the notices of SES, signs fields of its envelope with a certificate of its own.
//!
//! Before a certificate is fetched, its address must be one of Amazon's for SNS; it is kept for as long as the process
//! runs. Only topics that the operator named are heard, also when one asks to be confirmed.

use std::collections::HashMap;
use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::inbound::Came;
use entity::inbound_mail::InboundSource;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;
use x509_parser::certificate::X509Certificate;
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use super::{Fetcher, Refused};
use crate::state::Api;

/// Certificates that are kept; Amazon changes them once a year.
const KEPT_MAX: usize = 20;
/// Bytes of a certificate at the most.
const PEM_MAX: usize = 16 << 10;

/// What has been fetched, and what fetches. Cheap to clone.
#[derive(Clone)]
pub struct Certificates {
    fetcher: Fetcher,
    kept: Arc<Mutex<HashMap<String, Vec<u8>>>>,
}

impl Certificates {
    /// Keeps what `fetcher` fetches.
    #[must_use]
    pub fn new(fetcher: Fetcher) -> Self {
        Self {
            fetcher,
            kept: Arc::default(),
        }
    }

    /// The certificate behind an address that was checked.
    async fn get(&self, url: &str) -> Result<Vec<u8>, Refused> {
        let mut kept = self.kept.lock().await;
        if let Some(pem) = kept.get(url) {
            return Ok(pem.clone());
        }
        let pem = self.fetcher.get(url).await.map_err(|error| {
            tracing::warn!(
                error,
                "The certificate of SNS could not be fetched; the notice will come again."
            );
            Refused::Later
        })?;
        if pem.len() > PEM_MAX {
            return Err(Refused::Unproven);
        }
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(url.to_owned(), pem.clone());
        Ok(pem)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    #[serde(rename = "Type")]
    kind: String,
    message_id: String,
    topic_arn: String,
    subject: Option<String>,
    message: String,
    timestamp: String,
    signature_version: String,
    signature: String,
    #[serde(rename = "SigningCertURL", alias = "SigningCertUrl")]
    signing_cert_url: String,
    #[serde(rename = "SubscribeURL", alias = "SubscribeUrl")]
    subscribe_url: Option<String>,
    token: Option<String>,
}

/// The notice in a request, if SNS signed it for a topic that is wanted. A topic that asks to be confirmed is, and brings
/// no notice.
pub(super) async fn verified(api: &Api, raw: &[u8]) -> Result<Vec<Came>, Refused> {
    let envelope: Envelope = serde_json::from_slice(raw).map_err(|_| Refused::Malformed)?;
    if !api.settings.hooks.ses_topics.contains(&envelope.topic_arn) {
        return Err(Refused::NotWanted);
    }
    if !is_amazons(&envelope.signing_cert_url, true) {
        return Err(Refused::NotWanted);
    }
    let pem = api.certificates.get(&envelope.signing_cert_url).await?;
    if !is_signed(&envelope, &pem, api.hospital.now().timestamp()) {
        return Err(Refused::Unproven);
    }
    match envelope.kind.as_str() {
        "Notification" => Ok(vec![Came::notice(
            InboundSource::Ses,
            &envelope.message_id,
            raw.to_vec(),
        )]),
        "SubscriptionConfirmation" => {
            confirm(api, &envelope).await?;
            Ok(Vec::new())
        }
        _ => Ok(Vec::new()),
    }
}

/// Confirms a topic that the operator named, by the address in the signed envelope.
async fn confirm(api: &Api, envelope: &Envelope) -> Result<(), Refused> {
    let url = envelope.subscribe_url.as_deref().ok_or(Refused::Malformed)?;
    if !is_amazons(url, false) {
        return Err(Refused::NotWanted);
    }
    api.certificates.fetcher.get(url).await.map_err(|error| {
        tracing::warn!(error, "A topic of SNS could not be confirmed; it will ask again.");
        Refused::Later
    })?;
    tracing::info!("A topic of SNS was confirmed.");
    Ok(())
}

/// Whether an address is one of SNS itself: https, `sns.<region>.amazonaws.com`, and for a certificate a `.pem`.
fn is_amazons(url: &str, certificate: bool) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default();
    let region = host.strip_prefix("sns.").and_then(|rest| {
        rest.strip_suffix(".amazonaws.com")
            .or_else(|| rest.strip_suffix(".amazonaws.com.cn"))
    });
    let is_region = region.is_some_and(|region| {
        !region.is_empty()
            && region
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    });
    let plain = url.username().is_empty() && url.password().is_none() && url.port().is_none();
    let fits = !certificate || (url.path().ends_with(".pem") && url.query().is_none());
    url.scheme() == "https" && is_region && plain && fits
}

/// Whether this certificate, which must be valid now, signed the envelope.
fn is_signed(envelope: &Envelope, pem: &[u8], now_secs: i64) -> bool {
    let Ok((_, pem)) = parse_x509_pem(pem) else {
        return false;
    };
    let Ok((_, certificate)) = X509Certificate::from_der(&pem.contents) else {
        return false;
    };
    let valid = ASN1Time::from_timestamp(now_secs).is_ok_and(|now| certificate.validity().is_valid_at(now));
    let Ok(signature) = STANDARD.decode(envelope.signature.as_bytes()) else {
        return false;
    };
    let algorithm = match envelope.signature_version.as_str() {
        "1" => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        "2" => &RSA_PKCS1_2048_8192_SHA256,
        _ => return false,
    };
    let key = &certificate.public_key().subject_public_key.data;
    valid
        && UnparsedPublicKey::new(algorithm, key)
            .verify(signed_text(envelope).as_bytes(), &signature)
            .is_ok()
}

/// What SNS signs: names and values, each on a line, in the order of the names.
fn signed_text(envelope: &Envelope) -> String {
    let mut text = String::new();
    let mut add = |name: &str, value: &str| {
        text.push_str(name);
        text.push('\n');
        text.push_str(value);
        text.push('\n');
    };
    add("Message", &envelope.message);
    add("MessageId", &envelope.message_id);
    if envelope.kind == "Notification" {
        if let Some(subject) = &envelope.subject {
            add("Subject", subject);
        }
    } else {
        add(
            "SubscribeURL",
            envelope.subscribe_url.as_deref().unwrap_or_default(),
        );
    }
    add("Timestamp", &envelope.timestamp);
    if envelope.kind != "Notification" {
        add("Token", envelope.token.as_deref().unwrap_or_default());
    }
    add("TopicArn", &envelope.topic_arn);
    add("Type", &envelope.kind);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_sns_itself_are_fetched() {
        assert!(is_amazons(
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0.pem",
            true
        ));
        assert!(is_amazons("https://sns.cn-north-1.amazonaws.com.cn/x.pem", true));
        assert!(is_amazons(
            "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=x",
            false
        ));
        for wrong in [
            "http://sns.us-east-1.amazonaws.com/x.pem",
            "https://sns.us-east-1.amazonaws.com.example.org/x.pem",
            "https://example.org/sns.us-east-1.amazonaws.com/x.pem",
            "https://sns.us-east-1.amazonaws.com@example.org/x.pem",
            "https://x:y@sns.us-east-1.amazonaws.com/x.pem",
            "https://sns.us-east-1.amazonaws.com:444/x.pem",
            "https://sns..amazonaws.com/x.pem",
            "https://sns.a.b.amazonaws.com/x.pem",
            "https://s3.amazonaws.com/x.pem",
            "https://sns.us-east-1.amazonaws.com/x.txt",
            "https://sns.us-east-1.amazonaws.com/x?y=.pem",
            "",
        ] {
            assert!(!is_amazons(wrong, true), "{wrong}");
        }
    }
}
