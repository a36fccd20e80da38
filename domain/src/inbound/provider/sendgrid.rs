//! The event webhook of SendGrid. One event; the door takes the list apart.

use entity::consent_event::ConsentMethod;
use serde::Deserialize;

use super::{bounce, nothing, told};
use crate::inbound::contents::Contents;
use crate::inbound::evidence::{About, Evidence, What};
use crate::inbound::references;
use crate::outreach::settle::class::Class;

#[derive(Deserialize)]
struct Event {
    event: String,
    #[serde(default)]
    email: String,
    #[serde(rename = "smtp-id", default)]
    smtp_id: String,
    #[serde(rename = "type", default)]
    kind: String,
    status: Option<String>,
    #[serde(default)]
    reason: String,
}

/// Reads one event.
pub(in crate::inbound) fn read(raw: &[u8]) -> Contents {
    let Ok(event) = serde_json::from_slice::<Event>(raw) else {
        return nothing("It is no event of SendGrid.");
    };
    let evidence = |what| {
        vec![Evidence {
            what,
            about: About {
                message_ids: references::message_ids(&event.smtp_id).take(5).collect(),
                address: Some(event.email.clone()).filter(|address| !address.is_empty()),
                ..About::default()
            },
        }]
    };
    match event.event.as_str() {
        "bounce" => {
            // "blocked" is temporary by their own words.
            let word = if event.kind == "blocked" {
                Class::Blocked
            } else {
                Class::Hard
            };
            told(
                "An event of SendGrid that delivery failed.",
                evidence(bounce(word, event.status.as_deref(), &event.reason)),
            )
        }
        "dropped" => told(
            "An event of SendGrid that it was not sent.",
            evidence(dropped(&event)),
        ),
        "delivered" => told(
            "An event of SendGrid that it was delivered.",
            evidence(What::Delivered),
        ),
        "spamreport" => told("An event of SendGrid of a complaint.", evidence(What::Complained)),
        "unsubscribe" | "group_unsubscribe" => {
            let method = ConsentMethod::Webhook;
            told(
                "An event of SendGrid that somebody wants no more.",
                evidence(What::Unsubscribed { method }),
            )
        }
        _ => nothing("An event of SendGrid from which nothing follows."),
    }
}

/// What the provider did not even try, by the reason that it gives.
fn dropped(event: &Event) -> What {
    let reason = event.reason.to_ascii_lowercase();
    let class = if reason.contains("bounced address") || reason.contains("invalid") {
        Class::Hard
    } else if reason.contains("content") {
        Class::Content
    } else {
        Class::Blocked
    };
    What::Bounced { class, status: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(event: &serde_json::Value) -> Option<Class> {
        read(event.to_string().as_bytes()).class
    }

    #[test]
    fn a_bounce_is_hard_and_a_block_is_none_of_the_address() {
        let event = |kind: &str| {
            serde_json::json!({
                "email": "pat@example.net", "event": "bounce", "type": kind, "sg_event_id": "1", "sg_message_id": "2",
                "smtp-id": "<msg_1@example.org>", "timestamp": 1_588_788_367, "category": ["a"], "another": {"x": 1},
            })
        };
        assert_eq!(class(&event("bounce")), Some(Class::Hard));
        assert_eq!(class(&event("blocked")), Some(Class::Blocked));
        let contents = read(event("bounce").to_string().as_bytes());
        assert_eq!(contents.evidence[0].about.message_ids, ["msg_1@example.org"]);
    }

    #[test]
    fn what_is_not_known_or_not_whole_is_no_evidence() {
        for raw in [
            &b"{\"event\":\"open\",\"email\":\"p@example.net\"}"[..],
            b"{}",
            b"[]",
            b"",
            b"{\"event\":1}",
        ] {
            assert!(read(raw).evidence.is_empty());
        }
    }
}
