//! Turns a message into the bytes that go over the wire (RFC 5322, MIME).
//!
//! The same message always gives the same bytes but for its date: a second try is recognized as the same mail.

mod dkim;
mod dry_run;
mod form_saved;
mod headers;
mod letter;
mod opt_in;
mod paper;
mod postage;
mod staff_notice;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use domain::hospital::Site;
use lettre::address::Envelope;
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

pub use dkim::{Dkim, DkimError};
pub use dry_run::DryRunWriter;
pub(crate) use letter::Writer;
pub use postage::Postage;

use headers::{AutoSubmitted, ListUnsubscribe, ListUnsubscribePost, Subject, To, one_line};

/// Longest display name of a recipient, in characters.
const MAX_NAME_CHARS: usize = 120;

/// A mail on its way.
pub(crate) struct Mail {
    /// From and to, as the mail server is told.
    pub(crate) envelope: Envelope,
    /// The subject line.
    pub(crate) subject: String,
    /// All of it.
    pub(crate) raw: Vec<u8>,
}

/// Everything that goes into a mail.
pub(crate) struct Parts<'a> {
    /// Name of the recipient; may be empty.
    pub(crate) to_name: &'a str,
    /// Address of the recipient.
    pub(crate) to_address: &'a str,
    /// The subject line.
    pub(crate) subject: String,
    /// The plain-text part.
    pub(crate) text: String,
    /// The HTML part.
    pub(crate) html: String,
    /// The `Message-ID` without brackets.
    pub(crate) message_id: &'a str,
    /// Where one click unsubscribes; none for mail that the recipient asked for or gets at work.
    pub(crate) unsubscribe_url: Option<&'a str>,
    /// Whether it says of itself that no person wrote it, so that nobody's machine answers (RFC 3834).
    pub(crate) automatic: bool,
    /// When it is sent.
    pub(crate) date: DateTime<Utc>,
}

/// `MAIL_FROM` or the public address cannot stand in a mail's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LetterheadError(&'static str);

/// The recipient's address cannot stand in an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadAddress;

/// What is the same in every mail: the sender.
#[derive(Clone, Debug)]
pub(crate) struct Letterhead {
    from: Mailbox,
}

impl Letterhead {
    /// Reads the sender once, so that a wrong setting stops the start and not each mail.
    pub(crate) fn new(site: &Site) -> Result<Self, LetterheadError> {
        let from = site.mail_from.parse().map_err(|_| {
            LetterheadError("MAIL_FROM is not a sender like: Riverside Health <care@example.org>")
        })?;
        let fit = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | ',');
        if !site.public_url.chars().all(fit) {
            return Err(LetterheadError(
                "PUBLIC_URL has letters that cannot stand in a mail's header",
            ));
        }
        Ok(Self { from })
    }

    /// Writes a mail.
    pub(crate) fn write(&self, parts: Parts<'_>) -> Result<Mail, BadAddress> {
        let address: Address = parts.to_address.parse().map_err(|_| BadAddress)?;
        let name = one_line(parts.to_name, MAX_NAME_CHARS);
        let name = Some(name).filter(|name| !name.is_empty());
        let subject = one_line(&parts.subject, usize::MAX);
        let envelope =
            Envelope::new(Some(self.from.email.clone()), vec![address.clone()]).map_err(|_| BadAddress)?;
        let mut mail = Message::builder()
            .from(self.from.clone())
            .envelope(envelope.clone())
            .header(To { name, address })
            .header(Subject(subject.clone()))
            .date(parts.date.into())
            .message_id(Some(format!("<{}>", parts.message_id)));
        if let Some(url) = parts.unsubscribe_url {
            mail = mail
                .header(ListUnsubscribe(url.to_owned()))
                .header(ListUnsubscribePost);
        }
        if parts.automatic {
            mail = mail.header(AutoSubmitted);
        }
        let body = MultiPart::alternative()
            .boundary(boundary(parts.message_id))
            .singlepart(SinglePart::plain(parts.text))
            .singlepart(SinglePart::html(parts.html));
        let mail = mail.multipart(body).map_err(|_| BadAddress)?;
        Ok(Mail {
            envelope,
            subject,
            raw: mail.formatted(),
        })
    }
}

/// A separator of the parts that comes from the message, not from chance.
fn boundary(message_id: &str) -> String {
    let letters: String = message_id
        .chars()
        .take_while(|c| *c != '@')
        .filter(char::is_ascii_alphanumeric)
        .take(40)
        .collect();
    format!("=_leadward_{letters}")
}

/// Text that HTML shows as it is, also within quotes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
