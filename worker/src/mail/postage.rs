//! What is done to a mail when all its words are written: the return path that names it, and the signature.

use domain::link::Secrets;
use domain::outreach::verp;
use entity::id::MessageId;
use lettre::Address;
use lettre::address::Envelope;

use super::dkim::{Dkim, host_name};
use super::{LetterheadError, Mail};
use crate::smtp::canonical;

/// How mails are stamped. By default they are not: bounces go to the sender's address, and nothing is signed.
#[derive(Clone, Debug, Default)]
pub struct Postage {
    dkim: Option<Dkim>,
    bounce_domain: Option<String>,
}

impl Postage {
    /// With a return path of its own for each mail at `bounce_domain`, and signed by `dkim`.
    ///
    /// # Errors
    /// When `bounce_domain` is no domain.
    pub fn new(dkim: Option<Dkim>, bounce_domain: Option<&str>) -> Result<Self, LetterheadError> {
        let named = |domain| {
            host_name(domain).ok_or(LetterheadError(
                "BOUNCE_DOMAIN is not a domain such as bounces.example.org",
            ))
        };
        Ok(Self {
            dkim,
            bounce_domain: bounce_domain.map(named).transpose()?,
        })
    }

    /// Stamps a mail. None when it cannot be signed.
    pub(super) fn stamp(&self, secrets: &Secrets, id: MessageId, mail: Mail) -> Option<Mail> {
        let envelope = match &self.bounce_domain {
            None => mail.envelope,
            Some(domain) => {
                let from = Address::new(verp::local_part(secrets, id), domain).ok()?;
                Envelope::new(Some(from), mail.envelope.to().to_vec()).ok()?
            }
        };
        let raw = match &self.dkim {
            None => mail.raw,
            // What is signed must not change any more, so it gets the line ends of the wire first.
            Some(dkim) => dkim.sign(&canonical(&mail.raw))?,
        };
        Some(Mail {
            envelope,
            raw,
            ..mail
        })
    }
}
