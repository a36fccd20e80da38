//! What a version must fulfil before it is published.
//!
//! Ways only go forward and every step can be reached, so every enrollment comes to an end after at most as many steps as
//! there are, and no step is there in vain. Every fault names its step, by its place in the path and by its key.

mod action;
mod trigger;
mod ways;

use std::borrow::Cow;
use std::collections::HashMap;

use entity::condition::Condition;
use entity::enums::Purpose;
use entity::sequence_version::{Exits, Step, Steps};

use crate::error::{Code, Refusal};
use crate::playbook::Playbook;

pub use trigger::{check_condition, check_trigger};

#[cfg(test)]
mod tests;

/// Most steps of a version.
pub const MAX_STEPS: usize = 50;
/// Longest wait: a year.
pub const MAX_WAIT_SECS: i64 = 365 * 24 * 60 * 60;
/// Longest time to a follow-up's due time: 90 business days of eight hours.
pub const MAX_DUE_MINS: i64 = 90 * 8 * 60;
/// Longest key of a step, in characters.
pub const MAX_KEY_CHARS: usize = 64;
/// Longest title of a follow-up, in characters.
pub const MAX_TITLE_CHARS: usize = 200;
/// Most clauses of a condition.
pub const MAX_CLAUSES: usize = 20;
/// Most values of a clause.
pub const MAX_VALUES: usize = 100;
/// Longest value of a clause, in characters.
pub const MAX_VALUE_CHARS: usize = 200;

/// Longest time that a sequence lets an enrollment run: two years.
pub const MAX_RUN_SECS: i64 = 2 * MAX_WAIT_SECS;
/// Most ways of a split.
pub const MAX_WAYS: usize = 10;
/// Largest weight of a way.
pub const MAX_WEIGHT: u32 = 1000;
/// Longest seed of a split, in characters.
pub const MAX_SEED_CHARS: usize = 64;

/// Everything that keeps these steps from being published, each with the path of what is wrong, for example
/// `steps.3.template`.
#[must_use]
pub fn check(steps: &Steps, exits: &Exits, purpose: Purpose, playbook: &Playbook) -> Vec<Refusal> {
    let mut refusals = check_steps(steps, exits, purpose, playbook);
    if exits
        .after_secs
        .is_some_and(|secs| !(1..=MAX_RUN_SECS).contains(&secs))
    {
        let message = "A sequence runs from one second to 730 days.";
        refusals.push(Refusal::new(Code::Invalid, "exits.afterSecs", message));
    }
    refusals
}

fn check_steps(steps: &Steps, exits: &Exits, purpose: Purpose, playbook: &Playbook) -> Vec<Refusal> {
    if steps.0.is_empty() {
        return vec![Refusal::new(
            Code::Required,
            "steps",
            "A sequence has at least one step.",
        )];
    }
    if let Some(refusal) = too_many(steps) {
        return vec![refusal];
    }
    let places: HashMap<&str, usize> = steps
        .0
        .iter()
        .enumerate()
        .map(|(place, step)| (step.key.as_str(), place))
        .rev()
        .collect();
    let mut refusals = Vec::new();
    for (place, step) in steps.0.iter().enumerate() {
        let mut found = Found {
            place,
            key: &step.key,
            list: &mut refusals,
        };
        check_key(step, &places, &mut found);
        action::check(step, purpose, playbook, &mut found);
        ways::check_targets(step, &places, &mut found);
    }
    ways::check_reach(steps, exits, &places, &mut refusals);
    refusals
}

/// The one bound that a draft has to keep, too.
#[must_use]
pub fn too_many(steps: &Steps) -> Option<Refusal> {
    (steps.0.len() > MAX_STEPS)
        .then(|| Refusal::new(Code::TooLarge, "steps", "A sequence has at most 50 steps."))
}

/// Refusals about one step.
struct Found<'a> {
    place: usize,
    key: &'a str,
    list: &'a mut Vec<Refusal>,
}

impl Found<'_> {
    fn add(&mut self, code: Code, part: &str, message: &'static str) {
        self.list
            .push(Refusal::new(code, &self.path(part), named(self.key, message)));
    }

    fn conditions(&mut self, when: &Condition) {
        self.list.extend(check_condition(when, &self.path("when")));
    }

    fn path(&self, part: &str) -> String {
        format!("steps.{}.{part}", self.place)
    }
}

fn check_key(step: &Step, places: &HashMap<&str, usize>, found: &mut Found<'_>) {
    if !is_key(&step.key) {
        found.add(
            Code::Invalid,
            "key",
            "A key has lower-case letters, digits and inner hyphens, at most 64.",
        );
    }
    if places.get(step.key.as_str()) != Some(&found.place) {
        found.add(Code::AlreadyExists, "key", "An earlier step has this key.");
    }
}

/// The sentence with the step that it is about. A key that is none is not repeated.
fn named(key: &str, message: &'static str) -> Cow<'static, str> {
    if is_key(key) {
        Cow::Owned(format!("Step {key}: {message}"))
    } else {
        Cow::Borrowed(message)
    }
}

fn is_key(key: &str) -> bool {
    let key = key.as_bytes();
    let slug = key
        .iter()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == b'-');
    let dashed = key.first() == Some(&b'-') || key.last() == Some(&b'-');
    !key.is_empty() && key.len() <= MAX_KEY_CHARS && slug && !dashed
}
