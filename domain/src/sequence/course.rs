//! A lead's way through a sequence: a pure function of its place, the lead as it stands, and the time.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use entity::enrollment::{EnrollmentState, ExitReason};
use entity::enums::{EligibilityFlag, LeadStage};
use entity::id::SequenceId;
use entity::sequence_version::{Action, Awaited, Exits, Step, Steps, Told};

use super::split;
use super::wait::wait_until;
use crate::condition::{Facts, holds};

#[cfg(test)]
mod tests;

/// Where an enrollment stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The step that comes next, or that is being waited on.
    pub step_key: String,
    /// Whether a wait on that step has begun.
    pub entered_step: bool,
    /// Whether what that step waits for has happened in time.
    pub happened: bool,
    /// Steps taken so far; tells visits apart.
    pub occurrence: i32,
    /// When to look again.
    pub due_at: DateTime<Utc>,
}

/// What a step asks to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Plan a mail.
    Mail {
        /// The step.
        step_key: String,
        /// Which visit.
        occurrence: i32,
        /// The template's key.
        template: String,
    },
    /// Open a follow-up.
    FollowUp {
        /// The step.
        step_key: String,
        /// Which visit.
        occurrence: i32,
        /// What is to be done.
        title: String,
        /// Business minutes until it is due.
        due_in_mins: i64,
    },
    /// Change the lead.
    Lead {
        /// The step.
        step_key: String,
        /// The flags that it has afterwards.
        flags: Vec<EligibilityFlag>,
        /// Slug of the team that it goes to.
        team: Option<String>,
    },
    /// Tell staff by mail.
    Notice {
        /// The step.
        step_key: String,
        /// Which visit.
        occurrence: i32,
        /// Who is told.
        to: Told,
        /// The subject line.
        title: String,
    },
}

/// How an enrollment ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It came to the end.
    Completed,
    /// The goal of this key was reached.
    Goal(String),
    /// It left before.
    Left(ExitReason),
}

impl End {
    /// The state it ends in.
    #[must_use]
    pub const fn state(&self) -> EnrollmentState {
        match self {
            Self::Completed | Self::Goal(_) => EnrollmentState::Completed,
            Self::Left(_) => EnrollmentState::Exited,
        }
    }

    /// Why it ended early.
    #[must_use]
    pub const fn reason(&self) -> Option<ExitReason> {
        match self {
            Self::Completed | Self::Goal(_) => None,
            Self::Left(reason) => Some(*reason),
        }
    }

    /// The goal that ended it.
    #[must_use]
    pub fn goal_key(&self) -> Option<&str> {
        match self {
            Self::Goal(key) => Some(key),
            Self::Completed | Self::Left(_) => None,
        }
    }

    /// The word for it in the lead's history.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Completed => EnrollmentState::Completed.as_str(),
            Self::Goal(_) => "GOAL",
            Self::Left(reason) => reason.as_str(),
        }
    }
}

/// What comes of looking at an enrollment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// Where it stands afterwards.
    pub place: Place,
    /// What is to be done, in order.
    pub deeds: Vec<Deed>,
    /// Whether it ended.
    pub end: Option<End>,
}

/// The plan that is followed.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The sequence, by which a split without a seed draws.
    pub sequence_id: SequenceId,
    /// The steps of the enrollment's version.
    pub steps: &'a Steps,
    /// What ends it early.
    pub exits: &'a Exits,
    /// The zone in which local times are meant.
    pub zone: Tz,
    /// When the enrollment began.
    pub begun_at: DateTime<Utc>,
}

impl Plan<'_> {
    /// When it ends wherever it stands, if the sequence has such a time.
    #[must_use]
    pub fn ends_at(&self) -> Option<DateTime<Utc>> {
        let secs = TimeDelta::try_seconds(self.exits.after_secs?)?;
        self.begun_at.checked_add_signed(secs)
    }
}

/// Why a lead in this stage leaves, if it does.
#[must_use]
pub fn exit_of(stage: LeadStage, exits: &Exits) -> Option<ExitReason> {
    match stage {
        LeadStage::Closed => Some(ExitReason::Closed),
        stage if exits.stages.contains(&stage) => Some(ExitReason::Stage),
        _ => None,
    }
}

