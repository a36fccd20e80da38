//! Postmark's webhooks: one object a notice.

use std::collections::BTreeMap;

use entity::consent_event::ConsentMethod;
use serde::Deserialize;

use super::{bounce, nothing, told};
use crate::inbound::contents::Contents;
use crate::inbound::evidence::{About, Evidence, What};
use crate::inbound::references;
use crate::outreach::settle::class::Class;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Notice {
    record_type: String,
    #[serde(default)]
    type_code: i64,
    #[serde(default)]
    email: String,
    #[serde(default)]
    recipient: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    details: String,
    #[serde(default)]
    description: String,
    /// What came back, if it is passed on.
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    suppress_sending: bool,
    #[serde(default)]
    suppression_reason: Option<String>,
    #[serde(default)]
    origin: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, serde_json::Value>,
}

/// Reads one notice.
pub(in crate::inbound) fn read(raw: &[u8]) -> Contents {
    let Ok(notice) = serde_json::from_slice::<Notice>(raw) else {
        return nothing("It is no notice of Postmark.");
    };
    match notice.record_type.as_str() {
        "Bounce" => of_bounce(&notice),
        "SpamComplaint" => told(
            "A notice of Postmark of a complaint.",
            notice.evidence(What::Complained),
        ),
        "Delivery" => told(
            "A notice of Postmark that it was delivered.",
            notice.evidence(What::Delivered),
        ),
        // The other reasons are told by a notice of their own.
        "SubscriptionChange"
            if notice.suppress_sending
                && notice.suppression_reason.as_deref() == Some("ManualSuppression")
                && notice.origin.as_deref() == Some("Recipient") =>
        {
            let method = ConsentMethod::Webhook;
            told(
                "A notice of Postmark that somebody wants no more.",
                notice.evidence(What::Unsubscribed { method }),
            )
        }
        _ => nothing("A notice of Postmark from which nothing follows."),
    }
}

fn of_bounce(notice: &Notice) -> Contents {
    let word = match notice.type_code {
        // HardBounce, BadEmailAddress.
        1 | 100_000 => Class::Hard,
        // Transient, DnsError, SoftBounce.
        2 | 256 | 4_096 => Class::Soft,
        // SpamNotification, Blocked, DMARCPolicy.
        512 | 100_006 | 100_009 => Class::Blocked,
        64 => {
            return told(
                "A notice of Postmark of an automatic answer.",
                notice.evidence(What::AutoReplied),
            );
        }
        100_001 => {
            return told(
                "A notice of Postmark of a complaint.",
                notice.evidence(What::Complained),
            );
        }
        _ => return nothing("A notice of Postmark of a bounce that says nothing of the address."),
    };
    let said = format!("{} {}", notice.details, notice.description);
    told(
        "A notice of Postmark that delivery failed.",
        notice.evidence(bounce(word, None, &said)),
    )
}

impl Notice {
    fn evidence(&self, what: What) -> Vec<Evidence> {
        let address = if self.email.is_empty() {
            &self.recipient
        } else {
            &self.email
        };
        let content = self.content.as_deref().unwrap_or_default();
        let told = self.metadata.values().filter_map(serde_json::Value::as_str);
        let ids = content
            .lines()
            .filter_map(|line| line.split_once(':'))
            .filter(|(name, _)| name.trim().eq_ignore_ascii_case("message-id"))
            .map(|(_, value)| value)
            .chain(told.filter(|value| value.contains('@')));
        let paths = references::return_paths(content).chain(references::return_paths(&self.from));
        vec![Evidence {
            what,
            about: About {
                return_paths: paths.take(5).collect(),
                message_ids: ids.flat_map(references::message_ids).take(5).collect(),
                address: Some(address.clone()).filter(|address| !address.is_empty()),
                ..About::default()
            },
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_code(code: i64) -> Contents {
        let notice = serde_json::json!({
            "RecordType": "Bounce", "ID": 42, "Type": "x", "TypeCode": code, "MessageID": "883953f4", "ServerID": 23,
            "Email": "pat@example.net", "From": "care@example.org", "Details": "", "Metadata": {"message": "msg_1@example.org"},
            "Content": "Received: from x\r\nMessage-ID: <msg_2@example.org>\r\n", "New": [1],
        });
        read(notice.to_string().as_bytes())
    }

    #[test]
    fn the_codes_of_bounces_are_told_apart() {
        for (code, class) in [
            (1, Class::Hard),
            (4_096, Class::Soft),
            (100_006, Class::Blocked),
            (512, Class::Blocked),
        ] {
            assert_eq!(of_code(code).class, Some(class), "{code}");
        }
        assert_eq!(of_code(64).evidence[0].what, What::AutoReplied);
        assert_eq!(of_code(100_001).evidence[0].what, What::Complained);
        assert_eq!(
            of_code(1).evidence[0].about.message_ids,
            ["msg_2@example.org", "msg_1@example.org"]
        );
    }

    #[test]
    fn what_is_not_known_or_not_whole_is_no_evidence() {
        for raw in [&b"{\"RecordType\":\"Open\"}"[..], b"{}", b"[]", b""] {
            assert!(read(raw).evidence.is_empty());
        }
    }
}
