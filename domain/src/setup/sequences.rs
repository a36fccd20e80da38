//! Sequences, published as they stand in the document.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use entity::id::{SequenceId, ServiceLineId, TeamId, TemplateId};
use entity::lead::RuleVersions;
use entity::sequence::{self, SequenceState};
use entity::sequence_version::{self, Action, Steps};
use entity::{form, team, template, template_version};

use super::document::SequenceSetup;
use super::plan::{At, Plan};
use super::rules::check_values;
use crate::error::Code;
use crate::id::new_id;
use crate::outreach::gate::Caps;
use crate::playbook::{Playbook, fold_name};
use crate::quiet_hours::windows::SendWindows;
use crate::sequence::steps;

pub(super) fn plan(plan: &mut Plan<'_>) {
    if plan.setup.sequences.is_empty() {
        return;
    }
    let playbook = as_it_will_be(plan);
    let mut seen = HashSet::new();
    for (index, wanted) in plan.setup.sequences.iter().enumerate() {
        let at = At("sequences", index);
        plan.check_name(&at.part("name"), &wanted.name);
        plan.check_once(&at.part("name"), &mut seen, &wanted.name);
        check(plan, at, wanted, &playbook);
        let before = plan.known.sequences.iter().find(|row| row.name == wanted.name);
        if before.is_some_and(|row| row.purpose != wanted.purpose) {
            let message = "A sequence keeps its purpose, because consent is asked by it; use another name.";
            plan.refuse(Code::NotAllowedNow, &at.part("purpose"), message);
        }
        plan.check_purpose(&at.part("purpose"), wanted.purpose);
        let campaign_id = plan.meant_if(
            &at.part("campaign"),
            wanted.campaign.as_ref(),
            "campaign",
            |names, code| names.campaigns.get(code).copied(),
        );
        let id = before.map_or_else(|| new_id(plan.now), |row| row.id);
        let (version_id, is_new) = version(plan, id, before, wanted);
        let mut row = sequence::Model {
            id,
            name: wanted.name.clone(),
            // A pause is somebody's decision, and only resuming ends it.
            state: match before.map(|row| row.state) {
                Some(SequenceState::Paused) => SequenceState::Paused,
                _ => SequenceState::Published,
            },
            purpose: wanted.purpose,
            campaign_id,
            demand_making: wanted.demand_making,
            current_version_id: Some(version_id),
            version: before.map_or(1, |row| row.version),
            created_at: before.map_or(plan.now, |row| row.created_at),
            updated_at: before.map_or(plan.now, |row| row.updated_at),
        };
        if is_new && before.is_some() || before.is_some_and(|before| *before != row) {
            row.version += 1;
            row.updated_at = plan.now;
        }
        plan.rows.sequences.settle(before, row);
    }
}

fn check(plan: &mut Plan<'_>, at: At, wanted: &SequenceSetup, playbook: &Playbook) {
    let under = format!("{}.{}", at.0, at.1);
    let forms = forms(plan);
    let of_trigger = steps::check_trigger(&wanted.trigger, &forms.iter().collect::<Vec<_>>());
    plan.refuse_below(&under, of_trigger);
    plan.refuse_below(
        &under,
        steps::check(
            &Steps(wanted.steps.clone()),
            &wanted.exits,
            wanted.purpose,
            playbook,
        ),
    );
    check_values(plan, &at.part("trigger.filter"), &wanted.trigger.filter);
    for (index, step) in wanted.steps.iter().enumerate() {
        if let Action::Branch { when, .. } | Action::Goal { when } = &step.action {
            check_values(plan, &at.part(&format!("steps.{index}.when")), when);
        }
    }
}

/// The version that new enrollments take: the current one if it says the same, else the next. Running enrollments stay
/// on theirs.
fn version(
    plan: &mut Plan<'_>,
    sequence_id: SequenceId,
    before: Option<&sequence::Model>,
    wanted: &SequenceSetup,
) -> (entity::id::SequenceVersionId, bool) {
    let of_sequence = || {
        plan.known
            .sequence_versions
            .iter()
            .filter(|row| row.sequence_id == sequence_id)
    };
    let current =
        of_sequence().find(|row| before.is_some_and(|before| before.current_version_id == Some(row.id)));
    let says_the_same = |row: &&sequence_version::Model| {
        row.trigger == wanted.trigger && row.steps.0 == wanted.steps && row.exits == wanted.exits
    };
    if let Some(row) = current.filter(says_the_same) {
        plan.rows.sequence_versions.same += 1;
        return (row.id, false);
    }
    let row = sequence_version::Model {
        id: new_id(plan.now),
        sequence_id,
        number: of_sequence().map(|row| row.number).max().unwrap_or(0) + 1,
        trigger: wanted.trigger.clone(),
        steps: Steps(wanted.steps.clone()),
        exits: wanted.exits.clone(),
        published_at: Some(plan.now),
        created_at: plan.now,
    };
    let id = row.id;
    plan.rows.sequence_versions.made.push(row);
    (id, true)
}

