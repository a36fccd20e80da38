//! What a version of rules would have decided about the leads of the last days, beside what the published rules decide.
//!
//! Both are asked by the function by which intake decides, about what is stored of each lead as it came in, so a draft
//! that is published decides what its preview said. Two things are as they are today: what is known of the person, and
//! the rules and lists of other kinds. The person of the team is not compared, because that depends on who had how much
//! to do at that moment. Nothing is written.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::{EligibilityFlag, ScoreGrade};
use entity::id::{FacilityId, LeadId, RoutingRuleId, RuleSetId, SlaPolicyId, TeamId};
use entity::lead::Column;
use entity::rule_set::{RuleKind, Rules};
use sea_orm::{ColumnTrait, Condition};

use super::{find, rows};
use crate::db::{self, BATCH_MAX};
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::lead::decision::{self, Decision};
use crate::lead::find::is_sent;
use crate::lead::newest::{Newest, contacts_of};
use crate::playbook::Playbook;
use crate::routing::CATCH_ALL;
use crate::sla::policy;

/// Most days that are looked back.
pub const DAYS_MAX: i64 = 90;
/// Most leads that are looked at.
pub const LEADS_MAX: i64 = 20_000;
/// Most samples.
pub const SAMPLES_MAX: i64 = 50;

/// Which rules are tried on which leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreviewRules {
    /// The version.
    pub draft_id: RuleSetId,
    /// Leads of so many days until now.
    pub days: i64,
    /// At most so many leads, the newest.
    pub max_leads: i64,
    /// At most so many samples.
    pub sample: i64,
}

impl PreviewRules {
    fn check(&self) -> Result<()> {
        let bounds = [
            ("days", self.days, 1, DAYS_MAX, "Look back 1 to 90 days."),
            (
                "maxLeads",
                self.max_leads,
                1,
                LEADS_MAX,
                "Look at 1 to 20000 leads.",
            ),
            (
                "sample",
                self.sample,
                0,
                SAMPLES_MAX,
                "Ask for at most 50 samples.",
            ),
        ];
        let refusals: Vec<Refusal> = bounds
            .into_iter()
            .filter(|(_, value, least, most, _)| !(least..=most).contains(&value))
            .map(|(field, .., message)| Refusal::new(Code::Invalid, field, message))
            .collect();
        if refusals.is_empty() {
            Ok(())
        } else {
            Err(Error::Refused(refusals))
        }
    }
}

/// What rules decide about a lead, apart from the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The routing rule; none for the catch-all.
    pub rule_id: Option<RoutingRuleId>,
    /// Its name.
    pub rule: String,
    /// The team.
    pub team_id: TeamId,
    /// The facility that serves it.
    pub facility_id: Option<FacilityId>,
    /// Whether it goes first.
    pub urgent: bool,
    /// Its flags.
    pub flags: Vec<EligibilityFlag>,
    /// Points of its score.
    pub points: i32,
    /// Grade of its score.
    pub grade: ScoreGrade,
    /// The policy; none for the built-in one.
    pub policy_id: Option<SlaPolicyId>,
    /// Its name.
    pub policy: Option<String>,
    /// Business minutes to the first attempt.
    pub due_mins: i64,
}

impl Outcome {
    /// What was decided.
    pub fn of(decision: &Decision<'_>) -> Self {
        let rule = decision.found.rule;
        let policy = decision.wanted.policy.as_ref();
        Self {
            rule_id: rule.map(|rule| rule.id),
            rule: rule.map_or_else(|| CATCH_ALL.to_owned(), |rule| rule.name.clone()),
            team_id: decision.found.team,
            facility_id: decision.facility,
            urgent: decision.found.urgent,
            flags: decision.flags.clone(),
            points: decision.triage.score.points,
            grade: decision.triage.score.grade,
            policy_id: policy.map(|policy| policy.id),
            policy: policy.map(|policy| policy.name.clone()),
            due_mins: policy.map_or(policy::DEFAULT_FIRST_ATTEMPT_MINS, |policy| {
                policy.first_attempt_mins
            }),
        }
    }

    /// Whether a lead would be served otherwise. Another rule with the same consequences, or other points with the same
    /// grade, make no difference to anybody.
    pub fn moves(&self, to: &Self) -> bool {
        let served = |of: &Self| {
            (
                of.team_id,
                of.facility_id,
                of.urgent,
                of.grade,
                of.policy_id,
                of.due_mins,
            )
        };
        served(self) != served(to) || self.flags != to.flags
    }
}

/// How many leads go from one to the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift<T> {
    /// What the published rules decide.
    pub from: T,
    /// What the version decides.
    pub to: T,
    /// How many leads.
    pub leads: i64,
}

/// A lead that would be served otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The lead.
    pub lead_id: LeadId,
    /// What the published rules decide.
    pub before: Outcome,
    /// What the version decides.
    pub after: Outcome,
}

/// A policy with its time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Promise {
    /// The policy's name; none for the built-in one.
    pub policy: Option<String>,
    /// Business minutes to the first attempt.
    pub due_mins: i64,
}

impl Promise {
    fn of(outcome: &Outcome) -> Self {
        Self {
            policy: outcome.policy.clone(),
            due_mins: outcome.due_mins,
        }
    }
}

