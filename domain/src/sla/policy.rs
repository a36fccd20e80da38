//! Which SLA policy a lead falls under, and when its first attempt is due.

use chrono::{DateTime, TimeDelta, Utc};
use entity::sla_policy;

use super::calendar::Calendar;
use super::ladder::{self, NextStep};
use crate::condition::{self, Facts};
use crate::playbook::Playbook;

/// Business minutes to the first attempt when no policy holds. The research behind it (Oldroyd, HBR March 2011) saw
/// leads tried within the hour seven times as likely to qualify.
pub const DEFAULT_FIRST_ATTEMPT_MINS: i64 = 60;
/// Attempts wanted when no policy holds.
pub const DEFAULT_ATTEMPTS_WANTED: i32 = 6;
/// Business minutes between attempts when no policy holds.
pub const DEFAULT_SPACING_MINS: i64 = 240;

/// What a policy asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The policy; none for the defaults.
    pub policy: Option<sla_policy::Model>,
    /// When the first attempt is due.
    pub due_at: DateTime<Utc>,
    /// By when it is aimed at.
    pub target_at: DateTime<Utc>,
    /// What is done first if nobody tries; none when nothing is.
    pub step: Option<NextStep>,
    /// How many attempts are wanted.
    pub attempts: i32,
    /// Minutes before the due time at which the assignee is reminded.
    pub remind_before_mins: i64,
}

/// The first policy whose condition holds.
pub fn pick<'a>(playbook: &'a Playbook, facts: &Facts<'_>) -> Option<&'a sla_policy::Model> {
    playbook
        .sla
        .iter()
        .find(|policy| condition::holds(&policy.condition, facts))
}

/// What is wanted of a lead received at `received_at`.
pub fn wanted(policy: Option<&sla_policy::Model>, calendar: &Calendar, received_at: DateTime<Utc>) -> Wanted {
    let mins = policy.map_or(DEFAULT_FIRST_ATTEMPT_MINS, |policy| policy.first_attempt_mins);
    let target_mins = policy.and_then(|policy| policy.target_mins).unwrap_or(mins);
    Wanted {
        policy: policy.cloned(),
        due_at: due_after(calendar, received_at, mins),
        target_at: due_after(calendar, received_at, target_mins),
        step: policy.and_then(|policy| ladder::next(policy, None, calendar, received_at, &[])),
        attempts: policy.map_or(DEFAULT_ATTEMPTS_WANTED, |policy| policy.attempts_wanted),
        remind_before_mins: policy.map_or(10, |policy| policy.remind_before_mins),
    }
}

/// The instant `mins` business minutes after `from`. A calendar that never opens does not make a lead wait for ever:
/// plain minutes count then.
pub fn due_after(calendar: &Calendar, from: DateTime<Utc>, mins: i64) -> DateTime<Utc> {
    let amount = TimeDelta::minutes(mins.max(0));
    calendar.add_business(from, amount).unwrap_or(from + amount)
}
