//! What a mail that came back says.

use entity::inbound_mail::InboundKind;

use super::classify::headline;
use super::references;
use crate::outreach::settle::class::Class;

/// Ids and return paths kept of one mail.
const REFERENCES_MAX: usize = 20;

/// One recipient of a message whose delivery failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The address, as the report has it; empty when none is told.
    pub address: String,
    /// The address that the mail was first sent to, where the report tells of a forwarding.
    pub original: Option<String>,
    /// What it is about.
    pub class: Class,
    /// The enhanced status code (RFC 3463).
    pub status: Option<String>,
    /// What decided the class.
    pub(super) by: &'static str,
}

/// What a mail that came back says. It holds addresses: never log it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What it is.
    pub kind: InboundKind,
    /// For a bounce, what it is about; of several recipients, the one that says most.
    pub class: Option<Class>,
    /// The enhanced status code (RFC 3463) of that recipient.
    pub status: Option<String>,
    /// Whom it is about: whose delivery failed, who complained, who wrote.
    pub recipients: Vec<String>,
    /// Each failed recipient.
    pub failed: Vec<Failed>,
    /// `Message-ID`s of ours that it may be about, without brackets, the likeliest first.
    pub message_ids: Vec<String>,
    /// Local parts of return paths in it (see [`crate::outreach::verp`]), not yet proven.
    pub return_paths: Vec<String>,
    /// Texts in it that have the shape of the token of an unsubscribe link, not yet proven.
    pub tokens: Vec<String>,
    /// Whether a person wrote it.
    pub personal: bool,
    /// Whether the person may have asked for no more, so that a person has to read it.
    pub may_revoke: bool,
    /// Whether it says that the message was delivered.
    pub delivered: bool,
    /// Why it was read so, for people. Repeats nothing that stands in the mail.
    pub why: String,
}

impl Reading {
    pub(super) fn new(kind: InboundKind, why: impl Into<String>) -> Self {
        Self {
            kind,
            class: None,
            status: None,
            recipients: Vec::new(),
            failed: Vec::new(),
            message_ids: Vec::new(),
            return_paths: Vec::new(),
            tokens: Vec::new(),
            personal: false,
            may_revoke: false,
            delivered: false,
            why: why.into(),
        }
    }

    /// A bounce of these recipients.
    pub(super) fn bounce(failed: Vec<Failed>, why: impl FnOnce(usize, &'static str) -> String) -> Self {
        let class = headline(failed.iter().map(|one| one.class));
        let first = failed.iter().find(|one| Some(one.class) == class);
        let by = first.map_or("nothing", |one| one.by);
        let mut reading = Self::new(InboundKind::Bounce, why(failed.len(), by));
        reading.class = class;
        reading.status = first.and_then(|one| one.status.clone());
        for one in &failed {
            let known = reading
                .recipients
                .iter()
                .any(|known| known.eq_ignore_ascii_case(&one.address));
            if !known && !one.address.is_empty() {
                reading.recipients.push(one.address.clone());
            }
        }
        reading.failed = failed;
        reading
    }

    /// The `Message-ID` that it is likeliest about: one that stands in the mail, or else the one in a return path.
    #[must_use]
    pub fn message_id(&self) -> Option<String> {
        let named = self.message_ids.first().cloned();
        named.or_else(|| {
            let claimed = self
                .return_paths
                .iter()
                .find_map(|path| crate::outreach::verp::claimed(path));
            claimed.map(|id| id.to_string())
        })
    }

    pub(super) fn add_message_id(&mut self, text: &str) {
        for id in references::message_ids(text) {
            if self.message_ids.len() < REFERENCES_MAX && !self.message_ids.contains(&id) {
                self.message_ids.push(id);
            }
        }
    }

    pub(super) fn add_return_path(&mut self, text: &str) {
        for path in references::return_paths(text) {
            if self.return_paths.len() < REFERENCES_MAX && !self.return_paths.contains(&path) {
                self.return_paths.push(path);
            }
        }
    }
}
