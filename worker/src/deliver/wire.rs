//! What the relay's answer means for a message.

use domain::outreach::captured::Kept;
use domain::outreach::settle::Outcome;
use domain::outreach::settle::class::{Class, Reply, class_of};
use domain::outreach::settle::retry::Cause;

use crate::mail::Mail;
use crate::smtp::{Accepted, Class as SmtpClass, SendError, Stage};

/// The mail is kept instead of sent.
pub(super) fn keep(mail: &Mail) -> Outcome {
    let recipient = mail
        .envelope
        .to()
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    Outcome::Accepted {
        response: "kept in the outbox".to_owned(),
        kept: Some(Kept {
            recipient,
            raw: mail.raw.clone(),
        }),
    }
}

/// What became of a send.
pub(super) fn outcome(sent: Result<Accepted, SendError>) -> Outcome {
    match sent {
        Ok(accepted) => Outcome::Accepted {
            response: accepted.reply,
            kept: None,
        },
        Err(SendError::Unknown { detail }) => Outcome::Unknown { detail },
        // No connection, or no sign-in: says nothing of this message.
        Err(SendError::NotSent {
            stage: Stage::Connect,
            ..
        }) => Outcome::NotTried,
        Err(SendError::NotSent {
            class,
            stage,
            code,
            enhanced,
            reply,
        }) => {
            let read = class_of(&Reply {
                code,
                enhanced: enhanced.as_deref(),
                to_recipient: stage == Stage::Recipient,
                to_sender: stage == Stage::Mail,
            });
            match (class, read) {
                (SmtpClass::Transient, _) => {
                    let cause = if code.is_none() {
                        Cause::Broken
                    } else {
                        Cause::AskedTo
                    };
                    Outcome::RetryLater {
                        response: reply,
                        cause,
                    }
                }
                // A full mailbox, whatever digit it came with.
                (SmtpClass::Permanent, Class::Soft) => Outcome::RetryLater {
                    response: reply,
                    cause: Cause::AskedTo,
                },
                (SmtpClass::Permanent, read) => Outcome::Refused {
                    response: reply,
                    class: read,
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(class: SmtpClass, stage: Stage, code: Option<u16>, enhanced: Option<&str>) -> Outcome {
        let enhanced = enhanced.map(str::to_owned);
        outcome(Err(SendError::NotSent {
            class,
            stage,
            code,
            enhanced,
            reply: "no".to_owned(),
        }))
    }

    #[test]
    fn an_unknown_recipient_is_refused_and_its_address_is_dead() {
        let outcome = refused(SmtpClass::Permanent, Stage::Recipient, Some(550), Some("5.1.1"));
        assert!(
            matches!(
                outcome,
                Outcome::Refused {
                    class: Class::Hard,
                    ..
                }
            ),
            "{outcome:?}"
        );
    }

    #[test]
    fn a_refusal_for_policy_leaves_the_address_alone() {
        let outcome = refused(SmtpClass::Permanent, Stage::Content, Some(550), Some("5.7.1"));
        assert!(
            matches!(
                outcome,
                Outcome::Refused {
                    class: Class::Blocked,
                    ..
                }
            ),
            "{outcome:?}"
        );
    }

    #[test]
    fn a_full_mailbox_is_tried_again_even_at_5xx() {
        let outcome = refused(SmtpClass::Permanent, Stage::Recipient, Some(552), Some("5.2.2"));
        assert!(
            matches!(
                outcome,
                Outcome::RetryLater {
                    cause: Cause::AskedTo,
                    ..
                }
            ),
            "{outcome:?}"
        );
    }

    #[test]
    fn greylisting_waits_as_long_as_asked_and_a_broken_line_only_a_moment() {
        let asked = refused(SmtpClass::Transient, Stage::Recipient, Some(450), Some("4.7.1"));
        assert!(
            matches!(
                asked,
                Outcome::RetryLater {
                    cause: Cause::AskedTo,
                    ..
                }
            ),
            "{asked:?}"
        );
        let broken = refused(SmtpClass::Transient, Stage::Data, None, None);
        assert!(
            matches!(
                broken,
                Outcome::RetryLater {
                    cause: Cause::Broken,
                    ..
                }
            ),
            "{broken:?}"
        );
    }

    #[test]
    fn a_relay_that_cannot_be_reached_is_no_try() {
        assert!(matches!(
            refused(SmtpClass::Transient, Stage::Connect, None, None),
            Outcome::NotTried
        ));
        assert!(matches!(
            refused(SmtpClass::Transient, Stage::Connect, Some(535), None),
            Outcome::NotTried
        ));
    }

    #[test]
    fn a_lost_answer_is_unknown_and_never_a_retry() {
        let outcome = outcome(Err(SendError::Unknown {
            detail: "no answer".to_owned(),
        }));
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    }
}
