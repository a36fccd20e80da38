//! Templates of mails, in their layouts.

use std::collections::HashSet;

use entity::{template, template_version};

use super::document::{LayoutSetup, TemplateSetup};
use super::plan::{At, Plan};
use crate::error::Code;
use crate::id::new_id;
use crate::outreach::template::check;

/// Where a layout takes in the text of a template.
const BODY: &str = "{{ body }}";

/// The whole text of a mail.
struct Whole {
    subject: String,
    html: String,
    text: String,
    is_whole: bool,
}

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
        for (part, source) in [("html", &wanted.html.0), ("text", &wanted.text.0)] {
            if source.matches(BODY).count() != 1 {
                plan.refuse(
                    Code::Invalid,
                    &at.part(part),
                    "A layout says {{ body }} once, where the mail's own text goes.",
                );
            }
        }
    }
}

fn templates(plan: &mut Plan<'_>) {
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
        let row = template::Model {
            id: before.map_or_else(|| new_id(plan.now), |row| row.id),
            key: wanted.key.clone(),
            name: wanted.name.clone(),
            purpose: wanted.purpose,
            created_at: before.map_or(plan.now, |row| row.created_at),
        };
        plan.names.templates.insert(row.key.clone(), row.id);
        let whole = whole(plan, at, wanted);
        version(plan, at, &row, whole);
        plan.rows.templates.settle(before, row);
    }
}

/// The template's text in its layout.
fn whole(plan: &mut Plan<'_>, at: At, wanted: &TemplateSetup) -> Whole {
    let layout: Option<&LayoutSetup> = wanted.layout.as_ref().and_then(|key| {
        let found = plan.setup.layouts.iter().find(|layout| layout.key == *key);
        plan.meant(&at.part("layout"), found, "layout")
    });
    let framed = |frame: Option<&String>, own: &String| match frame {
        Some(frame) => frame.replacen(BODY, own, 1),
        None => own.clone(),
    };
    Whole {
        subject: wanted.subject.clone(),
        html: framed(layout.map(|layout| &layout.html.0), &wanted.html.0),
        text: framed(layout.map(|layout| &layout.text.0), &wanted.text.0),
        // What a frame that does not exist would have held cannot be missed.
        is_whole: layout.is_some() == wanted.layout.is_some(),
    }
}

/// Plans a new version if the text is not that of the newest.
fn version(plan: &mut Plan<'_>, at: At, template: &template::Model, whole: Whole) {
    if whole.is_whole {
        let wrong = check(&whole.subject, &whole.html, &whole.text, template.purpose);
        plan.refuse_below(&format!("{}.{}", at.0, at.1), wrong);
    }
    let newest = plan.known.template_texts.get(&template.id);
    let is_same = newest.is_some_and(|row| {
        (&row.subject, &row.html, &row.text) == (&whole.subject, &whole.html, &whole.text)
    });
    if is_same {
        plan.rows.template_versions.same += 1;
        return;
    }
    let row = template_version::Model {
        id: new_id(plan.now),
        template_id: template.id,
        version: newest.map_or(1, |row| row.version + 1),
        subject: whole.subject,
        html: whole.html,
        text: whole.text,
        created_at: plan.now,
    };
    plan.rows.template_versions.made.push(row);
}
