//! Service lines, what people call them, and the texts that people agree to.

use std::collections::HashSet;

use entity::enums::{Medium, Purpose};
use entity::service_line::Procedures;
use entity::{consent_wording, service_line, service_line_alias};
use sha2::{Digest, Sha256};

use super::document::{ServiceLineSetup, WordingSetup};
use super::plan::{At, Plan};
use crate::capacity::pace;
use crate::error::Code;
use crate::id::new_id;
use crate::playbook::fold_name;

/// Most procedures of a service line that can be booked without a call.
const PROCEDURES_MAX: usize = 100;

pub(super) fn plan(plan: &mut Plan<'_>) {
    lines(plan);
    aliases(plan);
    wordings(plan);
}

fn lines(plan: &mut Plan<'_>) {
    let mut seen = HashSet::new();
    for (index, wanted) in plan.setup.service_lines.iter().enumerate() {
        let at = At("serviceLines", index);
        plan.check_slug(&at.part("slug"), &wanted.slug);
        plan.check_once(&at.part("slug"), &mut seen, &wanted.slug);
        plan.check_name(&at.part("name"), &wanted.name);
        check_pacing(plan, at, wanted);
        let before = plan.known.lines.iter().find(|row| row.slug == wanted.slug);
        let row = service_line::Model {
            id: before.map_or_else(|| new_id(plan.now), |row| row.id),
            slug: wanted.slug.clone(),
            name: wanted.name.clone(),
            direct_scheduling: wanted.direct_scheduling,
            referral_required: wanted.referral_required,
            order_required: wanted.order_required,
            triage_required: wanted.triage_required,
            direct_procedures: procedures(plan, at, &wanted.direct_procedures),
            mails_per_visit: wanted.mails_per_visit,
            pacing_weeks: wanted.pacing_weeks,
            max_wait_days: wanted.max_wait_days,
            min_open_slots: wanted.min_open_slots,
            active: wanted.active,
            created_at: before.map_or(plan.now, |row| row.created_at),
        };
        plan.names.lines.insert(row.slug.clone(), row.id);
        plan.rows.lines.settle(before, row);
    }
}

/// Numbers within which the pace of a line can be reckoned.
fn check_pacing(plan: &mut Plan<'_>, at: At, wanted: &ServiceLineSetup) {
    let numbers = [
        (
            "mailsPerVisit",
            Some(wanted.mails_per_visit),
            1..=pace::MAILS_PER_VISIT_MAX,
        ),
        ("pacingWeeks", Some(wanted.pacing_weeks), 1..=pace::WEEKS_MAX),
        ("maxWaitDays", wanted.max_wait_days, 0..=pace::WAIT_DAYS_MAX),
        ("minOpenSlots", wanted.min_open_slots, 0..=pace::SLOTS_MAX),
    ];
    for (name, number, allowed) in numbers {
        if number.is_some_and(|number| !allowed.contains(&number)) {
            let message = format!("Write a number from {} to {}.", allowed.start(), allowed.end());
            plan.refuse(Code::Invalid, &at.part(name), message);
        }
    }
}

/// The procedures that can be booked without a call, each once, in the order of the document.
fn procedures(plan: &mut Plan<'_>, at: At, names: &[String]) -> Procedures {
    if names.len() > PROCEDURES_MAX {
        let message = "A service line has at most 100 of these.";
        plan.refuse(Code::TooLarge, &at.part("directProcedures"), message);
    }
    let mut seen = HashSet::new();
    for (place, name) in names.iter().enumerate().take(PROCEDURES_MAX) {
        let path = at.part(&format!("directProcedures.{place}"));
        plan.check_name(&path, name);
        plan.check_once(&path, &mut seen, &fold_name(name));
    }
    Procedures(names.to_vec())
}

