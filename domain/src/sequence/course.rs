//! A lead's way through a sequence: a pure function of its place, the lead as it stands, and the time.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use entity::enrollment::{EnrollmentState, ExitReason};
use entity::enums::LeadStage;
use entity::sequence_version::{Action, Exits, Steps};

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
}

/// How an enrollment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It came to the end.
    Completed,
    /// It left before.
    Left(ExitReason),
}

impl End {
    /// The state it ends in.
    #[must_use]
    pub const fn state(self) -> EnrollmentState {
        match self {
            Self::Completed => EnrollmentState::Completed,
            Self::Left(_) => EnrollmentState::Exited,
        }
    }

    /// Why it ended early.
    #[must_use]
    pub const fn reason(self) -> Option<ExitReason> {
        match self {
            Self::Completed => None,
            Self::Left(reason) => Some(reason),
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
    /// The steps of the enrollment's version.
    pub steps: &'a Steps,
    /// What ends it early.
    pub exits: &'a Exits,
    /// The zone in which local times are meant.
    pub zone: Tz,
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

/// Takes step after step until one waits or the sequence ends. Before each the exits are asked. A place that does not
/// exist ends as [`ExitReason::Broken`]: nobody stays stuck unseen.
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
    // Ways lead forward only, so this bound is never met by a version that was checked.
    for _ in 0..=plan.steps.0.len() {
        if let Some(reason) = exit_of(facts.stage, plan.exits) {
            course.end = Some(End::Left(reason));
            return course;
        }
        match take(&mut course, plan, facts, now) {
            Next::Step(key) => course.place.enter(key, now),
            Next::Wait => return course,
            Next::End(end) => {
                course.end = Some(end);
                return course;
            }
        }
    }
    course.end = Some(End::Left(ExitReason::Broken));
    course
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

/// Takes one step.
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
    let (step_key, occurrence) = (step.key.clone(), course.place.occurrence);
    match &step.action {
        Action::SendEmail { template } => {
            course.deeds.push(Deed::Mail {
                step_key,
                occurrence,
                template: template.clone(),
            });
            following()
        }
        Action::FollowUp { title, due_in_mins } => {
            let (title, due_in_mins) = (title.clone(), *due_in_mins);
            course.deeds.push(Deed::FollowUp {
                step_key,
                occurrence,
                title,
                due_in_mins,
            });
            following()
        }
        Action::Wait { secs } => {
            let until = || now + TimeDelta::try_seconds(*secs).unwrap_or(TimeDelta::days(365));
            if course.place.wait(until, now) {
                following()
            } else {
                Next::Wait
            }
        }
        Action::WaitUntil {
            weekday,
            minute_of_day,
        } => {
            let until = || wait_until(now, plan.zone, *weekday, *minute_of_day);
            if course.place.wait(until, now) {
                following()
            } else {
                Next::Wait
            }
        }
        Action::Branch {
            when,
            then,
            otherwise,
        } => Next::Step(if holds(when, facts) {
            then.clone()
        } else {
            otherwise.clone()
        }),
        Action::End {} => Next::End(End::Completed),
    }
}
