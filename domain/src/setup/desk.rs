//! Checklists, and templates of follow-ups.

use std::collections::HashSet;

use entity::checklist::{self, Items, LeadTypes, ServiceLines};
use entity::follow_up_template;

use super::document::ChecklistSetup;
use super::plan::{At, Plan};
use crate::error::Code;
use crate::follow_up::build::MAX_TITLE_CHARS;
use crate::id::new_id;

/// Most things of a checklist.
const MAX_ITEMS: usize = 30;
/// Longest time of a template: 90 business days of eight hours.
const MAX_DUE_MINS: i64 = 90 * 8 * 60;

pub(super) fn plan(plan: &mut Plan<'_>) {
    checklists(plan);
    templates(plan);
}

fn checklists(plan: &mut Plan<'_>) {
    let setup = plan.setup;
    let mut seen = HashSet::new();
    for (index, wanted) in setup.checklists.iter().enumerate() {
        let at = At("checklists", index);
        plan.check_slug(&at.part("key"), &wanted.key);
        plan.check_once(&at.part("key"), &mut seen, &wanted.key);
        plan.check_name(&at.part("name"), &wanted.name);
        check_items(plan, at, wanted);
        let mut lines = Vec::with_capacity(wanted.service_lines.len());
        for (place, slug) in wanted.service_lines.iter().enumerate() {
            let line = plan.names.lines.get(slug).copied();
            lines.extend(plan.meant(&at.part(&format!("serviceLines.{place}")), line, "service line"));
        }
        let before = plan.known.checklists.iter().find(|row| row.key == wanted.key);
        let row = checklist::Model {
            id: before.map_or_else(|| new_id(plan.now), |row| row.id),
            key: wanted.key.clone(),
            name: wanted.name.clone(),
            lead_types: LeadTypes(wanted.lead_types.clone()),
            service_lines: ServiceLines(lines),
            items: Items(wanted.items.clone()),
            created_at: before.map_or(plan.now, |row| row.created_at),
        };
        plan.names.checklists.insert(row.key.clone(), row.id);
        plan.rows.checklists.settle(before, row);
    }
}

fn check_items(plan: &mut Plan<'_>, at: At, wanted: &ChecklistSetup) {
    if wanted.items.is_empty() || wanted.items.len() > MAX_ITEMS {
        plan.refuse(Code::Invalid, &at.part("items"), "A checklist has 1 to 30 items.");
    }
    let mut seen = HashSet::new();
    for (place, item) in wanted.items.iter().enumerate() {
        let part = |part: &str| at.part(&format!("items.{place}.{part}"));
        plan.check_slug(&part("key"), &item.key);
        plan.check_once(&part("key"), &mut seen, &item.key);
        plan.check_name(&part("label"), &item.label);
    }
}

fn templates(plan: &mut Plan<'_>) {
    let setup = plan.setup;
    let mut seen = HashSet::new();
    for (index, wanted) in setup.follow_up_templates.iter().enumerate() {
        let at = At("followUpTemplates", index);
        plan.check_slug(&at.part("key"), &wanted.key);
        plan.check_once(&at.part("key"), &mut seen, &wanted.key);
        plan.check_name(&at.part("title"), &wanted.title);
        if wanted.title.chars().count() > MAX_TITLE_CHARS {
            plan.refuse(
                Code::TooLarge,
                &at.part("title"),
                "A title has at most 200 characters.",
            );
        }
        if !(1..=MAX_DUE_MINS).contains(&wanted.due_mins) {
            plan.refuse(
                Code::Invalid,
                &at.part("dueMins"),
                "Write minutes of business time, 1 to 43200.",
            );
        }
        let checklist_id = plan.meant_if(
            &at.part("checklist"),
            wanted.checklist.as_ref(),
            "checklist",
            |names, key| names.checklists.get(key).copied(),
        );
        let before = plan
            .known
            .follow_up_templates
            .iter()
            .find(|row| row.key == wanted.key);
        let row = follow_up_template::Model {
            id: before.map_or_else(|| new_id(plan.now), |row| row.id),
            key: wanted.key.clone(),
            title: wanted.title.clone(),
            due_mins: wanted.due_mins,
            checklist_id,
            created_at: before.map_or(plan.now, |row| row.created_at),
        };
        plan.rows.follow_up_templates.settle(before, row);
    }
}
