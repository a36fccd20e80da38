use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::condition::Clause;
use entity::enums::LeadStage;
use entity::id::{TeamId, TemplateId, TemplateVersionId};
use entity::{template, template_version};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

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
        template_current: [1, 2].map(|n| (id(n), version_id(n))).into(),
        template_versions: [1, 2]
            .map(|n| {
                let [subject, html, text] = ["s", "h", "t"].map(str::to_owned);
                let (id, template_id) = (version_id(n), id(n));
                (
                    id,
                    template_version::Model {
                        id,
                        template_id,
                        version: 1,
                        subject,
                        html,
                        text,
                        created_at,
                    },
                )
            })
            .into(),
        ..nothing()
    }
}

fn nothing() -> Playbook {
    Playbook {
        revision: 1,
        lines: HashMap::new(),
        line_by_name: HashMap::new(),
        facilities: HashMap::new(),
        calendars: HashMap::new(),
        teams: HashMap::new(),
        review_team: TeamId(Uuid::nil()),
        staff: HashMap::new(),
        members: HashMap::new(),
        routing: Vec::new(),
        scoring: Vec::new(),
        sla: Vec::new(),
        forms: HashMap::new(),
        form_by_slug: HashMap::new(),
        form_by_key: HashMap::new(),
        wordings: HashMap::new(),
        template_by_key: HashMap::new(),
        templates: HashMap::new(),
        template_current: HashMap::new(),
        template_versions: HashMap::new(),
        sequences: HashMap::new(),
        sequence_versions: HashMap::new(),
        campaigns: HashMap::new(),
        campaign_by_code: HashMap::new(),
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
    check(&Steps(steps), Purpose::CareCoordination, &playbook())
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
        check_trigger(&Trigger {
            on,
            stage,
            filter: Condition::default(),
        })
        .len()
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
