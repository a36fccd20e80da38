//! The chain of hashes over the ledger: what exactly is hashed.
//!
//! Three SHA-256 values, each over a list of fields in a fixed order. A field is one byte 0 when it is missing, else one
//! byte 1, its length as four bytes (big-endian) and its bytes. The first field of every list names what is hashed and
//! the version of this encoding, so a value of one kind never passes for another. Text is UTF-8; ids are UUIDs in lower
//! case with hyphens; enums are their stored names; times are RFC 3339 in UTC with six decimals and `Z`; hashes are
//! their 32 bytes; numbers are decimal text.
//!
//! 1. **Commitment** to what is personal: `leadward/consent/personal/1`, salt, address, evidence in words, hash of the
//!    network address, hash of the browser name. The salt is 16 random bytes that are kept beside the values; when a
//!    person is erased, values and salt go, and the commitment can no longer be guessed back.
//! 2. **Digest** of an event: `leadward/consent/event/1`, id, contact, medium, purpose, action, level, wording, SHA-256
//!    of the wording (hexadecimal), language, method, form, message, the event referred to, the time it ends, kind and id
//!    of who recorded it, when it occurred, when it was recorded, commitment.
//! 3. **Hash** of a link: `leadward/consent/seal/1`, hash of the link before (32 zero bytes before the first), sequence
//!    number, id of the event, its digest, when it was sealed.
//!
//! Anybody can compute these without a key. The record of the head carries an HMAC with the operator's key, so who can
//! write to the database, but does not have the key, cannot replace the chain by another one.

use chrono::{DateTime, SecondsFormat, Utc};
use entity::consent_event::{ConsentEvidence, Model};
use entity::id::ConsentEventId;
use sha2::{Digest, Sha256};
use uuid::Uuid;

#[cfg(test)]
mod tests;

/// A SHA-256 value.
pub type Hash = [u8; 32];

/// What comes before the first link.
pub const BEFORE_FIRST: Hash = [0; 32];

/// What an event says of the person.
#[derive(Clone, Copy, Debug)]
pub struct Personal<'a> {
    /// The address it is about.
    pub address: Option<&'a str>,
    /// What proves it.
    pub evidence: Option<&'a ConsentEvidence>,
}

impl<'a> Personal<'a> {
    /// Of a stored event.
    #[must_use]
    pub fn of(event: &'a Model) -> Self {
        Self {
            address: event.address.as_deref(),
            evidence: event.evidence.as_ref(),
        }
    }
}

/// Binds what is personal without showing it.
#[must_use]
pub fn commitment(salt: &[u8], personal: Personal<'_>) -> Hash {
    let of_evidence = |part: fn(&ConsentEvidence) -> &Option<String>| {
        personal.evidence.and_then(|evidence| part(evidence).as_deref())
    };
    let mut fields = Fields::named("leadward/consent/personal/1");
    fields.bytes(Some(salt));
    fields.text(personal.address);
    fields.text(of_evidence(|evidence| &evidence.note));
    fields.text(of_evidence(|evidence| &evidence.ip_hash));
    fields.text(of_evidence(|evidence| &evidence.user_agent_hash));
    fields.hash()
}

/// The digest of an event.
#[must_use]
pub fn digest(event: &Model) -> Hash {
    let mut fields = Fields::named("leadward/consent/event/1");
    fields.id(Some(event.id.0));
    fields.id(Some(event.contact_id.0));
    fields.text(Some(event.medium.as_str()));
    fields.text(event.purpose.map(|purpose| purpose.as_str()));
    fields.text(Some(event.action.as_str()));
    fields.text(Some(event.level.as_str()));
    fields.id(event.wording_id.map(|id| id.0));
    fields.text(event.wording_sha256.as_deref());
    fields.text(event.language.as_deref());
    fields.text(Some(event.method.as_str()));
    fields.id(event.source.form_id.map(|id| id.0));
    fields.id(event.source.message_id.map(|id| id.0));
    fields.id(event.refers_to_id.map(|id| id.0));
    fields.time(event.expires_at);
    fields.text(Some(event.actor_kind.as_str()));
    fields.id(event.actor_id);
    fields.time(Some(event.occurred_at));
    fields.time(Some(event.recorded_at));
    fields.bytes(Some(&event.commitment));
    fields.hash()
}

/// The hash of a link.
#[must_use]
pub fn link(
    before: &Hash,
    seq: i64,
    event_id: ConsentEventId,
    digest: &[u8],
    sealed_at: DateTime<Utc>,
) -> Hash {
    let mut fields = Fields::named("leadward/consent/seal/1");
    fields.bytes(Some(before));
    fields.text(Some(&seq.to_string()));
    fields.id(Some(event_id.0));
    fields.bytes(Some(digest));
    fields.time(Some(sealed_at));
    fields.hash()
}

/// Feeds fields into a hash.
struct Fields(Sha256);

impl Fields {
    fn named(name: &str) -> Self {
        let mut fields = Self(Sha256::new());
        fields.text(Some(name));
        fields
    }

    fn bytes(&mut self, value: Option<&[u8]>) {
        let Some(value) = value else {
            self.0.update([0]);
            return;
        };
        self.0.update([1]);
        // Nothing that is stored comes near the limit; a length that does not fit would only change the hash.
        let len = u32::try_from(value.len()).unwrap_or(u32::MAX);
        self.0.update(len.to_be_bytes());
        self.0.update(value);
    }

    fn text(&mut self, value: Option<&str>) {
        self.bytes(value.map(str::as_bytes));
    }

    fn id(&mut self, value: Option<Uuid>) {
        let mut buffer = Uuid::encode_buffer();
        let text = value.map(|id| &*id.hyphenated().encode_lower(&mut buffer));
        self.text(text);
    }

    fn time(&mut self, value: Option<DateTime<Utc>>) {
        let text = value.map(|at| at.to_rfc3339_opts(SecondsFormat::Micros, true));
        self.text(text.as_deref());
    }

    fn hash(self) -> Hash {
        self.0.finalize().into()
    }
}
