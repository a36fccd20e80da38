//! Where steps lead.

use std::collections::HashMap;

use entity::sequence_version::{Action, Exits, Step, Steps};

use super::Found;
use crate::error::{Code, Refusal};

/// The steps that a step leads to by name, each with the part of the step that names it.
fn targets(action: &Action) -> Vec<(String, &str)> {
    match action {
        Action::Branch { then, otherwise, .. } | Action::WaitFor { then, otherwise, .. } => {
            vec![
                ("then".to_owned(), then.as_str()),
                ("otherwise".to_owned(), otherwise),
            ]
        }
        Action::Split { ways, .. } => ways
            .iter()
            .enumerate()
            .map(|(place, way)| (format!("ways.{place}.then"), way.then.as_str()))
            .collect(),
        _ => Vec::new(),
    }
}

/// Checks that a step leads to steps that exist and lie ahead.
pub(super) fn check_targets(step: &Step, places: &HashMap<&str, usize>, found: &mut Found<'_>) {
    for (part, target) in targets(&step.action) {
        match places.get(target) {
            None => found.add(Code::NotFound, &part, "There is no step with this key."),
            Some(place) if *place <= found.place => {
                let message = "A way leads to a later step; this one would go in circles without end.";
                found.add(Code::Invalid, &part, message);
            }
            Some(_) => {}
        }
    }
}

/// Finds steps that no way leads to (of several in a row only the first is named), and waits that end when the sequence
/// has ended. Ways lead forward, so one pass over the steps finds both: it keeps the least time after which each step can
/// be reached.
pub(super) fn check_reach(
    steps: &Steps,
    exits: &Exits,
    places: &HashMap<&str, usize>,
    refusals: &mut Vec<Refusal>,
) {
    let mut earliest: HashMap<usize, i64> = HashMap::from([(0, 0)]);
    for (place, step) in steps.0.iter().enumerate() {
        let reached = earliest.get(&place).copied();
        let mut found = Found {
            place,
            key: &step.key,
            list: refusals,
        };
        if reached.is_none() {
            found.add(Code::Invalid, "key", "No way leads to this step.");
        }
        // A step that no way leads to is named once; what follows it counts as reached.
        let at = reached.unwrap_or(0);
        let mut lead = |to: usize, at: i64| {
            let known = earliest.entry(to).or_insert(at);
            *known = at.min(*known);
        };
        match &step.action {
            Action::End {} => {}
            Action::Branch { .. } | Action::Split { .. } => {
                for to in targets(&step.action)
                    .iter()
                    .filter_map(|(_, key)| places.get(key))
                {
                    lead(*to, at);
                }
            }
            Action::WaitFor {
                timeout_secs,
                then,
                otherwise,
                ..
            } => {
                let over = at.saturating_add(*timeout_secs);
                check_end(over, exits, "timeoutSecs", &mut found);
                if let Some(to) = places.get(then.as_str()) {
                    lead(*to, at);
                }
                if let Some(to) = places.get(otherwise.as_str()) {
                    lead(*to, over);
                }
            }
            Action::Wait { secs } => {
                let over = at.saturating_add(*secs);
                check_end(over, exits, "secs", &mut found);
                lead(place + 1, over);
            }
            _ => lead(place + 1, at),
        }
    }
}

fn check_end(over: i64, exits: &Exits, part: &str, found: &mut Found<'_>) {
    if exits.after_secs.is_some_and(|ends| over >= ends) {
        let message = "The wait is longer than the sequence runs; what comes after it never happens.";
        found.add(Code::Invalid, part, message);
    }
}
