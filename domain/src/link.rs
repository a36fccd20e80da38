//! Secrets and the opaque texts made from them: unsubscribe, preference and followed links, suppression hashes, session and API tokens.
//!
//! One key, kept by the operator, is behind all of it. Every purpose has its own key derived from it by a label, so that
//! a value made for one purpose is worth nothing for another. Changing the operator's key breaks every link that was
//! mailed and every suppression that was hashed; it must be kept as long as the data.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use rand::{TryRng, rngs::SysRng};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

#[cfg(test)]
mod tests;

/// Bytes of the tag in a link: 128 bits, beyond guessing.
const TAG_BYTES: usize = 16;
/// Bytes of an id in a link.
const ID_BYTES: usize = 16;
/// Characters of a token that names a message.
pub const UNSUBSCRIBE_TOKEN_CHARS: usize = (ID_BYTES + TAG_BYTES) * 4 / 3 + 1;

/// Bytes of the mark that tells the links of a mail apart.
const MARK_BYTES: usize = 4;
/// Characters of the token of a link in a mail.
pub const LINK_TOKEN_CHARS: usize = (ID_BYTES + MARK_BYTES + TAG_BYTES) * 4 / 3;

/// Bytes of the tag in a preference link: the page behind it shows what is held of a person, so it is the whole HMAC.
const PREFERENCE_TAG_BYTES: usize = 32;
/// Characters of a preference token.
pub const PREFERENCE_TOKEN_CHARS: usize = (ID_BYTES + PREFERENCE_TAG_BYTES) * 4 / 3;

/// What a preference token is bound to. None of it but the message's id can be read from the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreferenceLink<'a> {
    /// The mail that carries the link.
    pub message_id: Uuid,
    /// The contact that the mail went to.
    pub contact_id: Uuid,
    /// The purpose of the mail, by its stored name.
    pub purpose: &'a str,
    /// How often the contact's links had been revoked when the mail was written.
    pub generation: i32,
}

/// The operator's key, from which everything else is derived. `Debug` hides it.
#[derive(Clone)]
pub struct Secrets {
    key: [u8; 32],
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(hidden)")
    }
}

impl Secrets {
    /// Secrets from the operator's key: 32 bytes that came from a random generator.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The key for one purpose. A label is never reused for another purpose.
    #[must_use]
    pub fn derive(&self, label: &str) -> [u8; 32] {
        keyed_hash(&self.key, &[b"leadward/1/", label.as_bytes()])
    }

    /// The text that unsubscribes the recipient of one message: the message's id and a tag that only this key can make,
    /// in base64url. It names no address, cannot be made for another message, and never expires, because people
    /// unsubscribe from old mail.
    #[must_use]
    pub fn unsubscribe_token(&self, message_id: Uuid) -> String {
        self.message_token("unsubscribe", message_id)
    }

    /// The message an unsubscribe token was made for; `None` for any text this key did not make. The tag is compared
    /// in constant time.
    #[must_use]
    pub fn open_unsubscribe_token(&self, token: &str) -> Option<Uuid> {
        self.open_message_token("unsubscribe", token)
    }

