//! What a version must fulfil before it is published.
//!
//! Branches only go forward and every step can be reached, so every enrollment comes to an end after at most as many
//! steps as there are, and no step is there in vain.

use std::collections::{HashMap, HashSet};

use entity::condition::{Comparison, Condition, Fact};
use entity::enums::Purpose;
use entity::sequence_version::{Action, Step, Steps, Trigger, TriggerKind};

use crate::error::{Code, Refusal};
use crate::playbook::Playbook;

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

/// Everything that keeps these steps from being published, each with the path of what is wrong, for example
/// `steps.3.template`.
#[must_use]
pub fn check(steps: &Steps, purpose: Purpose, playbook: &Playbook) -> Vec<Refusal> {
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
            list: &mut refusals,
        };
        check_key(step, &places, &mut found);
        check_action(step, purpose, playbook, &mut found);
        check_targets(step, &places, &mut found);
    }
    refusals.extend(unreachable(steps, &places));
    refusals
}

/// The one bound that a draft has to keep, too.
#[must_use]
pub fn too_many(steps: &Steps) -> Option<Refusal> {
    (steps.0.len() > MAX_STEPS)
        .then(|| Refusal::new(Code::TooLarge, "steps", "A sequence has at most 50 steps."))
}

/// What is wrong with a trigger.
#[must_use]
pub fn check_trigger(trigger: &Trigger) -> Vec<Refusal> {
    let mut refusals = check_condition(&trigger.filter, "trigger.filter");
    match (trigger.on, trigger.stage) {
        (TriggerKind::StageChanged, None) => {
            refusals.push(Refusal::new(
                Code::Required,
                "trigger.stage",
                "Name the stage that enrolls.",
            ));
        }
        (TriggerKind::LeadReceived | TriggerKind::Manual, Some(_)) => {
            let message = "Only a trigger on a change of stage names a stage.";
            refusals.push(Refusal::new(Code::Invalid, "trigger.stage", message));
        }
        _ => {}
    }
    refusals
}

/// What is wrong with a condition; `path` is where it stands in the input.
#[must_use]
pub fn check_condition(condition: &Condition, path: &str) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if condition.0.len() > MAX_CLAUSES {
        refusals.push(Refusal::new(
            Code::TooLarge,
            path,
            "A condition has at most 20 clauses.",
        ));
        return refusals;
    }
    for (place, clause) in condition.0.iter().enumerate() {
        let mut refuse = |code, part: &str, message: &'static str| {
            refusals.push(Refusal::new(code, &format!("{path}.{place}.{part}"), message));
        };
        let named = clause
            .field
            .as_ref()
            .is_some_and(|field| !field.trim().is_empty());
        if (clause.fact == Fact::Answer) != named {
            refuse(
                Code::Invalid,
                "field",
                "A clause about an answer names the form's field, and no other clause does.",
            );
        }
        let wants_values = !matches!(clause.is, Comparison::Present | Comparison::Absent);
        if wants_values == clause.values.is_empty() {
            let message = "A comparison has values to compare with; present and absent have none.";
            refuse(Code::Invalid, "values", message);
        }
        let long = |value: &String| value.chars().count() > MAX_VALUE_CHARS;
        if clause.values.len() > MAX_VALUES || clause.values.iter().any(long) {
            refuse(
                Code::TooLarge,
                "values",
                "A clause has at most 100 values of at most 200 characters.",
            );
        }
    }
    refusals
}

/// Refusals about one step.
struct Found<'a> {
    place: usize,
    list: &'a mut Vec<Refusal>,
}

impl Found<'_> {
    fn add(&mut self, code: Code, part: &str, message: &'static str) {
        self.list.push(Refusal::new(code, &self.path(part), message));
    }

    fn path(&self, part: &str) -> String {
        format!("steps.{}.{part}", self.place)
    }
}