/// How an enrollment of a lead like this one ends now, whatever step it stands at: by closing, by a goal, or by a stage.
/// A goal comes before a stage, because reaching it is what the sequence is for.
#[must_use]
pub fn ending(steps: &Steps, exits: &Exits, facts: &Facts<'_>) -> Option<End> {
    if facts.stage == LeadStage::Closed {
        return Some(End::Left(ExitReason::Closed));
    }
    let reached = |step: &&Step| matches!(&step.action, Action::Goal { when } if holds(when, facts));
    if let Some(goal) = steps.0.iter().find(reached) {
        return Some(End::Goal(goal.key.clone()));
    }
    exit_of(facts.stage, exits).map(End::Left)
}

/// Takes step after step until one waits or the sequence ends. Before each the exits and goals are asked. A place that
/// does not exist ends as [`ExitReason::Broken`]: nobody stays stuck unseen.
///
/// A wait begins when it is reached, not when it could have been reached: after the workers have stood still for days,
/// two mails that lie a day apart still go out a day apart.
#[must_use]
pub fn follow(from: Place, plan: Plan<'_>, facts: &Facts<'_>, now: DateTime<Utc>) -> Course {
    let mut course = Course {
        place: from,
        deeds: Vec::new(),
        end: None,
    };
    // What a step changes of the lead, the next step sees.
    let mut flags = facts.flags.to_vec();
    // Ways lead forward only, so this bound is never met by a version that was checked.
    for _ in 0..=plan.steps.0.len() {
        let facts = Facts {
            flags: &flags,
            ..facts.clone()
        };
        if let Some(end) = ending(plan.steps, plan.exits, &facts) {
            course.end = Some(end);
            return course;
        }
        if plan.ends_at().is_some_and(|at| at <= now) {
            course.end = Some(End::Left(ExitReason::Expired));
            return course;
        }
        match take(&mut course, plan, &facts, now) {
            Next::Step(key) => course.place.enter(key, now),
            Next::Wait => {
                // A wait beyond the end is looked at when the end comes.
                if let Some(ends_at) = plan.ends_at() {
                    course.place.due_at = course.place.due_at.min(ends_at);
                }
                return course;
            }
            Next::End(end) => {
                course.end = Some(end);
                return course;
            }
        }
        if let Some(Deed::Lead { flags: changed, .. }) = course.deeds.last() {
            flags.clone_from(changed);
        }
    }
    course.end = Some(End::Left(ExitReason::Broken));
    course
}

/// How far a stage lies on the way; closing is no place on it.
#[must_use]
pub const fn stage_rank(stage: LeadStage) -> Option<u8> {
    match stage {
        LeadStage::New => Some(0),
        LeadStage::Contacted => Some(1),
        LeadStage::Qualified => Some(2),
        LeadStage::AppointmentScheduled => Some(3),
        LeadStage::VisitCompleted => Some(4),
        LeadStage::Closed => None,
    }
}

/// Whether a lead in `stage` has come as far as `wanted`.
#[must_use]
pub fn has_reached(stage: LeadStage, wanted: LeadStage) -> bool {
    stage_rank(stage)
        .zip(stage_rank(wanted))
        .is_some_and(|(stands, wanted)| stands >= wanted)
}

/// The flags after some were added and some taken away, in the order in which they came.
fn flags_after(
    before: &[EligibilityFlag],
    added: &[EligibilityFlag],
    removed: &[EligibilityFlag],
) -> Vec<EligibilityFlag> {
    let mut flags: Vec<_> = before
        .iter()
        .filter(|flag| !removed.contains(flag))
        .copied()
        .collect();
    for flag in added {
        if !flags.contains(flag) {
            flags.push(*flag);
        }
    }
    flags
}

/// What comes after a step.
enum Next {
    Step(String),
    Wait,
    End(End),
}

