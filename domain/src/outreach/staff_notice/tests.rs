use chrono::TimeZone;
use chrono_tz::America::New_York;
use entity::follow_up::{FollowUpKind, FollowUpState};
use entity::id::{FollowUpId, LeadId, TeamId, TypedId};
use uuid::Uuid;

use super::*;

fn follow_up() -> follow_up::Model {
    let at = Utc.with_ymd_and_hms(2026, 11, 23, 19, 30, 0).unwrap();
    follow_up::Model {
        id: FollowUpId::from_uuid(Uuid::from_u128(1)),
        lead_id: LeadId::from_uuid(Uuid::from_u128(2)),
        team_id: TeamId::from_uuid(Uuid::from_u128(3)),
        assignee_id: None,
        kind: FollowUpKind::FirstContact,
        title: "First contact".to_owned(),
        state: FollowUpState::Open,
        urgent: false,
        rank: 3,
        weight: 0,
        due_at: at,
        soon_at: at,
        moves_at: None,
        remind_at: None,
        late_at: None,
        snoozed_count: 0,
        taken_by_id: None,
        taken_until: None,
        outcome: None,
        template_id: None,
        enrollment_id: None,
        origin_key: None,
        version: 1,
        created_at: at,
        completed_at: None,
    }
}

#[test]
fn the_subject_tells_the_time_on_the_readers_clock_and_nothing_about_the_person() {
    let due = follow_up().due_at;
    let earlier = due - TimeDelta::hours(1);
    let subject_of = |kind, now| subject(kind, due, New_York, now);
    assert_eq!(
        subject_of(MessageKind::FollowUpDueSoon, earlier),
        "Follow-up due at 14:30 EST"
    );
    assert_eq!(
        subject_of(MessageKind::FollowUpLate, due),
        "Follow-up late: it was due at 14:30 EST"
    );
    assert_eq!(
        subject_of(MessageKind::FollowUpAssigned, due - TimeDelta::days(1)),
        "Follow-up for you, due at Mon Nov 23, 14:30 EST"
    );
}

#[test]
fn a_person_is_told_once_of_each_assignment_and_of_each_due_time() {
    let (a, b) = (
        StaffId::from_uuid(Uuid::from_u128(8)),
        StaffId::from_uuid(Uuid::from_u128(9)),
    );
    let row = follow_up();
    let snoozed = follow_up::Model {
        snoozed_count: 1,
        version: 2,
        ..row.clone()
    };
    let edited = follow_up::Model {
        version: 2,
        ..row.clone()
    };
    use MessageKind::{FollowUpAssigned, FollowUpDueSoon, FollowUpLate};
    assert_eq!(
        origin_key(FollowUpLate, &row, a),
        origin_key(FollowUpLate, &edited, a)
    );
    assert_ne!(
        origin_key(FollowUpLate, &row, a),
        origin_key(FollowUpLate, &snoozed, a)
    );
    assert_ne!(
        origin_key(FollowUpLate, &row, a),
        origin_key(FollowUpLate, &row, b)
    );
    assert_ne!(
        origin_key(FollowUpLate, &row, a),
        origin_key(FollowUpDueSoon, &row, a)
    );
    assert_ne!(
        origin_key(FollowUpAssigned, &row, a),
        origin_key(FollowUpAssigned, &edited, a)
    );
}
