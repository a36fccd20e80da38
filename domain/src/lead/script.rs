//! Which intake script a lead has, what may be answered to its questions, and what answers say of the lead.

use std::cmp::Reverse;

use chrono::NaiveDate;
use entity::enums::{EligibilityFlag, LeadType};
use entity::id::ServiceLineId;
use entity::intake_script::{Model, Question, QuestionKind};

use super::kinship::fit;
use crate::playbook::Playbook;
use crate::readable::misleads_in_lines;

#[cfg(test)]
mod tests;

/// Longest answer in words, in characters.
pub const MAX_ANSWER_CHARS: usize = 2_000;
/// The answers to a question of yes or no.
pub const YES_OR_NO: [&str; 2] = ["YES", "NO"];

/// The script for a lead of this type and line: the one that fits it best; of equals the first by its key.
#[must_use]
pub fn of(playbook: &Playbook, lead_type: LeadType, line: Option<ServiceLineId>) -> Option<&Model> {
    best(playbook.scripts.values(), lead_type, line)
}

fn best<'a>(
    scripts: impl Iterator<Item = &'a Model>,
    lead_type: LeadType,
    line: Option<ServiceLineId>,
) -> Option<&'a Model> {
    scripts
        .filter_map(|script| {
            let how = fit(&script.lead_types.0, &script.service_lines.0, lead_type, line)?;
            Some((how, script))
        })
        .max_by_key(|(how, script)| (*how, Reverse(&script.key)))
        .map(|(_, script)| script)
}

/// The answer as it is stored.
///
/// # Errors
/// A sentence that says what can be answered.
pub fn read(question: &Question, sent: &str) -> Result<String, &'static str> {
    let sent = sent.trim();
    match question.kind {
        QuestionKind::YesNo if YES_OR_NO.contains(&sent) => Ok(sent.to_owned()),
        QuestionKind::YesNo => Err("Answer YES or NO."),
        QuestionKind::Choice if question.options.iter().any(|option| option.value == sent) => {
            Ok(sent.to_owned())
        }
        QuestionKind::Choice => Err("Answer with the value of one of the options."),
        QuestionKind::Date => match sent.parse::<NaiveDate>() {
            Ok(day) => Ok(day.to_string()),
            Err(_) => Err("Answer with a date, for example 2026-05-12."),
        },
        QuestionKind::Text if sent.is_empty() => Err("Write the answer, or null to take it back."),
        QuestionKind::Text if sent.chars().count() > MAX_ANSWER_CHARS => {
            Err("An answer has at most 2000 characters.")
        }
        QuestionKind::Text if sent.chars().any(misleads_in_lines) => {
            Err("This has characters that cannot be read.")
        }
        QuestionKind::Text => Ok(sent.to_owned()),
    }
}

/// The flags of a lead after these answers were given, in the order of the questions. What nothing is said of stays.
#[must_use]
pub fn flags_after(
    before: &[EligibilityFlag],
    script: &Model,
    given: &[(String, String)],
) -> Vec<EligibilityFlag> {
    let mut flags = before.to_vec();
    for question in &script.content.questions {
        let answer = given.iter().find(|(key, _)| *key == question.key);
        let Some((_, answer)) = answer else { continue };
        for effect in question.effects.iter().filter(|effect| effect.answer == *answer) {
            flags.retain(|flag| !effect.clears.contains(flag));
            for flag in &effect.sets {
                if !flags.contains(flag) {
                    flags.push(*flag);
                }
            }
        }
    }
    flags
}