/// The names of service lines as they will be.
fn line_names(plan: &Plan<'_>) -> HashMap<String, ServiceLineId> {
    let lines = || {
        let planned = plan.rows.lines.made.iter().chain(&plan.rows.lines.changed);
        plan.known.lines.iter().chain(planned)
    };
    let aliases = plan.known.aliases.iter().chain(&plan.rows.aliases.made);
    let mut names: HashMap<_, _> = aliases
        .map(|row| (fold_name(&row.alias), row.service_line_id))
        .collect();
    names.extend(lines().flat_map(|row| [&row.name, &row.slug].map(|name| (fold_name(name), row.id))));
    names
}

/// The teams as they will be.
fn teams(plan: &Plan<'_>) -> HashMap<TeamId, Arc<team::Model>> {
    let planned = plan.rows.teams.made.iter().chain(&plan.rows.teams.changed);
    let all = plan.known.teams.iter().chain(planned);
    all.map(|row| (row.id, Arc::new(row.clone()))).collect()
}

/// The active forms as they will be.
fn forms(plan: &Plan<'_>) -> Vec<form::Model> {
    let planned = plan.rows.forms.made.iter().chain(&plan.rows.forms.changed);
    let all = plan.known.forms.iter().chain(planned);
    // What is planned comes later and counts.
    let by_id: HashMap<_, _> = all.map(|row| (row.id, row)).collect();
    by_id.into_values().filter(|row| row.active).cloned().collect()
}

/// Templates, teams and names of service lines as they will be, in the form in which the rules for steps read them.
/// Nothing else of it is looked at.
fn as_it_will_be(plan: &Plan<'_>) -> Playbook {
    let mut templates: HashMap<TemplateId, template::Model> = plan
        .known
        .templates
        .iter()
        .map(|row| (row.id, row.clone()))
        .collect();
    let planned = plan
        .rows
        .templates
        .made
        .iter()
        .chain(&plan.rows.templates.changed);
    templates.extend(planned.map(|row| (row.id, row.clone())));
    let mut newest: HashMap<TemplateId, template_version::Model> = plan.known.template_texts.clone();
    newest.extend(
        plan.rows
            .template_versions
            .made
            .iter()
            .map(|row| (row.template_id, row.clone())),
    );
    Playbook {
        template_by_key: templates.values().map(|row| (row.key.clone(), row.id)).collect(),
        templates,
        template_current: newest.values().map(|row| (row.template_id, row.id)).collect(),
        template_versions: newest.into_values().map(|row| (row.id, row)).collect(),
        revision: 0,
        lines: HashMap::new(),
        line_by_name: line_names(plan),
        facilities: HashMap::new(),
        facility_phones: HashMap::new(),
        calendars: HashMap::new(),
        teams: teams(plan),
        review_team: new_id::<TeamId>(plan.now),
        staff: HashMap::new(),
        members: HashMap::new(),
        skills: HashMap::new(),
        absences: HashMap::new(),
        routing: Vec::new(),
        scoring: Vec::new(),
        sla: Vec::new(),
        sla_retired: Vec::new(),
        rule_versions: RuleVersions::default(),
        forms: HashMap::new(),
        form_by_slug: HashMap::new(),
        form_by_key: HashMap::new(),
        wordings: HashMap::new(),
        scripts: HashMap::new(),
        profiles: HashMap::new(),
        rubrics: HashMap::new(),
        checklists: HashMap::new(),
        follow_up_templates: HashMap::new(),
        sequences: HashMap::new(),
        sequence_versions: HashMap::new(),
        campaigns: HashMap::new(),
        campaign_by_code: HashMap::new(),
        send_windows: SendWindows::default(),
        caps: Caps::default(),
        placements: HashMap::new(),
        placement_by_code: HashMap::new(),
    }
}
