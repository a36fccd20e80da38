//! What stands in what came in, whichever door it came by, as evidence. Pure.

use entity::consent_event::ConsentMethod;
use entity::inbound_mail::{InboundKind, InboundSource, Model};

use super::classify;
use super::evidence::{About, Evidence, What};
use super::provider::{postmark, sendgrid, ses};
use super::reading::Reading;
use crate::outreach::settle::class::Class;

/// What stands in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) kind: Option<InboundKind>,
    pub(crate) class: Option<Class>,
    pub(crate) status: Option<String>,
    /// Why it was read so, without personal data.
    pub(crate) why: String,
    pub(crate) evidence: Vec<Evidence>,
}

/// Reads what came in.
pub(super) fn read(row: &Model) -> Contents {
    let Some(raw) = row.raw.as_deref() else {
        return Contents {
            why: "Its bytes were taken out before it was read.".to_owned(),
            ..Contents::default()
        };
    };
    match row.source {
        InboundSource::Maildir => of_mail(classify(raw)),
        InboundSource::Ses => ses::read(raw),
        InboundSource::Sendgrid => sendgrid::read(raw),
        InboundSource::Postmark => postmark::read(raw),
    }
}

/// Whether somebody should know when it is about nobody. That a stranger wrote is nobody's business.
pub(super) fn needs_a_match(contents: &Contents) -> bool {
    !matches!(
        contents.kind,
        None | Some(InboundKind::Other | InboundKind::AutoReply)
    )
}

fn of_mail(reading: Reading) -> Contents {
    let evidence = evidence_of(&reading);
    Contents {
        kind: Some(reading.kind),
        class: reading.class,
        status: reading.status,
        why: reading.why,
        evidence,
    }
}

fn evidence_of(reading: &Reading) -> Vec<Evidence> {
    let about = |address: Option<&String>, original: Option<&String>| About {
        return_paths: reading.return_paths.clone(),
        tokens: reading.tokens.clone(),
        message_ids: reading.message_ids.clone(),
        address: address.cloned(),
        original: original.cloned(),
    };
    let one = |what: What| {
        vec![Evidence {
            what,
            about: about(reading.recipients.first(), None),
        }]
    };
    match reading.kind {
        InboundKind::Bounce => {
            let failed = reading.failed.iter().map(|failed| Evidence {
                what: What::Bounced {
                    class: failed.class,
                    status: failed.status.clone(),
                },
                about: about(Some(&failed.address), failed.original.as_ref()),
            });
            failed.collect()
        }
        InboundKind::Complaint if reading.recipients.is_empty() => one(What::Complained),
        InboundKind::Complaint => {
            let each = reading.recipients.iter().map(|address| Evidence {
                what: What::Complained,
                about: about(Some(address), None),
            });
            each.collect()
        }
        InboundKind::Unsubscribe => one(What::Unsubscribed {
            method: ConsentMethod::Reply,
        }),
        InboundKind::Reply => one(What::Replied {
            may_revoke: reading.may_revoke,
        }),
        InboundKind::AutoReply => one(What::AutoReplied),
        InboundKind::Other if reading.personal => one(What::Replied {
            may_revoke: reading.may_revoke,
        }),
        InboundKind::Other if reading.delivered => one(What::Delivered),
        InboundKind::Other => Vec::new(),
    }
}
