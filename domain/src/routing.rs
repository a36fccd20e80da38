//! Routing: which team and person serve a lead, with the explanation stored.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::condition::Clause;
use entity::enums::Role;
use entity::id::{FacilityId, StaffId, TeamId};
use entity::lead::Routing;
use entity::routing_rule;
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};

use crate::condition::{self, Facts};
use crate::error::Result;
use crate::playbook::Playbook;

/// Open follow-ups of a person are counted up to here: enough to tell who has least, and never a scan that grows.
pub const LOAD_COUNT_MAX: i64 = 50;

/// The rule that applies, before a person is chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Match<'a> {
    /// The rule; none for the catch-all.
    pub rule: Option<&'a routing_rule::Model>,
    /// The team.
    pub team: TeamId,
    /// The facility that the rule names.
    pub facility: Option<FacilityId>,
    /// Whether the lead goes first.
    pub urgent: bool,
    /// Sentences: what was tried and why this one was taken.
    pub explanation: String,
}

/// Finds the first rule that holds. What no rule can place goes to the review team, so that nothing is lost.
pub fn find_rule<'a>(playbook: &'a Playbook, facts: &Facts<'_>) -> Match<'a> {
    let mut tried = Vec::new();
    for rule in &playbook.routing {
        match condition::first_unmet(&rule.condition, facts) {
            None => {
                let why = match rule.condition.0.as_slice() {
                    [] => "it takes every lead".to_owned(),
                    clauses => clauses.iter().map(describe).collect::<Vec<_>>().join(", "),
                };
                tried.push(format!("\"{}\" holds: {why}.", rule.name));
                return Match {
                    rule: Some(rule),
                    team: rule.team_id,
                    facility: rule.facility_id,
                    urgent: rule.urgent,
                    explanation: tried.join(" "),
                };
            }
            Some(clause) => tried.push(format!(
                "\"{}\" does not hold: not {}.",
                rule.name,
                describe(clause)
            )),
        }
    }
    tried.push("No rule holds, so the review team decides.".to_owned());
    Match {
        rule: None,
        team: playbook.review_team,
        facility: None,
        urgent: false,
        explanation: tried.join(" "),
    }
}

/// A clause in words. Values come from the rule, never from the person.
fn describe(clause: &Clause) -> String {
    let fact = clause.fact.as_str().to_lowercase().replace('_', " ");
    let field = clause
        .field
        .as_deref()
        .map(|field| format!(" {field}"))
        .unwrap_or_default();
    let comparison = clause.is.as_str().to_lowercase().replace('_', " ");
    let values = clause.values.join(" or ");
    format!("{fact}{field} {comparison} {values}")
        .trim_end()
        .to_owned()
}

/// The members of a team who serve its leads: its coordinators; without any, all its members.
pub fn serving(playbook: &Playbook, team: TeamId) -> Vec<StaffId> {
    let members = playbook.members.get(&team).map_or(&[][..], Vec::as_slice);
    let is_coordinator = |id: &&StaffId| {
        playbook
            .staff
            .get(id)
            .is_some_and(|staff| staff.role == Role::IntakeCoordinator)
    };
    let coordinators: Vec<StaffId> = members.iter().filter(is_coordinator).copied().collect();
    if coordinators.is_empty() {
        members.to_vec()
    } else {
        coordinators
    }
}

/// Chooses the person: the rule's, else the member of the team with the least open work.
pub fn decide(
    found: &Match<'_>,
    playbook: &Playbook,
    load: &HashMap<StaffId, i64>,
    at: DateTime<Utc>,
) -> Routing {
    let named = found
        .rule
        .and_then(|rule| rule.owner_id)
        .filter(|id| playbook.staff.contains_key(id));
    let able = serving(playbook, found.team);
    let least = || {
        able.iter()
            .min_by_key(|id| (load.get(id).copied().unwrap_or(0), **id))
            .copied()
    };
    let owner_id = named.or_else(least);
    let choice = match (named, owner_id) {
        (Some(_), _) => "The rule names the person.",
        (None, Some(_)) => "The member with the least open work gets it.",
        (None, None) => "The team has no member, so anybody who joins it can take it.",
    };
    Routing {
        rule_id: found.rule.map(|rule| rule.id),
        rule: found
            .rule
            .map_or_else(|| "Review".to_owned(), |rule| rule.name.clone()),
        team_id: found.team,
        owner_id,
        explanation: format!("{} {choice}", found.explanation),
        at,
    }
}

/// Open follow-ups of each member of a team, each counted up to [`LOAD_COUNT_MAX`].
///
/// # Errors
/// When the database fails.
pub async fn load(conn: &impl ConnectionTrait, members: &[StaffId]) -> Result<HashMap<StaffId, i64>> {
    if members.len() < 2 {
        return Ok(HashMap::new());
    }
    let backend = conn.get_database_backend();
    let mut values: Vec<Value> = Vec::with_capacity(members.len());
    let counts: Vec<String> = members
        .iter()
        .enumerate()
        .map(|(index, member)| {
            values.push((*member).into());
            let parameter = if backend == DbBackend::Postgres { format!("${}", index + 1) } else { "?".to_owned() };
            format!(
                "SELECT {index} AS member, COUNT(*) AS open FROM (SELECT 1 FROM follow_up WHERE assignee_id = {parameter} \
                 AND state = 'OPEN' LIMIT {LOAD_COUNT_MAX}) AS work"
            )
        })
        .collect();
    let statement = Statement::from_sql_and_values(backend, counts.join(" UNION ALL "), values);
    let mut load = HashMap::with_capacity(members.len());
    for row in conn.query_all_raw(statement).await? {
        let index: i32 = row.try_get("", "member")?;
        let open: i64 = row.try_get("", "open")?;
        if let Some(member) = usize::try_from(index).ok().and_then(|index| members.get(index)) {
            load.insert(*member, open);
        }
    }
    Ok(load)
}
