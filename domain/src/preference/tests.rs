use chrono::{DateTime, TimeDelta, Utc};
use entity::consent_wording;
use entity::contact::{self, ContactKind};
use entity::enums::{Medium, Purpose};
use entity::id::{ConsentEventId, ConsentWordingId, ContactId, ServiceLineId};
use proptest::prelude::*;
use uuid::Uuid;

use super::change::{Change, LineWish, MAX_PAUSE, Wishes};
use super::look::{Line, Offer, Shown, spoken};
use super::save::{Sent, plan};
use crate::consent::Standing;
use crate::error::Code;
use crate::patch::Patch;

fn now() -> DateTime<Utc> {
    "2026-03-05T16:00:00Z".parse().unwrap()
}

fn line(number: u128) -> ServiceLineId {
    ServiceLineId(Uuid::from_u128(number))
}

fn wording(number: u128, purpose: Purpose) -> consent_wording::Model {
    consent_wording::Model {
        id: ConsentWordingId(Uuid::from_u128(number)),
        key: "k".to_owned(),
        version: 1,
        language: "en".to_owned(),
        medium: Medium::Email,
        purpose,
        text: "Yes.".to_owned(),
        sha256: String::new(),
        by_line: true,
        created_at: now(),
    }
}

fn offer(number: u128, purpose: Purpose, granted: bool, offered: bool) -> Offer {
    let event_id = ConsentEventId(Uuid::from_u128(number));
    Offer {
        medium: Medium::Email,
        purpose,
        standing: if granted {
            Standing::Granted {
                event_id,
                wording_id: None,
            }
        } else {
            Standing::None
        },
        since: None,
        shown_then: None,
        offered: offered.then(|| wording(number, purpose)),
        decided_by: granted.then_some(event_id),
    }
}

fn shown(granted: [bool; 2], wanted: [bool; 2], wishes: Wishes) -> Shown {
    Shown {
        contact: contact::Model {
            id: ContactId(Uuid::from_u128(1)),
            kind: ContactKind::Person,
            given_name: "Pat".to_owned(),
            family_name: String::new(),
            organization: None,
            email: None,
            email_normalized: None,
            phone: None,
            language: "en-US".to_owned(),
            time_zone: None,
            region: None,
            postal_code: None,
            merged_into_id: None,
            link_generation: 0,
            erased_at: None,
            created_at: now(),
            updated_at: now(),
        },
        purpose: Purpose::Marketing,
        offers: vec![
            offer(1, Purpose::Marketing, granted[0], true),
            offer(2, Purpose::Reminder, granted[1], true),
        ],
        lines: wanted
            .into_iter()
            .zip([10, 11])
            .map(|(wanted, id)| Line {
                id: line(id),
                name: id.to_string(),
                wanted,
            })
            .collect(),
        wishes,
        language: "en",
        zone: chrono_tz::America::New_York,
        version: "v".to_owned(),
    }
}

fn told(change: &Change) -> Vec<(Code, String)> {
    let refusals = change.refusals(|id| id == line(10), now());
    refusals
        .into_iter()
        .map(|refusal| (refusal.code, refusal.field.join(".")))
        .collect()
}

#[test]
fn a_pause_ends_in_the_future_and_within_two_years() {
    let pause = |at| Change {
        paused_until: Patch::Set(at),
        ..Change::default()
    };
    let field = "pausedUntil".to_owned();
    assert_eq!(told(&pause(now())), [(Code::Invalid, field.clone())]);
    assert_eq!(told(&pause(now() + TimeDelta::microseconds(1))), []);
    assert_eq!(told(&pause(now() + MAX_PAUSE)), []);
    assert_eq!(
        told(&pause(now() + MAX_PAUSE + TimeDelta::microseconds(1))),
        [(Code::TooLarge, field)]
    );
}

#[test]
fn a_limit_allows_some_mail_and_not_any_number() {
    let limit = |max| Change {
        max_per_week: Patch::Set(max),
        ..Change::default()
    };
    let field = "maxPerWeek".to_owned();
    assert_eq!(told(&limit(0)), [(Code::Invalid, field.clone())]);
    assert_eq!(told(&limit(1)), []);
    assert_eq!(told(&limit(50)), []);
    assert_eq!(told(&limit(51)), [(Code::TooLarge, field)]);
}

#[test]
fn a_line_must_exist_and_is_named_once() {
    let wish = |id| LineWish {
        service_line_id: line(id),
        wanted: true,
    };
    let lines = Change {
        lines: vec![wish(10), wish(99), wish(10)],
        ..Change::default()
    };
    assert_eq!(
        told(&lines),
        [
            (Code::NotFound, "lines.1.serviceLineId".to_owned()),
            (Code::Invalid, "lines.2.serviceLineId".to_owned())
        ]
    );
}

