//! Rules as rows and as a version's document, and the way from each to the other.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::routing_rule::AddedFlags;
use entity::rule_set::{RoutingRule, RuleKind, Rules, ScoringRule, SlaRule};
use entity::{routing_rule, scoring_rule, sla_policy};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder};

use crate::error::Result;
use crate::setup::rules::{RuleRows, position};
use crate::setup::write::{Rows, settle};

/// The document of rows, in their order.
pub(super) fn document(rows: &RuleRows) -> Rules {
    let mut scoring: Vec<_> = rows.scoring.iter().map(scoring_rule_of).collect();
    // Points are added up, so their rules have no order but that of ids, in which reasons are told.
    scoring.sort_by_key(|rule| rule.id);
    Rules {
        routing: rows.routing.iter().map(routing_rule_of).collect(),
        scoring,
        sla: rows.sla.iter().map(sla_rule_of).collect(),
    }
}

fn routing_rule_of(row: &routing_rule::Model) -> RoutingRule {
    RoutingRule {
        id: row.id,
        name: row.name.clone(),
        when: row.condition.clone(),
        team_id: row.team_id,
        facility_id: row.facility_id,
        owner_id: row.owner_id,
        strategy: row.strategy,
        flags: row.flags.0.clone(),
        urgent: row.urgent,
        active: row.active,
    }
}

fn scoring_rule_of(row: &scoring_rule::Model) -> ScoringRule {
    ScoringRule {
        id: row.id,
        name: row.name.clone(),
        when: row.condition.clone(),
        points: row.points,
        text: row.text.clone(),
        active: row.active,
    }
}

fn sla_rule_of(row: &sla_policy::Model) -> SlaRule {
    SlaRule {
        id: row.id,
        name: row.name.clone(),
        when: row.condition.clone(),
        first_attempt_mins: row.first_attempt_mins,
        target_mins: row.target_mins,
        warn_owner_mins: row.warn_owner_mins,
        tell_lead_mins: row.tell_lead_mins,
        take_back_mins: row.take_back_mins,
        attempts_wanted: row.attempts_wanted,
        spacing_mins: row.spacing_mins,
        remind_before_mins: row.remind_before_mins,
    }
}

/// The rows of a document, in the order in which they are tried; new ones as made at `now`.
pub(super) fn rows(rules: &Rules, now: DateTime<Utc>) -> RuleRows {
    let routing = rules.routing.iter().enumerate();
    let sla = rules.sla.iter().enumerate();
    let scoring = rules.scoring.iter().map(|rule| scoring_row(rule, now));
    RuleRows {
        routing: routing
            .map(|(place, rule)| routing_row(place, rule, now))
            .collect(),
        scoring: scoring.collect(),
        sla: sla.map(|(place, rule)| sla_row(place, rule, now)).collect(),
    }
}

fn routing_row(place: usize, rule: &RoutingRule, now: DateTime<Utc>) -> routing_rule::Model {
    routing_rule::Model {
        id: rule.id,
        name: rule.name.clone(),
        position: position(place),
        condition: rule.when.clone(),
        team_id: rule.team_id,
        facility_id: rule.facility_id,
        strategy: rule.strategy,
        owner_id: rule.owner_id,
        flags: AddedFlags(rule.flags.clone()),
        urgent: rule.urgent,
        active: rule.active,
        retired_at: None,
        created_at: now,
    }
}

fn scoring_row(rule: &ScoringRule, now: DateTime<Utc>) -> scoring_rule::Model {
    scoring_rule::Model {
        id: rule.id,
        name: rule.name.clone(),
        condition: rule.when.clone(),
        points: rule.points,
        text: rule.text.clone(),
        active: rule.active,
        retired_at: None,
        created_at: now,
    }
}

