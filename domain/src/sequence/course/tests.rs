use chrono::TimeZone;
use entity::condition::{Clause, Comparison, Condition, Fact};
use entity::contact::{self, ContactKind};
use entity::enums::{Channel, LeadType};
use entity::id::ContactId;
use entity::sequence_version::Step;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::condition::Received;

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
        link_generation: 0,
        erased_at: None,
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
        points: None,
        received: Received {
            at: noon(),
            calendar: None,
        },
        urgent: None,
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
        happened: false,
        occurrence: 0,
        due_at,
    }
}

fn plan<'a>(steps: &'a Steps, exits: &'a Exits) -> Plan<'a> {
    Plan {
        sequence_id: SequenceId(Uuid::from_u128(9)),
        steps,
        exits,
        zone: chrono_tz::UTC,
        begun_at: noon(),
    }
}

fn go(from: Place, stage: LeadStage, exits: &[LeadStage], now: DateTime<Utc>) -> Course {
    let contact = contact();
    let (steps, exits) = (
        steps(),
        Exits {
            stages: exits.to_vec(),
            after_secs: None,
        },
    );
    let plan = Plan {
        zone: chrono_tz::America::New_York,
        ..plan(&steps, &exits)
    };
    follow(from, plan, &facts(&contact, stage), now)
}

fn key(deed: &Deed) -> &str {
    match deed {
        Deed::Mail { step_key, .. }
        | Deed::FollowUp { step_key, .. }
        | Deed::Lead { step_key, .. }
        | Deed::Notice { step_key, .. } => step_key,
    }
}