fn check_key(step: &Step, places: &HashMap<&str, usize>, found: &mut Found<'_>) {
    let key = step.key.as_bytes();
    let slug = key
        .iter()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == b'-');
    let dashed = key.first() == Some(&b'-') || key.last() == Some(&b'-');
    if key.is_empty() || key.len() > MAX_KEY_CHARS || !slug || dashed {
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

fn check_action(step: &Step, purpose: Purpose, playbook: &Playbook, found: &mut Found<'_>) {
    match &step.action {
        Action::SendEmail { template } => check_template(template, purpose, playbook, found),
        Action::Wait { secs } if !(1..=MAX_WAIT_SECS).contains(secs) => {
            found.add(Code::Invalid, "secs", "A wait takes from one second to 365 days.");
        }
        Action::WaitUntil { minute_of_day, .. } if *minute_of_day >= 24 * 60 => {
            found.add(
                Code::Invalid,
                "minuteOfDay",
                "A minute of the day is from 0 to 1439.",
            );
        }
        Action::FollowUp { title, due_in_mins } => {
            let chars = title.trim().chars().count();
            if !(1..=MAX_TITLE_CHARS).contains(&chars) || title.chars().any(char::is_control) {
                found.add(
                    Code::Invalid,
                    "title",
                    "A title is one line of 1 to 200 characters.",
                );
            }
            if !(1..=MAX_DUE_MINS).contains(due_in_mins) {
                found.add(
                    Code::Invalid,
                    "dueInMins",
                    "A follow-up is due in 1 to 43200 business minutes.",
                );
            }
        }
        Action::Branch { when, .. } => found.list.extend(check_condition(when, &found.path("when"))),
        Action::Wait { .. } | Action::WaitUntil { .. } | Action::End {} => {}
    }
}

fn check_template(key: &str, purpose: Purpose, playbook: &Playbook, found: &mut Found<'_>) {
    let template = playbook
        .template_by_key
        .get(key)
        .and_then(|id| playbook.templates.get(id));
    match template {
        None => found.add(Code::NotFound, "template", "There is no such template."),
        Some(_) if playbook.template_version(key).is_none() => {
            found.add(Code::NotAllowedNow, "template", "The template has no text yet.");
        }
        // Consent is asked per purpose: a promotion must not go out under a sequence for something else.
        Some(template) if template.purpose != purpose => {
            found.add(
                Code::Invalid,
                "template",
                "The template is for another purpose than the sequence.",
            );
        }
        Some(_) => {}
    }
}

fn check_targets(step: &Step, places: &HashMap<&str, usize>, found: &mut Found<'_>) {
    let Action::Branch { then, otherwise, .. } = &step.action else {
        return;
    };
    for (part, target) in [("then", then), ("otherwise", otherwise)] {
        match places.get(target.as_str()) {
            None => found.add(Code::NotFound, part, "There is no step with this key."),
            Some(place) if *place <= found.place => {
                found.add(
                    Code::Invalid,
                    part,
                    "A branch leads to a later step, so that nobody goes in circles.",
                );
            }
            Some(_) => {}
        }
    }
}

/// Steps that no way leads to; of several in a row only the first is named. Ways lead forward, so one pass finds them.
fn unreachable(steps: &Steps, places: &HashMap<&str, usize>) -> Vec<Refusal> {
    let mut reached = HashSet::from([0]);
    let mut refusals = Vec::new();
    for (place, step) in steps.0.iter().enumerate() {
        if !reached.contains(&place) {
            let message = "No way leads to this step.";
            refusals.push(Refusal::new(
                Code::Invalid,
                &format!("steps.{place}.key"),
                message,
            ));
        }
        match &step.action {
            Action::Branch { then, otherwise, .. } => {
                reached.extend(
                    [then, otherwise]
                        .into_iter()
                        .filter_map(|key| places.get(key.as_str()))
                        .copied(),
                );
            }
            Action::End {} => {}
            _ => {
                reached.insert(place + 1);
            }
        }
    }
    refusals
}
