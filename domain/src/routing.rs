//! Routing: which team and person serve a lead, with the explanation stored.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::condition::Clause;
use entity::enums::Role;
use entity::id::{FacilityId, StaffId, TeamId};
use entity::lead::Routing;
use entity::routing_rule;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement, Value};

use crate::condition::{self, Facts};
use crate::db;
use crate::error::Result;
use crate::playbook::Playbook;

/// Open follow-ups of a person are counted up to here: enough to tell who has least, and never a scan that grows.
pub const LOAD_COUNT_MAX: i64 = 50;
/// People whose work one statement counts.
const LOADS_AT_ONCE: usize = 100;

#[cfg(test)]
mod tests;

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

/// Those among whom the person is chosen: whom the rule names, and who serves the team.
pub fn candidates(found: &Match<'_>, playbook: &Playbook) -> Vec<StaffId> {
    let named = named(found, playbook);
    let serving = serving(playbook, found.team);
    let others = serving.into_iter().filter(|id| named != Some(*id));
    named.into_iter().chain(others).collect()
}

/// The person whom the rule names, if that person still works here.
fn named(found: &Match<'_>, playbook: &Playbook) -> Option<StaffId> {
    let owner = found.rule.and_then(|rule| rule.owner_id);
    owner.filter(|id| playbook.staff.contains_key(id))
}

/// Chooses the person: the rule's, else the member of the team with the least open work. Who is away or has as much as
/// can be done is passed over, whoever named them.
pub fn decide(
    found: &Match<'_>,
    playbook: &Playbook,
    load: &HashMap<StaffId, i64>,
    at: DateTime<Utc>,
) -> Routing {
    let named = named(found, playbook);
    let choice = match named.map(|id| (id, obstacle(playbook, load, id, at))) {
        Some((id, None)) => Choice {
            owner: Some(id),
            why: "The rule names the person.".to_owned(),
        },
        Some((id, Some(obstacle))) => {
            let others: Vec<StaffId> = serving(playbook, found.team)
                .into_iter()
                .filter(|other| *other != id)
                .collect();
            let choice = choose(&others, playbook, load, at);
            Choice {
                why: format!(
                    "The person whom the rule names {} {}",
                    obstacle.of_one(),
                    choice.why
                ),
                ..choice
            }
        }
        None => choose(&serving(playbook, found.team), playbook, load, at),
    };
    Routing {
        rule_id: found.rule.map(|rule| rule.id),
        rule: found
            .rule
            .map_or_else(|| "Review".to_owned(), |rule| rule.name.clone()),
        team_id: found.team,
        owner_id: choice.owner,
        explanation: format!("{} {}", found.explanation, choice.why),
        at,
    }
}

/// A person who was chosen, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The person; none when anybody of the team may take it.
    pub owner: Option<StaffId>,
    /// Sentences that name nobody.
    pub why: String,
}

/// The one with the least open work among those who can take more.
pub fn choose(
    able: &[StaffId],
    playbook: &Playbook,
    load: &HashMap<StaffId, i64>,
    at: DateTime<Utc>,
) -> Choice {
    let (mut away, mut full) = (0_usize, 0_usize);
    let mut free = Vec::with_capacity(able.len());
    for id in able {
        match obstacle(playbook, load, *id, at) {
            None => free.push(*id),
            Some(Obstacle::Away) => away += 1,
            Some(Obstacle::Full) => full += 1,
        }
    }
    let owner = free
        .into_iter()
        .min_by_key(|id| (load.get(id).copied().unwrap_or(0), *id));
    let passed_over = passed_over(away, full);
    let why = match (owner, passed_over) {
        (Some(_), None) => "The member with the least open work gets it.".to_owned(),
        (Some(_), Some(others)) => format!("The member with the least open work gets it: {others}."),
        (None, None) => "The team has no member, so anybody who joins it can take it.".to_owned(),
        (None, Some(all)) => format!("Nobody can be given it: {all}. So anybody of the team can take it."),
    };
    Choice { owner, why }
}

