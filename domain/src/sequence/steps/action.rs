//! What is wrong with what a step does.

use entity::enums::{EligibilityFlag, LeadStage, Purpose};
use entity::sequence_version::{Action, Awaited, Step, Way};

use super::{Found, MAX_DUE_MINS, MAX_SEED_CHARS, MAX_TITLE_CHARS, MAX_WAIT_SECS, MAX_WAYS, MAX_WEIGHT};
use crate::error::Code;
use crate::playbook::{Playbook, fold_name};
use crate::readable::misleads;

/// Digits from which a number in a title is taken for a phone number.
const MIN_PHONE_DIGITS: usize = 7;
/// Flags that a machine may raise. The others follow from the lead's data.
const MAY_ADD: [EligibilityFlag; 3] = [
    EligibilityFlag::TriageNeeded,
    EligibilityFlag::OrderMissing,
    EligibilityFlag::ReferralRequired,
];
/// Flags that a machine may lower. That a clinician must look at a lead, only a clinician ends.
const MAY_REMOVE: [EligibilityFlag; 2] = [EligibilityFlag::OrderMissing, EligibilityFlag::ReferralRequired];

/// Checks what a step does, its ways aside.
pub(super) fn check(step: &Step, purpose: Purpose, playbook: &Playbook, found: &mut Found<'_>) {
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
            check_title(title, found);
            if !(1..=MAX_DUE_MINS).contains(due_in_mins) {
                found.add(
                    Code::Invalid,
                    "dueInMins",
                    "A follow-up is due in 1 to 43200 business minutes.",
                );
            }
        }
        Action::Branch { when, .. } => found.conditions(when),
        Action::WaitFor { .. } => check_wait_for(&step.action, found),
        Action::Split { seed, ways } => check_split(seed.as_deref(), ways, found),
        Action::UpdateLead {
            add_flags,
            remove_flags,
            team,
        } => check_update(add_flags, remove_flags, team.as_deref(), playbook, found),
        Action::NotifyStaff { title, .. } => {
            check_title(title, found);
            if names_a_service(title, playbook) {
                let message = "The subject names a service line; it is read on locked screens.";
                found.add(Code::Invalid, "title", message);
            }
        }
        Action::Goal { when } => {
            if when.0.is_empty() {
                found.add(
                    Code::Required,
                    "when",
                    "A goal without a condition is reached at once.",
                );
            }
            found.conditions(when);
        }
        Action::Wait { .. } | Action::WaitUntil { .. } | Action::End {} => {}
    }
}

/// A title is one line in the author's own words: no field of the person is filled in, and nobody is named in it by an
/// address or a number.
fn check_title(title: &str, found: &mut Found<'_>) {
    let chars = title.trim().chars().count();
    if !(1..=MAX_TITLE_CHARS).contains(&chars) || title.chars().any(misleads) {
        found.add(
            Code::Invalid,
            "title",
            "A title is one line of 1 to 200 characters.",
        );
    }
    if ["{{", "}}", "{%", "%}"].iter().any(|mark| title.contains(mark)) {
        found.add(
            Code::Invalid,
            "title",
            "No field of the person may stand in a title.",
        );
    }
    let digits = title.chars().filter(char::is_ascii_digit).count();
    if title.contains('@') || digits >= MIN_PHONE_DIGITS {
        let message = "A title holds no address and no number of a person.";
        found.add(Code::Invalid, "title", message);
    }
}

/// Whether a line has the name, slug or another name of a service line in it, word by word.
fn names_a_service(title: &str, playbook: &Playbook) -> bool {
    let title = format!(" {} ", fold_name(title));
    playbook
        .line_by_name
        .keys()
        .any(|name| !name.is_empty() && title.contains(&format!(" {name} ")))
}

fn check_wait_for(action: &Action, found: &mut Found<'_>) {
    let Action::WaitFor {
        event,
        stage,
        outcome,
        timeout_secs,
        ..
    } = action
    else {
        return;
    };
    if !(1..=MAX_WAIT_SECS).contains(timeout_secs) {
        found.add(
            Code::Invalid,
            "timeoutSecs",
            "A wait takes from one second to 365 days.",
        );
    }
    match (*event == Awaited::StageReached, stage) {
        (true, None) => found.add(Code::Required, "stage", "Name the stage that is waited for."),
        (true, Some(LeadStage::Closed)) => {
            let message = "A closed lead leaves the sequence; nothing comes after it.";
            found.add(Code::Invalid, "stage", message);
        }
        (false, Some(_)) => found.add(Code::Invalid, "stage", "Only a wait for a stage names one."),
        (true, Some(_)) | (false, None) => {}
    }
    if outcome.is_some() && *event != Awaited::AttemptLogged {
        found.add(
            Code::Invalid,
            "outcome",
            "Only a wait for an attempt names an outcome.",
        );
    }
}

fn check_split(seed: Option<&str>, ways: &[Way], found: &mut Found<'_>) {
    if !(2..=MAX_WAYS).contains(&ways.len()) {
        found.add(Code::Invalid, "ways", "A split has 2 to 10 ways.");
    }
    for (place, way) in ways.iter().enumerate() {
        if !(1..=MAX_WEIGHT).contains(&way.weight) {
            let part = format!("ways.{place}.weight");
            found.add(Code::Invalid, &part, "A weight is a whole number from 1 to 1000.");
        }
    }
    let is_seed =
        |seed: &str| (1..=MAX_SEED_CHARS).contains(&seed.chars().count()) && !seed.chars().any(misleads);
    if seed.is_some_and(|seed| !is_seed(seed)) {
        found.add(Code::Invalid, "seed", "A seed has 1 to 64 characters.");
    }
}

fn check_update(
    added: &[EligibilityFlag],
    removed: &[EligibilityFlag],
    team: Option<&str>,
    playbook: &Playbook,
    found: &mut Found<'_>,
) {
    if added.is_empty() && removed.is_empty() && team.is_none() {
        found.add(Code::Required, "addFlags", "Say what changes.");
    }
    if added.iter().any(|flag| !MAY_ADD.contains(flag)) {
        let message = "A step may only add TRIAGE_NEEDED, ORDER_MISSING and REFERRAL_REQUIRED.";
        found.add(Code::Invalid, "addFlags", message);
    }
    if removed.iter().any(|flag| !MAY_REMOVE.contains(flag)) {
        let message = "A step may only take away ORDER_MISSING and REFERRAL_REQUIRED.";
        found.add(Code::Invalid, "removeFlags", message);
    }
    if added.iter().any(|flag| removed.contains(flag)) {
        found.add(
            Code::Invalid,
            "removeFlags",
            "A flag is added or taken away, not both.",
        );
    }
    let is_team = |slug: &str| playbook.teams.values().any(|team| team.slug == slug);
    if team.is_some_and(|slug| !is_team(slug)) {
        found.add(Code::NotFound, "team", "There is no such team.");
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
        Some(_) if !speaks_to_everybody(key, playbook) => {
            let message = "The template has no text in the language of one of the forms.";
            found.add(Code::NotAllowedNow, "template", message);
        }
        Some(_) => {}
    }
}

/// Whether the text is there in the language of every form: who was asked in a language is written to in it.
fn speaks_to_everybody(key: &str, playbook: &Playbook) -> bool {
    playbook
        .template_version(key)
        .is_some_and(|version| playbook.forms.values().all(|form| version.speaks(&form.language)))
}
