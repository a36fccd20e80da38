//! What staff are good at.

use entity::id::StaffId;
use entity::staff_skill::{self, SkillKind};

use super::document::StaffSetup;
use super::places::sign_in_name;
use super::plan::{At, Plan};
use crate::staff::skill;

pub(super) fn plan(plan: &mut Plan<'_>) {
    for (index, wanted) in plan.setup.staff.iter().enumerate() {
        let at = At("staff", index);
        // Who has no good address was refused before.
        let Some(staff_id) = sign_in_name(wanted).and_then(|email| plan.names.staff.get(&email).copied())
        else {
            continue;
        };
        person(plan, at, staff_id, wanted);
    }
}

fn person(plan: &mut Plan<'_>, at: At, staff_id: StaffId, wanted: &StaffSetup) {
    if let Err(refusal) = skill::check_sizes(wanted.languages.len(), wanted.service_lines.len()) {
        plan.refuse(refusal.code, &at.part(&refusal.field.join(".")), refusal.message);
        return;
    }
    for (place, tag) in wanted.languages.iter().enumerate() {
        plan.check_language(&at.part(&format!("languages.{place}")), tag);
        add(plan, staff_id, SkillKind::Language, tag);
    }
    for (place, slug) in wanted.service_lines.iter().enumerate() {
        let line = plan.names.lines.get(slug).copied();
        if plan
            .meant(&at.part(&format!("serviceLines.{place}")), line, "service line")
            .is_some()
        {
            add(plan, staff_id, SkillKind::ServiceLine, slug);
        }
    }
}

fn add(plan: &mut Plan<'_>, staff_id: StaffId, kind: SkillKind, value: &str) {
    let row = staff_skill::Model {
        staff_id,
        kind,
        value: value.to_lowercase(),
    };
    if plan.rows.skills.made.contains(&row) {
        return;
    }
    let before = plan.known.skills.iter().find(|known| **known == row);
    plan.rows.skills.settle(before, row);
}
