//! What is wrong with triggers, and with conditions wherever they stand.

use entity::condition::{Comparison, Condition, Fact};
use entity::enums::EligibilityFlag;
use entity::form;
use entity::sequence_version::{DateAnchor, Trigger, TriggerKind};

use super::{MAX_CLAUSES, MAX_VALUE_CHARS, MAX_VALUES};
use crate::condition::{is_numeric, number};
use crate::error::{Code, Refusal};
use crate::sequence::dates::MAX_DAYS;

/// Flags that say that something is missing.
const MISSING: [EligibilityFlag; 3] = [
    EligibilityFlag::OrderMissing,
    EligibilityFlag::ReferralRequired,
    EligibilityFlag::ServiceUnclear,
];

/// What is wrong with a trigger, where these are the forms that can be filled in.
#[must_use]
pub fn check_trigger(trigger: &Trigger, forms: &[&form::Model]) -> Vec<Refusal> {
    let mut refusals = check_condition(&trigger.filter, "trigger.filter");
    match (trigger.on, trigger.stage) {
        (TriggerKind::StageChanged, None) => {
            refusals.push(Refusal::new(
                Code::Required,
                "trigger.stage",
                "Name the stage that enrolls.",
            ));
        }
        (TriggerKind::StageChanged, Some(_)) | (_, None) => {}
        (_, Some(_)) => {
            let message = "Only a trigger on a change of stage names a stage.";
            refusals.push(Refusal::new(Code::Invalid, "trigger.stage", message));
        }
    }
    match (trigger.on, trigger.flag) {
        (TriggerKind::InformationMissing, None) => {
            let message = "Name the flag that says what is missing.";
            refusals.push(Refusal::new(Code::Required, "trigger.flag", message));
        }
        (TriggerKind::InformationMissing, Some(flag)) if !MISSING.contains(&flag) => {
            let message = "This flag does not say that something is missing.";
            refusals.push(Refusal::new(Code::Invalid, "trigger.flag", message));
        }
        (TriggerKind::InformationMissing, Some(_)) | (_, None) => {}
        (_, Some(_)) => {
            let message = "Only a trigger on missing information names a flag.";
            refusals.push(Refusal::new(Code::Invalid, "trigger.flag", message));
        }
    }
    check_date(trigger, &mut refusals);
    check_form(trigger, forms, &mut refusals);
    refusals
}

/// A form that nobody can save is never left with anything to remind of.
fn check_form(trigger: &Trigger, forms: &[&form::Model], refusals: &mut Vec<Refusal>) {
    let mut refuse = |code, path, message: &'static str| refusals.push(Refusal::new(code, path, message));
    match (trigger.on, &trigger.form) {
        (TriggerKind::FormAbandoned, None) => {
            if !forms.iter().any(|form| form.finish_later().is_some()) {
                let message = "No form can be saved to be finished later, so none is ever abandoned.";
                refuse(Code::NotAllowedNow, "trigger.on", message);
            }
        }
        (TriggerKind::FormAbandoned, Some(slug)) => match forms.iter().find(|form| form.slug == *slug) {
            None => refuse(Code::NotFound, "trigger.form", "There is no such form."),
            Some(form) if form.finish_later().is_none() => {
                let message = "This form cannot be saved to be finished later, so the trigger FORM_ABANDONED never comes.";
                refuse(Code::NotAllowedNow, "trigger.form", message);
            }
            Some(_) => {}
        },
        (_, Some(_)) => {
            let message = "Only a trigger on an abandoned form names a form.";
            refuse(Code::Invalid, "trigger.form", message);
        }
        (_, None) => {}
    }
}

fn check_date(trigger: &Trigger, refusals: &mut Vec<Refusal>) {
    let mut refuse =
        |code, path: &str, message: &'static str| refusals.push(Refusal::new(code, path, message));
    let Some(rule) = &trigger.date else {
        if trigger.on == TriggerKind::Date {
            refuse(Code::Required, "trigger.date", "Say which day enrolls.");
        }
        return;
    };
    if trigger.on != TriggerKind::Date {
        refuse(
            Code::Invalid,
            "trigger.date",
            "Only a trigger on a date names a day.",
        );
    }
    if rule.days.unsigned_abs() > MAX_DAYS.unsigned_abs() {
        refuse(
            Code::Invalid,
            "trigger.date.days",
            "A day is at most 365 days before or after.",
        );
    }
    if rule.from == DateAnchor::Received && rule.days < 0 {
        refuse(
            Code::Invalid,
            "trigger.date.days",
            "No day before the lead came in can still come.",
        );
    }
    if rule.minute_of_day.is_some_and(|minute| minute >= 24 * 60) {
        refuse(
            Code::Invalid,
            "trigger.date.minuteOfDay",
            "A minute of the day is from 0 to 1439.",
        );
    }
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
        if matches!(clause.is, Comparison::AtLeast | Comparison::Below) {
            if !is_numeric(clause.fact) {
                refuse(
                    Code::Invalid,
                    "is",
                    "Only a score, an hour and an answer can be a number.",
                );
            }
            if clause.values.len() > 1 || clause.values.iter().any(|value| number(value).is_none()) {
                refuse(Code::Invalid, "values", "Compare with one whole number.");
            }
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
