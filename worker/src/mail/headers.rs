//! Headers that lettre does not know, and text that is safe in a header.

use email_encoding::headers::{rfc2047, writer::EmailWriter};
use lettre::Address;
use lettre::message::header::{self, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Mailboxes};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A text on one line: control characters and runs of blanks become one blank, so that nothing a person typed can begin
/// a header of its own.
pub(super) fn one_line(text: &str, max_chars: usize) -> String {
    let blank = |c: char| {
        if c.is_control() || c.is_whitespace() {
            ' '
        } else {
            c
        }
    };
    let spaced: String = text.chars().map(blank).collect();
    let line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(max_chars) {
        Some((end, _)) => line[..end].trim_end().to_owned(),
        None => line,
    }
}

/// The subject line, shown letter by letter: a text that looks like an encoded word (RFC 2047) is encoded itself, or the
/// recipient's program would decode it into something that nobody wrote.
#[derive(Clone)]
pub(super) struct Subject(pub(super) String);

impl Header for Subject {
    fn name() -> HeaderName {
        header::Subject::name()
    }

    fn parse(text: &str) -> Result<Self, BoxError> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        match literal(&Self::name(), &self.0) {
            Some(encoded) => HeaderValue::dangerous_new_pre_encoded(Self::name(), self.0.clone(), encoded),
            None => header::Subject::from(self.0.clone()).display(),
        }
    }
}

/// The one recipient, whose name is shown letter by letter like the subject.
#[derive(Clone)]
pub(super) struct To {
    /// The name; may be none.
    pub(super) name: Option<String>,
    /// The address.
    pub(super) address: Address,
}

impl Header for To {
    fn name() -> HeaderName {
        header::To::name()
    }

    fn parse(text: &str) -> Result<Self, BoxError> {
        let Mailbox { name, email } = text.parse()?;
        Ok(Self { name, address: email })
    }

    fn display(&self) -> HeaderValue {
        let name = self.name.as_deref().unwrap_or_default();
        match literal(&Self::name(), name) {
            Some(encoded) => {
                let whole = |name: &str| format!("{name} <{}>", self.address);
                HeaderValue::dangerous_new_pre_encoded(Self::name(), whole(name), whole(&encoded))
            }
            None => header::To::from(Mailboxes::from(Mailbox::new(
                self.name.clone(),
                self.address.clone(),
            )))
            .display(),
        }
    }
}

/// The text in encoded words, if it holds what would be taken for one; else lettre writes it well.
fn literal(header: &HeaderName, text: &str) -> Option<String> {
    if !text.contains("=?") {
        return None;
    }
    let mut encoded = String::new();
    let begun = header.len() + ": ".len();
    rfc2047::encode(text, &mut EmailWriter::new(&mut encoded, begun, 0, false)).ok()?;
    Some(encoded)
}

/// Where one click unsubscribes (RFC 8058): one HTTPS address.
#[derive(Clone)]
pub(super) struct ListUnsubscribe(pub(super) String);

impl Header for ListUnsubscribe {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe")
    }

    fn parse(text: &str) -> Result<Self, BoxError> {
        Ok(Self(text.trim_matches(['<', '>']).to_owned()))
    }

    fn display(&self) -> HeaderValue {
        let value = format!("<{}>", self.0);
        // As it is: an encoded word would break the address. The letterhead has checked its letters.
        HeaderValue::dangerous_new_pre_encoded(Self::name(), value.clone(), value)
    }
}

/// Says that a POST to that address is enough (RFC 8058).
#[derive(Clone)]
pub(super) struct ListUnsubscribePost;

impl Header for ListUnsubscribePost {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe-Post")
    }

    fn parse(_: &str) -> Result<Self, BoxError> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        let value = "List-Unsubscribe=One-Click".to_owned();
        HeaderValue::dangerous_new_pre_encoded(Self::name(), value.clone(), value)
    }
}

/// Says that no person wrote it (RFC 3834).
#[derive(Clone)]
pub(super) struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, BoxError> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        let value = "auto-generated".to_owned();
        HeaderValue::dangerous_new_pre_encoded(Self::name(), value.clone(), value)
    }
}
