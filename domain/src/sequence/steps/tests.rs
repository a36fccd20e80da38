use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::enums::{ActorKind, Channel, LeadStage, LeadType};
use entity::id::{FormId, ServiceLineId, TeamId, TemplateId, TemplateVersionId};
use entity::lead::RuleVersions;
use entity::template_version::{Bodies, TemplateState};
use entity::{form, template, template_version};
use proptest::prelude::*;
use uuid::Uuid;

use entity::condition::{Clause, Comparison, Fact};
use entity::enums::EligibilityFlag;
use entity::sequence_version::{Action, Awaited, DateAnchor, DateRule, Told, Trigger, TriggerKind, Way};

use super::*;
use crate::outreach::gate::Caps;
use crate::quiet_hours::windows::SendWindows;

/// A playbook with the templates `welcome` and `promo`, and `empty`, which has no text yet.
fn playbook() -> Playbook {
    let templates = [
        (1, "welcome", Purpose::CareCoordination),
        (2, "promo", Purpose::Marketing),
        (3, "empty", Purpose::CareCoordination),
    ];
    let id = |number| TemplateId(Uuid::from_u128(number));
    let version_id = |number| TemplateVersionId(Uuid::from_u128(number));
    let created_at = DateTime::<Utc>::UNIX_EPOCH;
    Playbook {
        template_by_key: templates
            .iter()
            .map(|(n, key, _)| ((*key).to_owned(), id(*n)))
            .collect(),
        templates: templates
            .iter()
            .map(|(n, key, purpose)| {
                let (key, name) = ((*key).to_owned(), (*key).to_owned());
                (
                    id(*n),
                    template::Model {
                        id: id(*n),
                        key,
                        name,
                        purpose: *purpose,
                        created_at,
                    },
                )
            })
            .collect(),
        line_by_name: ["sleep study", "sleep medicine"]
            .map(|name| (name.to_owned(), ServiceLineId(Uuid::nil())))
            .into(),
        template_current: [1, 2].map(|n| (id(n), version_id(n))).into(),
        template_versions: [1, 2]
            .map(|n| {
                let (id, template_id) = (version_id(n), id(n));
                (
                    id,
                    template_version::Model {
                        id,
                        template_id,
                        version: 1,
                        state: TemplateState::Draft,
                        default_language: "en".to_owned(),
                        layout: String::new(),
                        bodies: Bodies::default(),
                        author_kind: ActorKind::System,
                        author_id: None,
                        content_sha256: String::new(),
                        created_at,
                        submitted_at: None,
                        reviewed_at: None,
                        reviewed_by: None,
                        note: None,
                        approved_sha256: None,
                    },
                )
            })
            .into(),
        ..nothing()
    }
}

/// A form that can be finished later, and one that cannot.
fn forms() -> [form::Model; 2] {
    [("kept", Some(30)), ("lost", None)].map(|(slug, kept_days)| form::Model {
        id: FormId(Uuid::from_u128(slug.as_bytes()[0].into())),
        slug: slug.to_owned(),
        title: slug.to_owned(),
        intro: String::new(),
        thanks: String::new(),
        language: "en".to_owned(),
        lead_type: LeadType::PatientAppointment,
        channel: Channel::Website,
        service_line_id: None,
        facility_id: None,
        campaign_id: None,
        fields: form::Fields::default(),
        wordings: form::WordingKeys::default(),
        opt_in_days: None,
        abandoned_after_days: kept_days.map(|_| 3),
        kept_days,
        confirmation_template_id: None,
        public_key: slug.to_owned(),
        active: true,
        created_at: DateTime::<Utc>::UNIX_EPOCH,
    })
}

