//! Audit rubrics. A rubric that says something else is a new version; samples keep the one that they were drawn for.

use std::collections::HashSet;

use entity::audit_rubric::{Criteria, Model};

use super::document::RubricSetup;
use super::plan::{At, Plan};
use crate::error::Code;
use crate::id::new_id;

/// Most criteria of a rubric.
const MAX_CRITERIA: usize = 20;
/// Most points of a criterion.
const MAX_POINTS: i32 = 10;

pub(super) fn plan(plan: &mut Plan<'_>) {
    let setup = plan.setup;
    let mut seen = HashSet::new();
    for (index, wanted) in setup.rubrics.iter().enumerate() {
        let at = At("rubrics", index);
        plan.check_slug(&at.part("key"), &wanted.key);
        plan.check_once(&at.part("key"), &mut seen, &wanted.key);
        plan.check_name(&at.part("name"), &wanted.name);
        check_criteria(plan, at, wanted);
        settle(plan, wanted);
    }
}

fn check_criteria(plan: &mut Plan<'_>, at: At, wanted: &RubricSetup) {
    if wanted.criteria.is_empty() {
        plan.refuse(
            Code::Required,
            &at.part("criteria"),
            "A rubric has at least one criterion.",
        );
    } else if wanted.criteria.len() > MAX_CRITERIA {
        plan.refuse(
            Code::TooLarge,
            &at.part("criteria"),
            "A rubric has at most 20 criteria.",
        );
    }
    let mut seen = HashSet::new();
    for (place, criterion) in wanted.criteria.iter().enumerate() {
        let part = |part: &str| at.part(&format!("criteria.{place}.{part}"));
        plan.check_slug(&part("key"), &criterion.key);
        plan.check_once(&part("key"), &mut seen, &criterion.key);
        plan.check_name(&part("text"), &criterion.text);
        if !(1..=MAX_POINTS).contains(&criterion.points) {
            plan.refuse(
                Code::Invalid,
                &part("points"),
                "A criterion gives 1 to 10 points at the most.",
            );
        }
    }
}

fn settle(plan: &mut Plan<'_>, wanted: &RubricSetup) {
    let of_key = plan.known.rubrics.iter().filter(|row| row.key == wanted.key);
    let newest = of_key.max_by_key(|row| row.version);
    let row = Model {
        id: new_id(plan.now),
        key: wanted.key.clone(),
        version: newest.map_or(1, |row| row.version + 1),
        name: wanted.name.clone(),
        subject: wanted.of,
        criteria: Criteria(wanted.criteria.clone()),
        created_at: plan.now,
    };
    let says_the_same = |before: &&Model| {
        (&before.name, before.subject, &before.criteria) == (&row.name, row.subject, &row.criteria)
    };
    if newest.as_ref().is_some_and(says_the_same) {
        plan.rows.rubrics.same += 1;
    } else {
        plan.rows.rubrics.made.push(row);
    }
}