fn aliases(plan: &mut Plan<'_>) {
    let setup = plan.setup;
    let mut seen = HashSet::new();
    for (index, wanted) in setup.service_lines.iter().enumerate() {
        let at = At("serviceLines", index);
        let Some(service_line_id) = plan.names.lines.get(&wanted.slug).copied() else {
            continue;
        };
        for (place, written) in wanted.aliases.iter().enumerate() {
            let path = at.part(&format!("aliases.{place}"));
            let alias = fold_name(written);
            if alias.is_empty() || alias.chars().count() > super::plan::MAX_NAME_CHARS {
                plan.refuse(
                    Code::Invalid,
                    &path,
                    "A name has at least one letter and at most 200 characters.",
                );
                continue;
            }
            plan.check_once(&path, &mut seen, &alias);
            if names_another(plan, &alias, wanted) {
                let message = "Another service line has this name, so that nobody could tell which is meant.";
                plan.refuse(Code::AlreadyExists, &path, message);
            }
            let before = plan.known.aliases.iter().find(|row| row.alias == alias);
            let row = service_line_alias::Model {
                alias,
                service_line_id,
            };
            plan.rows.aliases.settle(before, row);
        }
    }
}

/// Whether another line's own name or slug is this alias.
fn names_another(plan: &Plan<'_>, alias: &str, own: &ServiceLineSetup) -> bool {
    let is =
        |slug: &str, name: &str| slug != own.slug && (fold_name(slug) == alias || fold_name(name) == alias);
    plan.setup
        .service_lines
        .iter()
        .any(|line| is(&line.slug, &line.name))
        || plan.known.lines.iter().any(|line| is(&line.slug, &line.name))
}

fn wordings(plan: &mut Plan<'_>) {
    let mut seen = HashSet::new();
    for (index, wanted) in plan.setup.consent_wordings.iter().enumerate() {
        let at = At("consentWordings", index);
        plan.check_slug(&at.part("key"), &wanted.key);
        plan.check_language(&at.part("language"), &wanted.language);
        plan.check_once(
            &at.part("key"),
            &mut seen,
            &format!("{}/{}", wanted.key, wanted.language),
        );
        plan.check_text(&at.part("text"), &wanted.text.0, true);
        if wanted.purpose == Purpose::Tracking && wanted.medium != Medium::Email {
            let message = "Links are opened in mails alone: TRACKING is asked about for EMAIL.";
            plan.refuse(Code::Invalid, &at.part("medium"), message);
        }
        if means_something_else(plan, wanted) {
            let message = "This key is about another medium or purpose; use another key.";
            plan.refuse(Code::Invalid, &at.part("key"), message);
        }
        plan.names.wordings.insert(wanted.key.clone());
        let of_key = plan.known.wordings.iter().filter(|row| row.key == wanted.key);
        let newest = of_key
            .filter(|row| row.language == wanted.language)
            .max_by_key(|row| row.version);
        match newest {
            Some(row) if row.text == wanted.text.0 && row.by_line == wanted.by_line => {
                plan.rows.wordings.same += 1
            }
            newest => {
                let version = newest.map_or(1, |row| row.version + 1);
                let row = wording(wanted, version, plan);
                plan.rows.wordings.made.push(row);
            }
        }
    }
}

/// A key is answered with one yes in any language, so all of it must allow the same.
fn means_something_else(plan: &Plan<'_>, wanted: &WordingSetup) -> bool {
    let differs = |medium, purpose| (medium, purpose) != (wanted.medium, wanted.purpose);
    let known = plan.known.wordings.iter().filter(|row| row.key == wanted.key);
    let named = plan
        .setup
        .consent_wordings
        .iter()
        .filter(|row| row.key == wanted.key);
    known
        .map(|row| (row.medium, row.purpose))
        .chain(named.map(|row| (row.medium, row.purpose)))
        .any(|(medium, purpose)| differs(medium, purpose))
}

fn wording(wanted: &WordingSetup, version: i32, plan: &Plan<'_>) -> consent_wording::Model {
    consent_wording::Model {
        id: new_id(plan.now),
        key: wanted.key.clone(),
        version,
        language: wanted.language.clone(),
        medium: wanted.medium,
        purpose: wanted.purpose,
        sha256: hex::encode(Sha256::digest(wanted.text.0.as_bytes())),
        text: wanted.text.0.clone(),
        by_line: wanted.by_line,
        created_at: plan.now,
    }
}