fn nothing() -> Playbook {
    Playbook {
        revision: 1,
        lines: HashMap::new(),
        line_by_name: HashMap::new(),
        facilities: HashMap::new(),
        facility_phones: HashMap::new(),
        calendars: HashMap::new(),
        teams: HashMap::new(),
        review_team: TeamId(Uuid::nil()),
        staff: HashMap::new(),
        members: HashMap::new(),
        skills: HashMap::new(),
        absences: HashMap::new(),
        routing: Vec::new(),
        scoring: Vec::new(),
        sla: Vec::new(),
        sla_retired: Vec::new(),
        rule_versions: RuleVersions::default(),
        forms: HashMap::new(),
        form_by_slug: HashMap::new(),
        form_by_key: HashMap::new(),
        wordings: HashMap::new(),
        template_by_key: HashMap::new(),
        templates: HashMap::new(),
        template_current: HashMap::new(),
        template_versions: HashMap::new(),
        checklists: HashMap::new(),
        scripts: HashMap::new(),
        profiles: HashMap::new(),
        rubrics: HashMap::new(),
        follow_up_templates: HashMap::new(),
        sequences: HashMap::new(),
        sequence_versions: HashMap::new(),
        campaigns: HashMap::new(),
        campaign_by_code: HashMap::new(),
        send_windows: SendWindows::default(),
        caps: Caps::default(),
        placements: HashMap::new(),
        placement_by_code: HashMap::new(),
    }
}

fn step(key: &str, action: Action) -> Step {
    Step {
        key: key.to_owned(),
        action,
    }
}

fn mail(key: &str, template: &str) -> Step {
    step(
        key,
        Action::SendEmail {
            template: template.to_owned(),
        },
    )
}

fn branch(key: &str, then: &str, otherwise: &str) -> Step {
    let (then, otherwise) = (then.to_owned(), otherwise.to_owned());
    step(
        key,
        Action::Branch {
            when: Condition::default(),
            then,
            otherwise,
        },
    )
}

fn wrong(steps: Vec<Step>) -> Vec<(String, Code)> {
    wrong_within(steps, None)
}

fn wrong_within(steps: Vec<Step>, after_secs: Option<i64>) -> Vec<(String, Code)> {
    let exits = Exits {
        stages: Vec::new(),
        after_secs,
    };
    check(&Steps(steps), &exits, Purpose::CareCoordination, &playbook())
        .into_iter()
        .map(|refusal| (refusal.field.join("."), refusal.code))
        .collect()
}

fn at(field: &str, code: Code) -> Vec<(String, Code)> {
    vec![(field.to_owned(), code)]
}

#[test]
fn a_good_sequence_may_be_published() {
    let steps = vec![
        mail("hello", "welcome"),
        step("wait-2-days", Action::Wait { secs: 172_800 }),
        branch("reached", "thanks", "call"),
        step(
            "call",
            Action::FollowUp {
                title: "Call once more".to_owned(),
                due_in_mins: 60,
            },
        ),
        step("done", Action::End {}),
        mail("thanks", "welcome"),
    ];
    assert_eq!(wrong(steps), []);
}

#[test]
fn a_sequence_has_one_to_fifty_steps() {
    assert_eq!(wrong(Vec::new()), at("steps", Code::Required));
    let many = |count| {
        (0..count)
            .map(|n| mail(&format!("step-{n}"), "welcome"))
            .collect()
    };
    assert_eq!(wrong(many(50)), []);
    assert_eq!(wrong(many(51)), at("steps", Code::TooLarge));
}

#[test]
fn each_refusal_names_the_step_and_the_part() {
    for (bad, field, code) in [
        (mail("b", "nobody"), "steps.1.template", Code::NotFound),
        (mail("b", "empty"), "steps.1.template", Code::NotAllowedNow),
        (mail("b", "promo"), "steps.1.template", Code::Invalid),
        (mail("B b", "welcome"), "steps.1.key", Code::Invalid),
        (mail("", "welcome"), "steps.1.key", Code::Invalid),
        (mail("-b", "welcome"), "steps.1.key", Code::Invalid),
        (mail("a", "welcome"), "steps.1.key", Code::AlreadyExists),
        (step("b", Action::Wait { secs: 0 }), "steps.1.secs", Code::Invalid),
        (
            step(
                "b",
                Action::Wait {
                    secs: MAX_WAIT_SECS + 1,
                },
            ),
            "steps.1.secs",
            Code::Invalid,
        ),
        (
            step(
                "b",
                Action::WaitUntil {
                    weekday: None,
                    minute_of_day: 1440,
                },
            ),
            "steps.1.minuteOfDay",
            Code::Invalid,
        ),
        (
            step(
                "b",
                Action::FollowUp {
                    title: " ".to_owned(),
                    due_in_mins: 1,
                },
            ),
            "steps.1.title",
            Code::Invalid,
        ),
        (
            step(
                "b",
                Action::FollowUp {
                    title: "x".to_owned(),
                    due_in_mins: 0,
                },
            ),
            "steps.1.dueInMins",
            Code::Invalid,
        ),
    ] {
        assert_eq!(wrong(vec![mail("a", "welcome"), bad]), at(field, code));
    }
}

