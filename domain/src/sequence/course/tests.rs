use chrono::TimeZone;
use entity::condition::{Clause, Comparison, Condition, Fact};
use entity::contact::{self, ContactKind};
use entity::enums::{Channel, LeadType};
use entity::id::ContactId;
use entity::sequence_version::Step;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap()
}

fn contact() -> contact::Model {
    contact::Model {
        id: ContactId(Uuid::from_u128(1)),
        kind: ContactKind::Person,
        given_name: "Pat".to_owned(),
        family_name: String::new(),
        organization: None,
        email: None,
        email_normalized: None,
        phone: None,
        language: "en".to_owned(),
        time_zone: None,
        region: None,
        postal_code: None,
        merged_into_id: None,
        created_at: noon(),
        updated_at: noon(),
    }
}

fn facts(contact: &contact::Model, stage: LeadStage) -> Facts<'_> {
    Facts {
        lead_type: LeadType::PatientAppointment,
        stage,
        service_line: None,
        requested_service: None,
        facility: None,
        channel: Channel::Website,
        campaign: None,
        contact,
        flags: &[],
        answers: &[],
        grade: None,
    }
}

fn steps() -> Steps {
    let step = |key: &str, action| Step {
        key: key.to_owned(),
        action,
    };
    let mail = |key| {
        step(
            key,
            Action::SendEmail {
                template: format!("template-{key}"),
            },
        )
    };
    let is_new = Clause {
        fact: Fact::Stage,
        field: None,
        is: Comparison::In,
        values: vec!["NEW".to_owned()],
    };
    Steps(vec![
        mail("hello"),
        step("wait", Action::Wait { secs: 3600 }),
        step(
            "new",
            Action::Branch {
                when: Condition(vec![is_new]),
                then: "call".to_owned(),
                otherwise: "bye".to_owned(),
            },
        ),
        step(
            "call",
            Action::FollowUp {
                title: "Call".to_owned(),
                due_in_mins: 60,
            },
        ),
        step(
            "monday",
            Action::WaitUntil {
                weekday: None,
                minute_of_day: 540,
            },
        ),
        mail("bye"),
    ])
}

fn at(step_key: &str, entered_step: bool, due_at: DateTime<Utc>) -> Place {
    Place {
        step_key: step_key.to_owned(),
        entered_step,
        occurrence: 0,
        due_at,
    }
}

fn go(from: Place, stage: LeadStage, exits: &[LeadStage], now: DateTime<Utc>) -> Course {
    let contact = contact();
    let (steps, exits) = (
        steps(),
        Exits {
            stages: exits.to_vec(),
        },
    );
    let plan = Plan {
        steps: &steps,
        exits: &exits,
        zone: chrono_tz::America::New_York,
    };
    follow(from, plan, &facts(&contact, stage), now)
}

fn keys(course: &Course) -> Vec<&str> {
    let key = |deed| match deed {
        &Deed::Mail { ref step_key, .. } | &Deed::FollowUp { ref step_key, .. } => step_key.as_str(),
    };
    course.deeds.iter().map(key).collect()
}

#[test]
fn the_first_mail_goes_at_once_and_then_the_wait_begins() {
    let course = go(at("hello", false, noon()), LeadStage::New, &[], noon());
    assert_eq!(keys(&course), ["hello"]);
    assert_eq!(course.end, None);
    let expected = Place {
        occurrence: 1,
        ..at("wait", true, noon() + TimeDelta::hours(1))
    };
    assert_eq!(course.place, expected);
}

#[test]
fn a_wait_that_is_not_over_changes_nothing() {
    let waiting = at("wait", true, noon() + TimeDelta::hours(1));
    let course = go(
        waiting.clone(),
        LeadStage::New,
        &[],
        noon() + TimeDelta::minutes(59),
    );
    assert_eq!(
        course,
        Course {
            place: waiting,
            deeds: Vec::new(),
            end: None
        }
    );
}

#[test]
fn a_branch_looks_at_the_lead_as_it_is_when_it_is_reached() {
    let over = || at("wait", true, noon());
    let course = go(over(), LeadStage::New, &[], noon());
    assert_eq!(
        (keys(&course), course.place.step_key.as_str()),
        (vec!["call"], "monday")
    );
    // 09:00 in New York.
    assert_eq!(
        course.place.due_at,
        Utc.with_ymd_and_hms(2026, 11, 23, 14, 0, 0).unwrap()
    );
    let course = go(over(), LeadStage::Contacted, &[], noon());
    assert_eq!((keys(&course), course.end), (vec!["bye"], Some(End::Completed)));
}

#[test]
fn a_wait_begins_when_it_is_reached_however_late_that_is() {
    let late = noon() + TimeDelta::days(10);
    let course = go(at("hello", false, noon()), LeadStage::New, &[], late);
    assert_eq!(course.place.due_at, late + TimeDelta::hours(1));
}

#[test]
fn an_exit_stage_ends_it_before_the_next_step() {
    let course = go(
        at("hello", false, noon()),
        LeadStage::Qualified,
        &[LeadStage::Qualified],
        noon(),
    );
    assert_eq!(
        (course.deeds.len(), course.end),
        (0, Some(End::Left(ExitReason::Stage)))
    );
    let course = go(at("hello", false, noon()), LeadStage::Closed, &[], noon());
    assert_eq!(course.end, Some(End::Left(ExitReason::Closed)));
}

#[test]
fn a_step_that_does_not_exist_is_broken_and_not_silence() {
    let course = go(at("gone", false, noon()), LeadStage::New, &[], noon());
    assert_eq!(course.end, Some(End::Left(ExitReason::Broken)));
}

#[test]
fn a_circle_that_should_not_exist_ends_as_broken() {
    let round = Action::Branch {
        when: Condition::default(),
        then: "a".to_owned(),
        otherwise: "a".to_owned(),
    };
    let steps = Steps(vec![Step {
        key: "a".to_owned(),
        action: round,
    }]);
    let (contact, exits) = (contact(), Exits::default());
    let plan = Plan {
        steps: &steps,
        exits: &exits,
        zone: chrono_tz::UTC,
    };
    let course = follow(
        at("a", false, noon()),
        plan,
        &facts(&contact, LeadStage::New),
        noon(),
    );
    assert_eq!(course.end, Some(End::Left(ExitReason::Broken)));
}

/// What is done from the start to the end, when the engine looks at these moments and at each due time.
fn whole(looks: &[i64], exact: bool) -> Vec<(String, i32)> {
    let mut place = at("hello", false, noon());
    let mut done = Vec::new();
    let mut now = noon();
    let mut looks = looks.iter();
    loop {
        let course = go(place, LeadStage::New, &[], now);
        done.extend(course.deeds.into_iter().map(|deed| match deed {
            Deed::Mail {
                step_key, occurrence, ..
            }
            | Deed::FollowUp {
                step_key, occurrence, ..
            } => (step_key, occurrence),
        }));
        if course.end.is_some() {
            return done;
        }
        place = course.place;
        assert!(place.due_at > now, "a wait is in the future");
        let early = looks.next().map(|secs| now + TimeDelta::seconds(*secs));
        now = match early {
            Some(early) if !exact => early,
            _ => place.due_at,
        };
    }
}

proptest! {
    #[test]
    fn however_often_and_late_it_is_looked_at_each_step_is_done_once_and_in_order(
        looks in prop::collection::vec(0_i64..100_000, 0..20),
    ) {
        prop_assert_eq!(whole(&looks, false), whole(&[], true));
    }
}
