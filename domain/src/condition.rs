//! Does a condition hold for a lead? One pure function, used by routing, scoring, triggers, branches and policies.

use entity::condition::{Clause, Comparison, Condition, Fact};
use entity::contact;
use entity::enums::{Channel, EligibilityFlag, LeadStage, LeadType, ScoreGrade};
use entity::lead::Answer;

/// What is known of a lead when a condition is asked.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// Its type.
    pub lead_type: LeadType,
    /// Its stage.
    pub stage: LeadStage,
    /// Slug of its service line.
    pub service_line: Option<&'a str>,
    /// The service as the person wrote it.
    pub requested_service: Option<&'a str>,
    /// Slug of its facility.
    pub facility: Option<&'a str>,
    /// Its channel.
    pub channel: Channel,
    /// Code of its campaign.
    pub campaign: Option<&'a str>,
    /// Who asked.
    pub contact: &'a contact::Model,
    /// Its flags.
    pub flags: &'a [EligibilityFlag],
    /// The form's answers.
    pub answers: &'a [Answer],
    /// Its grade, once scored.
    pub grade: Option<ScoreGrade>,
    /// Whether it goes first, once routed.
    pub urgent: Option<bool>,
}

/// Whether every clause of `condition` holds.
pub fn holds(condition: &Condition, facts: &Facts<'_>) -> bool {
    condition.0.iter().all(|clause| clause_holds(clause, facts))
}

/// The first clause that does not hold, for explanations.
pub fn first_unmet<'a>(condition: &'a Condition, facts: &Facts<'_>) -> Option<&'a Clause> {
    condition.0.iter().find(|clause| !clause_holds(clause, facts))
}

fn clause_holds(clause: &Clause, facts: &Facts<'_>) -> bool {
    let found = values(clause, facts);
    let any = |test: &dyn Fn(&str, &str) -> bool| {
        found
            .iter()
            .any(|have| clause.values.iter().any(|want| test(&fold(have), &fold(want))))
    };
    match clause.is {
        Comparison::In => any(&|have, want| have == want),
        Comparison::NotIn => !any(&|have, want| have == want),
        Comparison::Contains => any(&|have, want| have.contains(want)),
        Comparison::StartsWith => any(&|have, want| have.starts_with(want)),
        Comparison::Present => !found.is_empty(),
        Comparison::Absent => found.is_empty(),
    }
}

fn fold(text: &str) -> String {
    text.trim().to_lowercase()
}

/// The values that a fact has: none, one, or several for flags.
fn values<'a>(clause: &Clause, facts: &Facts<'a>) -> Vec<&'a str> {
    let one = |value: Option<&'a str>| value.filter(|v| !v.trim().is_empty()).into_iter().collect();
    match clause.fact {
        Fact::LeadType => vec![facts.lead_type.as_str()],
        Fact::Stage => vec![facts.stage.as_str()],
        Fact::ServiceLine => one(facts.service_line),
        Fact::RequestedService => one(facts.requested_service),
        Fact::Facility => one(facts.facility),
        Fact::Channel => vec![facts.channel.as_str()],
        Fact::Campaign => one(facts.campaign),
        Fact::Language => one(Some(&facts.contact.language)),
        Fact::PostalCode => one(facts.contact.postal_code.as_deref()),
        Fact::Flag => facts.flags.iter().map(|flag| flag.as_str()).collect(),
        Fact::Answer => facts
            .answers
            .iter()
            .filter(|answer| Some(&answer.field) == clause.field.as_ref() && !answer.value.trim().is_empty())
            .map(|answer| answer.value.as_str())
            .collect(),
        Fact::Grade => one(facts.grade.map(ScoreGrade::as_str)),
        Fact::Urgent => one(facts.urgent.map(|urgent| if urgent { "YES" } else { "NO" })),
        Fact::Reachable => [
            facts.contact.email.is_some().then_some("EMAIL"),
            facts.contact.phone.is_some().then_some("PHONE"),
        ]
        .into_iter()
        .flatten()
        .collect(),
    }
}
