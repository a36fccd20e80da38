//! A draft that is published decides what its preview said, whatever the rules and the leads.

use entity::condition::{Clause, Comparison, Condition, Fact};
use entity::contact;
use entity::enums::{Channel, EligibilityFlag, LeadType};
use entity::lead::{self, Answer};
use entity::rule_set::{Model, RuleKind, RuleSetState};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sea_orm::{EntityTrait, PaginatorTrait};

use super::draft::{self, CreateDraft, UpdateDraft, Written};
use super::preview::{Outcome, PreviewRules, preview};
use super::{find, follow, overlay, publish};
use crate::error::{Code, Error};
use crate::ground::Ground;
use crate::lead::decision;
use crate::lead::inquiry::Draft;
use crate::lead::receive::receive;
use crate::patch::Patch;
use crate::playbook::Playbook;
use crate::setup::{RoutingSetup, ScoringSetup, SlaSetup};
use crate::viewer::Actor;

/// Leads that every version is tried on.
const LEADS: usize = 40;
/// Versions of each kind that are tried.
const VERSIONS: usize = 12;

fn clause() -> impl Strategy<Value = Clause> {
    let is = |fact, is, values: &[&str]| Clause {
        fact,
        field: (fact == Fact::Answer).then(|| "age".to_owned()),
        is,
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    prop_oneof![
        Just(is(Fact::ServiceLine, Comparison::In, &["sleep"])),
        Just(is(Fact::ServiceLine, Comparison::NotIn, &["sleep", "heart"])),
        Just(is(Fact::LeadType, Comparison::In, &["REFERRAL"])),
        Just(is(Fact::Language, Comparison::StartsWith, &["es"])),
        Just(is(Fact::Channel, Comparison::In, &["PHONE"])),
        Just(is(Fact::Facility, Comparison::Absent, &[])),
        Just(is(Fact::Reachable, Comparison::In, &["PHONE"])),
        Just(is(
            Fact::Flag,
            Comparison::In,
            &["SERVICE_UNCLEAR", "TRIAGE_NEEDED"]
        )),
        Just(is(Fact::BusinessHours, Comparison::In, &["YES"])),
        (0..24).prop_map(move |hour: i32| is(Fact::ReceivedHour, Comparison::Below, &[&hour.to_string()])),
        (20..90).prop_map(move |age: i32| is(Fact::Answer, Comparison::AtLeast, &[&age.to_string()])),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    proptest::collection::vec(clause(), 0..3).prop_map(Condition)
}

fn after_scoring() -> impl Strategy<Value = Condition> {
    let score = (0..=100).prop_map(|points: i32| Clause {
        fact: Fact::Score,
        field: None,
        is: Comparison::AtLeast,
        values: vec![points.to_string()],
    });
    (condition(), proptest::option::of(score)).prop_map(|(mut condition, score)| {
        condition.0.extend(score);
        condition
    })
}

fn written(kind: RuleKind) -> BoxedStrategy<Written> {
    let teams = prop_oneof![Just("desk"), Just("other"), Just("review")];
    let added = prop_oneof![
        Just(Vec::new()),
        Just(vec![EligibilityFlag::OrderMissing]),
        Just(vec![EligibilityFlag::TriageNeeded])
    ];
    let facility = proptest::option::of(Just("north".to_owned()));
    let routing = (
        after_scoring(),
        teams,
        any::<bool>(),
        added,
        facility,
        any::<bool>(),
    );
    match kind {
        RuleKind::Routing => proptest::collection::vec(routing, 0..6)
            .prop_map(|rules| Written {
                routing_rules: Some(rules.into_iter().enumerate().map(routing_rule).collect()),
                ..Written::default()
            })
            .boxed(),
        RuleKind::Scoring => proptest::collection::vec((condition(), 1..60, any::<bool>()), 0..6)
            .prop_map(|rules| Written {
                scoring_rules: Some(rules.into_iter().enumerate().map(scoring_rule).collect()),
                ..Written::default()
            })
            .boxed(),
        RuleKind::Sla => proptest::collection::vec((after_scoring(), 1..500_i64), 0..6)
            .prop_map(|rules| Written {
                sla_policies: Some(rules.into_iter().enumerate().map(policy).collect()),
                ..Written::default()
            })
            .boxed(),
    }
}

type RandomRouting = (
    Condition,
    &'static str,
    bool,
    Vec<EligibilityFlag>,
    Option<String>,
    bool,
);

fn routing_rule((place, rule): (usize, RandomRouting)) -> RoutingSetup {
    let (when, team, urgent, flags, facility, active) = rule;
    RoutingSetup {
        name: format!("Rule {place}"),
        when,
        team: team.to_owned(),
        facility,
        strategy: None,
        owner: None,
        flags,
        urgent,
        active,
    }
}

fn scoring_rule((place, (when, points, active)): (usize, (Condition, i32, bool))) -> ScoringSetup {
    ScoringSetup {
        name: format!("Points {place}"),
        when,
        points,
        text: "For a reason.".to_owned(),
        active,
    }
}

fn policy((place, (when, first_attempt_mins)): (usize, (Condition, i64))) -> SlaSetup {
    SlaSetup {
        name: format!("Policy {place}"),
        when,
        first_attempt_mins,
        target_mins: None,
        warn_owner_mins: None,
        tell_lead_mins: None,
        take_back_mins: None,
        attempts_wanted: 3,
        spacing_mins: 60,
        remind_before_mins: 5,
    }
}

fn inquiry() -> impl Strategy<Value = Draft> {
    let words = prop_oneof![Just("sleep"), Just("heart"), Just("something else"), Just("")];
    (
        proptest::sample::select(LeadType::ALL),
        proptest::option::of(proptest::sample::select(Channel::ALL)),
        words,
        prop_oneof![Just("en"), Just("es"), Just("es-MX")],
        proptest::option::of(18..95_i32),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(lead_type, channel, words, language, age, has_phone, in_north)| Draft {
                lead_type: Some(lead_type),
                channel,
                given_name: "Pat".to_owned(),
                organization: "Example Practice".to_owned(),
                phone: if has_phone {
                    "+16145550100".to_owned()
                } else {
                    String::new()
                },
                language: language.to_owned(),
                requested_service: words.to_owned(),
                facility: if in_north {
                    "north".to_owned()
                } else {
                    String::new()
                },
                answers: age.into_iter().map(answer).collect(),
                ..Draft::default()
            },
        )
}

fn answer(age: i32) -> Answer {
    Answer {
        field: "age".to_owned(),
        label: "Age".to_owned(),
        value: age.to_string(),
    }
}

/// A hospital with leads of the last forty days.
async fn hospital(random: &mut TestRunner) -> Ground {
    let ground = Ground::at("2026-03-02T03:30:00Z").await;
    for team in ["desk", "other"] {
        ground.team(team, false).await;
    }
    ground.facility("north", "America/New_York").await;
    for line in ["sleep", "heart"] {
        ground.line(line).await;
    }
    let playbook = ground.h.playbook().await.unwrap();
    for number in 0..LEADS {
        let mut draft = inquiry().new_tree(random).unwrap().current();
        draft.email = format!("pat{number}@example.org");
        receive_one(&ground, &playbook, draft).await;
        ground.clock.advance(chrono::TimeDelta::hours(23));
    }
    ground
}

async fn outcomes(ground: &Ground, playbook: &Playbook) -> Vec<Outcome> {
    let leads = lead::Entity::find().all(&ground.h.db).await.unwrap();
    let contacts = contact::Entity::find().all(&ground.h.db).await.unwrap();
    let decided = |lead: &lead::Model| {
        let contact = contacts.iter().find(|row| row.id == lead.contact_id).unwrap();
        Outcome::of(&decision::decide(decision::arrival_of(lead, contact, playbook)))
    };
    leads.iter().map(decided).collect()
}

fn all_of(version: &Model) -> PreviewRules {
    PreviewRules {
        draft_id: version.id,
        days: 90,
        max_leads: 20_000,
        sample: 50,
    }
}

async fn drafted(ground: &Ground, kind: RuleKind, written: Written) -> Model {
    let input = CreateDraft {
        kind,
        written,
        note: None,
    };
    draft::create(&ground.h, &ground.admin(), input)
        .await
        .unwrap()
        .value
}

async fn published(ground: &Ground, draft: &Model) -> Model {
    let done = publish::publish(&ground.h, &ground.admin(), draft.id, draft.version).await;
    done.unwrap().value
}

async fn receive_one(ground: &Ground, playbook: &Playbook, draft: Draft) {
    let inquiry = draft.parse(playbook).unwrap();
    let receipt = receive(&ground.h, Actor::SYSTEM, inquiry).await.unwrap().value;
    assert!(receipt.created);
}

#[tokio::test]
async fn a_published_draft_decides_what_its_preview_said() {
    let mut random = TestRunner::deterministic();
    let ground = hospital(&mut random).await;
    let (mut versions, mut moved) = (0, 0);
    for number in 0..VERSIONS * 3 {
        let kind = RuleKind::ALL[number % 3];
        let rules = written(kind).new_tree(&mut random).unwrap().current();
        let version = drafted(&ground, kind, rules).await;
        let playbook = ground.h.playbook().await.unwrap();
        let now = outcomes(&ground, &playbook).await;
        let then = outcomes(&ground, &overlay(&playbook, kind, &version.rules, ground.h.now())).await;
        let said = preview(&ground.h, all_of(&version)).await.unwrap();
        let differ = now
            .iter()
            .zip(&then)
            .filter(|(now, then)| now.moves(then))
            .count();
        assert_eq!((said.looked_at, said.moved), (LEADS as i64, differ as i64));
        for sample in &said.samples {
            assert!(now.contains(&sample.before) && then.contains(&sample.after));
        }
        match publish::publish(&ground.h, &ground.admin(), version.id, version.version).await {
            Ok(done) => assert_eq!(done.value.state, RuleSetState::Published),
            Err(Error::Refused(refusals)) => {
                assert_eq!(refusals[0].code, Code::NotAllowedNow, "nothing is new");
                assert_eq!(said.moved, 0);
                continue;
            }
            Err(error) => panic!("{error:?}"),
        }
        let playbook = ground.h.playbook().await.unwrap();
        assert_eq!(outcomes(&ground, &playbook).await, then, "{kind} {number}");
        let again = preview(&ground.h, all_of(&version)).await.unwrap();
        assert_eq!(again.moved, 0, "what counts now moves nothing");
        (versions, moved) = (versions + 1, moved + said.moved);
    }
    assert!(
        versions > VERSIONS * 2 && moved > LEADS as i64,
        "{versions} {moved}"
    );
}

#[tokio::test]
async fn what_intake_decided_is_what_the_stored_lead_is_decided_to_be() {
    let mut random = TestRunner::deterministic();
    let ground = Ground::at("2026-03-02T03:30:00Z").await;
    for team in ["desk", "other"] {
        ground.team(team, false).await;
    }
    ground.facility("north", "America/New_York").await;
    ground.line("sleep").await;
    ground.line("heart").await;
    for kind in RuleKind::ALL {
        let rules = written(*kind).new_tree(&mut random).unwrap().current();
        let version = drafted(&ground, *kind, rules).await;
        let done = publish::publish(&ground.h, &ground.admin(), version.id, version.version).await;
        assert!(done.is_ok(), "{done:?}");
    }
    let playbook = ground.h.playbook().await.unwrap();
    for number in 0..LEADS {
        let mut draft = inquiry().new_tree(&mut random).unwrap().current();
        draft.email = format!("pat{number}@example.org");
        receive_one(&ground, &playbook, draft).await;
        ground.clock.advance(chrono::TimeDelta::hours(5));
    }
    let again = outcomes(&ground, &playbook).await;
    let leads = lead::Entity::find().all(&ground.h.db).await.unwrap();
    for (lead, outcome) in leads.iter().zip(&again) {
        assert_eq!(
            (lead.routing.rule_id, lead.team_id, lead.facility_id, lead.urgent),
            (
                outcome.rule_id,
                outcome.team_id,
                outcome.facility_id,
                outcome.urgent
            )
        );
        assert_eq!(
            (&lead.flags.0, lead.score_points, lead.sla_policy_id),
            (&outcome.flags, outcome.points, outcome.policy_id)
        );
        assert_eq!(lead.routing.basis.versions, playbook.rule_versions);
    }
}

#[tokio::test]
async fn a_draft_that_would_undo_what_was_published_meanwhile_is_refused_until_it_is_written_anew() {
    let ground = Ground::at("2026-03-02T15:00:00Z").await;
    let (viewer, rules) = (ground.admin(), |mins| Written {
        sla_policies: Some(vec![policy((0, (Condition::default(), mins)))]),
        ..Written::default()
    });
    let first = drafted(&ground, RuleKind::Sla, rules(10)).await;
    let second = drafted(&ground, RuleKind::Sla, rules(20)).await;
    assert_eq!((first.number, second.number), (1, 2));
    published(&ground, &first).await;
    let code = |error| match error {
        Error::Refused(refusals) => refusals[0].code,
        other => panic!("{other:?}"),
    };
    let late = publish::publish(&ground.h, &viewer, second.id, 1)
        .await
        .unwrap_err();
    assert_eq!(code(late), Code::VersionConflict);
    let anew = UpdateDraft {
        id: second.id,
        expected_version: 1,
        written: rules(30),
        note: Patch::Keep,
    };
    let second = draft::update(&ground.h, anew).await.unwrap().value;
    let stale = publish::publish(&ground.h, &viewer, second.id, 1)
        .await
        .unwrap_err();
    assert_eq!(code(stale), Code::VersionConflict);
    published(&ground, &second).await;
    let playbook = ground.h.playbook().await.unwrap();
    assert_eq!((playbook.sla.len(), playbook.sla[0].first_attempt_mins), (1, 30));
    assert_eq!(playbook.rule_versions.sla, 2);
    let over = draft::discard(&ground.h, second.id, 3).await.unwrap_err();
    assert_eq!(code(over), Code::NotAllowedNow, "what counts is no draft");
}

#[tokio::test]
async fn a_rule_that_is_left_out_is_kept_for_leads_that_point_at_it_and_comes_back_as_the_same() {
    let ground = Ground::at("2026-03-02T15:00:00Z").await;
    let publish_all = async |policies: Vec<SlaSetup>| {
        let written = Written {
            sla_policies: Some(policies),
            ..Written::default()
        };
        let draft = drafted(&ground, RuleKind::Sla, written).await;
        published(&ground, &draft).await;
        ground.h.playbook().await.unwrap()
    };
    let always = || policy((1, (Condition::default(), 10)));
    let first = publish_all(vec![always()]).await;
    let id = first.sla[0].id;
    let without = publish_all(vec![policy((2, (Condition::default(), 20)))]).await;
    assert!(without.sla.iter().all(|row| row.id != id));
    assert_eq!(without.policy(id).map(|row| row.first_attempt_mins), Some(10));
    let back = publish_all(vec![always()]).await;
    assert_eq!(back.sla.iter().map(|row| row.id).collect::<Vec<_>>(), [id]);
}

#[tokio::test]
async fn rules_of_before_there_were_versions_become_the_first_version_once() {
    let ground = Ground::at("2026-03-02T15:00:00Z").await;
    let written = Written {
        sla_policies: Some(vec![policy((0, (Condition::default(), 10)))]),
        ..Written::default()
    };
    let draft = drafted(&ground, RuleKind::Sla, written).await;
    published(&ground, &draft).await;
    // As an installation is that was made before.
    entity::rule_set::Entity::delete_many()
        .exec(&ground.h.db)
        .await
        .unwrap();
    for _ in 0..2 {
        follow::ensure_versions(&ground.h).await.unwrap();
    }
    let count = entity::rule_set::Entity::find()
        .count(&ground.h.db)
        .await
        .unwrap();
    assert_eq!(count, 1, "kinds without rules need no version");
    let version = find::published(&ground.h.db, RuleKind::Sla)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((version.number, version.rules), (1, draft.rules));
}
