//! Forms that visitors fill in.

use std::collections::HashSet;

use entity::enums::LeadType;
use entity::form::{self, Field, FieldKind, FieldTarget, Fields, WordingKeys};

use super::document::FormSetup;
use super::plan::{At, MAX_NAME_CHARS, Plan};
use crate::error::Code;
use crate::id::new_id;
use crate::lead::form_draft::MAX_KEPT_DAYS;
use crate::lead::inquiry::{MAX_ANSWER_CHARS, MAX_ANSWERS};
use crate::link::new_secret;

/// Longest name of a field, in characters.
const MAX_FIELD_NAME_CHARS: usize = 64;
/// Longest wait for a second yes: a click after a month confirms what the person has forgotten.
const MAX_OPT_IN_DAYS: i32 = 30;
/// Longest time after which a saved form counts as abandoned.
const MAX_ABANDONED_AFTER_DAYS: i32 = 30;
/// Most options of a field.
const MAX_OPTIONS: usize = 100;

/// Tokens of the HTML `autocomplete` attribute that fit what a form asks (WCAG 2.2, 1.3.5 with section 7).
const AUTOCOMPLETE: [&str; 20] = [
    "address-level1",
    "address-level2",
    "address-line1",
    "additional-name",
    "bday",
    "country",
    "email",
    "family-name",
    "given-name",
    "honorific-prefix",
    "honorific-suffix",
    "language",
    "name",
    "nickname",
    "off",
    "organization",
    "organization-title",
    "postal-code",
    "street-address",
    "tel",
];

pub(super) fn plan(plan: &mut Plan<'_>) {
    let mut seen = HashSet::new();
    for (index, wanted) in plan.setup.forms.iter().enumerate() {
        let at = At("forms", index);
        plan.check_slug(&at.part("slug"), &wanted.slug);
        plan.check_once(&at.part("slug"), &mut seen, &wanted.slug);
        plan.check_name(&at.part("title"), &wanted.title);
        plan.check_text(&at.part("intro"), &wanted.intro.0, false);
        plan.check_text(&at.part("thanks"), &wanted.thanks.0, true);
        plan.check_language(&at.part("language"), &wanted.language);
        check_wordings(plan, at, wanted);
        if wanted
            .double_opt_in
            .is_some_and(|setup| !(1..=MAX_OPT_IN_DAYS).contains(&setup.days))
        {
            let message = "The second yes may be awaited for 1 to 30 days.";
            plan.refuse(Code::Invalid, &at.part("doubleOptIn.days"), message);
        }
        check_finish_later(plan, at, wanted);
        check_fields(plan, at, wanted);
        let row = row(plan, at, wanted);
        let before = plan.known.forms.iter().find(|row| row.slug == wanted.slug);
        plan.rows.forms.settle(before, row);
    }
}

fn row(plan: &mut Plan<'_>, at: At, wanted: &FormSetup) -> form::Model {
    let service_line_id = plan.meant_if(
        &at.part("serviceLine"),
        wanted.service_line.as_ref(),
        "service line",
        |names, slug| names.lines.get(slug).copied(),
    );
    let facility_id = plan.meant_if(
        &at.part("facility"),
        wanted.facility.as_ref(),
        "facility",
        |names, slug| names.facilities.get(slug).copied(),
    );
    let campaign_id = plan.meant_if(
        &at.part("campaign"),
        wanted.campaign.as_ref(),
        "campaign",
        |names, code| names.campaigns.get(code).copied(),
    );
    let confirmation_template_id = plan.meant_if(
        &at.part("confirmation"),
        wanted.confirmation.as_ref(),
        "template",
        |names, key| names.templates.get(key).copied(),
    );
    let before = plan.known.forms.iter().find(|row| row.slug == wanted.slug);
    form::Model {
        id: before.map_or_else(|| new_id(plan.now), |row| row.id),
        slug: wanted.slug.clone(),
        title: wanted.title.clone(),
        intro: wanted.intro.0.clone(),
        thanks: wanted.thanks.0.clone(),
        language: wanted.language.clone(),
        lead_type: wanted.lead_type,
        channel: wanted.channel,
        service_line_id,
        facility_id,
        campaign_id,
        fields: Fields(wanted.fields.clone()),
        wordings: WordingKeys(wanted.wordings.clone()),
        opt_in_days: wanted.double_opt_in.map(|setup| setup.days),
        abandoned_after_days: wanted.finish_later.map(|setup| setup.abandoned_after_days),
        kept_days: wanted.finish_later.map(|setup| setup.kept_days),
        confirmation_template_id,
        public_key: before.map_or_else(new_secret, |row| row.public_key.clone()),
        active: wanted.active,
        created_at: before.map_or(plan.now, |row| row.created_at),
    }
}

fn check_wordings(plan: &mut Plan<'_>, at: At, wanted: &FormSetup) {
    let mut seen = HashSet::new();
    for (index, key) in wanted.wordings.iter().enumerate() {
        let path = at.part(&format!("wordings.{index}"));
        plan.check_once(&path, &mut seen, key);
        let found = plan.names.wordings.get(key).map(|_| ());
        plan.meant(&path, found, "consent wording");
    }
}

fn check_finish_later(plan: &mut Plan<'_>, at: At, wanted: &FormSetup) {
    let Some(setup) = wanted.finish_later else { return };
    if !(1..=MAX_ABANDONED_AFTER_DAYS).contains(&setup.abandoned_after_days) {
        let message = "A saved form counts as abandoned after 1 to 30 days.";
        plan.refuse(Code::Invalid, &at.part("finishLater.abandonedAfterDays"), message);
    }
    if setup.kept_days <= setup.abandoned_after_days || setup.kept_days > MAX_KEPT_DAYS {
        let message =
            "A saved form is kept for longer than until it counts as abandoned, and at most 90 days.";
        plan.refuse(Code::Invalid, &at.part("finishLater.keptDays"), message);
    }
    if !wanted
        .fields
        .iter()
        .any(|field| field.target == FieldTarget::Email)
    {
        let message =
            "A form that can be finished later asks for an email address, to which the link to it goes.";
        plan.refuse(Code::Required, &at.part("finishLater"), message);
    }
}