fn keys(course: &Course) -> Vec<&str> {
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
    assert_eq!(
        (keys(&course), course.end.clone()),
        (vec!["bye"], Some(End::Completed))
    );
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
    let course = follow(
        at("a", false, noon()),
        plan(&steps, &exits),
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
        done.extend(course.deeds.into_iter().filter_map(|deed| match deed {
            Deed::Mail {
                step_key, occurrence, ..
            }
            | Deed::FollowUp {
                step_key, occurrence, ..
            } => Some((step_key, occurrence)),
            Deed::Lead { .. } | Deed::Notice { .. } => None,
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

fn clause(fact: Fact, value: &str) -> Condition {
    Condition(vec![Clause {
        fact,
        field: None,
        is: Comparison::In,
        values: vec![value.to_owned()],
    }])
}

fn named(key: &str, action: Action) -> Step {
    Step {
        key: key.to_owned(),
        action,
    }
}

fn a_mail(key: &str) -> Step {
    let template = "any".to_owned();
    named(key, Action::SendEmail { template })
}

fn wait_for_call() -> Steps {
    let wait = Action::WaitFor {
        event: Awaited::StageReached,
        stage: Some(LeadStage::Contacted),
        outcome: None,
        timeout_secs: 3600,
        then: "called".to_owned(),
        otherwise: "silence".to_owned(),
    };
    Steps(vec![
        named("wait", wait),
        a_mail("called"),
        named("end", Action::End {}),
        a_mail("silence"),
    ])
}

#[test]
fn a_wait_for_something_goes_one_way_when_it_happens_and_the_other_when_its_time_is_out() {
    let (steps, exits, contact) = (wait_for_call(), Exits::default(), contact());
    let go = |from, stage, now| follow(from, plan(&steps, &exits), &facts(&contact, stage), now);
    let begun = go(at("wait", false, noon()), LeadStage::New, noon());
    let over = noon() + TimeDelta::hours(1);
    assert_eq!((begun.deeds.len(), &begun.place), (0, &at("wait", true, over)));
    let early = go(begun.place.clone(), LeadStage::New, over - TimeDelta::seconds(1));
    assert_eq!(early.place, begun.place);
    assert_eq!(keys(&go(begun.place.clone(), LeadStage::New, over)), ["silence"]);
    let happened = Place {
        happened: true,
        ..begun.place
    };
    // Looked at late, what happened in time still counts.
    assert_eq!(
        keys(&go(happened, LeadStage::Contacted, over + TimeDelta::days(3))),
        ["called"]
    );
}

#[test]
fn a_stage_that_is_reached_already_is_not_waited_for() {
    let (steps, exits, contact) = (wait_for_call(), Exits::default(), contact());
    for (stage, expected) in [(LeadStage::Contacted, "called"), (LeadStage::Qualified, "called")] {
        let course = follow(
            at("wait", false, noon()),
            plan(&steps, &exits),
            &facts(&contact, stage),
            noon(),
        );
        assert_eq!(keys(&course), [expected], "{stage}");
    }
}

#[test]
fn a_goal_ends_it_at_whatever_step_and_before_an_exit() {
    let goal = Action::Goal {
        when: clause(Fact::Stage, "QUALIFIED"),
    };
    let steps = Steps(vec![a_mail("hello"), named("won", goal), a_mail("more")]);
    let exits = Exits {
        stages: vec![LeadStage::Qualified],
        after_secs: None,
    };
    let contact = contact();
    for key in ["hello", "won", "more"] {
        let from = at(key, false, noon());
        let course = follow(
            from,
            plan(&steps, &exits),
            &facts(&contact, LeadStage::Qualified),
            noon(),
        );
        assert_eq!(
            (course.deeds.len(), course.end),
            (0, Some(End::Goal("won".to_owned()))),
            "{key}"
        );
    }
    let from = at("hello", false, noon());
    let course = follow(
        from,
        plan(&steps, &exits),
        &facts(&contact, LeadStage::New),
        noon(),
    );
    assert_eq!(
        (keys(&course), course.end.clone()),
        (vec!["hello", "more"], Some(End::Completed))
    );
}

#[test]
fn what_a_step_changes_of_the_lead_the_next_step_sees() {
    let update = Action::UpdateLead {
        add_flags: vec![EligibilityFlag::TriageNeeded],
        remove_flags: vec![EligibilityFlag::OrderMissing],
        team: None,
    };
    let branch = Action::Branch {
        when: clause(Fact::Flag, "TRIAGE_NEEDED"),
        then: "triage".to_owned(),
        otherwise: "end".to_owned(),
    };
    let steps = Steps(vec![
        named("update", update),
        named("which", branch),
        a_mail("triage"),
        named("end", Action::End {}),
    ]);
    let (contact, exits) = (contact(), Exits::default());
    let facts = Facts {
        flags: &[EligibilityFlag::OrderMissing, EligibilityFlag::ServiceUnclear],
        ..facts(&contact, LeadStage::New)
    };
    let course = follow(at("update", false, noon()), plan(&steps, &exits), &facts, noon());
    assert_eq!(keys(&course), ["update", "triage"]);
    let Deed::Lead { flags, .. } = &course.deeds[0] else {
        panic!("the lead changes first")
    };
    assert_eq!(
        flags,
        &[EligibilityFlag::ServiceUnclear, EligibilityFlag::TriageNeeded]
    );
}

#[test]
fn it_ends_when_its_time_is_out_even_in_the_middle_of_a_wait() {
    let steps = steps();
    let exits = Exits {
        stages: Vec::new(),
        after_secs: Some(1800),
    };
    let contact = contact();
    let facts = facts(&contact, LeadStage::New);
    let begun = follow(at("hello", false, noon()), plan(&steps, &exits), &facts, noon());
    let ends_at = noon() + TimeDelta::minutes(30);
    assert_eq!(begun.place.due_at, ends_at, "it is looked at when it ends");
    let ended = follow(begun.place, plan(&steps, &exits), &facts, ends_at);
    assert_eq!(
        (ended.deeds.len(), ended.end),
        (0, Some(End::Left(ExitReason::Expired)))
    );
}

/// One step of any kind, leading to steps after `place` of `count`.
fn any_action(place: usize, count: usize) -> BoxedStrategy<Action> {
    let later = (place + 1..count).prop_map(|place| format!("s{place}"));
    let fall = prop_oneof![
        Just(Action::SendEmail {
            template: "any".to_owned()
        }),
        (1_i64..1_000_000).prop_map(|secs| Action::Wait { secs }),
        (0_u16..1440).prop_map(|minute_of_day| Action::WaitUntil {
            weekday: None,
            minute_of_day
        }),
        Just(Action::Goal {
            when: clause(Fact::Stage, "VISIT_COMPLETED")
        }),
        Just(Action::UpdateLead {
            add_flags: vec![EligibilityFlag::TriageNeeded],
            remove_flags: vec![],
            team: None
        }),
        Just(Action::NotifyStaff {
            to: Told::Team,
            title: "Look".to_owned()
        }),
        Just(Action::End {}),
    ];
    if place + 1 >= count {
        return fall.boxed();
    }
    let ways = prop::collection::vec((1_u32..100, later.clone()), 2..4);
    prop_oneof![
        3 => fall,
        1 => (later.clone(), later.clone()).prop_map(|(then, otherwise)| Action::Branch {
            when: clause(Fact::Flag, "TRIAGE_NEEDED"),
            then,
            otherwise,
        }),
        1 => ways.prop_map(|ways| Action::Split {
            seed: None,
            ways: ways.into_iter().map(|(weight, then)| entity::sequence_version::Way { weight, then }).collect(),
        }),
        1 => (1_i64..1_000_000, later.clone(), later).prop_map(|(timeout_secs, then, otherwise)| Action::WaitFor {
            event: Awaited::FormAnswered,
            stage: None,
            outcome: None,
            timeout_secs,
            then,
            otherwise,
        }),
    ]
    .boxed()
}

fn any_steps() -> impl Strategy<Value = Steps> {
    (1_usize..14).prop_flat_map(|count| {
        let actions: Vec<_> = (0..count).map(|place| any_action(place, count)).collect();
        actions.prop_map(|actions| {
            let steps = actions.into_iter().enumerate();
            Steps(
                steps
                    .map(|(place, action)| named(&format!("s{place}"), action))
                    .collect(),
            )
        })
    })
}

/// Runs to the end, with what is waited for happening at these of the looks. Answers the deeds with their times.
fn run(steps: &Steps, exits: &Exits, happens: &[bool]) -> (Vec<(Deed, DateTime<Utc>)>, End) {
    let contact = contact();
    let facts = facts(&contact, LeadStage::New);
    let (mut place, mut now, mut done) = (at("s0", false, noon()), noon(), Vec::new());
    let mut happens = happens.iter();
    for _ in 0..=2 * steps.0.len() {
        // From nothing but what is stored, as after a restart.
        let course = follow(place.clone(), plan(steps, exits), &facts, now);
        done.extend(course.deeds.into_iter().map(|deed| (deed, now)));
        if let Some(end) = course.end {
            return (done, end);
        }
        place = course.place;
        assert!(place.due_at > now, "a wait is in the future");
        place.happened = happens.next().copied().unwrap_or(false);
        now = place.due_at;
    }
    panic!("it does not end: {steps:?}")
}

proptest! {
    #[test]
    fn every_graph_that_may_be_published_ends_and_runs_alike_each_time(
        steps in any_steps(),
        happens in prop::collection::vec(any::<bool>(), 0..14),
        after_secs in prop::option::of(1_i64..3_000_000),
    ) {
        let exits = Exits { stages: vec![LeadStage::Qualified], after_secs };
        let first = run(&steps, &exits, &happens);
        prop_assert_ne!(&first.1, &End::Left(ExitReason::Broken));
        if let Some(secs) = after_secs {
            let ends_at = noon() + TimeDelta::seconds(secs);
            prop_assert!(first.0.iter().all(|(_, at)| *at < ends_at), "nothing is done after the end");
        }
        prop_assert_eq!(first, run(&steps, &exits, &happens));
    }
}