    /// The text that opens the preferences of the contact that a mail went to: the mail's id and a tag over all that it
    /// is bound to, in base64url. Raising the contact's generation voids it, and so does giving the mail to another
    /// contact, as a merge does.
    #[must_use]
    pub fn preference_token(&self, link: &PreferenceLink<'_>) -> String {
        let mut bytes = [0_u8; ID_BYTES + PREFERENCE_TAG_BYTES];
        bytes[..ID_BYTES].copy_from_slice(link.message_id.as_bytes());
        bytes[ID_BYTES..].copy_from_slice(&self.preference_tag(link));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The mail that a preference token says it came in. Nothing is proven yet: see [`Self::proves_preference`].
    #[must_use]
    pub fn message_of_preference_token(&self, token: &str) -> Option<Uuid> {
        let (id, _) = preference_parts(token)?;
        Some(Uuid::from_bytes(id))
    }

    /// Whether a token was made here for exactly this. The tag is compared in constant time.
    #[must_use]
    pub fn proves_preference(&self, token: &str, link: &PreferenceLink<'_>) -> bool {
        let Some((id, tag)) = preference_parts(token) else {
            return false;
        };
        let genuine: bool = self.preference_tag(link).ct_eq(&tag).into();
        genuine && id == *link.message_id.as_bytes()
    }

    /// The hash under which an address is suppressed. It is keyed, so that the list cannot be read back by hashing
    /// guesses, and it holds after the address itself has been erased. The medium is part of it: `EMAIL`, `PHONE` …
    #[must_use]
    pub fn address_hash(&self, medium: &str, normalized_address: &str) -> [u8; 32] {
        // The length in front keeps two different pairs from reading as the same bytes.
        let medium_len = (medium.len() as u64).to_be_bytes();
        keyed_hash(
            &self.derive("suppressed-address"),
            &[&medium_len, medium.as_bytes(), normalized_address.as_bytes()],
        )
    }

    /// The hash under which an ad platform's click id is matched without being kept in the clear.
    #[must_use]
    pub fn click_hash(&self, click_id: &str) -> [u8; 32] {
        keyed_hash(&self.derive("click"), &[click_id.as_bytes()])
    }

    fn preference_tag(&self, link: &PreferenceLink<'_>) -> [u8; PREFERENCE_TAG_BYTES] {
        // Each part but the last has a fixed length, so two different links never read as the same bytes.
        keyed_hash(
            &self.derive("preferences"),
            &[
                link.message_id.as_bytes(),
                link.contact_id.as_bytes(),
                &link.generation.to_be_bytes(),
                link.purpose.as_bytes(),
            ],
        )
    }

    /// The tag on the head of the consent ledger's chain: whoever has the database but not this key cannot replace the
    /// chain by another one.
    #[must_use]
    pub fn chain_tag(&self, sealed: i64, hash: &[u8; 32]) -> [u8; 32] {
        keyed_hash(&self.derive("consent-chain"), &[&sealed.to_be_bytes(), hash])
    }

    /// The text that gives the second yes that one message asks for; see [`Self::unsubscribe_token`].
    #[must_use]
    pub fn opt_in_token(&self, message_id: Uuid) -> String {
        self.message_token("opt-in", message_id)
    }

    /// The message that an opt-in token was made for; `None` for any text this key did not make.
    #[must_use]
    pub fn open_opt_in_token(&self, token: &str) -> Option<Uuid> {
        self.open_message_token("opt-in", token)
    }

    /// The text that opens a saved form; see [`Self::unsubscribe_token`]. It leads nowhere once the draft is gone.
    #[must_use]
    pub fn draft_token(&self, draft_id: Uuid) -> String {
        self.message_token("form-draft", draft_id)
    }

    /// The draft that a token was made for; `None` for any text this key did not make.
    #[must_use]
    pub fn open_draft_token(&self, token: &str) -> Option<Uuid> {
        self.open_message_token("form-draft", token)
    }

    /// The mark of a link's target, by which the links of a mail are told apart. It is keyed, so that nobody can find the
    /// target by hashing guesses, and comes from the target alone, so that it means the same for as long as the key does.
    #[must_use]
    pub fn link_mark(&self, target: &str) -> i32 {
        let full = keyed_hash(&self.derive("mail-link-target"), &[target.as_bytes()]);
        i32::from_be_bytes([full[0], full[1], full[2], full[3]])
    }

    /// The text that stands for a link of one message: the message's id, the link's mark and a tag over both, in
    /// base64url. It says neither who got the mail nor where the link leads.
    #[must_use]
    pub fn link_token(&self, message_id: Uuid, mark: i32) -> String {
        let mut bytes = [0_u8; ID_BYTES + MARK_BYTES + TAG_BYTES];
        bytes[..ID_BYTES].copy_from_slice(message_id.as_bytes());
        bytes[ID_BYTES..ID_BYTES + MARK_BYTES].copy_from_slice(&mark.to_be_bytes());
        bytes[ID_BYTES + MARK_BYTES..].copy_from_slice(&self.link_tag(message_id, mark));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The message and the mark that such a text was made for; `None` for any text this key did not make. The tag is
    /// compared in constant time.
    #[must_use]
    pub fn open_link_token(&self, token: &str) -> Option<(Uuid, i32)> {
        // Longer texts are not even decoded.
        if token.len() != LINK_TOKEN_CHARS {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (id, rest) = bytes.split_first_chunk::<ID_BYTES>()?;
        let (mark, tag) = rest.split_first_chunk::<MARK_BYTES>()?;
        let (message_id, mark) = (Uuid::from_bytes(*id), i32::from_be_bytes(*mark));
        let genuine: bool = self.link_tag(message_id, mark).as_slice().ct_eq(tag).into();
        genuine.then_some((message_id, mark))
    }

    fn link_tag(&self, message_id: Uuid, mark: i32) -> [u8; TAG_BYTES] {
        let parts: [&[u8]; 2] = [message_id.as_bytes(), &mark.to_be_bytes()];
        short(&keyed_hash(&self.derive("mail-link"), &parts))
    }

    /// The tag of the return path of one message; see [`crate::outreach::verp`].
    pub(crate) fn return_path_tag(&self, message_id: Uuid) -> [u8; TAG_BYTES] {
        self.message_tag("return-path", message_id)
    }

    fn message_token(&self, label: &str, message_id: Uuid) -> String {
        let mut bytes = [0_u8; ID_BYTES + TAG_BYTES];
        bytes[..ID_BYTES].copy_from_slice(message_id.as_bytes());
        bytes[ID_BYTES..].copy_from_slice(&self.message_tag(label, message_id));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn open_message_token(&self, label: &str, token: &str) -> Option<Uuid> {
        // Longer texts are not even decoded.
        if token.len() != UNSUBSCRIBE_TOKEN_CHARS {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (id, tag) = bytes.split_first_chunk::<ID_BYTES>()?;
        let message_id = Uuid::from_bytes(*id);
        let genuine: bool = self.message_tag(label, message_id).as_slice().ct_eq(tag).into();
        genuine.then_some(message_id)
    }

    fn message_tag(&self, label: &str, message_id: Uuid) -> [u8; TAG_BYTES] {
        short(&keyed_hash(&self.derive(label), &[message_id.as_bytes()]))
    }
}

/// The id and the tag of a text that has the shape of a preference token.
fn preference_parts(token: &str) -> Option<([u8; ID_BYTES], [u8; PREFERENCE_TAG_BYTES])> {
    // Longer texts are not even decoded.
    if token.len() != PREFERENCE_TOKEN_CHARS {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (id, tag) = bytes.split_first_chunk::<ID_BYTES>()?;
    Some((*id, tag.try_into().ok()?))
}

/// The part of a hash that stands in links.
fn short(full: &[u8; 32]) -> [u8; TAG_BYTES] {
    let mut tag = [0_u8; TAG_BYTES];
    tag.copy_from_slice(&full[..TAG_BYTES]);
    tag
}

/// HMAC-SHA256 of the parts, one after the other.
fn keyed_hash(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The hash under which a session or API token is stored.
///
/// A plain SHA-256 is enough, because such tokens come from [`new_secret`] and have too much entropy to be guessed;
/// passwords have not, and are hashed with argon2.
#[must_use]
pub fn secret_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// A new secret: 32 bytes of the operating system's generator, in base64url (43 characters).
///
/// # Panics
/// When the operating system has no randomness to give. Nothing safe can be done then.
#[must_use]
pub fn new_secret() -> String {
    let mut bytes = [0_u8; 32];
    SysRng
        .try_fill_bytes(&mut bytes)
        .expect("the operating system gives randomness");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Random bytes that keep a hash of something short, such as an address, from being guessed back.
///
/// # Panics
/// As [`new_secret`].
#[must_use]
pub fn new_salt() -> [u8; 16] {
    let mut bytes = [0_u8; 16];
    SysRng
        .try_fill_bytes(&mut bytes)
        .expect("the operating system gives randomness");
    bytes
}
