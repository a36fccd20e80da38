//! Routing: which team and person serve a lead, with the explanation stored.

mod load;
mod person;
pub mod turn;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::condition::Clause;
use entity::enums::{EligibilityFlag, Role};
use entity::id::{FacilityId, StaffId, TeamId};
use entity::lead::{Basis, Routing, Tried};
use entity::routing_rule::{self, PersonStrategy};

use crate::condition::{self, Facts};
use crate::playbook::Playbook;

pub use load::{LOAD_COUNT_MAX, load};
pub use person::{Choice, choose, choose_for};

#[cfg(test)]
mod tests;

/// The name of the decision that no rule made.
pub const CATCH_ALL: &str = "Review";

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
    /// Every rule that was tried, in order.
    pub tried: Vec<Tried>,
    /// What the person should be good at, where the rule looks for that.
    pub wanted: Wanted,
}

/// What a person should be good at to serve a lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The language of who asked, a BCP 47 tag.
    pub language: String,
    /// Slug of the service line; none while nobody has named it.
    pub service_line: Option<String>,
}

impl Wanted {
    fn of(facts: &Facts<'_>) -> Self {
        Self {
            language: facts.contact.language.clone(),
            service_line: facts.service_line.map(str::to_owned),
        }
    }
}

impl<'a> Match<'a> {
    /// The match of a rule; of the catch-all for none.
    fn of(rule: Option<&'a routing_rule::Model>, team: TeamId, tried: Vec<Tried>, facts: &Facts<'_>) -> Self {
        Self {
            rule,
            team,
            facility: rule.and_then(|rule| rule.facility_id),
            urgent: rule.is_some_and(|rule| rule.urgent),
            tried,
            wanted: Wanted::of(facts),
        }
    }

    /// How the person is chosen.
    pub fn strategy(&self) -> PersonStrategy {
        self.rule
            .map_or(PersonStrategy::LeastOpenWork, |rule| rule.strategy)
    }

    /// The flags of an inquiry with those that the rule adds, each once.
    pub fn flags(&self, of_inquiry: &[EligibilityFlag]) -> Vec<EligibilityFlag> {
        let added = self.rule.map_or(&[][..], |rule| &rule.flags.0);
        with_added(of_inquiry, added)
    }

    /// Sentences: what was tried and why this one was taken.
    pub fn explanation(&self) -> String {
        let said = self.tried.iter().map(|tried| match tried.unmet {
            None => format!("\"{}\" holds: {}.", tried.rule, tried.because),
            Some(_) => format!("\"{}\" does not hold: {}.", tried.rule, tried.because),
        });
        let nothing = self
            .rule
            .is_none()
            .then(|| "No rule holds, so the review team decides.".to_owned());
        said.chain(nothing).collect::<Vec<_>>().join(" ")
    }
}

/// Flags with others added, each once.
pub fn with_added(flags: &[EligibilityFlag], added: &[EligibilityFlag]) -> Vec<EligibilityFlag> {
    let mut all = flags.to_vec();
    for flag in added {
        if !all.contains(flag) {
            all.push(*flag);
        }
    }
    all
}

/// Finds the first rule that holds. What no rule can place goes to the review team, so that nothing is lost.
pub fn find_rule<'a>(playbook: &'a Playbook, facts: &Facts<'_>) -> Match<'a> {
    let mut tried = Vec::new();
    for rule in &playbook.routing {
        let unmet = condition::first_unmet(&rule.condition, facts);
        tried.push(Tried {
            rule_id: rule.id,
            rule: rule.name.clone(),
            unmet: unmet.cloned(),
            because: because(rule, unmet),
        });
        if unmet.is_none() {
            return Match::of(Some(rule), rule.team_id, tried, facts);
        }
    }
    Match::of(None, playbook.review_team, tried, facts)
}

/// The rule by which a team gets a lead that a person sends there: the first one of the team that holds. Without one the
/// team chooses as the catch-all does.
pub fn for_team<'a>(playbook: &'a Playbook, facts: &Facts<'_>, team: TeamId) -> Match<'a> {
    let mut of_team = playbook.routing.iter().filter(|rule| rule.team_id == team);
    let rule = of_team.find(|rule| condition::holds(&rule.condition, facts));
    Match::of(rule, team, Vec::new(), facts)
}

fn because(rule: &routing_rule::Model, unmet: Option<&Clause>) -> String {
    match (unmet, rule.condition.0.as_slice()) {
        (Some(clause), _) => format!("not {}", describe(clause)),
        (None, []) => "it takes every lead".to_owned(),
        (None, clauses) => clauses.iter().map(describe).collect::<Vec<_>>().join(", "),
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
    let named = person::named(found, playbook);
    let serving = serving(playbook, found.team);
    let others = serving.into_iter().filter(|id| named != Some(*id));
    named.into_iter().chain(others).collect()
}

/// Chooses the person as the rule says, and writes down why.
///
/// Who is away or has as much as can be done is passed over, whoever named them. `given` is who was given leads by this rule, whoever has waited longest first; only a rule by
/// turns looks at it.
pub fn decide(
    found: &Match<'_>,
    playbook: &Playbook,
    load: &HashMap<StaffId, i64>,
    given: &[StaffId],
    at: DateTime<Utc>,
) -> Routing {
    let choice = choose_for(found, playbook, load, given, at);
    let added_flags = found.rule.map(|rule| rule.flags.0.clone()).unwrap_or_default();
    Routing {
        rule_id: found.rule.map(|rule| rule.id),
        rule: found
            .rule
            .map_or_else(|| CATCH_ALL.to_owned(), |rule| rule.name.clone()),
        team_id: found.team,
        owner_id: choice.owner,
        explanation: format!("{} {}", found.explanation(), choice.why),
        at,
        basis: Basis {
            versions: playbook.rule_versions,
            tried: found.tried.clone(),
            added_flags,
            intake: None,
        },
    }
}