/// What a version would change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// Leads that were looked at.
    pub looked_at: i64,
    /// Those that would be served otherwise.
    pub moved: i64,
    /// Whether there are more leads of these days than were to be looked at.
    pub cut: bool,
    /// Teams, most leads first.
    pub by_team: Vec<Shift<TeamId>>,
    /// Grades, most leads first.
    pub by_grade: Vec<Shift<ScoreGrade>>,
    /// Policies and their times, most leads first.
    pub by_promise: Vec<Shift<Promise>>,
    /// Leads that start or cease to go first.
    pub by_urgent: Vec<Shift<bool>>,
    /// Leads whose flags differ.
    pub other_flags: i64,
    /// Leads that are served at another facility.
    pub other_facility: i64,
    /// Some of those that would be served otherwise, the newest first.
    pub samples: Vec<Sample>,
}

/// Tries a version on the leads of the last days. Leads whose data was erased are left out: nobody knows any more what
/// they said.
///
/// # Errors
/// When a bound is not kept, there is no such version, or the database fails.
pub async fn preview(h: &Hospital, input: PreviewRules) -> Result<Preview> {
    input.check()?;
    let (playbook, now) = (h.playbook().await?, h.now());
    let tx = db::begin_read(&h.db).await?;
    let version = find::by_id(&tx, input.draft_id).await?;
    let other = overlay(&playbook, version.kind, &version.rules, now);
    let mut tally = Tally::default();
    let since = now - TimeDelta::days(input.days);
    let mut left = u64::try_from(input.max_leads).unwrap_or(0);
    let which = Condition::all()
        .add(Column::ReceivedAt.gte(since))
        .add(Column::ErasedAt.is_null())
        .add(is_sent());
    let mut newest = Newest::default();
    loop {
        // One more than is wanted tells whether there are more.
        let size = left.saturating_add(1).min(BATCH_MAX as u64);
        let page = newest.page(&tx, &which, size).await?;
        if page.is_empty() {
            break;
        }
        let contacts = contacts_of(&tx, &page).await?;
        for lead in &page {
            if left == 0 {
                tally.preview.cut = true;
                break;
            }
            left -= 1;
            let Some(contact) = contacts.get(&lead.contact_id) else {
                continue;
            };
            let decided = |book| Outcome::of(&decision::decide(decision::arrival_of(lead, contact, book)));
            tally.add(lead.id, decided(&playbook), decided(&other), input.sample);
        }
        if tally.preview.cut {
            break;
        }
    }
    // Nothing was written; the commit only gives the connection back without a rollback in the server's log.
    tx.commit().await?;
    Ok(tally.preview())
}

/// The rules and lists as they would be if a version were published.
pub fn overlay(playbook: &Playbook, kind: RuleKind, rules: &Rules, now: DateTime<Utc>) -> Playbook {
    let mut other = playbook.clone();
    let rows = rows::rows(rules, now);
    match kind {
        RuleKind::Routing => other.routing = rows.routing.into_iter().filter(|row| row.active).collect(),
        RuleKind::Scoring => other.scoring = rows.scoring.into_iter().filter(|row| row.active).collect(),
        RuleKind::Sla => other.sla = rows.sla,
    }
    other
}

/// Counts.
#[derive(Default)]
struct Tally {
    preview: Preview,
    teams: BTreeMap<(TeamId, TeamId), i64>,
    grades: BTreeMap<(ScoreGrade, ScoreGrade), i64>,
    promises: BTreeMap<(Promise, Promise), i64>,
    urgent: BTreeMap<(bool, bool), i64>,
}

impl Tally {
    fn add(&mut self, lead_id: LeadId, before: Outcome, after: Outcome, samples: i64) {
        self.preview.looked_at += 1;
        if !before.moves(&after) {
            return;
        }
        self.preview.moved += 1;
        count(&mut self.teams, before.team_id, after.team_id);
        count(&mut self.grades, before.grade, after.grade);
        count(&mut self.promises, Promise::of(&before), Promise::of(&after));
        count(&mut self.urgent, before.urgent, after.urgent);
        self.preview.other_flags += i64::from(before.flags != after.flags);
        self.preview.other_facility += i64::from(before.facility_id != after.facility_id);
        if (self.preview.samples.len() as i64) < samples {
            self.preview.samples.push(Sample {
                lead_id,
                before,
                after,
            });
        }
    }

    fn preview(self) -> Preview {
        Preview {
            by_team: shifts(self.teams),
            by_grade: shifts(self.grades),
            by_promise: shifts(self.promises),
            by_urgent: shifts(self.urgent),
            ..self.preview
        }
    }
}

fn count<T: Ord>(counts: &mut BTreeMap<(T, T), i64>, from: T, to: T) {
    if from != to {
        *counts.entry((from, to)).or_default() += 1;
    }
}

fn shifts<T: Ord>(counts: BTreeMap<(T, T), i64>) -> Vec<Shift<T>> {
    let shift = |((from, to), leads)| Shift { from, to, leads };
    let mut shifts: Vec<_> = counts.into_iter().map(shift).collect();
    shifts.sort_by_key(|shift| std::cmp::Reverse(shift.leads));
    shifts
}
