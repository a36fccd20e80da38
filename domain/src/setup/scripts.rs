//! Intake scripts. A script that says something else is a new version; what was answered keeps the one it was asked in.

use std::collections::HashSet;

use entity::checklist::{LeadTypes, ServiceLines};
use entity::enums::EligibilityFlag;
use entity::intake_script::{self, Content, Question, QuestionKind};

use super::document::ScriptSetup;
use super::plan::{At, Plan};
use crate::error::Code;
use crate::id::new_id;
use crate::lead::script::YES_OR_NO;

/// Most questions, documents or things not to say of a script.
const MAX_PARTS: usize = 40;
/// Most options of a question.
const MAX_OPTIONS: usize = 30;

pub(super) fn plan(plan: &mut Plan<'_>) {
    let setup = plan.setup;
    let mut seen = HashSet::new();
    for (index, wanted) in setup.scripts.iter().enumerate() {
        let at = At("scripts", index);
        plan.check_slug(&at.part("key"), &wanted.key);
        plan.check_once(&at.part("key"), &mut seen, &wanted.key);
        plan.check_name(&at.part("name"), &wanted.name);
        let mut lines = Vec::with_capacity(wanted.service_lines.len());
        for (place, slug) in wanted.service_lines.iter().enumerate() {
            let line = plan.names.lines.get(slug).copied();
            lines.extend(plan.meant(&at.part(&format!("serviceLines.{place}")), line, "service line"));
        }
        check_content(plan, at, wanted);
        settle(plan, wanted, ServiceLines(lines));
    }
}

fn settle(plan: &mut Plan<'_>, wanted: &ScriptSetup, service_lines: ServiceLines) {
    let of_key = plan.known.scripts.iter().filter(|row| row.key == wanted.key);
    let newest = of_key.max_by_key(|row| row.version);
    let row = intake_script::Model {
        id: new_id(plan.now),
        key: wanted.key.clone(),
        version: newest.map_or(1, |row| row.version + 1),
        name: wanted.name.clone(),
        lead_types: LeadTypes(wanted.lead_types.clone()),
        service_lines,
        content: Content {
            opening: wanted.opening.as_ref().map(|text| text.0.clone()),
            questions: wanted.questions.clone(),
            documents: wanted.documents.clone(),
            scheduling: wanted.scheduling.as_ref().map(|text| text.0.clone()),
            avoid: wanted.avoid.clone(),
        },
        created_at: plan.now,
    };
    let says_the_same = |before: &&intake_script::Model| {
        (
            &before.name,
            &before.lead_types,
            &before.service_lines,
            &before.content,
        ) == (&row.name, &row.lead_types, &row.service_lines, &row.content)
    };
    if newest.as_ref().is_some_and(says_the_same) {
        plan.rows.scripts.same += 1;
    } else {
        plan.rows.scripts.made.push(row);
    }
}

fn check_content(plan: &mut Plan<'_>, at: At, wanted: &ScriptSetup) {
    for (part, text) in [("opening", &wanted.opening), ("scheduling", &wanted.scheduling)] {
        if let Some(text) = text {
            plan.check_text(&at.part(part), &text.0, true);
        }
    }
    for (part, lines) in [("documents", &wanted.documents), ("avoid", &wanted.avoid)] {
        check_count(plan, &at.part(part), lines.len());
        for (place, line) in lines.iter().enumerate() {
            plan.check_name(&at.part(&format!("{part}.{place}")), line);
        }
    }
    check_count(plan, &at.part("questions"), wanted.questions.len());
    let mut seen = HashSet::new();
    for (place, question) in wanted.questions.iter().enumerate() {
        let part = |part: &str| at.part(&format!("questions.{place}.{part}"));
        plan.check_slug(&part("key"), &question.key);
        plan.check_once(&part("key"), &mut seen, &question.key);
        plan.check_name(&part("text"), &question.text);
        check_options(plan, &part, question);
        check_effects(plan, &part, question);
    }
}

fn check_count(plan: &mut Plan<'_>, path: &str, count: usize) {
    if count > MAX_PARTS {
        plan.refuse(Code::TooLarge, path, "A script has at most 40 of these.");
    }
}

fn check_options(plan: &mut Plan<'_>, part: &dyn Fn(&str) -> String, question: &Question) {
    let is_choice = question.kind == QuestionKind::Choice;
    if is_choice == question.options.is_empty() || question.options.len() > MAX_OPTIONS {
        let message = "A question of the kind CHOICE has 1 to 30 options, and no other has any.";
        plan.refuse(Code::Invalid, &part("options"), message);
    }
    let mut seen = HashSet::new();
    for (place, option) in question.options.iter().enumerate() {
        let path = |name: &str| part(&format!("options.{place}.{name}"));
        plan.check_slug(&path("value"), &option.value);
        plan.check_once(&path("value"), &mut seen, &option.value);
        plan.check_name(&path("label"), &option.label);
    }
}

fn check_effects(plan: &mut Plan<'_>, part: &dyn Fn(&str) -> String, question: &Question) {
    let can_be = |answer: &str| match question.kind {
        QuestionKind::YesNo => YES_OR_NO.contains(&answer),
        QuestionKind::Choice => question.options.iter().any(|option| option.value == answer),
        QuestionKind::Text | QuestionKind::Date => false,
    };
    let mut seen = HashSet::new();
    for (place, effect) in question.effects.iter().enumerate() {
        let path = |name: &str| part(&format!("effects.{place}.{name}"));
        plan.check_once(&path("answer"), &mut seen, &effect.answer);
        if !can_be(&effect.answer) {
            let message = "Name an answer to this question: YES, NO, or the value of an option.";
            plan.refuse(Code::NotFound, &path("answer"), message);
        }
        if effect.sets.is_empty() && effect.clears.is_empty() {
            plan.refuse(
                Code::Required,
                &path("sets"),
                "Name a flag that the answer sets or clears.",
            );
        }
        if effect.sets.iter().any(|flag| effect.clears.contains(flag)) {
            let message = "A flag cannot be set and cleared by one answer.";
            plan.refuse(Code::Invalid, &path("clears"), message);
        }
        let own = EligibilityFlag::PossibleDuplicateContact;
        if effect.sets.contains(&own) || effect.clears.contains(&own) {
            let message = "Whether a contact is known twice is not for a script to say.";
            plan.refuse(Code::Invalid, &path("sets"), message);
        }
    }
}
