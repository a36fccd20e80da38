//! Steps and triggers of a version, as they are read.

use async_graphql::SimpleObject;
use entity::condition::{Clause as StoredClause, Condition as StoredCondition};
use entity::sequence_version::{Action, Step as StoredStep, Trigger as StoredTrigger};

use crate::graphql::scalars::Duration;
use crate::graphql::vocabulary::{
    AttemptOutcome, Awaited, Comparison, DateAnchor, EligibilityFlag, Fact, LeadStage, Reentry, StaffTold,
    TriggerKind, Weekday,
};

/// When a lead is enrolled by itself.
#[derive(SimpleObject)]
pub struct SequenceTrigger {
    /// The event.
    on: TriggerKind,
    /// The stage reached, for a change of stage.
    stage: Option<LeadStage>,
    /// The flag, for missing information.
    flag: Option<EligibilityFlag>,
    /// The day, for a date.
    date: Option<SequenceDate>,
    /// Slug of the form, for an abandoned form; null means any.
    form: Option<String>,
    /// Whether a lead may enter again.
    reentry: Reentry,
    /// What must hold besides: every clause.
    filter: Vec<Clause>,
}

/// A day relative to something, in the facility's zone.
#[derive(SimpleObject)]
pub struct SequenceDate {
    /// What it is counted from.
    from: DateAnchor,
    /// Days after it; negative means before.
    days: i32,
    /// Local minute of that day, 0 to 1439; null means the time of day of what it is counted from.
    minute_of_day: Option<u16>,
}

/// One comparison of one fact of a lead.
#[derive(SimpleObject)]
pub struct Clause {
    /// What is looked at.
    fact: Fact,
    /// The form field, for an answer.
    field: Option<String>,
    /// How it is compared.
    is: Comparison,
    /// What it is compared with.
    values: Vec<String>,
}

/// What a step does.
#[derive(async_graphql::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// Plans a mail of a template.
    SendEmail,
    /// Waits for a duration, or until a local weekday and time.
    Wait,
    /// Waits until something happens, at most so long.
    WaitFor,
    /// Opens a follow-up for the lead's team.
    FollowUp,
    /// Goes one of two ways.
    Branch,
    /// Divides contacts by chance; one contact always goes the same way.
    Split,
    /// Changes the lead, as far as a machine may.
    UpdateLead,
    /// Tells staff by mail.
    NotifyStaff,
    /// What the sequence is for: once it holds, at whatever step, the enrollment ends as completed by it.
    Goal,
    /// Ends the enrollment as completed.
    End,
}

/// One way of a split.
#[derive(SimpleObject)]
pub struct SplitWay {
    /// Its share, in proportion to the other ways.
    weight: u32,
    /// Key of the step that it leads to.
    then: String,
}

/// One step. After it the next in the list follows, except after a branch, a split, a wait for something and an end.
/// Only the fields of its kind are set.
#[derive(SimpleObject)]
pub struct SequenceStep {
    /// Names the step within the version.
    key: String,
    /// What it does.
    kind: StepKind,
    /// The template's key, of a mail.
    template: Option<String>,
    /// How long a wait is.
    wait: Option<Duration>,
    /// The local weekday that a wait ends on; null means any day.
    weekday: Option<Weekday>,
    /// The local minute of the day, 0 to 1439, that a wait ends at.
    minute_of_day: Option<u16>,
    /// What is waited for.
    event: Option<Awaited>,
    /// The stage that is waited for.
    stage: Option<LeadStage>,
    /// The outcome of the attempt that is waited for; null means any.
    outcome: Option<AttemptOutcome>,
    /// How long something is waited for.
    timeout: Option<Duration>,
    /// What is to be done, of a follow-up; the subject line, of a mail to staff.
    title: Option<String>,
    /// Business minutes until a follow-up is due.
    due_in_minutes: Option<i64>,
    /// Who is told, of a mail to staff.
    to: Option<StaffTold>,
    /// What a branch asks, and when a goal is reached: every clause must hold.
    when: Option<Vec<Clause>>,
    /// Key of the step if it holds, or happens in time.
    then: Option<String>,
    /// Key of the step if it does not.
    otherwise: Option<String>,
    /// What a split draws by; null means in a way of its own.
    seed: Option<String>,
    /// The ways of a split.
    ways: Option<Vec<SplitWay>>,
    /// Flags that the lead gets.
    add_flags: Option<Vec<EligibilityFlag>>,
    /// Flags that the lead loses.
    remove_flags: Option<Vec<EligibilityFlag>>,
    /// Slug of the team that the lead goes to.
    team: Option<String>,
}