#[test]
fn a_language_is_a_tag() {
    for (tag, good) in [
        ("en", true),
        ("es-MX", true),
        ("zh-Hant-TW", true),
        ("e", false),
        ("English", false),
        ("en_US", false),
        ("es-", false),
        ("", false),
    ] {
        let change = Change {
            language: Some(tag.to_owned()),
            ..Change::default()
        };
        assert_eq!(told(&change).is_empty(), good, "{tag}");
    }
}

#[test]
fn the_page_speaks_the_contacts_language_if_it_can() {
    assert_eq!(spoken("es-MX", "en"), "es");
    assert_eq!(spoken("EN", "es"), "en");
    assert_eq!(spoken("fr", "es"), "es");
    assert_eq!(spoken("", "en"), "en");
}

#[test]
fn nobody_agrees_to_what_has_no_words() {
    let mut shown = shown([true, true], [true, true], Wishes::default());
    shown.offers = vec![offer(1, Purpose::Research, true, false)];
    let sent = Sent {
        lines: shown.lines.iter().map(|line| line.id.to_string()).collect(),
        ..Sent::default()
    };
    let withdrawn = plan(&sent, &shown, now());
    assert_eq!(withdrawn.take_back, [(Medium::Email, Purpose::Research)]);
    shown.offers = Vec::new();
    let sent = Sent {
        allow: vec!["EMAIL.RESEARCH".to_owned()],
        ..sent
    };
    let refused = plan(&sent, &shown, now());
    assert!(refused.agree.is_empty() && refused.take_back.is_empty());
    assert_eq!(refused.refusals[0].field, ["allow"]);
}

#[test]
fn the_day_that_was_shown_leaves_the_moment_of_a_pause_alone() {
    let until = "2026-04-01T15:30:00Z".parse().unwrap();
    let wishes = Wishes {
        paused_until: Some(until),
        max_per_week: Some(3),
    };
    let shown = shown([true, true], [true, true], wishes);
    let sent = |pause: &str| Sent {
        pause: Some(pause.to_owned()),
        often: Some("3".to_owned()),
        language: Some("en".to_owned()),
        allow: vec!["EMAIL.MARKETING".to_owned(), "EMAIL.REMINDER".to_owned()],
        lines: shown.lines.iter().map(|line| line.id.to_string()).collect(),
        ..Sent::default()
    };
    assert_eq!(plan(&sent("2026-04-01"), &shown, now()).change, Change::default());
    let later = plan(&sent("2026-04-02"), &shown, now());
    assert_eq!(
        later.change.paused_until,
        Patch::Set("2026-04-02T04:00:00Z".parse().unwrap())
    );
    assert_eq!(plan(&sent(""), &shown, now()).change.paused_until, Patch::Clear);
}

proptest! {
    /// What is planned makes the state that was sent out of the state that was shown, and touches nothing else.
    #[test]
    fn a_plan_leads_from_what_was_shown_to_what_was_sent(
        granted: [bool; 2], ticked: [bool; 2], wanted: [bool; 2], chosen: [bool; 2], held in 0..5_i32, asked in 0..5_i32,
    ) {
        let limit = |number: i32| (number > 0).then_some(number);
        let wishes = Wishes { paused_until: None, max_per_week: limit(held) };
        let shown = shown(granted, wanted, wishes);
        let picked = |all: Vec<String>, flags: [bool; 2]| -> Vec<String> {
            all.into_iter().zip(flags).filter(|(_, flag)| *flag).map(|(name, _)| name).collect()
        };
        let sent = Sent {
            version: "v".to_owned(),
            allow: picked(shown.offers.iter().map(Offer::name).collect(), ticked),
            lines: picked(shown.lines.iter().map(|line| line.id.to_string()).collect(), chosen),
            language: None,
            pause: Some(String::new()),
            often: Some(limit(asked).map_or_else(|| "any".to_owned(), |max| max.to_string())),
        };
        let plan = plan(&sent, &shown, now());
        prop_assert!(plan.refusals.is_empty());
        for (at, offer) in shown.offers.iter().enumerate() {
            let agreed = offer.offered.as_ref().is_some_and(|wording| plan.agree.contains(&wording.id));
            let taken_back = plan.take_back.contains(&(offer.medium, offer.purpose));
            let after = (granted[at] || agreed) && !taken_back;
            prop_assert_eq!(after, ticked[at]);
            prop_assert!((!agreed || !granted[at]) && (!taken_back || granted[at]));
        }
        for (at, line) in shown.lines.iter().enumerate() {
            let wish = plan.change.lines.iter().find(|wish| wish.service_line_id == line.id);
            prop_assert_eq!(wish.map_or(wanted[at], |wish| wish.wanted), chosen[at]);
            prop_assert_eq!(wish.is_some(), wanted[at] != chosen[at]);
        }
        prop_assert_eq!(plan.change.max_per_week.apply(limit(held)), limit(asked));
        prop_assert_eq!(plan.change.paused_until, Patch::Keep);
    }
}