fn check_fields(plan: &mut Plan<'_>, at: At, wanted: &FormSetup) {
    if wanted.fields.len() > MAX_ANSWERS {
        return plan.refuse(
            Code::TooLarge,
            &at.part("fields"),
            "A form has at most 50 fields.",
        );
    }
    let mut names = HashSet::new();
    let mut targets = HashSet::new();
    for (index, field) in wanted.fields.iter().enumerate() {
        let path = at.part(&format!("fields.{index}"));
        check_field_name(plan, &path, field);
        if !names.insert(field.name.as_str()) {
            plan.refuse(
                Code::AlreadyExists,
                &format!("{path}.name"),
                "An earlier field of the form has this name.",
            );
        }
        if field.target != FieldTarget::Answer && !targets.insert(field.target) {
            let message = "An earlier field of the form becomes the same.";
            plan.refuse(Code::AlreadyExists, &format!("{path}.target"), message);
        }
        check_field(plan, &path, field);
        check_options(plan, &path, field);
    }
    check_reachable(plan, at, wanted, &targets);
}

/// What a lead of this type cannot be without must be asked for.
fn check_reachable(plan: &mut Plan<'_>, at: At, wanted: &FormSetup, targets: &HashSet<FieldTarget>) {
    if !targets.contains(&FieldTarget::Email) && !targets.contains(&FieldTarget::Phone) {
        let message = "A form asks for an email address or a phone number, so that somebody can answer.";
        plan.refuse(Code::Required, &at.part("fields"), message);
    }
    let for_organization = matches!(wanted.lead_type, LeadType::Referral | LeadType::EmployerPartner);
    if for_organization && !targets.contains(&FieldTarget::Organization) {
        let message = "A form for practices and employers asks for the organization.";
        plan.refuse(Code::Required, &at.part("fields"), message);
    }
    if !targets.contains(&FieldTarget::GivenName) && !targets.contains(&FieldTarget::Organization) {
        plan.refuse(Code::Required, &at.part("fields"), "A form asks for a name.");
    }
}

fn check_field_name(plan: &mut Plan<'_>, path: &str, field: &Field) {
    let name = &field.name;
    let plain = name
        .bytes()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_');
    if !plain || name.len() > MAX_FIELD_NAME_CHARS || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        let message =
            "Write a lower-case letter, then lower-case letters, digits and underscores, at most 64.";
        plan.refuse(Code::Invalid, &format!("{path}.name"), message);
    }
}

fn check_field(plan: &mut Plan<'_>, path: &str, field: &Field) {
    plan.check_name(&format!("{path}.label"), &field.label);
    plan.check_text(
        &format!("{path}.hint"),
        field.hint.as_deref().unwrap_or_default(),
        false,
    );
    if field.max_chars == 0 || usize::from(field.max_chars) > MAX_ANSWER_CHARS {
        plan.refuse(
            Code::Invalid,
            &format!("{path}.maxChars"),
            "A value has 1 to 4000 characters.",
        );
    }
    if field
        .autocomplete
        .as_ref()
        .is_some_and(|token| !AUTOCOMPLETE.contains(&token.as_str()))
    {
        let message = "This is not an HTML autocomplete token for what a form asks.";
        plan.refuse(Code::Invalid, &format!("{path}.autocomplete"), message);
    }
    let fits = match field.target {
        FieldTarget::Email => field.kind == FieldKind::Email,
        FieldTarget::Phone => field.kind == FieldKind::Phone,
        FieldTarget::Facility => field.kind == FieldKind::Select,
        FieldTarget::Answer => !matches!(field.kind, FieldKind::Email | FieldKind::Phone),
        FieldTarget::RequestedService | FieldTarget::Region => {
            matches!(field.kind, FieldKind::Text | FieldKind::Select)
        }
        FieldTarget::GivenName
        | FieldTarget::FamilyName
        | FieldTarget::Organization
        | FieldTarget::PostalCode => field.kind == FieldKind::Text,
    };
    if !fits {
        let message = "What this field becomes cannot be filled in this way.";
        plan.refuse(Code::Invalid, &format!("{path}.kind"), message);
    }
}

fn check_options(plan: &mut Plan<'_>, path: &str, field: &Field) {
    if (field.kind == FieldKind::Select) == field.options.is_empty() {
        let message = "A field to choose from has options, and no other field has.";
        plan.refuse(Code::Invalid, &format!("{path}.options"), message);
    }
    if field.options.len() > MAX_OPTIONS {
        plan.refuse(
            Code::TooLarge,
            &format!("{path}.options"),
            "A field has at most 100 options.",
        );
    }
    let mut seen = HashSet::new();
    for (index, option) in field.options.iter().enumerate() {
        let path = format!("{path}.options.{index}");
        let value_path = format!("{path}.value");
        plan.check_name(&value_path, &option.value);
        plan.check_name(&format!("{path}.label"), &option.label);
        plan.check_once(&value_path, &mut seen, &option.value);
        let longest = usize::from(field.max_chars).min(MAX_NAME_CHARS);
        if option.value.chars().count() > longest {
            plan.refuse(
                Code::TooLarge,
                &value_path,
                "The value is longer than the field allows.",
            );
        }
        if field.target == FieldTarget::Facility {
            let found = plan.names.facilities.get(&option.value).copied();
            plan.meant(&value_path, found, "facility");
        }
    }
}
