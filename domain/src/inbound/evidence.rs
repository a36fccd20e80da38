//! Evidence about a message after it was sent, and the one operation that all of it goes through: mails of a mailbox,
//! notices of providers.
//!
//! Whom and what it is about is found first ([`find`]); then the contact is held, and everything that follows is written
//! in the caller's transaction, with what says that the evidence was applied. So it is applied once, however often a
//! worker begins.

mod effect;
mod find;
mod message;
mod soft;

use chrono::{DateTime, Utc};
use entity::consent_event::ConsentMethod;
use entity::id::{InboundMailId, MessageId};
use entity::message_event::MessageEventKind;
use sea_orm::DatabaseTransaction;

use crate::error::Result;
use crate::hospital::Hospital;
use crate::nudge::Subject;
use crate::outreach::settle::class::Class;
use crate::playbook::Playbook;
use crate::signal::Signal;

pub(crate) use message::{Said, settle};

/// What was heard about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// It was not delivered.
    Bounced {
        class: Class,
        /// The enhanced status code.
        status: Option<String>,
    },
    /// The recipient reported it as unwanted.
    Complained,
    /// It arrived.
    Delivered,
    /// A person answered.
    Replied {
        /// Whether the answer may ask for no more.
        may_revoke: bool,
    },
    /// A program answered.
    AutoReplied,
    /// A person asked for no more.
    Unsubscribed {
        /// By which door.
        method: ConsentMethod,
    },
}

/// What it says of whom and which message it is about. Nothing of it is proven.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// Local parts of return paths.
    pub(crate) return_paths: Vec<String>,
    /// Tokens of unsubscribe links.
    pub(crate) tokens: Vec<String>,
    /// `Message-ID`s, the likeliest first.
    pub(crate) message_ids: Vec<String>,
    /// The recipient's address.
    pub(crate) address: Option<String>,
    /// The address that the mail was first sent to, where it was forwarded.
    pub(crate) original: Option<String>,
}

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Evidence {
    pub(crate) what: What,
    pub(crate) about: About,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    /// Whether a message or a contact was found.
    pub(crate) matched: bool,
    /// The message, if one was found.
    pub(crate) message_id: Option<MessageId>,
    /// How it was found, or why not, for people.
    pub(crate) how: &'static str,
    /// Whether the person was erased since.
    pub(crate) erased: bool,
    /// What to tell listeners.
    pub(crate) signals: Vec<Signal>,
    /// What workers should look at.
    pub(crate) nudges: Vec<Subject>,
}

/// That evidence came before the worker has said what became of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooEarly {
    /// When to look again.
    pub(crate) until: DateTime<Utc>,
}

/// What the evidence is taken with.
#[derive(Clone, Copy)]
pub(crate) struct Taking<'a> {
    pub(crate) tx: &'a DatabaseTransaction,
    pub(crate) h: &'a Hospital,
    pub(crate) playbook: &'a Playbook,
    /// What it stands in.
    pub(crate) inbound_id: InboundMailId,
}

/// Takes one piece of evidence, with all that follows from it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn take(taking: Taking<'_>, evidence: &Evidence) -> Result<Result<Taken, TooEarly>> {
    let found = match find::find(taking, evidence).await? {
        find::Answer::Found(found) => found,
        find::Answer::Nothing(how) => {
            return Ok(Ok(Taken {
                how,
                ..Taken::default()
            }));
        }
    };
    if let Some(until) = found.goes_out_until(taking.h.now()) {
        return Ok(Err(TooEarly { until }));
    }
    effect::follow(taking, evidence, *found).await.map(Ok)
}

/// The event that a message's history gets.
const fn event_of(what: &What) -> MessageEventKind {
    match what {
        What::Bounced { .. } => MessageEventKind::Bounced,
        What::Complained => MessageEventKind::Complained,
        What::Delivered => MessageEventKind::Delivered,
        What::Replied { .. } => MessageEventKind::Replied,
        What::AutoReplied => MessageEventKind::AutoReplied,
        What::Unsubscribed { .. } => MessageEventKind::Unsubscribed,
    }
}
