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
        language: None,
        method: ConsentMethod::WebForm,
        source: ConsentSource::default(),
        actor_kind: ActorKind::Visitor,
        actor_id: None,
        occurred_at: at,
        recorded_at: at,
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

prop_compose! {
    fn any_event()(
        number in any::<u64>(),
        action in prop::sample::select(ConsentAction::ALL),
        minute in 0_i64..6,
        medium in prop::sample::select(vec![Medium::Email, Medium::Sms]),
        purpose in prop::option::of(prop::sample::select(vec![Purpose::Marketing, Purpose::Research])),
        address in prop::option::of(prop::sample::select(vec![ADDRESS, "other@example.org"])),
    ) -> Model {
        Model { medium, purpose, address: address.map(str::to_owned), ..event(number.into(), action, minute) }
    }
}

/// The rules said in another way: allowed when some grant has no later, and no simultaneous, word against it.
fn is_allowed(events: &[Model], at: DateTime<Utc>) -> bool {
    let about = |e: &&Model| {
        e.medium == Medium::Email && e.occurred_at <= at && e.address.as_deref().unwrap_or(ADDRESS) == ADDRESS
    };
    let granted = events
        .iter()
        .filter(about)
        .filter(|e| e.action == ConsentAction::Grant && e.purpose == Some(Purpose::Marketing))
        .map(|e| e.occurred_at);
    let ended = events
        .iter()
        .filter(about)
        .filter(|e| matches!(e.action, ConsentAction::Withdraw | ConsentAction::Expire))
        .filter(|e| e.purpose.is_none_or(|p| p == Purpose::Marketing))
        .map(|e| e.occurred_at)
        .max();
    granted
        .max()
        .is_some_and(|grant| ended.is_none_or(|end| grant > end))
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
}
