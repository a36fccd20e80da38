//! Ninety days of the demo hospital: what a preview says is what comes of publishing.

use std::collections::{BTreeMap, HashMap};

use domain::lead::decision::{arrival_of, decide};
use domain::playbook::Playbook;
use domain::rule_set::draft::{self, CreateDraft, Written};
use domain::rule_set::preview::{Outcome, PreviewRules, preview};
use domain::rule_set::{overlay, publish};
use domain::setup::RoutingSetup;
use domain::viewer::Viewer;
use entity::condition::{Clause, Comparison, Condition, Fact};
use entity::enums::Role;
use entity::id::{ContactId, LeadId, TokenId};
use entity::rule_set::{RuleKind, RuleSetState};
use entity::{contact, lead};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::demo_hospital::{made, monday};
use crate::harness::database::TestDatabase;

type Outcomes = BTreeMap<LeadId, Outcome>;

/// A draft that sends Spanish speakers and whoever comes outside of business hours elsewhere.
fn other_rules(playbook_rules: Vec<RoutingSetup>) -> Written {
    let rule = |name: &str, clause: Clause, team: &str, urgent| RoutingSetup {
        name: name.to_owned(),
        when: Condition(vec![clause]),
        team: team.to_owned(),
        facility: None,
        strategy: None,
        owner: None,
        flags: Vec::new(),
        urgent,
        active: true,
    };
    let clause = |fact, is, value: &str| Clause {
        fact,
        field: None,
        is,
        values: vec![value.to_owned()],
    };
    let mut rules = vec![
        rule(
            "Spanish speakers",
            clause(Fact::Language, Comparison::StartsWith, "es"),
            "sleep-center",
            false,
        ),
        rule(
            "Good ones at night",
            clause(Fact::BusinessHours, Comparison::In, "NO"),
            "cardiology-intake",
            true,
        ),
    ];
    rules.extend(playbook_rules);
    Written {
        routing_rules: Some(rules),
        ..Written::default()
    }
}

#[tokio::test]
async fn a_draft_previewed_on_ninety_days_of_the_demo_hospital_and_published_decides_the_same() {
    let database = TestDatabase::new().await;
    let (h, _) = made(&database, monday()).await;
    let viewer = Viewer::Token {
        id: TokenId(uuid::Uuid::from_u128(7)),
        role: Role::Admin,
    };
    let since = h.now() - chrono::TimeDelta::days(90);
    let leads = lead::Entity::find()
        .filter(lead::Column::ReceivedAt.gte(since))
        .all(&h.db)
        .await
        .unwrap();
    let contacts = contact::Entity::find().all(&h.db).await.unwrap();
    let contacts: HashMap<ContactId, contact::Model> =
        contacts.into_iter().map(|row| (row.id, row)).collect();
    let all = |playbook: &Playbook| -> Outcomes {
        let decided = |lead: &lead::Model| {
            let arrival = arrival_of(lead, &contacts[&lead.contact_id], playbook);
            (lead.id, Outcome::of(&decide(arrival)))
        };
        leads.iter().map(decided).collect()
    };
    let playbook = h.playbook().await.unwrap();
    let now = all(&playbook);
    for lead in &leads {
        let again = &now[&lead.id];
        assert_eq!(
            (
                lead.routing.rule_id,
                lead.routing.team_id,
                lead.score_points,
                lead.sla_policy_id
            ),
            (again.rule_id, again.team_id, again.points, again.policy_id),
            "the rules as they are decide what they decided"
        );
    }

    let rules = leadward::demo::document(h.now()).unwrap().routing_rules;
    let input = CreateDraft {
        kind: RuleKind::Routing,
        written: other_rules(rules),
        note: None,
    };
    let version = draft::create(&h, &viewer, input).await.unwrap().value;
    let wanted = PreviewRules {
        draft_id: version.id,
        days: 90,
        max_leads: 20_000,
        sample: 50,
    };
    let said = preview(&h, wanted).await.unwrap();
    assert_eq!((said.looked_at, said.cut), (leads.len() as i64, false));
    let expected = all(&overlay(&playbook, version.kind, &version.rules, h.now()));
    let moved = leads
        .iter()
        .filter(|lead| now[&lead.id].moves(&expected[&lead.id]))
        .count();
    assert_eq!(said.moved, moved as i64);
    assert!(
        moved > 100 && moved < leads.len(),
        "{moved} of {} move",
        leads.len()
    );
    let counted: i64 = said.by_team.iter().map(|shift| shift.leads).sum();
    let teams = leads
        .iter()
        .filter(|lead| now[&lead.id].team_id != expected[&lead.id].team_id)
        .count();
    assert_eq!(counted, teams as i64);
    assert_eq!(said.samples.len(), 50);

    let done = publish::publish(&h, &viewer, version.id, version.version).await;
    assert_eq!(done.unwrap().value.state, RuleSetState::Published);
    let published = h.playbook().await.unwrap();
    assert_eq!(published.rule_versions.routing, version.number);
    assert_eq!(all(&published), expected, "replayed, identical");
    assert_eq!(preview(&h, wanted).await.unwrap().moved, 0);
}
