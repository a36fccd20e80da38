use chrono::{TimeDelta, TimeZone};
use chrono_tz::Tz;
use entity::business_calendar::hours::WeeklyHours;
use entity::id::TypedId;
use proptest::prelude::*;
use uuid::Uuid;

use super::place::Facts;
use super::*;

fn at(hour: u32, minute: u32) -> DateTime<Utc> {
    // A Monday.
    Utc.with_ymd_and_hms(2026, 11, 23, hour, minute, 0).unwrap()
}

fn about() -> About {
    About {
        lead_id: LeadId::from_uuid(Uuid::from_u128(1)),
        team_id: TeamId::from_uuid(Uuid::from_u128(2)),
        owner_id: Some(StaffId::from_uuid(Uuid::from_u128(3))),
        urgent: false,
        score: 40,
    }
}

fn tried(outcome: AttemptOutcome) -> Tried {
    Tried {
        outcome,
        at: at(15, 0),
        callback_at: None,
        attempts_made: 1,
        attempts_wanted: 3,
        ever_reached: false,
        stage: LeadStage::Contacted,
        callback_waits: false,
    }
}

const PACE: Pace = Pace {
    first_attempt_mins: 60,
    spacing_mins: 120,
    remind_before_mins: 15,
};

fn office_hours() -> Calendar {
    let weekly: WeeklyHours = serde_json::from_value(serde_json::json!({
        "monday": ["09:00-16:00"], "tuesday": ["09:00-16:00"],
    }))
    .unwrap();
    Calendar::new(Tz::UTC, weekly.into())
}

fn next(tried: &Tried) -> Option<Model> {
    after_attempt(&about(), tried, PACE, &office_hours(), tried.at)
}

#[test]
fn an_attempt_in_vain_leads_to_the_next_one_after_the_spacing_in_business_time() {
    for outcome in [
        AttemptOutcome::Voicemail,
        AttemptOutcome::NoAnswer,
        AttemptOutcome::Busy,
    ] {
        let row = next(&tried(outcome)).unwrap();
        assert_eq!(row.kind, FollowUpKind::NextAttempt);
        assert_eq!(row.title, "Attempt 2 of 3");
        // One hour is left on Monday, the other is Tuesday's first.
        let tuesday = Utc.with_ymd_and_hms(2026, 11, 24, 10, 0, 0).unwrap();
        assert_eq!(row.due_at, tuesday);
        assert_eq!(row.remind_at, Some(tuesday - TimeDelta::minutes(15)));
        assert_eq!(
            (row.team_id, row.assignee_id),
            (about().team_id, about().owner_id)
        );
    }
}

#[test]
fn after_the_last_attempt_wanted_somebody_has_to_decide() {
    let last = Tried {
        attempts_made: 3,
        ..tried(AttemptOutcome::NoAnswer)
    };
    assert_eq!(next(&last).unwrap().title, "Decide: close as unreachable");
    let reached_before = Tried {
        ever_reached: true,
        ..last
    };
    assert_eq!(next(&reached_before).unwrap().title, "Decide: what comes next");
}

#[test]
fn nobody_is_tried_again_who_was_reached_or_declined_or_has_another_number() {
    for outcome in [
        AttemptOutcome::Reached,
        AttemptOutcome::Declined,
        AttemptOutcome::WrongNumber,
        AttemptOutcome::DoNotCall,
    ] {
        assert_eq!(next(&tried(outcome)), None, "{outcome}");
    }
}

#[test]
fn a_callback_is_due_when_it_was_asked_for_even_outside_business_hours() {
    let asked = Tried {
        callback_at: Some(at(19, 30)),
        ..tried(AttemptOutcome::CallbackAsked)
    };
    let row = next(&asked).unwrap();
    assert_eq!((row.kind, row.due_at), (FollowUpKind::Callback, at(19, 30)));
}

#[test]
fn no_next_attempt_is_opened_beside_a_promised_callback_or_a_booked_visit() {
    assert_eq!(
        next(&Tried {
            callback_waits: true,
            ..tried(AttemptOutcome::Busy)
        }),
        None
    );
    for stage in [
        LeadStage::AppointmentScheduled,
        LeadStage::VisitCompleted,
        LeadStage::Closed,
    ] {
        assert_eq!(
            next(&Tried {
                stage,
                ..tried(AttemptOutcome::Busy)
            }),
            None,
            "{stage}"
        );
    }
}

