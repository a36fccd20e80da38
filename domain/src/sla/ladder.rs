//! What is done about a lead that nobody tries to reach, and when. Pure.
//!
//! A policy counts business minutes from the moment at which the lead came in. While the clock is stopped none pass: what
//! was still to run when it stopped runs on when it goes on.

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use entity::sla_policy::{self, SlaStep};

use super::calendar::Calendar;
use super::policy::due_after;

#[cfg(test)]
mod tests;

/// A step and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextStep {
    /// What is done.
    pub step: SlaStep,
    /// When.
    pub at: DateTime<Utc>,
}

/// The step after `taken`, or the first one. A step that the policy does not name is passed over.
pub fn next(
    policy: &sla_policy::Model,
    taken: Option<SlaStep>,
    calendar: &Calendar,
    received_at: DateTime<Utc>,
    pauses: &[Range<DateTime<Utc>>],
) -> Option<NextStep> {
    SlaStep::ALL
        .iter()
        .filter(|step| taken.is_none_or(|taken| **step > taken))
        .find_map(|step| Some((*step, mins(policy, *step)?)))
        .map(|(step, mins)| NextStep {
            step,
            at: reached(calendar, received_at, mins, pauses),
        })
}

/// Business minutes from received to a step; none when the policy has no such step.
pub const fn mins(policy: &sla_policy::Model, step: SlaStep) -> Option<i64> {
    match step {
        SlaStep::WarnOwner => policy.warn_owner_mins,
        SlaStep::TellLead => policy.tell_lead_mins,
        SlaStep::TakeBack => policy.take_back_mins,
    }
}

/// The instant at which `mins` business minutes have run since `from`, on a clock that was stopped in `pauses`. They are
/// in the order of time and do not overlap.
pub fn reached(
    calendar: &Calendar,
    from: DateTime<Utc>,
    mins: i64,
    pauses: &[Range<DateTime<Utc>>],
) -> DateTime<Utc> {
    pauses.iter().fold(due_after(calendar, from, mins), |at, pause| {
        carried(calendar, at, pause.start, pause.end)
    })
}

/// An instant of a clock that stops at `stopped_at` and runs on at `runs_at`: what was still to run until `at` runs from
/// then on. What was over when the clock stopped stays where it was.
///
/// It goes back, too: with the end that was planned as `stopped_at` and an earlier one as `runs_at`, times come to
/// where they would be had the earlier end been planned.
///
/// Where no open time lies between, as on a calendar that never opens, plain time counts.
pub fn carried(
    calendar: &Calendar,
    at: DateTime<Utc>,
    stopped_at: DateTime<Utc>,
    runs_at: DateTime<Utc>,
) -> DateTime<Utc> {
    if at <= stopped_at {
        return at;
    }
    let left = calendar.business_between(stopped_at, at);
    if left > TimeDelta::zero()
        && let Some(carried) = calendar.add_business(runs_at, left)
    {
        return carried;
    }
    at + (runs_at - stopped_at)
}