fn sla_row(place: usize, rule: &SlaRule, now: DateTime<Utc>) -> sla_policy::Model {
    sla_policy::Model {
        id: rule.id,
        name: rule.name.clone(),
        position: position(place),
        condition: rule.when.clone(),
        first_attempt_mins: rule.first_attempt_mins,
        target_mins: rule.target_mins,
        warn_owner_mins: rule.warn_owner_mins,
        tell_lead_mins: rule.tell_lead_mins,
        take_back_mins: rule.take_back_mins,
        attempts_wanted: rule.attempts_wanted,
        spacing_mins: rule.spacing_mins,
        remind_before_mins: rule.remind_before_mins,
        retired_at: None,
        created_at: now,
    }
}

/// The rules of a kind that count, or are switched off and can count again, in the order in which they are tried.
pub(super) async fn present(tx: &DatabaseTransaction, kind: RuleKind) -> Result<RuleRows> {
    let mut rows = RuleRows::default();
    match kind {
        RuleKind::Routing => {
            rows.routing = routing_rule::Entity::find()
                .filter(routing_rule::Column::RetiredAt.is_null())
                .order_by_asc(routing_rule::Column::Position)
                .order_by_asc(routing_rule::Column::Id)
                .all(tx)
                .await?;
        }
        RuleKind::Scoring => {
            rows.scoring = scoring_rule::Entity::find()
                .filter(scoring_rule::Column::RetiredAt.is_null())
                .order_by_asc(scoring_rule::Column::Id)
                .all(tx)
                .await?;
        }
        RuleKind::Sla => {
            rows.sla = sla_policy::Entity::find()
                .filter(sla_policy::Column::RetiredAt.is_null())
                .order_by_asc(sla_policy::Column::Position)
                .order_by_asc(sla_policy::Column::Id)
                .all(tx)
                .await?;
        }
    }
    Ok(rows)
}

/// Brings the rows of a kind in line with a document. What it does not name is retired.
pub(super) async fn write(
    tx: &DatabaseTransaction,
    kind: RuleKind,
    rules: &Rules,
    now: DateTime<Utc>,
) -> Result<()> {
    let wanted = rows(rules, now);
    match kind {
        RuleKind::Routing => {
            let known = routing_rule::Entity::find().all(tx).await?;
            settle(tx, settled(known, wanted.routing, now)).await
        }
        RuleKind::Scoring => {
            let known = scoring_rule::Entity::find().all(tx).await?;
            settle(tx, settled(known, wanted.scoring, now)).await
        }
        RuleKind::Sla => {
            let known = sla_policy::Entity::find().all(tx).await?;
            settle(tx, settled(known, wanted.sla, now)).await
        }
    }
}

/// A row of a rule.
trait Rule: Clone + PartialEq {
    type Id: Copy + Eq + std::hash::Hash;

    fn id(&self) -> Self::Id;
    fn retired_at(&mut self) -> &mut Option<DateTime<Utc>>;
    fn created_at(&mut self) -> &mut DateTime<Utc>;
}

macro_rules! rule {
    ($table:ident, $id:ident) => {
        impl Rule for $table::Model {
            type Id = entity::id::$id;

            fn id(&self) -> Self::Id {
                self.id
            }

            fn retired_at(&mut self) -> &mut Option<DateTime<Utc>> {
                &mut self.retired_at
            }

            fn created_at(&mut self) -> &mut DateTime<Utc> {
                &mut self.created_at
            }
        }
    };
}

rule!(routing_rule, RoutingRuleId);
rule!(scoring_rule, ScoringRuleId);
rule!(sla_policy, SlaPolicyId);

/// What has to be written for the `known` rows to be those that are `wanted`.
fn settled<Row: Rule>(known: Vec<Row>, wanted: Vec<Row>, now: DateTime<Utc>) -> Rows<Row> {
    let mut rows = Rows::default();
    let mut known: HashMap<Row::Id, Row> = known.into_iter().map(|row| (row.id(), row)).collect();
    for mut row in wanted {
        let before = known.remove(&row.id());
        if let Some(mut before) = before.clone() {
            *row.created_at() = *before.created_at();
        }
        rows.settle(before.as_ref(), row);
    }
    for (_, before) in known {
        let mut row = before.clone();
        row.retired_at().get_or_insert(now);
        rows.settle(Some(&before), row);
    }
    rows
}
