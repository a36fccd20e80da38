//! Amazon SES, over SNS: the notice stands as JSON in a text of the envelope.

use entity::consent_event::ConsentMethod;
use serde::Deserialize;

use super::{RECIPIENTS_MAX, bounce, nothing, told};
use crate::inbound::contents::Contents;
use crate::inbound::evidence::{About, Evidence, What};
use crate::inbound::references;
use crate::outreach::settle::class::Class;

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "Message")]
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notice {
    /// With event publishing it is called `eventType`.
    #[serde(alias = "eventType")]
    notification_type: String,
    #[serde(default)]
    mail: Mail,
    bounce: Option<Bounce>,
    complaint: Option<Complaint>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Mail {
    /// The return path.
    source: String,
    destination: Vec<String>,
    common_headers: CommonHeaders,
    headers: Vec<Header>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct CommonHeaders {
    message_id: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Header {
    name: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    #[serde(default)]
    bounce_type: String,
    #[serde(default)]
    bounce_sub_type: String,
    #[serde(default)]
    bounced_recipients: Vec<Recipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    #[serde(default)]
    complained_recipients: Vec<Recipient>,
    complaint_feedback_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    #[serde(default)]
    email_address: String,
    status: Option<String>,
    diagnostic_code: Option<String>,
}

/// Reads the envelope of SNS with a notice of SES in it.
pub(in crate::inbound) fn read(raw: &[u8]) -> Contents {
    let Ok(envelope) = serde_json::from_slice::<Envelope>(raw) else {
        return nothing("It is no envelope of SNS.");
    };
    let Ok(notice) = serde_json::from_str::<Notice>(&envelope.message) else {
        return nothing("It is a message of SNS, and none about a mail.");
    };
    match (
        notice.notification_type.as_str(),
        &notice.bounce,
        &notice.complaint,
    ) {
        ("Bounce", Some(bounced), _) => of_bounce(&notice.mail, bounced),
        ("Complaint", _, Some(complaint)) => of_complaint(&notice.mail, complaint),
        ("Delivery", _, _) => {
            let each = notice.mail.destination.iter().take(RECIPIENTS_MAX);
            let evidence = each.map(|address| Evidence {
                what: What::Delivered,
                about: notice.mail.about(address),
            });
            told("A notice of SES that it was delivered.", evidence.collect())
        }
        _ => nothing("A notice of SES from which nothing follows."),
    }
}

fn of_bounce(mail: &Mail, bounced: &Bounce) -> Contents {
    let word = match (bounced.bounce_type.as_str(), bounced.bounce_sub_type.as_str()) {
        ("Permanent", _) => Class::Hard,
        (_, "MessageTooLarge" | "ContentRejected" | "AttachmentRejected") => Class::Content,
        _ => Class::Soft,
    };
    let each = bounced
        .bounced_recipients
        .iter()
        .take(RECIPIENTS_MAX)
        .map(|one| Evidence {
            what: bounce(
                word,
                one.status.as_deref(),
                one.diagnostic_code.as_deref().unwrap_or_default(),
            ),
            about: mail.about(&one.email_address),
        });
    told("A notice of SES that delivery failed.", each.collect())
}

fn of_complaint(mail: &Mail, complaint: &Complaint) -> Contents {
    let kind = complaint.complaint_feedback_type.as_deref().unwrap_or("abuse");
    let what = match kind {
        "not-spam" | "auth-failure" | "virus" => {
            return nothing("A notice of SES of a complaint that is none of a person.");
        }
        "opt-out" | "opt-out-list" => What::Unsubscribed {
            method: ConsentMethod::Webhook,
        },
        _ => What::Complained,
    };
    let each = complaint
        .complained_recipients
        .iter()
        .take(RECIPIENTS_MAX)
        .map(|one| Evidence {
            what: what.clone(),
            about: mail.about(&one.email_address),
        });
    told("A notice of SES of a complaint.", each.collect())
}

impl Mail {
    fn about(&self, address: &str) -> About {
        let ids = self
            .headers
            .iter()
            .filter(|header| header.name.eq_ignore_ascii_case("message-id"));
        let named = ids
            .map(|header| header.value.as_str())
            .chain([self.common_headers.message_id.as_str()]);
        About {
            return_paths: references::return_paths(&self.source).collect(),
            message_ids: named.flat_map(references::message_ids).take(5).collect(),
            address: Some(address.to_owned()).filter(|address| !address.is_empty()),
            ..About::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the provider's own guide, in its envelope.
    fn envelope(notice: &serde_json::Value) -> Vec<u8> {
        let envelope =
            serde_json::json!({ "Type": "Notification", "MessageId": "1", "Message": notice.to_string() });
        envelope.to_string().into_bytes()
    }

    fn bounce_of(kind: &str, sub: &str, status: &str) -> Contents {
        read(&envelope(&serde_json::json!({
            "notificationType": "Bounce",
            "mail": {"timestamp": "2026-11-23T15:00:00.000Z", "messageId": "0100-000000", "source": "b@example.org",
                     "destination": ["pat@example.net"], "headersTruncated": false,
                     "commonHeaders": {"messageId": "<msg_1@example.org>"}},
            "bounce": {"bounceType": kind, "bounceSubType": sub, "new": {"field": 1},
                       "bouncedRecipients": [
                           {"emailAddress": "pat@example.net", "action": "failed", "status": status, "diagnosticCode": "smtp; 550"},
                           {"emailAddress": "lee@example.net"}],
                       "timestamp": "2026-11-23T15:00:03.000Z", "feedbackId": "0100"},
        })))
    }

    #[test]
    fn a_bounce_is_evidence_about_each_recipient() {
        let contents = bounce_of("Permanent", "General", "5.1.1");
        assert_eq!(
            (contents.kind, contents.class),
            (Some(entity::inbound_mail::InboundKind::Bounce), Some(Class::Hard))
        );
        let addresses: Vec<_> = contents
            .evidence
            .iter()
            .filter_map(|one| one.about.address.as_deref())
            .collect();
        assert_eq!(addresses, ["pat@example.net", "lee@example.net"]);
        assert_eq!(contents.evidence[0].about.message_ids, ["msg_1@example.org"]);
    }

    #[test]
    fn what_passes_is_soft_and_what_is_about_the_mail_is_content() {
        assert_eq!(bounce_of("Transient", "MailboxFull", "").class, Some(Class::Soft));
        assert_eq!(
            bounce_of("Transient", "MessageTooLarge", "").class,
            Some(Class::Content)
        );
        assert_eq!(
            bounce_of("Permanent", "General", "5.7.1").class,
            Some(Class::Blocked),
            "the code says more"
        );
    }

    #[test]
    fn a_complaint_of_a_person_is_one_and_that_of_a_program_is_none() {
        let of = |kind: &str| {
            read(&envelope(&serde_json::json!({
                "eventType": "Complaint", "mail": {},
                "complaint": {"complainedRecipients": [{"emailAddress": "pat@example.net"}], "complaintFeedbackType": kind},
            })))
        };
        assert_eq!(of("abuse").evidence[0].what, What::Complained);
        assert!(of("not-spam").evidence.is_empty());
    }

    #[test]
    fn what_is_not_known_or_not_whole_is_no_evidence() {
        let open = serde_json::json!({ "eventType": "Open", "mail": {} });
        assert!(read(&envelope(&open)).evidence.is_empty());
        for raw in [&b""[..], b"{}", b"[]", b"{\"Message\":\"hello\"}", b"\xff"] {
            assert!(read(raw).evidence.is_empty());
        }
    }
}
