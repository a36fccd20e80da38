use chrono_tz::Tz;
use entity::condition::Condition;
use entity::id::SlaPolicyId;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::sla::calendar::tests::{Plan, any_plan_and_start};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn policy(warn: Option<i64>, tell: Option<i64>, take: Option<i64>) -> sla_policy::Model {
    sla_policy::Model {
        id: SlaPolicyId(Uuid::nil()),
        name: "Standard".to_owned(),
        position: 1,
        condition: Condition::default(),
        first_attempt_mins: 60,
        target_mins: Some(30),
        warn_owner_mins: warn,
        tell_lead_mins: tell,
        take_back_mins: take,
        attempts_wanted: 3,
        spacing_mins: 240,
        remind_before_mins: 10,
        retired_at: None,
        created_at: at("2026-01-01T00:00:00Z"),
    }
}

#[test]
fn steps_come_in_their_order_and_those_that_the_policy_does_not_name_are_passed_over() {
    let calendar = Calendar::always_open(Tz::UTC);
    let received = at("2026-03-03T15:00:00Z");
    let all = policy(Some(30), Some(60), Some(90));
    let step = |policy, taken| next(policy, taken, &calendar, received, &[]).map(|next| (next.step, next.at));
    assert_eq!(
        step(&all, None),
        Some((SlaStep::WarnOwner, at("2026-03-03T15:30:00Z")))
    );
    assert_eq!(
        step(&all, Some(SlaStep::WarnOwner)),
        Some((SlaStep::TellLead, at("2026-03-03T16:00:00Z")))
    );
    assert_eq!(
        step(&all, Some(SlaStep::TellLead)),
        Some((SlaStep::TakeBack, at("2026-03-03T16:30:00Z")))
    );
    assert_eq!(step(&all, Some(SlaStep::TakeBack)), None);
    let last_only = policy(None, None, Some(90));
    assert_eq!(
        step(&last_only, None),
        Some((SlaStep::TakeBack, at("2026-03-03T16:30:00Z")))
    );
    assert_eq!(step(&policy(None, None, None), None), None);
}

#[test]
fn what_was_still_to_run_runs_on_after_a_pause_and_what_was_over_stays() {
    let calendar = Calendar::always_open(Tz::UTC);
    let received = at("2026-03-03T15:00:00Z");
    let pause = at("2026-03-03T15:20:00Z")..at("2026-03-04T08:00:00Z");
    let pauses = [pause];
    assert_eq!(
        reached(&calendar, received, 60, &pauses),
        at("2026-03-04T08:40:00Z")
    );
    assert_eq!(
        reached(&calendar, received, 20, &pauses),
        at("2026-03-03T15:20:00Z"),
        "it was over as the clock stopped"
    );
}

#[test]
fn on_a_calendar_that_never_opens_plain_time_is_carried() {
    let mut calendar = Calendar::always_open(Tz::UTC);
    calendar.hours = entity::business_calendar::hours::WeeklyHours::default().into();
    let received = at("2026-03-03T15:00:00Z");
    let pause = at("2026-03-03T15:20:00Z")..at("2026-03-03T16:20:00Z");
    assert_eq!(
        reached(&calendar, received, 60, &[pause]),
        at("2026-03-03T17:00:00Z")
    );
}

/// Pauses as minutes after the start: how long the clock runs before each, and how long it then stands.
fn any_pauses() -> impl Strategy<Value = Vec<(i64, i64)>> {
    proptest::collection::vec((0_i64..2_000, 0_i64..2_000), 0..4)
}

fn pauses_from(start: DateTime<Utc>, lengths: &[(i64, i64)]) -> Vec<Range<DateTime<Utc>>> {
    let mut from = start;
    lengths
        .iter()
        .map(|(runs, stands)| {
            let stops = from + TimeDelta::minutes(*runs);
            from = stops + TimeDelta::minutes(*stands);
            stops..from
        })
        .collect()
}

/// Walks minute by minute: a minute counts if it is open and the clock does not stand.
fn reached_slowly(
    plan: &Plan,
    start: DateTime<Utc>,
    mins: i64,
    pauses: &[Range<DateTime<Utc>>],
) -> Option<DateTime<Utc>> {
    let (mut at, mut left) = (start, mins);
    while left > 0 {
        if at - start > TimeDelta::days(20) {
            return None;
        }
        let stands = pauses.iter().any(|pause| pause.contains(&at));
        if plan.open_at(at) && !stands {
            left -= 1;
        }
        at += TimeDelta::minutes(1);
    }
    Some(at)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn times_with_pauses_agree_with_counting_minutes(
        (plan, start) in any_plan_and_start(),
        mins in 0_i64..2_000,
        lengths in any_pauses(),
    ) {
        let pauses = pauses_from(start, &lengths);
        if let Some(slow) = reached_slowly(&plan, start, mins, &pauses) {
            prop_assert_eq!(reached(&plan.calendar(), start, mins, &pauses), slow);
        }
    }

    #[test]
    fn a_pause_that_ends_early_leaves_times_where_the_shorter_pause_would_have(
        (plan, start) in any_plan_and_start(),
        mins in 1_i64..2_000,
        stops in 0_i64..2_000,
        (short, long) in (0_i64..3_000, 0_i64..3_000),
    ) {
        let calendar = plan.calendar();
        let due = due_after(&calendar, start, mins);
        let stopped = start + TimeDelta::minutes(stops);
        let early = stopped + TimeDelta::minutes(short);
        let planned = early + TimeDelta::minutes(long);
        let moved = carried(&calendar, due, stopped, planned);
        let back = carried(&calendar, moved, planned, early);
        if due > stopped {
            prop_assert_eq!(back, carried(&calendar, due, stopped, early));
        } else {
            prop_assert_eq!(moved, due);
        }
        prop_assert!(due <= stopped || moved > planned, "nothing is due while the clock stands");
    }
}
