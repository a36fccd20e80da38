//! Notices of mail providers. What is unknown in them is passed over: providers add fields and kinds.

pub mod postmark;
pub mod sendgrid;
pub mod ses;

use super::contents::Contents;
use super::evidence::{Evidence, What};
use crate::outreach::settle::class::Class;
use entity::inbound_mail::InboundKind;

/// Recipients of one notice that are looked at.
const RECIPIENTS_MAX: usize = 100;

/// A notice that is no evidence of anything.
fn nothing(why: &str) -> Contents {
    Contents {
        kind: Some(InboundKind::Other),
        why: why.to_owned(),
        ..Contents::default()
    }
}

/// A notice with evidence, all of one kind.
fn told(why: &str, evidence: Vec<Evidence>) -> Contents {
    let first = evidence.first().map(|one| &one.what);
    let (class, status) = match first {
        Some(What::Bounced { class, status }) => (Some(*class), status.clone()),
        _ => (None, None),
    };
    let kind = match first {
        Some(What::Bounced { .. }) => InboundKind::Bounce,
        Some(What::Complained) => InboundKind::Complaint,
        Some(What::Unsubscribed { .. }) => InboundKind::Unsubscribe,
        Some(What::AutoReplied) => InboundKind::AutoReply,
        Some(What::Replied { .. }) => InboundKind::Reply,
        Some(What::Delivered) | None => InboundKind::Other,
    };
    Contents {
        kind: Some(kind),
        class,
        status,
        why: why.to_owned(),
        evidence,
    }
}

/// The class of a bounce: the provider's word, unless the code says something else.
fn bounce(word: Class, status: Option<&str>, said: &str) -> What {
    let read = super::failure::read(status, said);
    // Words alone are weaker than what the provider has worked out from all that it knows.
    let class = if read.by == "the enhanced status code" {
        read.class
    } else {
        word
    };
    What::Bounced {
        class,
        status: read.status,
    }
}
