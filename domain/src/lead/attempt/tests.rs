use chrono::TimeZone;
use chrono_tz::Tz;
use entity::enums::{Channel, LeadType, ScoreGrade};
use entity::id::{AttemptId, ContactId, TeamId, TypedId};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn at(hour: u32, minute: u32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 23, hour, minute, 0).unwrap()
}

/// Received at 9:00, due at 10:00.
fn lead() -> lead::Model {
    let team_id = TeamId::from_uuid(Uuid::from_u128(3));
    lead::Model {
        id: LeadId::from_uuid(Uuid::from_u128(1)),
        contact_id: ContactId::from_uuid(Uuid::from_u128(2)),
        lead_type: LeadType::PatientAppointment,
        stage: LeadStage::New,
        disposition: None,
        service_line_id: None,
        requested_service: None,
        facility_id: None,
        team_id,
        owner_id: None,
        urgent: false,
        channel: Channel::Website,
        campaign_id: None,
        placement_id: None,
        form_id: None,
        external_id: None,
        landing_page: None,
        referrer_host: None,
        utm: lead::Utm::default(),
        source_code: None,
        click_id_kind: None,
        click_id_hash: None,
        answers: lead::Answers::default(),
        flags: lead::Flags::default(),
        score_points: 0,
        score_grade: ScoreGrade::D,
        score_reasons: lead::ScoreReasons::default(),
        score_revision: 1,
        routing: lead::Routing {
            rule_id: None,
            rule: "Review".to_owned(),
            team_id,
            owner_id: None,
            explanation: String::new(),
            at: at(9, 0),
            basis: lead::Basis::default(),
        },
        sla_policy_id: None,
        sla_due_at: at(10, 0),
        sla_target_at: None,
        sla_step: None,
        sla_step_at: None,
        taken_back_at: None,
        taken_from_id: None,
        sla_missed_at: None,
        attempts_wanted: 3,
        attempts_made: 0,
        received_at: at(9, 0),
        unfinished_at: None,
        first_attempt_at: None,
        first_attempt_business_secs: None,
        first_reached_at: None,
        qualified_at: None,
        scheduled_at: None,
        completed_at: None,
        closed_at: None,
        erased_at: None,
        version: 1,
        updated_at: at(9, 0),
    }
}

fn attempt(outcome: AttemptOutcome, made_at: DateTime<Utc>) -> attempt::Model {
    attempt::Model {
        id: AttemptId::from_uuid(Uuid::from_u128(4)),
        lead_id: lead().id,
        staff_id: None,
        medium: Medium::Phone,
        outcome,
        note: None,
        callback_at: None,
        at: made_at,
    }
}

fn input(outcome: AttemptOutcome) -> LogAttempt {
    LogAttempt {
        lead_id: lead().id,
        medium: Medium::Phone,
        outcome,
        note: None,
        callback_at: None,
        at: None,
    }
}

