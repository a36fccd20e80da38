//! Templates of mails, in their layouts.

use std::collections::HashSet;

use entity::enums::Role;
use entity::id::StaffId;
use entity::template_version::{self, TemplateState};
use entity::{staff, template};

use super::document::{BodySetup, TemplateSetup};
use super::plan::{At, Plan};
use crate::error::Code;
use crate::id::new_id;
use crate::outreach::template::lint::lint_content;
use crate::outreach::template::{Content, Draft, Finding, PrivateWords, Severity, Words, compile};
use crate::outreach::template_store::new_version;
use crate::viewer::Actor;

pub(super) fn plan(plan: &mut Plan<'_>) {
    layouts(plan);
    templates(plan);
}

fn layouts(plan: &mut Plan<'_>) {
    let mut seen = HashSet::new();
    for (index, wanted) in plan.setup.layouts.iter().enumerate() {
        let at = At("layouts", index);
        plan.check_slug(&at.part("key"), &wanted.key);
        plan.check_once(&at.part("key"), &mut seen, &wanted.key);
    }
}

fn templates(plan: &mut Plan<'_>) {
    let private = private_words(plan);
    let mut seen = HashSet::new();
    for (index, wanted) in plan.setup.templates.iter().enumerate() {
        let at = At("templates", index);
        plan.check_slug(&at.part("key"), &wanted.key);
        plan.check_once(&at.part("key"), &mut seen, &wanted.key);
        plan.check_name(&at.part("name"), &wanted.name);
        let before = plan.known.templates.iter().find(|row| row.key == wanted.key);
        if before.is_some_and(|row| row.purpose != wanted.purpose) {
            let message = "A template keeps its purpose, because consent is asked by it; use another key.";
            plan.refuse(Code::NotAllowedNow, &at.part("purpose"), message);
        }
        plan.check_purpose(&at.part("purpose"), wanted.purpose);
        let row = template::Model {
            id: before.map_or_else(|| new_id(plan.now), |row| row.id),
            key: wanted.key.clone(),
            name: wanted.name.clone(),
            purpose: wanted.purpose,
            created_at: before.map_or(plan.now, |row| row.created_at),
        };
        plan.names.templates.insert(row.key.clone(), row.id);
        let approval = approval(plan, at, wanted);
        let content = content(plan, at, wanted, &private);
        if approval.is_some()
            && let Some(content) = &content
        {
            refuse_findings(plan, at, lint_content(content, wanted.purpose));
        }
        // What could not be read is refused already; sequences that send it are not at fault.
        version(plan, &row, content.unwrap_or_default(), approval);
        plan.rows.templates.settle(before, row);
    }
}

/// The words that tell a health interest: those of the services that there are, and that the document adds.
fn private_words(plan: &Plan<'_>) -> PrivateWords {
    let known = plan
        .known
        .lines
        .iter()
        .flat_map(|line| [line.name.as_str(), line.slug.as_str()]);
    let aliases = plan.known.aliases.iter().map(|alias| alias.alias.as_str());
    let added = plan.setup.service_lines.iter().flat_map(|line| {
        let own = [line.name.as_str(), line.slug.as_str()];
        own.into_iter().chain(line.aliases.iter().map(String::as_str))
    });
    PrivateWords::named(known.chain(aliases).chain(added))
}

/// Who wrote it and who approved it, by the document.
fn approval(plan: &mut Plan<'_>, at: At, wanted: &TemplateSetup) -> Option<(StaffId, StaffId)> {
    let approved_by = wanted.approved_by.as_ref()?;
    let path = at.part("approvedBy");
    let reviewer = person(plan, &path, approved_by)?;
    if reviewer.role != Role::ClinicalReviewer || !reviewer.active {
        let message = "A template is approved by a clinical reviewer who works here.";
        plan.refuse(Code::NotAllowedNow, &path, message);
        return None;
    }
    let Some(written_by) = &wanted.written_by else {
        let message = "Say who wrote what is approved: nobody approves their own words.";
        plan.refuse(Code::Required, &at.part("writtenBy"), message);
        return None;
    };
    let author = person(plan, &at.part("writtenBy"), written_by)?;
    if author.id == reviewer.id {
        plan.refuse(Code::NotAllowedNow, &path, "Nobody approves their own words.");
        return None;
    }
    Some((author.id, reviewer.id))
}

/// The member of staff of this address, here or in the document.
fn person(plan: &mut Plan<'_>, path: &str, address: &str) -> Option<staff::Model> {
    let address = address.trim().to_lowercase();
    let planned = &plan.rows.staff;
    let found = planned
        .made
        .iter()
        .chain(&planned.changed)
        .chain(&plan.known.staff)
        .find(|row| row.email == address)
        .cloned();
    plan.meant(path, found, "member of staff")
}

/// The template's words in its layout, compiled.
fn content(plan: &mut Plan<'_>, at: At, wanted: &TemplateSetup, private: &PrivateWords) -> Option<Content> {
    let found = plan
        .setup
        .layouts
        .iter()
        .find(|layout| layout.key == wanted.layout);
    let layout = plan.meant(&at.part("layout"), found, "layout")?;
    let draft = Draft {
        default_language: wanted.default_language.clone(),
        layout: layout.mjml.0.clone(),
        words: wanted.bodies.iter().map(words).collect(),
    };
    compile(&draft, private)
        .map_err(|findings| refuse_findings(plan, at, findings))
        .ok()
}

fn words(body: &BodySetup) -> Words {
    Words {
        language: body.language.clone(),
        subject: body.subject.clone(),
        preheader: body.preheader.clone(),
        slots: body
            .slots
            .iter()
            .map(|(name, text)| (name.clone(), text.0.clone()))
            .collect(),
        text: body.text.as_ref().map(|text| text.0.clone()),
    }
}

/// Refuses what must not be: of a template that comes approved, what a reviewer would never be shown.
fn refuse_findings(plan: &mut Plan<'_>, at: At, findings: Vec<Finding>) {
    let wrong = findings
        .iter()
        .filter(|finding| finding.severity > Severity::Warning)
        .map(Finding::refusal)
        .collect();
    plan.refuse_below(&format!("{}.{}", at.0, at.1), wrong);
}

/// Plans a new version if a letter differs from the newest, and its approval if the document says so.
fn version(
    plan: &mut Plan<'_>,
    template: &template::Model,
    content: Content,
    approval: Option<(StaffId, StaffId)>,
) {
    let newest = plan.known.template_texts.get(&template.id).cloned();
    let (mut row, before) = match newest {
        Some(newest) if newest.content_sha256 == content.sha256 => (newest.clone(), Some(newest)),
        newest => {
            let number = newest.as_ref().map_or(1, |row| row.version + 1);
            let author = approval.map_or(Actor::SYSTEM, |(author, _)| Actor {
                kind: entity::enums::ActorKind::Staff,
                id: Some(author.0),
            });
            if let Some(old) = newest {
                plan.rows.template_versions.changed.push(template_version::Model {
                    state: TemplateState::Superseded,
                    ..old
                });
            }
            (new_version(template.id, number, content, author, plan.now), None)
        }
    };
    if let Some((_, reviewer)) = approval.filter(|(_, reviewer)| row.author_id != Some(reviewer.0))
        && row.state != TemplateState::Approved
    {
        row.state = TemplateState::Approved;
        row.submitted_at = row.submitted_at.or(Some(plan.now));
        row.reviewed_at = Some(plan.now);
        row.reviewed_by = Some(reviewer);
        row.approved_sha256 = Some(row.content_sha256.clone());
    }
    plan.rows.template_versions.settle(before.as_ref(), row);
}
