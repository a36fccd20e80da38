//! Does a condition hold for a lead? One pure function, used by routing, scoring, triggers, branches and policies.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, Timelike, Utc, Weekday as Day};
use entity::condition::{Clause, Comparison, Condition, Fact};
use entity::contact;
use entity::enums::{Channel, EligibilityFlag, LeadStage, LeadType, ScoreGrade};
use entity::lead::Answer;
use entity::sequence_version::Weekday;

use crate::sla::calendar::Calendar;

/// Name of the form field in which a person names the coverage.
pub const COVERAGE_FIELD: &str = "coverage";

/// When a lead came in, and the calendar that says what time that was.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// The instant.
    pub at: DateTime<Utc>,
    /// The facility's calendar; without one it is UTC, and always open.
    pub calendar: Option<&'a Calendar>,
}

impl Received<'_> {
    /// The hour, the weekday, and whether the facility was open.
    fn local(self) -> (u32, Weekday, bool) {
        let Some(calendar) = self.calendar else {
            return (self.at.hour(), weekday(self.at.weekday()), true);
        };
        let local = self.at.with_timezone(&calendar.zone);
        (local.hour(), weekday(local.weekday()), calendar.is_open(self.at))
    }
}

const fn weekday(day: Day) -> Weekday {
    match day {
        Day::Mon => Weekday::Monday,
        Day::Tue => Weekday::Tuesday,
        Day::Wed => Weekday::Wednesday,
        Day::Thu => Weekday::Thursday,
        Day::Fri => Weekday::Friday,
        Day::Sat => Weekday::Saturday,
        Day::Sun => Weekday::Sunday,
    }
}

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
    /// Its points, once scored.
    pub points: Option<i32>,
    /// When it came in.
    pub received: Received<'a>,
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
    let any_number = |test: &dyn Fn(i64, i64) -> bool| {
        any(&|have, want| match (number(have), number(want)) {
            (Some(have), Some(want)) => test(have, want),
            _ => false,
        })
    };
    match clause.is {
        Comparison::In => any(&|have, want| have == want),
        Comparison::NotIn => !any(&|have, want| have == want),
        Comparison::Contains => any(&|have, want| have.contains(want)),
        Comparison::StartsWith => any(&|have, want| have.starts_with(want)),
        Comparison::Present => !found.is_empty(),
        Comparison::Absent => found.is_empty(),
        Comparison::AtLeast => any_number(&|have, want| have >= want),
        Comparison::Below => any_number(&|have, want| have < want),
    }
}

/// A whole number, as clauses compare them.
pub fn number(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// Whether a fact can be a number.
pub const fn is_numeric(fact: Fact) -> bool {
    matches!(fact, Fact::Score | Fact::ReceivedHour | Fact::Answer)
}

fn fold(text: &str) -> String {
    text.trim().to_lowercase()
}

const fn yes_or_no(yes: bool) -> &'static str {
    if yes { "YES" } else { "NO" }
}

/// The values that a fact has: none, one, or several for flags.
fn values<'a>(clause: &Clause, facts: &Facts<'a>) -> Vec<Cow<'a, str>> {
    let one = |value: Option<&'a str>| {
        let said = value.filter(|v| !v.trim().is_empty());
        said.map(Cow::Borrowed).into_iter().collect()
    };
    let answers = |field: &str| {
        let said = |answer: &&Answer| answer.field == field && !answer.value.trim().is_empty();
        let value = |answer: &'a Answer| Cow::Borrowed(answer.value.as_str());
        facts.answers.iter().filter(said).map(value).collect()
    };
    match clause.fact {
        Fact::LeadType => one(Some(facts.lead_type.as_str())),
        Fact::Stage => one(Some(facts.stage.as_str())),
        Fact::ServiceLine => one(facts.service_line),
        Fact::RequestedService => one(facts.requested_service),
        Fact::Facility => one(facts.facility),
        Fact::Channel => one(Some(facts.channel.as_str())),
        Fact::Campaign => one(facts.campaign),
        Fact::Language => one(Some(&facts.contact.language)),
        Fact::PostalCode => one(facts.contact.postal_code.as_deref()),
        Fact::Flag => facts.flags.iter().map(|flag| flag.as_str().into()).collect(),
        Fact::Answer => clause.field.as_deref().map(answers).unwrap_or_default(),
        Fact::Coverage => answers(COVERAGE_FIELD),
        Fact::Grade => one(facts.grade.map(ScoreGrade::as_str)),
        Fact::Score => facts
            .points
            .map(|points| points.to_string().into())
            .into_iter()
            .collect(),
        Fact::ReceivedHour => vec![facts.received.local().0.to_string().into()],
        Fact::ReceivedWeekday => one(Some(facts.received.local().1.as_str())),
        Fact::BusinessHours => one(Some(yes_or_no(facts.received.local().2))),
        Fact::Urgent => one(facts.urgent.map(yes_or_no)),
        Fact::Reachable => [
            facts.contact.email.is_some().then_some("EMAIL"),
            facts.contact.phone.is_some().then_some("PHONE"),
        ]
        .into_iter()
        .flatten()
        .map(Cow::Borrowed)
        .collect(),
    }
}

#[cfg(test)]
mod tests;
