//! The rules that time, route and score leads.

use std::collections::HashSet;

use entity::condition::{Clause, Condition, Fact};
use entity::enums::{Channel, EligibilityFlag, LeadStage, LeadType, ScoreGrade};
use entity::routing_rule::{AddedFlags, PersonStrategy};
use entity::sequence_version::Weekday;
use entity::{routing_rule, scoring_rule, sla_policy};

use super::document::{RoutingSetup, SlaSetup};
use super::plan::{At, Names, Plan};
use crate::condition::number;
use crate::error::Code;
use crate::id::new_id;
use crate::routing::with_added;
use crate::sequence::steps::check_condition;

/// Distance between the positions of two rules, so that a rule can be put between them.
const POSITION_STEP: i32 = 10;
/// Longest time of a policy: 90 business days of eight hours.
const MAX_POLICY_MINS: i64 = 90 * 8 * 60;
/// Most attempts of a policy.
const MAX_ATTEMPTS: i32 = 30;
/// Most points that one rule gives or takes.
const MAX_POINTS: i32 = 100;

pub(super) fn plan(plan: &mut Plan<'_>) {
    let rows = rows(plan);
    for row in rows.sla {
        let before = plan.known.sla.iter().find(|known| known.id == row.id);
        plan.rows.sla.settle(before, row);
    }
    for row in rows.routing {
        let before = plan.known.routing.iter().find(|known| known.id == row.id);
        plan.rows.routing.settle(before, row);
    }
    for row in rows.scoring {
        let before = plan.known.scoring.iter().find(|known| known.id == row.id);
        plan.rows.scoring.settle(before, row);
    }
}

/// The rules of a document as rows. A rule keeps the id of the row that has its name.
#[derive(Clone, Debug, Default)]
pub struct RuleRows {
    pub(crate) sla: Vec<sla_policy::Model>,
    pub(crate) routing: Vec<routing_rule::Model>,
    pub(crate) scoring: Vec<scoring_rule::Model>,
}

pub(super) fn rows(plan: &mut Plan<'_>) -> RuleRows {
    RuleRows {
        sla: policies(plan),
        routing: routing(plan),
        scoring: scoring(plan),
    }
}

/// Rules are tried in the order of the document.
pub(crate) fn position(index: usize) -> i32 {
    i32::try_from(index + 1).unwrap_or(i32::MAX / POSITION_STEP) * POSITION_STEP
}

fn policies(plan: &mut Plan<'_>) -> Vec<sla_policy::Model> {
    let mut seen = HashSet::new();
    let mut rows = Vec::with_capacity(plan.setup.sla_policies.len());
    for (index, wanted) in plan.setup.sla_policies.iter().enumerate() {
        let at = At("slaPolicies", index);
        plan.check_name(&at.part("name"), &wanted.name);
        plan.check_once(&at.part("name"), &mut seen, &wanted.name);
        check_when(plan, &at.part("when"), &wanted.when);
        check_policy(plan, at, wanted);
        let before = plan.known.sla.iter().find(|row| row.name == wanted.name);
        rows.push(sla_policy::Model {
            id: before.map_or_else(|| new_id(plan.now), |row| row.id),
            name: wanted.name.clone(),
            position: position(index),
            condition: wanted.when.clone(),
            first_attempt_mins: wanted.first_attempt_mins,
            target_mins: wanted.target_mins,
            warn_owner_mins: wanted.warn_owner_mins,
            tell_lead_mins: wanted.tell_lead_mins,
            take_back_mins: wanted.take_back_mins,
            attempts_wanted: wanted.attempts_wanted,
            spacing_mins: wanted.spacing_mins,
            remind_before_mins: wanted.remind_before_mins,
            retired_at: None,
            created_at: before.map_or(plan.now, |row| row.created_at),
        });
    }
    rows
}

