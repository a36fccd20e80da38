//! Making an event of the ledger. There is no other way to make one: its hash covers what is built here.

use chrono::{DateTime, Utc};
use entity::consent_event::{
    ConsentAction, ConsentEvidence, ConsentLevel, ConsentMethod, ConsentSource, Model,
};
use entity::consent_wording;
use entity::enums::{Medium, Purpose};
use entity::id::{ConsentEventId, ConsentWordingId, ContactId};

use super::chain::{self, Personal};
use crate::id::new_id;
use crate::link::new_salt;
use crate::viewer::Actor;

/// The text that a person was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its version.
    pub wording_id: ConsentWordingId,
    /// SHA-256 of it in hexadecimal.
    pub sha256: String,
    /// The language it was shown in.
    pub language: String,
}

impl From<&consent_wording::Model> for Shown {
    fn from(wording: &consent_wording::Model) -> Self {
        Self {
            wording_id: wording.id,
            sha256: wording.sha256.clone(),
            language: wording.language.clone(),
        }
    }
}

impl Shown {
    /// What an event says of it.
    #[must_use]
    pub fn by(event: &Model) -> Option<Self> {
        Some(Self {
            wording_id: event.wording_id?,
            sha256: event.wording_sha256.clone()?,
            language: event.language.clone()?,
        })
    }
}

/// What is to be written down.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Whose consent it is.
    pub contact_id: ContactId,
    /// The medium.
    pub medium: Medium,
    /// The address it is about, normalized; none means every address of the medium.
    pub address: Option<String>,
    /// The purpose; none, for a withdrawal, means every purpose.
    pub purpose: Option<Purpose>,
    /// What it does.
    pub action: ConsentAction,
    /// How strong it is.
    pub level: ConsentLevel,
    /// The text that was shown.
    pub shown: Option<Shown>,
    /// By which door it came.
    pub method: ConsentMethod,
    /// Where it was given.
    pub source: ConsentSource,
    /// What proves it.
    pub evidence: ConsentEvidence,
    /// The event that it completes.
    pub refers_to_id: Option<ConsentEventId>,
    /// Until when it holds, or may be completed.
    pub expires_at: Option<DateTime<Utc>>,
    /// Who recorded it.
    pub actor: Actor,
    /// When the person said it.
    pub occurred_at: DateTime<Utc>,
}

impl Entry {
    /// The event as it is stored, written down at `now`.
    #[must_use]
    pub fn row(self, now: DateTime<Utc>) -> Model {
        let evidence = Some(self.evidence).filter(|evidence| *evidence != ConsentEvidence::default());
        let (wording_id, wording_sha256, language) = match self.shown {
            Some(shown) => (Some(shown.wording_id), Some(shown.sha256), Some(shown.language)),
            None => (None, None, None),
        };
        let salt = new_salt();
        let commitment = chain::commitment(
            &salt,
            Personal {
                address: self.address.as_deref(),
                evidence: evidence.as_ref(),
            },
        );
        Model {
            id: new_id(now),
            contact_id: self.contact_id,
            medium: self.medium,
            address: self.address,
            purpose: self.purpose,
            action: self.action,
            level: self.level,
            wording_id,
            wording_sha256,
            language,
            method: self.method,
            source: self.source,
            evidence,
            personal_salt: Some(salt.to_vec()),
            commitment: commitment.to_vec(),
            refers_to_id: self.refers_to_id,
            expires_at: self.expires_at,
            actor_kind: self.actor.kind,
            actor_id: self.actor.id,
            occurred_at: self.occurred_at,
            recorded_at: now,
            erased_at: None,
        }
    }
}
