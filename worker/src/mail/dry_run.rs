//! Writes mails for a dry run, as they would go out, and throws them away.

use chrono::{DateTime, Utc};
use domain::dry_run::MailWriter;
use domain::hospital::Hospital;
use domain::outreach::claim::Sendable;
use domain::playbook::Playbook;
use entity::message::GateReason;

use super::{LetterheadError, Postage, Writer};

/// The writer of the worker, for dry runs.
#[derive(Debug)]
pub struct DryRunWriter(Writer);

impl DryRunWriter {
    /// A writer of this installation.
    ///
    /// # Errors
    /// When the sender or the public address of the site cannot stand in a mail.
    pub fn new(hospital: &Hospital) -> Result<Self, LetterheadError> {
        Writer::new(hospital, Postage::default()).map(Self)
    }
}

impl MailWriter for DryRunWriter {
    fn subject(
        &self,
        h: &Hospital,
        playbook: &Playbook,
        sendable: &Sendable,
        now: DateTime<Utc>,
    ) -> Result<String, GateReason> {
        match self.0.write(h, playbook, sendable, now) {
            Ok(mail) => Ok(mail.subject),
            Err(why) => Err(why.reason()),
        }
    }
}