fn check_policy(plan: &mut Plan<'_>, at: At, wanted: &SlaSetup) {
    let times = [
        ("firstAttemptMins", wanted.first_attempt_mins, 1),
        ("spacingMins", wanted.spacing_mins, 1),
        ("remindBeforeMins", wanted.remind_before_mins, 0),
    ];
    let ladder = [
        ("warnOwnerMins", wanted.warn_owner_mins),
        ("tellLeadMins", wanted.tell_lead_mins),
        ("takeBackMins", wanted.take_back_mins),
    ];
    let named = ladder.into_iter().chain([("targetMins", wanted.target_mins)]);
    let named = named.filter_map(|(part, mins)| Some((part, mins?, 1)));
    for (part, mins, least) in times.into_iter().chain(named) {
        if !(least..=MAX_POLICY_MINS).contains(&mins) {
            plan.refuse(
                Code::Invalid,
                &at.part(part),
                "Write minutes of business time, at most 43200.",
            );
        }
    }
    if wanted
        .target_mins
        .is_some_and(|mins| mins > wanted.first_attempt_mins)
    {
        plan.refuse(
            Code::Invalid,
            &at.part("targetMins"),
            "The target is not later than firstAttemptMins.",
        );
    }
    let mut before = 0;
    for (part, mins) in ladder {
        let Some(mins) = mins else { continue };
        if mins <= before && before > 0 {
            let message =
                "Each of warnOwnerMins, tellLeadMins and takeBackMins is later than the one before.";
            plan.refuse(Code::Invalid, &at.part(part), message);
        }
        before = mins;
    }
    if !(1..=MAX_ATTEMPTS).contains(&wanted.attempts_wanted) {
        plan.refuse(
            Code::Invalid,
            &at.part("attemptsWanted"),
            "A policy wants 1 to 30 attempts.",
        );
    }
}

fn routing(plan: &mut Plan<'_>) -> Vec<routing_rule::Model> {
    let mut seen = HashSet::new();
    let mut rows = Vec::with_capacity(plan.setup.routing_rules.len());
    for (index, wanted) in plan.setup.routing_rules.iter().enumerate() {
        let at = At("routingRules", index);
        plan.check_name(&at.part("name"), &wanted.name);
        plan.check_once(&at.part("name"), &mut seen, &wanted.name);
        check_when_not_routed(plan, &at.part("when"), &wanted.when);
        let team = plan.names.teams.get(&wanted.team).copied();
        let team = plan.meant(&at.part("team"), team, "team");
        let facility_id = plan.meant_if(
            &at.part("facility"),
            wanted.facility.as_ref(),
            "facility",
            |names, slug| names.facilities.get(slug).copied(),
        );
        let owner_id = plan.meant_if(
            &at.part("owner"),
            wanted.owner.as_ref(),
            "member of staff",
            |names, email| names.staff.get(&email.trim().to_lowercase()).copied(),
        );
        let strategy = strategy(plan, at, wanted);
        let Some(team_id) = team else { continue };
        let before = plan.known.routing.iter().find(|row| row.name == wanted.name);
        rows.push(routing_rule::Model {
            id: before.map_or_else(|| new_id(plan.now), |row| row.id),
            name: wanted.name.clone(),
            position: position(index),
            condition: wanted.when.clone(),
            team_id,
            facility_id,
            strategy,
            owner_id,
            flags: AddedFlags(with_added(&[], &wanted.flags)),
            urgent: wanted.urgent,
            active: wanted.active,
            retired_at: None,
            created_at: before.map_or(plan.now, |row| row.created_at),
        });
    }
    rows
}

/// How the person is chosen: as said, else as the owner says.
fn strategy(plan: &mut Plan<'_>, at: At, wanted: &RoutingSetup) -> PersonStrategy {
    let names_one = wanted.owner.is_some();
    let implied = if names_one {
        PersonStrategy::Named
    } else {
        PersonStrategy::LeastOpenWork
    };
    let strategy = wanted.strategy.unwrap_or(implied);
    if (strategy == PersonStrategy::Named) != names_one {
        let message = "A rule that names the person has an owner, and no other rule has.";
        plan.refuse(Code::Invalid, &at.part("owner"), message);
    }
    strategy
}