fn clock(
    lead: &lead::Model,
    outcome: AttemptOutcome,
    made_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> ClockAfter {
    ClockAfter::attempt(
        lead,
        lead.sla_due_at,
        &attempt(outcome, made_at),
        &Calendar::always_open(Tz::UTC),
        now,
    )
}

#[test]
fn the_first_attempt_stops_the_clock_and_a_two_way_one_makes_the_lead_reached() {
    let tried = clock(&lead(), AttemptOutcome::Voicemail, at(9, 20), at(9, 20));
    assert_eq!(
        (tried.first_attempt_at, tried.business_secs),
        (at(9, 20), 20 * 60)
    );
    assert_eq!((tried.first_reached_at, tried.missed_at), (None, None));
    for outcome in [
        AttemptOutcome::Reached,
        AttemptOutcome::CallbackAsked,
        AttemptOutcome::Declined,
    ] {
        let reached = clock(&lead(), outcome, at(9, 20), at(9, 20));
        assert_eq!(reached.first_reached_at, Some(at(9, 20)), "{outcome}");
    }
}

#[test]
fn an_attempt_at_the_due_time_is_late_whether_or_not_the_sweep_came_first() {
    assert_eq!(
        clock(&lead(), AttemptOutcome::Busy, at(9, 59), at(11, 0)).missed_at,
        None
    );
    assert_eq!(
        clock(&lead(), AttemptOutcome::Busy, at(10, 0), at(11, 0)).missed_at,
        Some(at(11, 0))
    );
    let swept = lead::Model {
        sla_missed_at: Some(at(10, 1)),
        ..lead()
    };
    assert_eq!(
        clock(&swept, AttemptOutcome::Busy, at(10, 30), at(11, 0)).missed_at,
        Some(at(10, 1))
    );
}

#[test]
fn a_call_made_in_time_and_logged_late_takes_the_miss_back() {
    let swept = lead::Model {
        sla_missed_at: Some(at(10, 1)),
        ..lead()
    };
    assert_eq!(
        clock(&swept, AttemptOutcome::Busy, at(9, 50), at(10, 5)).missed_at,
        None
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let closed = lead::Model {
        stage: LeadStage::Closed,
        ..lead()
    };
    let wrong = LogAttempt {
        note: Some("x".repeat(note::MAX_CHARS + 1)),
        at: Some(at(12, 1)),
        ..input(AttemptOutcome::CallbackAsked)
    };
    let refusals = check(wrong, &closed, at(12, 0)).unwrap_err();
    let fields: Vec<String> = refusals.iter().map(|refusal| refusal.field.join(".")).collect();
    assert_eq!(fields, ["leadId", "at", "callbackAt", "note"]);
}

#[test]
fn an_attempt_lies_between_receipt_and_now() {
    let made = |made_at| {
        check(
            LogAttempt {
                at: Some(made_at),
                ..input(AttemptOutcome::Busy)
            },
            &lead(),
            at(12, 0),
        )
    };
    assert!(made(at(9, 0)).is_ok() && made(at(12, 0)).is_ok());
    assert!(made(at(8, 59)).is_err() && made(at(12, 1)).is_err());
}

#[test]
fn a_callback_needs_a_time_ahead_and_nothing_else_has_one() {
    let asked = |outcome, callback_at| {
        check(
            LogAttempt {
                callback_at,
                ..input(outcome)
            },
            &lead(),
            at(12, 0),
        )
    };
    assert!(asked(AttemptOutcome::CallbackAsked, Some(at(12, 1))).is_ok());
    for wrong in [
        None,
        Some(at(12, 0)),
        Some(at(12, 0) + TimeDelta::days(CALLBACK_MAX_DAYS + 1)),
    ] {
        assert!(asked(AttemptOutcome::CallbackAsked, wrong).is_err(), "{wrong:?}");
    }
    assert!(asked(AttemptOutcome::Reached, Some(at(13, 0))).is_err());
}

proptest! {
    #[test]
    fn the_order_in_which_attempts_are_logged_does_not_matter(
        made in proptest::collection::vec((proptest::sample::select(AttemptOutcome::ALL), 0..240_i64), 1..6),
        rotation in 0..6_usize,
    ) {
        let now = at(14, 0);
        let after_all = |order: &[(AttemptOutcome, i64)]| {
            let after = order.iter().fold(lead(), |lead, (outcome, minutes)| {
                let clock = clock(&lead, *outcome, at(9, 0) + TimeDelta::minutes(*minutes), now);
                lead::Model {
                    first_attempt_at: Some(clock.first_attempt_at),
                    first_attempt_business_secs: Some(clock.business_secs),
                    first_reached_at: clock.first_reached_at,
                    sla_missed_at: clock.missed_at,
                    ..lead
                }
            });
            (after.first_attempt_at, after.first_attempt_business_secs, after.first_reached_at, after.sla_missed_at)
        };
        let mut other = made.clone();
        other.rotate_left(rotation % made.len());
        prop_assert_eq!(after_all(&made), after_all(&other));
    }
}
