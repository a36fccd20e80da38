use chrono::{TimeDelta, TimeZone};
use entity::consent_event::{ConsentLevel, ConsentMethod, ConsentSource};
use entity::enums::ActorKind;
use entity::id::{ContactId, TypedId};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const ADDRESS: &str = "pat@example.org";

fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap()
}

fn event(number: u128, action: ConsentAction, minute: i64) -> Model {
    let at = start() + TimeDelta::minutes(minute);
    Model {
        id: ConsentEventId::from_uuid(Uuid::from_u128(number)),
        contact_id: ContactId(Uuid::from_u128(1)),
        medium: Medium::Email,
        address: Some(ADDRESS.to_owned()),
        purpose: Some(Purpose::Marketing),
        action,
        level: ConsentLevel::Express,
        wording_id: None,
        wording_sha256: None,
        language: None,
        method: ConsentMethod::WebForm,
        source: ConsentSource::default(),
        evidence: None,
        personal_salt: Some(vec![7; 16]),
        commitment: Vec::new(),
        refers_to_id: None,
        expires_at: None,
        actor_kind: ActorKind::Visitor,
        actor_id: None,
        occurred_at: at,
        recorded_at: at,
        erased_at: None,
    }
}

fn standing(events: &[Model], minute: i64) -> Standing {
    fold(
        events,
        Medium::Email,
        ADDRESS,
        Purpose::Marketing,
        start() + TimeDelta::minutes(minute),
    )
}

#[test]
fn without_events_nothing_is_known() {
    assert_eq!(standing(&[], 0), Standing::None);
}

#[test]
fn a_grant_counts_from_its_moment_on() {
    let events = [event(1, ConsentAction::Grant, 10)];
    assert_eq!(standing(&events, 9), Standing::None);
    assert!(standing(&events, 10).is_granted());
}

#[test]
fn a_withdrawal_wins_ties() {
    let events = [
        event(9, ConsentAction::Grant, 10),
        event(1, ConsentAction::Withdraw, 10),
    ];
    assert!(
        matches!(standing(&events, 10), Standing::Withdrawn { event_id, .. } if event_id == events[1].id)
    );
}

#[test]
fn a_later_grant_allows_again() {
    let events = [
        event(1, ConsentAction::Withdraw, 1),
        event(2, ConsentAction::Grant, 2),
    ];
    assert!(standing(&events, 3).is_granted());
}

#[test]
fn a_grant_written_down_late_does_not_undo_a_withdrawal_made_after_it() {
    let mut late = event(9, ConsentAction::Grant, 1);
    late.recorded_at = start() + TimeDelta::days(30);
    assert!(matches!(
        standing(&[event(1, ConsentAction::Withdraw, 2), late], 99),
        Standing::Withdrawn { .. }
    ));
}

#[test]
fn an_unticked_box_revokes_nothing_and_shows_only_where_nothing_else_was_said() {
    let grant = event(1, ConsentAction::Grant, 1);
    let deny = event(2, ConsentAction::Deny, 2);
    assert!(standing(&[grant, deny.clone()], 3).is_granted());
    assert_eq!(standing(&[deny], 3), Standing::Denied);
}

#[test]
fn a_withdrawal_of_everything_covers_every_address_and_purpose_of_the_medium_only() {
    let mut all = event(2, ConsentAction::Withdraw, 2);
    (all.address, all.purpose) = (None, None);
    let grant = event(1, ConsentAction::Grant, 1);
    assert!(matches!(
        standing(&[grant.clone(), all.clone()], 3),
        Standing::Withdrawn { .. }
    ));
    all.medium = Medium::Sms;
    assert!(standing(&[grant, all], 3).is_granted());
}

#[test]
fn another_address_or_purpose_has_no_say() {
    let mut elsewhere = event(1, ConsentAction::Grant, 1);
    elsewhere.address = Some("other@example.org".to_owned());
    let mut other_purpose = event(2, ConsentAction::Grant, 1);
    other_purpose.purpose = Some(Purpose::Research);
    let mut no_purpose = event(3, ConsentAction::Grant, 1);
    no_purpose.purpose = None;
    assert_eq!(
        standing(&[elsewhere, other_purpose, no_purpose], 3),
        Standing::None
    );
}

#[test]
fn a_consent_that_expired_is_not_a_withdrawal() {
    let events = [
        event(1, ConsentAction::Grant, 1),
        event(2, ConsentAction::Expire, 5),
    ];
    assert!(standing(&events, 4).is_granted());
    assert_eq!(standing(&events, 5), Standing::Expired);
}

/// A first yes at a minute, whose second may come for ten minutes.
fn first_yes(number: u128, minute: i64) -> Model {
    Model {
        expires_at: Some(start() + TimeDelta::minutes(minute + 10)),
        ..event(number, ConsentAction::Pending, minute)
    }
}

#[test]
fn a_first_yes_allows_nothing_and_waits_until_its_end() {
    let events = [first_yes(1, 1)];
    assert_eq!(
        standing(&events, 10),
        Standing::Pending {
            event_id: events[0].id,
            wording_id: None,
            until: start() + TimeDelta::minutes(11)
        }
    );
    assert_eq!(standing(&events, 11), Standing::Expired);
}

#[test]
fn the_second_yes_is_a_grant_and_outlives_the_end_of_the_first() {
    let events = [first_yes(1, 1), event(2, ConsentAction::Grant, 5)];
    assert!(standing(&events, 99).is_granted());
}