#[test]
fn a_voicemail_does_not_undo_a_call_promised_for_later() {
    use AttemptOutcome::{Reached, Voicemail};
    let (callback, due) = (FollowUpKind::Callback, at(15, 0));
    assert!(!answered_by(callback, due, Voicemail, at(14, 59)));
    assert!(answered_by(callback, due, Voicemail, at(15, 0)));
    assert!(answered_by(callback, due, Reached, at(9, 0)));
    assert!(answered_by(FollowUpKind::FirstContact, due, Voicemail, at(9, 0)));
    assert!(answered_by(FollowUpKind::NextAttempt, due, Voicemail, at(9, 0)));
    assert!(
        !answered_by(FollowUpKind::Sequence, due, Reached, at(16, 0)),
        "it is other work"
    );
}

#[test]
fn nobody_is_reminded_without_an_assignee_or_after_the_moment_has_passed() {
    let staff = about().owner_id;
    assert_eq!(remind_at(at(12, 0), staff, 15, at(11, 44)), Some(at(11, 45)));
    assert_eq!(remind_at(at(12, 0), staff, 15, at(11, 45)), None);
    assert_eq!(remind_at(at(12, 0), None, 15, at(9, 0)), None);
}

#[test]
fn a_reopened_lead_gets_work_that_fits_its_stage() {
    let open = |stage| after_reopening(&about(), stage, PACE, &office_hours(), at(10, 0));
    assert_eq!(open(LeadStage::New).kind, FollowUpKind::FirstContact);
    assert_eq!(open(LeadStage::Contacted).kind, FollowUpKind::NextAttempt);
    assert_eq!(
        open(LeadStage::Qualified).title,
        "Reopened: decide what comes next"
    );
    assert_eq!(open(LeadStage::New).due_at, at(11, 0));
}

#[test]
fn a_step_of_a_sequence_opens_work_that_can_be_told_from_other_visits_of_the_step() {
    let step = SequenceStep {
        enrollment_id: EnrollmentId::from_uuid(Uuid::from_u128(4)),
        origin_key: "follow-up/4/call/1".to_owned(),
        title: &"x".repeat(MAX_TITLE_CHARS + 1),
        due_at: at(12, 0),
    };
    let row = from_sequence(
        &About {
            urgent: true,
            ..about()
        },
        step,
        15,
        at(9, 0),
    );
    assert_eq!((row.kind, row.rank), (FollowUpKind::Sequence, 0));
    assert_eq!(row.origin_key.as_deref(), Some("follow-up/4/call/1"));
    assert_eq!(row.title.chars().count(), MAX_TITLE_CHARS);
}

proptest! {
    #[test]
    fn whatever_came_of_an_attempt_what_follows_is_open_not_late_and_due_after_it(
        outcome in proptest::sample::select(AttemptOutcome::ALL),
        stage in proptest::sample::select(LeadStage::ALL),
        made in 1..10_i32,
        wanted in 0..10_i32,
        minutes in 0..10_000_i64,
        callback_in in 1..10_000_i64,
        (callback_waits, urgent, ever_reached, owned) in any::<(bool, bool, bool, bool)>(),
    ) {
        let made_at = at(0, 0) + TimeDelta::minutes(minutes);
        let about = About { urgent, owner_id: about().owner_id.filter(|_| owned), ..about() };
        let tried = Tried {
            outcome, stage, ever_reached, callback_waits,
            at: made_at,
            callback_at: Some(made_at + TimeDelta::minutes(callback_in)),
            attempts_made: made,
            attempts_wanted: wanted,
        };
        let calendar = office_hours();
        let row = after_attempt(&about, &tried, PACE, &calendar, made_at);
        if let Some(row) = row {
            prop_assert_eq!(row.state, FollowUpState::Open);
            let place = place::place(&Facts { score: 40, ..Facts::of(&row) }, made_at);
            prop_assert_eq!((row.rank, row.weight, row.moves_at), (place.rank as i32, place.weight, place.moves_at));
            prop_assert!(row.due_at > made_at && row.created_at == made_at);
            prop_assert!(row.remind_at.is_none_or(|remind| made_at < remind && remind < row.due_at && owned));
            if row.kind == FollowUpKind::NextAttempt {
                let business = calendar.business_between(made_at, row.due_at);
                prop_assert_eq!(business, TimeDelta::minutes(PACE.spacing_mins));
                prop_assert_eq!(row.title.starts_with("Decide"), made >= wanted);
            }
        }
    }
}
