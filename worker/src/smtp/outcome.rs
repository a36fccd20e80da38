//! What became of a send, in the words the delivery engine decides by.

use std::error::Error as _;

use lettre::address::Envelope;
use lettre::transport::smtp::Error as LettreError;
use lettre::transport::smtp::response::Response;

/// Longest reply kept, in characters: enough for a provider's explanation, too short to be a mail.
const REPLY_LIMIT: usize = 200;

/// The relay took responsibility for the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The answer to the final dot, code first (`250 2.0.0 Ok: queued as 4B1C…`), shortened, without addresses.
    pub reply: String,
}

/// Whether trying again later can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The network failed, the relay said 4xx, or it refuses *us* (bad sign-in): try again later.
    Transient,
    /// The relay said 5xx to this message: trying it again unchanged is pointless.
    Permanent,
}

/// How far a send had come when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before any message: getting a connection, greeting, TLS, sign-in.
    Connect,
    /// `MAIL FROM`: the relay judges the sender.
    Mail,
    /// `RCPT TO`: the relay judges the recipient. A 5xx here is about the address.
    Recipient,
    /// `DATA`, before any content went out.
    Data,
    /// The message itself: a refusal here is about its content or about policy.
    Content,
}

/// Why a message was not accepted, or may not have been.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The relay holds nothing of the message: sending it again cannot double it.
    #[error("not sent ({class:?} at {stage:?}): {reply}")]
    NotSent {
        /// Whether trying again can help.
        class: Class,
        /// How far it had come.
        stage: Stage,
        /// The relay's three-digit code, if it answered at all.
        code: Option<u16>,
        /// The enhanced status code (RFC 3463) that began its answer, such as `5.1.1`.
        enhanced: Option<String>,
        /// Its answer, or the network's failure: shortened, without addresses.
        reply: String,
    },
    /// The message with its final dot was handed over and no answer came back: it may or may not have been accepted.
    /// Sending it again may double it.
    #[error("handed over, but no answer came back: {detail}")]
    Unknown {
        /// What happened instead of an answer, without addresses.
        detail: String,
    },
}

impl SendError {
    /// Whether a later try can help and cannot double the mail. An unknown outcome is not for this question.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::NotSent {
                class: Class::Transient,
                ..
            }
        )
    }

    /// Whether the connection had died, or was being shut, before the relay looked at the message.
    pub(super) fn is_stale_connection(&self) -> bool {
        matches!(
            self,
            Self::NotSent {
                class: Class::Transient,
                stage: Stage::Mail,
                code: None | Some(421),
                ..
            }
        )
    }

    /// Whether the relay answered and the connection can go on after a reset.
    pub(super) fn leaves_connection_usable(&self) -> bool {
        matches!(self, Self::NotSent { code: Some(code), .. } if *code != 421 && *code >= 400)
    }

    /// A transient failure on our side of the wire.
    pub(super) fn local(stage: Stage, what: impl Into<String>) -> Self {
        Self::NotSent {
            class: Class::Transient,
            stage,
            code: None,
            enhanced: None,
            reply: what.into(),
        }
    }

    /// A failure that the message brings with it and no relay can cure.
    pub(super) fn unsendable(enhanced: &str, what: &str) -> Self {
        Self::NotSent {
            class: Class::Permanent,
            stage: Stage::Mail,
            code: None,
            enhanced: Some(enhanced.to_owned()),
            reply: what.to_owned(),
        }
    }

    /// A failure that lettre reported while nothing could have been accepted.
    pub(super) fn from_lettre(stage: Stage, error: &LettreError, envelope: Option<&Envelope>) -> Self {
        let Some(code) = error.status().map(u16::from) else {
            return Self::local(stage, detail(error, envelope));
        };
        let text = error.source().map(ToString::to_string).unwrap_or_default();
        Self::NotSent {
            class: class_of(stage, code),
            stage,
            code: Some(code),
            enhanced: enhanced_code(&text),
            reply: tidy(&format!("{code} {text}"), envelope),
        }
    }

    /// A positive answer of the wrong kind, such as 354 to `MAIL`: the two sides are out of step.
    pub(super) fn out_of_step(stage: Stage, response: &Response) -> Self {
        let code = u16::from(response.code());
        Self::NotSent {
            class: Class::Transient,
            stage,
            code: Some(code),
            enhanced: None,
            reply: format!("unexpected answer {code}"),
        }
    }
}

/// The first digit decides, except where a 5xx is about us and not about the message: a wrong password must not
/// turn a day's mail into refusals.
fn class_of(stage: Stage, code: u16) -> Class {
    match (stage, code) {
        (Stage::Connect, _) => Class::Transient,
        // Sign-in or encryption demanded (RFC 4954, RFC 3207), or commands out of order.
        (_, 503 | 530 | 534 | 535 | 538) => Class::Transient,
        (_, 500..) => Class::Permanent,
        _ => Class::Transient,
    }
}

/// The answer as one line: its code, then its text, shortened and without addresses.
pub(super) fn reply_line(response: &Response, envelope: &Envelope) -> String {
    let mut text = u16::from(response.code()).to_string();
    for line in response.message() {
        text.push(' ');
        text.push_str(line);
    }
    tidy(&text, Some(envelope))
}

/// What lettre or the network said, shortened and without addresses.
pub(super) fn detail(error: &LettreError, envelope: Option<&Envelope>) -> String {
    tidy(&error.to_string(), envelope)
}

/// An RFC 3463 code at the start of a reply's text.
fn enhanced_code(text: &str) -> Option<String> {
    let word = text.split_whitespace().next()?;
    let mut parts = word.split('.');
    let class = parts.next()?;
    let well_formed = matches!(class, "2" | "4" | "5")
        && parts.clone().count() == 2
        && parts.all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    well_formed.then(|| word.to_owned())
}

/// Takes addresses out of what a server wrote, and bounds it.
///
/// Servers like to repeat the recipient, whole (`<pat@example.net>: unknown`), encoded in a link, or by the local
/// part alone (`no mailbox pat here`). A word too many masked is better than one too few.
pub(super) fn tidy(text: &str, envelope: Option<&Envelope>) -> String {
    let names: Vec<String> = envelope
        .into_iter()
        .flat_map(|envelope| envelope.to().iter().chain(envelope.from()))
        .map(|address| address.user().to_lowercase())
        .collect();
    let is_private = |word: &str| {
        let word = word.to_lowercase();
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        word.contains('@') || word.contains("%40") || names.iter().any(|name| bare == name)
    };
    let mut line = String::with_capacity(text.len().min(REPLY_LIMIT * 2));
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        if is_private(word) {
            line.push_str("[address]");
        } else {
            line.extend(word.chars().filter(|c| !c.is_control()));
        }
    }
    match line.char_indices().nth(REPLY_LIMIT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests;