#[test]
fn a_branch_leads_to_steps_that_exist_and_come_later() {
    let last = || mail("z", "welcome");
    assert_eq!(
        wrong(vec![branch("a", "z", "nowhere"), last()]),
        at("steps.0.otherwise", Code::NotFound)
    );
    assert_eq!(
        wrong(vec![branch("a", "a", "z"), last()]),
        at("steps.0.then", Code::Invalid)
    );
}

#[test]
fn a_step_that_no_way_leads_to_is_refused() {
    let steps = vec![
        branch("a", "z", "z"),
        mail("lost", "welcome"),
        mail("z", "welcome"),
    ];
    assert_eq!(wrong(steps), at("steps.1.key", Code::Invalid));
    let steps = vec![step("a", Action::End {}), mail("lost", "welcome")];
    assert_eq!(wrong(steps), at("steps.1.key", Code::Invalid));
}

#[test]
fn a_condition_says_what_it_compares() {
    let clause = |fact, field: Option<&str>, is, values: &[&str]| Clause {
        fact,
        field: field.map(str::to_owned),
        is,
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    let wrong = |clause| check_condition(&Condition(vec![clause]), "when").len();
    assert_eq!(wrong(clause(Fact::Stage, None, Comparison::In, &["NEW"])), 0);
    assert_eq!(
        wrong(clause(Fact::Answer, Some("snores"), Comparison::Present, &[])),
        0
    );
    assert_eq!(wrong(clause(Fact::Answer, None, Comparison::Present, &[])), 1);
    assert_eq!(wrong(clause(Fact::Stage, Some("x"), Comparison::Present, &[])), 1);
    assert_eq!(wrong(clause(Fact::Stage, None, Comparison::In, &[])), 1);
    assert_eq!(wrong(clause(Fact::Stage, None, Comparison::Absent, &["NEW"])), 1);
}

#[test]
fn a_trigger_on_a_stage_names_it() {
    let trigger = |on, stage| {
        let trigger = Trigger {
            stage,
            ..Trigger::on(on)
        };
        check_trigger(&trigger, &[]).len()
    };
    assert_eq!(trigger(TriggerKind::StageChanged, Some(LeadStage::Qualified)), 0);
    assert_eq!(trigger(TriggerKind::StageChanged, None), 1);
    assert_eq!(trigger(TriggerKind::LeadReceived, Some(LeadStage::Qualified)), 1);
}

#[test]
fn steps_read_back_as_they_were_written() {
    let steps = Steps(vec![
        mail("a", "welcome"),
        branch("b", "c", "c"),
        step("c", Action::End {}),
    ]);
    let written = serde_json::to_value(&steps).unwrap();
    assert_eq!(
        written[0],
        serde_json::json!({"key": "a", "kind": "SEND_EMAIL", "template": "welcome"})
    );
    assert_eq!(serde_json::from_value::<Steps>(written).unwrap(), steps);
}

proptest! {
    #[test]
    fn ways_of_accepted_steps_only_lead_forward_to_steps_that_exist(
        targets in prop::collection::vec((0_usize..12, 0_usize..12, any::<bool>()), 1..10),
    ) {
        let steps: Vec<Step> = targets
            .iter()
            .enumerate()
            .map(|(place, (then, otherwise, is_branch))| {
                let key = format!("s{place}");
                if *is_branch {
                    branch(&key, &format!("s{then}"), &format!("s{otherwise}"))
                } else {
                    mail(&key, "welcome")
                }
            })
            .collect();
        let good = targets.iter().enumerate().all(|(place, (then, otherwise, is_branch))| {
            let later = |target: usize| place < target && target < targets.len();
            !is_branch || (later(*then) && later(*otherwise))
        });
        let refused = wrong(steps).iter().any(|(field, _)| !field.ends_with(".key"));
        prop_assert_eq!(good, !refused);
    }
}

fn messages(steps: Vec<Step>) -> Vec<String> {
    let refusals = check(
        &Steps(steps),
        &Exits::default(),
        Purpose::CareCoordination,
        &playbook(),
    );
    refusals
        .into_iter()
        .map(|refusal| refusal.message.into_owned())
        .collect()
}

#[test]
fn every_fault_names_its_step_in_words_too() {
    let steps = vec![
        branch("which", "which", "z"),
        mail("lost", "nobody"),
        mail("z", "welcome"),
    ];
    let told = messages(steps);
    assert!(
        told[0].starts_with("Step which: ") && told[0].contains("circles"),
        "{told:?}"
    );
    assert!(
        told.iter().skip(1).all(|text| text.starts_with("Step lost: ")),
        "{told:?}"
    );
    // What is no key is not repeated.
    assert!(
        messages(vec![mail("<b>", "nobody")])
            .iter()
            .all(|text| !text.contains('<'))
    );
}

fn split(key: &str, ways: &[(u32, &str)]) -> Step {
    let way = |(weight, then): &(u32, &str)| Way {
        weight: *weight,
        then: (*then).to_owned(),
    };
    let ways = ways.iter().map(way).collect();
    step(key, Action::Split { seed: None, ways })
}

fn wait_for(event: Awaited, stage: Option<LeadStage>, timeout_secs: i64) -> Step {
    let (then, otherwise) = ("z".to_owned(), "z".to_owned());
    let action = Action::WaitFor {
        event,
        stage,
        outcome: None,
        timeout_secs,
        then,
        otherwise,
    };
    step("a", action)
}

fn notice(title: &str) -> Step {
    let title = title.to_owned();
    step(
        "a",
        Action::NotifyStaff {
            to: Told::Owner,
            title,
        },
    )
}

fn update(add: &[EligibilityFlag], remove: &[EligibilityFlag], team: Option<&str>) -> Step {
    let action = Action::UpdateLead {
        add_flags: add.to_vec(),
        remove_flags: remove.to_vec(),
        team: team.map(str::to_owned),
    };
    step("a", action)
}

#[test]
fn the_newer_kinds_of_steps_are_checked_too() {
    use EligibilityFlag::{OrderMissing, ServiceUnclear, TriageNeeded};
    let last = || mail("z", "welcome");
    for (bad, field, code) in [
        (split("a", &[(1, "z")]), "steps.0.ways", Code::Invalid),
        (
            split("a", &[(1, "z"), (0, "z")]),
            "steps.0.ways.1.weight",
            Code::Invalid,
        ),
        (
            split("a", &[(1, "z"), (1, "gone")]),
            "steps.0.ways.1.then",
            Code::NotFound,
        ),
        (
            split("a", &[(1, "z"), (1, "a")]),
            "steps.0.ways.1.then",
            Code::Invalid,
        ),
        (
            wait_for(Awaited::StageReached, None, 60),
            "steps.0.stage",
            Code::Required,
        ),
        (
            wait_for(Awaited::StageReached, Some(LeadStage::Closed), 60),
            "steps.0.stage",
            Code::Invalid,
        ),
        (
            wait_for(Awaited::FormAnswered, Some(LeadStage::Qualified), 60),
            "steps.0.stage",
            Code::Invalid,
        ),
        (
            wait_for(Awaited::FormAnswered, None, 0),
            "steps.0.timeoutSecs",
            Code::Invalid,
        ),
        (update(&[], &[], None), "steps.0.addFlags", Code::Required),
        (
            update(&[ServiceUnclear], &[], None),
            "steps.0.addFlags",
            Code::Invalid,
        ),
        // Only a clinician says that no clinician need look.
        (
            update(&[], &[TriageNeeded], None),
            "steps.0.removeFlags",
            Code::Invalid,
        ),
        (
            update(&[OrderMissing], &[OrderMissing], None),
            "steps.0.removeFlags",
            Code::Invalid,
        ),
        (update(&[], &[], Some("nobody")), "steps.0.team", Code::NotFound),
        (
            step(
                "a",
                Action::Goal {
                    when: Condition::default(),
                },
            ),
            "steps.0.when",
            Code::Required,
        ),
    ] {
        assert_eq!(wrong(vec![bad.clone(), last()]), at(field, code), "{bad:?}");
    }
}

#[test]
fn nothing_of_the_person_stands_where_others_read_it() {
    let last = || mail("z", "welcome");
    for bad in [
        "{{ given_name }} has not answered",
        "Call {% if a %}",
        "Write to pat@example.org",
        "Call 860 555 0100",
        "Sleep study: no answer",
        "About the Sleep Study.",
    ] {
        assert_eq!(
            wrong(vec![notice(bad), last()]),
            at("steps.0.title", Code::Invalid),
            "{bad}"
        );
    }
    for good in [
        "Somebody has not answered for 2 weeks",
        "Sleepless? Look at this lead",
    ] {
        assert_eq!(wrong(vec![notice(good), last()]), [], "{good}");
    }
}

#[test]
fn a_wait_that_is_longer_than_the_sequence_is_refused_where_it_stands() {
    let day = 24 * 60 * 60;
    let steps = || {
        vec![
            step("one-day", Action::Wait { secs: day }),
            mail("hello", "welcome"),
            step("two-days", Action::Wait { secs: 2 * day }),
            mail("more", "welcome"),
        ]
    };
    assert_eq!(wrong_within(steps(), Some(3 * day + 1)), []);
    assert_eq!(
        wrong_within(steps(), Some(3 * day)),
        at("steps.2.secs", Code::Invalid)
    );
    assert_eq!(
        wrong_within(steps(), Some(0)).last(),
        at("exits.afterSecs", Code::Invalid).last()
    );
    let steps = vec![wait_for(Awaited::FormAnswered, None, day), mail("z", "welcome")];
    assert_eq!(
        wrong_within(steps, Some(day)),
        at("steps.0.timeoutSecs", Code::Invalid)
    );
}

#[test]
fn a_trigger_says_what_it_needs_and_no_more() {
    let rule = |from, days| DateRule {
        from,
        days,
        minute_of_day: None,
    };
    let before = rule(DateAnchor::Appointment, -2);
    let fields = |trigger: Trigger| -> Vec<String> {
        check_trigger(&trigger, &forms().iter().collect::<Vec<_>>())
            .iter()
            .map(|refusal| refusal.field.join("."))
            .collect()
    };
    let on = Trigger::on;
    for good in [
        on(TriggerKind::Manual),
        on(TriggerKind::AppointmentMissed),
        Trigger {
            flag: Some(EligibilityFlag::OrderMissing),
            ..on(TriggerKind::InformationMissing)
        },
        Trigger {
            date: Some(before.clone()),
            ..on(TriggerKind::Date)
        },
        on(TriggerKind::FormAbandoned),
        Trigger {
            form: Some("kept".to_owned()),
            ..on(TriggerKind::FormAbandoned)
        },
    ] {
        assert_eq!(fields(good), Vec::<String>::new());
    }
    for (bad, field) in [
        (on(TriggerKind::InformationMissing), "trigger.flag"),
        (
            Trigger {
                flag: Some(EligibilityFlag::DirectScheduling),
                ..on(TriggerKind::InformationMissing)
            },
            "trigger.flag",
        ),
        (
            Trigger {
                flag: Some(EligibilityFlag::OrderMissing),
                ..on(TriggerKind::Manual)
            },
            "trigger.flag",
        ),
        (on(TriggerKind::Date), "trigger.date"),
        (
            Trigger {
                date: Some(before),
                ..on(TriggerKind::CallbackAsked)
            },
            "trigger.date",
        ),
        (
            Trigger {
                date: Some(rule(DateAnchor::Received, -1)),
                ..on(TriggerKind::Date)
            },
            "trigger.date.days",
        ),
        (
            Trigger {
                date: Some(rule(DateAnchor::Appointment, 366)),
                ..on(TriggerKind::Date)
            },
            "trigger.date.days",
        ),
        (
            Trigger {
                form: Some("lost".to_owned()),
                ..on(TriggerKind::FormAbandoned)
            },
            "trigger.form",
        ),
        (
            Trigger {
                form: Some("kept".to_owned()),
                ..on(TriggerKind::LeadReceived)
            },
            "trigger.form",
        ),
    ] {
        assert_eq!(fields(bad), [field]);
    }
    let none_is_kept = check_trigger(&on(TriggerKind::FormAbandoned), &[]);
    assert_eq!(none_is_kept[0].field.join("."), "trigger.on");
}