#[test]
fn a_withdrawal_ends_a_first_yes_also_at_the_same_moment() {
    for minute in [1, 5] {
        let events = [first_yes(1, 1), event(2, ConsentAction::Withdraw, minute)];
        assert!(matches!(standing(&events, 6), Standing::Withdrawn { .. }));
        assert!(!is_open(&events[0], &events, start() + TimeDelta::minutes(6)));
    }
    let again = [event(2, ConsentAction::Withdraw, 1), first_yes(1, 2)];
    assert!(matches!(standing(&again, 6), Standing::Pending { .. }));
    assert!(is_open(&again[1], &again, start() + TimeDelta::minutes(6)));
}

#[test]
fn a_first_yes_takes_nothing_from_a_grant_that_stands() {
    let events = [event(1, ConsentAction::Grant, 1), first_yes(2, 2)];
    assert!(standing(&events, 3).is_granted());
}

#[test]
fn a_grant_ends_by_its_own_date_without_another_word() {
    let mut grant = event(1, ConsentAction::Grant, 1);
    grant.expires_at = Some(start() + TimeDelta::minutes(5));
    assert!(standing(std::slice::from_ref(&grant), 4).is_granted());
    assert_eq!(standing(&[grant], 5), Standing::Expired);
}

#[test]
fn an_erased_grant_allows_no_address_and_an_erased_withdrawal_still_stands() {
    let erased = |event: Model| Model {
        address: None,
        personal_salt: None,
        erased_at: Some(start()),
        ..event
    };
    assert_eq!(
        standing(&[erased(event(1, ConsentAction::Grant, 1))], 2),
        Standing::None
    );
    let events = [
        event(1, ConsentAction::Grant, 1),
        erased(event(2, ConsentAction::Withdraw, 2)),
    ];
    assert!(matches!(standing(&events, 3), Standing::Withdrawn { .. }));
}

prop_compose! {
    fn any_event()(
        number in any::<u64>(),
        action in prop::sample::select(ConsentAction::ALL),
        minute in 0_i64..6,
        medium in prop::sample::select(vec![Medium::Email, Medium::Sms]),
        purpose in prop::option::of(prop::sample::select(vec![Purpose::Marketing, Purpose::Research])),
        address in prop::option::of(prop::sample::select(vec![ADDRESS, "other@example.org"])),
        lasts in prop::option::of(0_i64..4),
    ) -> Model {
        let expires_at = lasts.map(|lasts| start() + TimeDelta::minutes(minute + lasts));
        Model { medium, expires_at, purpose, address: address.map(str::to_owned), ..event(number.into(), action, minute) }
    }
}

/// The rules said in another way: allowed when the latest grant has not ended and has no later, and no simultaneous,
/// word against it.
fn is_allowed(events: &[Model], at: DateTime<Utc>) -> bool {
    let about = |e: &&Model| {
        e.medium == Medium::Email && e.occurred_at <= at && e.address.as_deref().unwrap_or(ADDRESS) == ADDRESS
    };
    let granted = events
        .iter()
        .filter(about)
        .filter(|e| e.action == ConsentAction::Grant && e.purpose == Some(Purpose::Marketing))
        .max_by_key(|e| (e.occurred_at, e.id));
    let ended = events
        .iter()
        .filter(about)
        .filter(|e| matches!(e.action, ConsentAction::Withdraw | ConsentAction::Expire))
        .filter(|e| e.purpose.is_none_or(|p| p == Purpose::Marketing))
        .map(|e| e.occurred_at)
        .max();
    granted.is_some_and(|grant| {
        ended.is_none_or(|end| grant.occurred_at > end) && grant.expires_at.is_none_or(|end| end > at)
    })
}

proptest! {
    #[test]
    fn the_order_of_events_does_not_matter(
        (events, shuffled) in prop::collection::vec(any_event(), 0..12)
            .prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle())),
        minute in 0_i64..7,
    ) {
        // Two events of one id and moment that say different things cannot both be stored.
        let mut ids: Vec<_> = events.iter().map(|e| e.id).collect();
        ids.sort();
        ids.dedup();
        prop_assume!(ids.len() == events.len());
        prop_assert_eq!(standing(&events, minute), standing(&shuffled, minute));
    }

    #[test]
    fn nothing_is_allowed_at_the_moment_of_a_withdrawal(
        events in prop::collection::vec(any_event(), 0..12),
        minute in 0_i64..6,
    ) {
        let mut events = events;
        events.push(event(7, ConsentAction::Withdraw, minute));
        prop_assert!(!standing(&events, minute).is_granted());
    }

    #[test]
    fn the_fold_agrees_with_the_rules_said_in_another_way(
        events in prop::collection::vec(any_event(), 0..12),
        minute in 0_i64..7,
    ) {
        let at = start() + TimeDelta::minutes(minute);
        prop_assert_eq!(standing(&events, minute).is_granted(), is_allowed(&events, at));
    }

    #[test]
    fn what_happens_later_changes_nothing_now(
        events in prop::collection::vec(any_event(), 0..12),
        minute in 0_i64..6,
    ) {
        let at = start() + TimeDelta::minutes(minute);
        let known: Vec<_> = events.iter().filter(|e| e.occurred_at <= at).cloned().collect();
        prop_assert_eq!(standing(&events, minute), standing(&known, minute));
    }

    #[test]
    fn nobody_waits_for_a_second_yes_at_the_moment_of_a_withdrawal(
        events in prop::collection::vec(any_event(), 0..12),
        minute in 0_i64..6,
    ) {
        let mut events = events;
        events.push(event(7, ConsentAction::Withdraw, minute));
        let pending = matches!(standing(&events, minute), Standing::Pending { .. });
        prop_assert!(!pending);
    }
}
