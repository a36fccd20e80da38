//! How often each routing rule sent leads to the wrong team, as those say who moved them on.

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;
use entity::id::{RoutingRuleId, TeamId};
use entity::lead::{Column, Entity};
use entity::misroute::{self, MisrouteReason};
use entity::routing_rule;
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationDef,
};
use uuid::Uuid;

use super::{Filter, SLA_SPAN_MAX_DAYS, cohort};
use crate::db;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::routing::CATCH_ALL;
use crate::viewer::Viewer;

/// The figures of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MisrouteRow {
    /// The rule; none for the catch-all.
    pub rule_id: Option<RoutingRuleId>,
    /// Its name.
    pub rule: String,
    /// Leads that it sent to a team.
    pub routed: i64,
    /// Those that were moved on because the team was wrong.
    pub misrouted: i64,
    /// Where those went, most leads first.
    pub to: Vec<(TeamId, i64)>,
    /// Why, most leads first.
    pub reasons: Vec<(MisrouteReason, i64)>,
}

/// Misroutes of the leads of a filter by rule; most misroutes first, then most leads. Whom it is open to, and whose leads
/// are counted, is as for the dashboard.
///
/// # Errors
/// [`Refused`](Error::Refused) when the filter is not valid or longer than [`SLA_SPAN_MAX_DAYS`],
/// [`Missing`](Error::Missing) for a viewer without a role, or a fault of the database.
pub async fn misroute_report(h: &Hospital, viewer: &Viewer, filter: Filter) -> Result<Vec<MisrouteRow>> {
    let filter = filter.checked()?;
    if filter.to - filter.from > TimeDelta::days(SLA_SPAN_MAX_DAYS) {
        let message = "Choose a period of at most 400 days.";
        return Err(Error::refused(Code::TooLarge, "to", message));
    }
    let seen = cohort::seen_by(viewer)?;
    let tx = db::begin_read(&h.db).await?;
    let cohort = filter.cohort(&seen);
    let routed = routed(&tx, &cohort).await?;
    let misrouted = misrouted(&tx, &cohort).await?;
    let names = names(&tx).await?;
    // Nothing was written; the commit only gives the connection back without a rollback in the server's log.
    tx.commit().await?;
    let mut rows: Vec<MisrouteRow> = routed
        .into_iter()
        .map(|(rule_id, routed)| row(rule_id, routed, misrouted.get(&rule_id), &names))
        .collect();
    rows.sort_by(|a, b| {
        let most = (b.misrouted, b.routed).cmp(&(a.misrouted, a.routed));
        most.then_with(|| a.rule.cmp(&b.rule))
    });
    Ok(rows)
}

/// Misroutes of a rule: to which team, why, how many.
type Moves = Vec<(TeamId, MisrouteReason, i64)>;

fn row(
    rule_id: Option<RoutingRuleId>,
    routed: i64,
    moves: Option<&Moves>,
    names: &HashMap<RoutingRuleId, String>,
) -> MisrouteRow {
    let moves = moves.map_or(&[][..], Vec::as_slice);
    let rule = match rule_id {
        None => CATCH_ALL.to_owned(),
        Some(id) => names.get(&id).cloned().unwrap_or_default(),
    };
    MisrouteRow {
        rule_id,
        rule,
        routed,
        misrouted: moves.iter().map(|(.., leads)| leads).sum(),
        to: most_first(moves.iter().map(|(team, _, leads)| (*team, *leads))),
        reasons: most_first(moves.iter().map(|(_, reason, leads)| (*reason, *leads))),
    }
}

fn most_first<T: Ord>(counted: impl Iterator<Item = (T, i64)>) -> Vec<(T, i64)> {
    let mut sums: BTreeMap<T, i64> = BTreeMap::new();
    for (key, leads) in counted {
        *sums.entry(key).or_default() += leads;
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(_, leads)| std::cmp::Reverse(*leads));
    sums
}

/// How many leads each rule sent. Both databases read the rule out of the decision by the same words.
async fn routed(tx: &DatabaseTransaction, cohort: &Condition) -> Result<Vec<(Option<RoutingRuleId>, i64)>> {
    let rule: SimpleExpr = Expr::cust("\"lead\".\"routing\" ->> 'ruleId'");
    let counted: Vec<(Option<String>, i64)> = Entity::find()
        .select_only()
        .column_as(rule.clone(), "rule")
        .column_as(Column::Id.count(), "leads")
        .filter(cohort.clone())
        .group_by(rule)
        .into_tuple()
        .all(tx)
        .await?;
    let read = |id: Option<String>| id.map(|id| Uuid::parse_str(&id).map(RoutingRuleId)).transpose();
    counted
        .into_iter()
        .map(|(id, leads)| {
            Ok((
                read(id).map_err(|_| Error::fault("a rule's id cannot be read"))?,
                leads,
            ))
        })
        .collect()
}

async fn misrouted(
    tx: &DatabaseTransaction,
    cohort: &Condition,
) -> Result<HashMap<Option<RoutingRuleId>, Moves>> {
    let to_lead: RelationDef = misroute::Entity::belongs_to(Entity)
        .from(misroute::Column::LeadId)
        .to(Column::Id)
        .into();
    let counted: Vec<(Option<RoutingRuleId>, TeamId, MisrouteReason, i64)> = misroute::Entity::find()
        .select_only()
        .columns([
            misroute::Column::RuleId,
            misroute::Column::ToTeamId,
            misroute::Column::Reason,
        ])
        .column_as(misroute::Column::Id.count(), "leads")
        .join(JoinType::InnerJoin, to_lead)
        .filter(misroute::Column::ByRule.eq(true))
        .filter(cohort.clone())
        .group_by(misroute::Column::RuleId)
        .group_by(misroute::Column::ToTeamId)
        .group_by(misroute::Column::Reason)
        .into_tuple()
        .all(tx)
        .await?;
    let mut by_rule: HashMap<_, Moves> = HashMap::new();
    for (rule, team, reason, leads) in counted {
        by_rule.entry(rule).or_default().push((team, reason, leads));
    }
    Ok(by_rule)
}

/// Names of all rules there ever were, which are few.
async fn names(tx: &DatabaseTransaction) -> Result<HashMap<RoutingRuleId, String>> {
    let names: Vec<(RoutingRuleId, String)> = routing_rule::Entity::find()
        .select_only()
        .columns([routing_rule::Column::Id, routing_rule::Column::Name])
        .into_tuple()
        .all(tx)
        .await?;
    Ok(names.into_iter().collect())
}