impl Place {
    fn enter(&mut self, step_key: String, now: DateTime<Utc>) {
        *self = Self {
            step_key,
            entered_step: false,
            happened: false,
            occurrence: self.occurrence.saturating_add(1),
            due_at: now,
        };
    }

    /// Begins a wait that ends at `until`, or finds that it is over.
    fn wait(&mut self, until: impl FnOnce() -> DateTime<Utc>, now: DateTime<Utc>) -> bool {
        if !self.entered_step {
            (self.entered_step, self.due_at) = (true, until());
        }
        self.due_at <= now
    }
}

/// Takes one step: does what it does, or waits, and tells what comes next.
fn take(course: &mut Course, plan: Plan<'_>, facts: &Facts<'_>, now: DateTime<Utc>) -> Next {
    let Some(index) = plan
        .steps
        .0
        .iter()
        .position(|step| step.key == course.place.step_key)
    else {
        return Next::End(End::Left(ExitReason::Broken));
    };
    let step = &plan.steps.0[index];
    let following = || {
        plan.steps
            .0
            .get(index + 1)
            .map_or(Next::End(End::Completed), |next| Next::Step(next.key.clone()))
    };
    course.deeds.extend(deed(step, course.place.occurrence, facts));
    match &step.action {
        Action::Wait { secs } if course.place.wait(|| after(now, *secs), now) => following(),
        Action::WaitUntil {
            weekday,
            minute_of_day,
        } if course
            .place
            .wait(|| wait_until(now, plan.zone, *weekday, *minute_of_day), now) =>
        {
            following()
        }
        Action::Wait { .. } | Action::WaitUntil { .. } => Next::Wait,
        Action::WaitFor {
            event,
            stage,
            timeout_secs,
            then,
            otherwise,
            ..
        } => {
            let is_so =
                *event == Awaited::StageReached && stage.is_some_and(|stage| has_reached(facts.stage, stage));
            if course.place.happened || (!course.place.entered_step && is_so) {
                Next::Step(then.clone())
            } else if course.place.wait(|| after(now, *timeout_secs), now) {
                Next::Step(otherwise.clone())
            } else {
                Next::Wait
            }
        }
        Action::Branch {
            when,
            then,
            otherwise,
        } => Next::Step(if holds(when, facts) { then } else { otherwise }.clone()),
        Action::Split { seed, ways } => {
            let draw = split::draw(seed.as_deref(), plan.sequence_id, &step.key, facts.contact.id);
            split::way(ways, draw).map_or(Next::End(End::Left(ExitReason::Broken)), |key| {
                Next::Step(key.to_owned())
            })
        }
        Action::End {} => Next::End(End::Completed),
        // Goals are asked before every step; whoever comes here has not reached it.
        Action::Goal { .. }
        | Action::SendEmail { .. }
        | Action::FollowUp { .. }
        | Action::UpdateLead { .. }
        | Action::NotifyStaff { .. } => following(),
    }
}

/// The end of a wait of so many seconds.
fn after(now: DateTime<Utc>, secs: i64) -> DateTime<Utc> {
    now + TimeDelta::try_seconds(secs).unwrap_or(TimeDelta::days(365))
}

/// What a step does besides leading on, if it does something.
fn deed(step: &Step, occurrence: i32, facts: &Facts<'_>) -> Option<Deed> {
    let step_key = step.key.clone();
    match &step.action {
        Action::SendEmail { template } => Some(Deed::Mail {
            step_key,
            occurrence,
            template: template.clone(),
        }),
        Action::FollowUp { title, due_in_mins } => Some(Deed::FollowUp {
            step_key,
            occurrence,
            title: title.clone(),
            due_in_mins: *due_in_mins,
        }),
        Action::UpdateLead {
            add_flags,
            remove_flags,
            team,
        } => Some(Deed::Lead {
            step_key,
            flags: flags_after(facts.flags, add_flags, remove_flags),
            team: team.clone(),
        }),
        Action::NotifyStaff { to, title } => Some(Deed::Notice {
            step_key,
            occurrence,
            to: *to,
            title: title.clone(),
        }),
        _ => None,
    }
}