/// Why somebody is given nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Obstacle {
    Away,
    Full,
}

impl Obstacle {
    const fn of_one(self) -> &'static str {
        match self {
            Self::Away => "is away.",
            Self::Full => "has as much as can be done.",
        }
    }
}

fn obstacle(
    playbook: &Playbook,
    load: &HashMap<StaffId, i64>,
    id: StaffId,
    at: DateTime<Utc>,
) -> Option<Obstacle> {
    if playbook.is_away(id, at) {
        return Some(Obstacle::Away);
    }
    let open = load.get(&id).copied().unwrap_or(0);
    limit(playbook, id)
        .is_some_and(|limit| open >= limit)
        .then_some(Obstacle::Full)
}

fn limit(playbook: &Playbook, id: StaffId) -> Option<i64> {
    playbook.staff.get(&id)?.max_open.map(i64::from)
}

/// `2 are away, 1 has as much as can be done`; none when nobody was passed over.
fn passed_over(away: usize, full: usize) -> Option<String> {
    let are_away = match away {
        0 => None,
        1 => Some("1 is away".to_owned()),
        away => Some(format!("{away} are away")),
    };
    let are_full = match full {
        0 => None,
        1 => Some("1 has as much as can be done".to_owned()),
        full => Some(format!("{full} have as much as can be done")),
    };
    let said: Vec<String> = [are_away, are_full].into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// Open follow-ups of each of these people, counted up to [`LOAD_COUNT_MAX`] or to the person's own limit.
///
/// Whoever has a limit is held until the transaction ends: of two leads at one moment, only one is the last that
/// the person can take.
///
/// # Errors
/// When the database fails.
pub async fn load(
    tx: &DatabaseTransaction,
    playbook: &Playbook,
    members: &[StaffId],
) -> Result<HashMap<StaffId, i64>> {
    let limited: Vec<i64> = members
        .iter()
        .filter(|id| limit(playbook, **id).is_some())
        .map(|id| key_of(*id))
        .collect();
    if members.len() < 2 && limited.is_empty() {
        return Ok(HashMap::new());
    }
    db::lock_keys(tx, &limited).await?;
    let mut load = HashMap::with_capacity(members.len());
    for batch in members.chunks(LOADS_AT_ONCE) {
        count(tx, playbook, batch, &mut load).await?;
    }
    Ok(load)
}

/// The random half of an id, by which its person is held.
fn key_of(id: StaffId) -> i64 {
    id.0.as_u64_pair().1.cast_signed()
}

async fn count(
    tx: &DatabaseTransaction,
    playbook: &Playbook,
    members: &[StaffId],
    load: &mut HashMap<StaffId, i64>,
) -> Result<()> {
    let backend = tx.get_database_backend();
    let mut values: Vec<Value> = Vec::with_capacity(members.len());
    let counts: Vec<String> = members
        .iter()
        .enumerate()
        .map(|(index, member)| {
            values.push((*member).into());
            let most = limit(playbook, *member).unwrap_or(0).max(LOAD_COUNT_MAX);
            let parameter = if backend == DbBackend::Postgres { format!("${}", index + 1) } else { "?".to_owned() };
            format!(
                "SELECT {index} AS member, COUNT(*) AS open FROM (SELECT 1 FROM follow_up WHERE assignee_id = {parameter} \
                 AND state = 'OPEN' LIMIT {most}) AS work"
            )
        })
        .collect();
    let statement = Statement::from_sql_and_values(backend, counts.join(" UNION ALL "), values);
    for row in tx.query_all_raw(statement).await? {
        let index: i32 = row.try_get("", "member")?;
        let open: i64 = row.try_get("", "open")?;
        if let Some(member) = usize::try_from(index).ok().and_then(|index| members.get(index)) {
            load.insert(*member, open);
        }
    }
    Ok(())
}