fn scoring(plan: &mut Plan<'_>) -> Vec<scoring_rule::Model> {
    let mut seen = HashSet::new();
    let mut rows = Vec::with_capacity(plan.setup.scoring_rules.len());
    for (index, wanted) in plan.setup.scoring_rules.iter().enumerate() {
        let at = At("scoringRules", index);
        plan.check_name(&at.part("name"), &wanted.name);
        plan.check_once(&at.part("name"), &mut seen, &wanted.name);
        plan.check_name(&at.part("text"), &wanted.text);
        check_when_not_routed(plan, &at.part("when"), &wanted.when);
        check_when_not_scored(plan, &at.part("when"), &wanted.when);
        if wanted.points == 0 || wanted.points.saturating_abs() > MAX_POINTS {
            plan.refuse(
                Code::Invalid,
                &at.part("points"),
                "A rule gives or takes 1 to 100 points.",
            );
        }
        let before = plan.known.scoring.iter().find(|row| row.name == wanted.name);
        rows.push(scoring_rule::Model {
            id: before.map_or_else(|| new_id(plan.now), |row| row.id),
            name: wanted.name.clone(),
            condition: wanted.when.clone(),
            points: wanted.points,
            text: wanted.text.clone(),
            active: wanted.active,
            retired_at: None,
            created_at: before.map_or(plan.now, |row| row.created_at),
        });
    }
    rows
}

/// Checks the shape of a condition and that its values can ever be met: a rule with a misspelled slug would never hold,
/// and nobody would notice.
pub(super) fn check_when(plan: &mut Plan<'_>, path: &str, condition: &Condition) {
    let mut refusals = check_condition(condition, path);
    refusals.retain(|refusal| !refusal.field.is_empty());
    for refusal in refusals {
        plan.refuse(refusal.code, &refusal.field.join("."), refusal.message);
    }
    check_values(plan, path, condition);
}

/// The same for a rule that is asked before a lead is routed: what routing decides is not known to it.
fn check_when_not_routed(plan: &mut Plan<'_>, path: &str, condition: &Condition) {
    check_when(plan, path, condition);
    for (place, clause) in condition.0.iter().enumerate() {
        if clause.fact == Fact::Urgent {
            let message = "Whether a lead goes first is decided by routing, after this is asked.";
            plan.refuse(Code::Invalid, &format!("{path}.{place}.fact"), message);
        }
    }
}

/// A rule that gives points cannot ask how many there are.
fn check_when_not_scored(plan: &mut Plan<'_>, path: &str, condition: &Condition) {
    for (place, clause) in condition.0.iter().enumerate() {
        if clause.fact == Fact::Score {
            let message = "The score is made of this rule, so the rule cannot ask for it.";
            plan.refuse(Code::Invalid, &format!("{path}.{place}.fact"), message);
        }
    }
}

/// Checks that every value of a condition is one that the fact can have.
pub(super) fn check_values(plan: &mut Plan<'_>, path: &str, condition: &Condition) {
    for (place, clause) in condition.0.iter().enumerate() {
        for (index, value) in clause.values.iter().enumerate() {
            if !is_possible(&plan.names, clause, value) {
                let path = format!("{path}.{place}.values.{index}");
                plan.refuse(Code::NotFound, &path, "The fact never has this value.");
            }
        }
    }
}

fn is_possible(names: &Names, clause: &Clause, value: &str) -> bool {
    let folded = value.trim().to_lowercase();
    let text = value.trim().to_uppercase();
    match clause.fact {
        Fact::LeadType => LeadType::from_text(&text).is_some(),
        Fact::Stage => LeadStage::from_text(&text).is_some(),
        Fact::Channel => Channel::from_text(&text).is_some(),
        Fact::Flag => EligibilityFlag::from_text(&text).is_some(),
        Fact::Grade => ScoreGrade::from_text(&text).is_some(),
        Fact::Reachable => matches!(text.as_str(), "EMAIL" | "PHONE"),
        Fact::Urgent | Fact::BusinessHours => matches!(text.as_str(), "YES" | "NO"),
        Fact::Score => number(&text).is_some_and(|points| (0..=100).contains(&points)),
        Fact::ReceivedHour => number(&text).is_some_and(|hour| (0..=24).contains(&hour)),
        Fact::ReceivedWeekday => Weekday::from_text(&text).is_some(),
        Fact::ServiceLine => names.lines.contains_key(&folded),
        Fact::Facility => names.facilities.contains_key(&folded),
        Fact::Campaign => names.campaigns.contains_key(&folded),
        Fact::RequestedService | Fact::Language | Fact::PostalCode | Fact::Answer | Fact::Coverage => {
            !folded.is_empty()
        }
    }
}