/// The clauses of a condition.
pub fn clauses(condition: &StoredCondition) -> Vec<Clause> {
    condition.0.iter().map(Clause::of).collect()
}

impl Clause {
    /// A stored clause.
    pub fn of(clause: &StoredClause) -> Self {
        Self {
            fact: clause.fact.into(),
            field: clause.field.clone(),
            is: clause.is.into(),
            values: clause.values.clone(),
        }
    }
}

pub(super) fn trigger(stored: &StoredTrigger) -> SequenceTrigger {
    SequenceTrigger {
        on: stored.on.into(),
        stage: stored.stage.map(Into::into),
        flag: stored.flag.map(Into::into),
        date: stored.date.as_ref().map(|date| SequenceDate {
            from: date.from.into(),
            days: date.days,
            minute_of_day: date.minute_of_day,
        }),
        form: stored.form.clone(),
        reentry: stored.reentry.into(),
        filter: clauses(&stored.filter),
    }
}

fn empty(key: &str) -> SequenceStep {
    SequenceStep {
        key: key.to_owned(),
        kind: StepKind::End,
        template: None,
        wait: None,
        weekday: None,
        minute_of_day: None,
        event: None,
        stage: None,
        outcome: None,
        timeout: None,
        title: None,
        due_in_minutes: None,
        to: None,
        when: None,
        then: None,
        otherwise: None,
        seed: None,
        ways: None,
        add_flags: None,
        remove_flags: None,
        team: None,
    }
}

pub(super) fn step(stored: &StoredStep) -> SequenceStep {
    let mut step = empty(&stored.key);
    match stored.action.clone() {
        Action::SendEmail { template } => {
            (step.kind, step.template) = (StepKind::SendEmail, Some(template));
        }
        Action::Wait { secs } => (step.kind, step.wait) = (StepKind::Wait, Some(Duration(secs))),
        Action::WaitUntil {
            weekday,
            minute_of_day,
        } => {
            step.kind = StepKind::Wait;
            step.weekday = weekday.map(Into::into);
            step.minute_of_day = Some(minute_of_day);
        }
        Action::WaitFor {
            event,
            stage,
            outcome,
            timeout_secs,
            then,
            otherwise,
        } => {
            step.kind = StepKind::WaitFor;
            step.event = Some(event.into());
            step.stage = stage.map(Into::into);
            step.outcome = outcome.map(Into::into);
            step.timeout = Some(Duration(timeout_secs));
            (step.then, step.otherwise) = (Some(then), Some(otherwise));
        }
        Action::FollowUp { title, due_in_mins } => {
            step.kind = StepKind::FollowUp;
            (step.title, step.due_in_minutes) = (Some(title), Some(due_in_mins));
        }
        Action::Branch {
            when,
            then,
            otherwise,
        } => {
            step.kind = StepKind::Branch;
            step.when = Some(clauses(&when));
            (step.then, step.otherwise) = (Some(then), Some(otherwise));
        }
        Action::Split { seed, ways } => {
            let way = |way: entity::sequence_version::Way| SplitWay {
                weight: way.weight,
                then: way.then,
            };
            step.kind = StepKind::Split;
            step.seed = seed;
            step.ways = Some(ways.into_iter().map(way).collect());
        }
        Action::UpdateLead {
            add_flags,
            remove_flags,
            team,
        } => {
            let flags = |flags: Vec<entity::enums::EligibilityFlag>| {
                Some(flags.into_iter().map(Into::into).collect())
            };
            step.kind = StepKind::UpdateLead;
            (step.add_flags, step.remove_flags) = (flags(add_flags), flags(remove_flags));
            step.team = team;
        }
        Action::NotifyStaff { to, title } => {
            step.kind = StepKind::NotifyStaff;
            (step.to, step.title) = (Some(to.into()), Some(title));
        }
        Action::Goal { when } => (step.kind, step.when) = (StepKind::Goal, Some(clauses(&when))),
        Action::End {} => {}
    }
    step
}
