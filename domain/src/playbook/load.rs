//! Reads the snapshot: one statement per table.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use chrono_tz::Tz;
use entity::id::FacilityId;
use entity::lead::RuleVersions;
use entity::rule_set::{RuleKind, RuleSetState};
use entity::{
    audit_rubric, business_calendar, campaign, checklist, consent_wording, facility, follow_up_template,
    form, frequency_cap, intake_script, lead_profile, placement, routing_rule, rule_set, scoring_rule,
    send_window, sequence, sequence_version, service_line, service_line_alias, sla_policy, staff,
    staff_absence, staff_skill, team, team_member, template, template_version,
};
use sea_orm::{
    ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::{Playbook, PublishedSequence, fold_name};
use crate::contact::phone::readable;
use crate::db;
use crate::error::{Error, Result};
use crate::outreach::gate::Caps;
use crate::quiet_hours::windows::SendWindows;
use crate::sla::calendar::Calendar;

pub(super) async fn load(db: &DatabaseConnection, revision: i64) -> Result<Playbook> {
    let tx = &db::begin_read(db).await?;
    let lines = shared_by_id(service_line::Entity::find().all(tx).await?, |row| row.id);
    let aliases = service_line_alias::Entity::find().all(tx).await?;
    let facilities = shared_by_id(facility::Entity::find().all(tx).await?, |row| row.id);
    let calendars = calendars(business_calendar::Entity::find().all(tx).await?, &facilities)?;
    let teams = shared_by_id(team::Entity::find().all(tx).await?, |row| row.id);
    let review_team = teams
        .values()
        .find(|team| team.is_review)
        .map(|team| team.id)
        .ok_or_else(|| {
            Error::fault("no team is the review team, though every start makes one that is missing")
        })?;
    let staff = shared_by_id(
        staff::Entity::find()
            .filter(staff::Column::Active.eq(true))
            .all(tx)
            .await?,
        |row| row.id,
    );
    let mut members: HashMap<_, Vec<_>> = HashMap::new();
    for row in team_member::Entity::find()
        .order_by_asc(team_member::Column::StaffId)
        .all(tx)
        .await?
    {
        if staff.contains_key(&row.staff_id) {
            members.entry(row.team_id).or_default().push(row.staff_id);
        }
    }
    let mut absences: HashMap<_, Vec<_>> = HashMap::new();
    for row in staff_absence::Entity::find()
        .order_by_desc(staff_absence::Column::EndsAt)
        .all(tx)
        .await?
    {
        absences.entry(row.staff_id).or_default().push(row);
    }
    let mut skills: HashMap<_, Vec<_>> = HashMap::new();
    for row in staff_skill::Entity::find().all(tx).await? {
        skills.entry(row.staff_id).or_default().push(row);
    }
    let routing = routing_rule::Entity::find()
        .filter(routing_rule::Column::Active.eq(true))
        .filter(routing_rule::Column::RetiredAt.is_null())
        .order_by_asc(routing_rule::Column::Position)
        .order_by_asc(routing_rule::Column::Id)
        .all(tx)
        .await?;
    let scoring = scoring_rule::Entity::find()
        .filter(scoring_rule::Column::Active.eq(true))
        .filter(scoring_rule::Column::RetiredAt.is_null())
        .order_by_asc(scoring_rule::Column::Id)
        .all(tx)
        .await?;
    let policies = sla_policy::Entity::find()
        .order_by_asc(sla_policy::Column::Position)
        .order_by_asc(sla_policy::Column::Id)
        .all(tx)
        .await?;
    let (sla_retired, sla) = policies.into_iter().partition(|row| row.retired_at.is_some());
    let rule_versions = rule_versions(tx).await?;
    let forms = by_id(
        form::Entity::find()
            .filter(form::Column::Active.eq(true))
            .all(tx)
            .await?,
        |row| row.id,
    );
    let wordings = by_id(consent_wording::Entity::find().all(tx).await?, |row| row.id);
    let templates = by_id(template::Entity::find().all(tx).await?, |row| row.id);
    let newest = template_version::Entity::find()
        .order_by_asc(template_version::Column::Version)
        .all(tx)
        .await?;
    let template_current = newest
        .iter()
        .map(|row| (row.template_id, row.id))
        .collect::<HashMap<_, _>>();
    let campaigns = shared_by_id(campaign::Entity::find().all(tx).await?, |row| row.id);
    let placements = by_id(placement::Entity::find().all(tx).await?, |row| row.id);
    let (sequences, sequence_versions) = sequences(tx).await?;
    let windows = send_window::Entity::find().all(tx).await?;
    let caps = frequency_cap::Entity::find()
        .order_by_desc(frequency_cap::Column::Version)
        .one(tx)
        .await?;
    Ok(Playbook {
        revision,
        line_by_name: names(&lines, aliases),
        lines,
        facility_phones: phones(&facilities),
        facilities,
        calendars,
        teams,
        review_team,
        staff,
        members,
        skills,
        absences,
        routing,
        scoring,
        sla,
        sla_retired,
        rule_versions,
        form_by_slug: forms.values().map(|form| (form.slug.clone(), form.id)).collect(),
        form_by_key: forms
            .values()
            .map(|form| (form.public_key.clone(), form.id))
            .collect(),
        forms,
        wordings,
        template_by_key: templates.values().map(|row| (row.key.clone(), row.id)).collect(),
        templates,
        template_versions: by_id(
            newest
                .into_iter()
                .filter(|row| template_current.get(&row.template_id) == Some(&row.id))
                .collect(),
            |row| row.id,
        ),
        template_current,
        scripts: scripts(tx).await?,
        profiles: by_id(lead_profile::Entity::find().all(tx).await?, |row| row.key.clone()),
        rubrics: rubrics(tx).await?,
        checklists: by_id(checklist::Entity::find().all(tx).await?, |row| row.id),
        follow_up_templates: by_id(follow_up_template::Entity::find().all(tx).await?, |row| {
            row.key.clone()
        }),
        sequences,
        sequence_versions,
        campaign_by_code: campaigns
            .values()
            .map(|row| (fold_name(&row.code), row.id))
            .collect(),
        campaigns,
        send_windows: SendWindows::new(&windows),
        caps: caps.as_ref().map(Caps::from).unwrap_or_default(),
        placement_by_code: placements
            .values()
            .filter_map(|row| Some((fold_name(row.source_code.as_ref()?), row.id)))
            .collect(),
        placements,
    })
}

/// The newest version of each script.
async fn scripts(tx: &DatabaseTransaction) -> Result<HashMap<String, intake_script::Model>> {
    let versions = intake_script::Entity::find().order_by_asc(intake_script::Column::Version);
    let rows = versions.all(tx).await?.into_iter();
    // The newest comes last and stays.
    Ok(rows.map(|row| (row.key.clone(), row)).collect())
}

/// The numbers of the versions that are published.
async fn rule_versions(tx: &DatabaseTransaction) -> Result<RuleVersions> {
    let published: Vec<(RuleKind, i32)> = rule_set::Entity::find()
        .select_only()
        .columns([rule_set::Column::Kind, rule_set::Column::Number])
        .filter(rule_set::Column::State.eq(RuleSetState::Published))
        .into_tuple()
        .all(tx)
        .await?;
    let mut versions = RuleVersions::default();
    for (kind, number) in published {
        match kind {
            RuleKind::Routing => versions.routing = number,
            RuleKind::Scoring => versions.scoring = number,
            RuleKind::Sla => versions.sla = number,
        }
    }
    Ok(versions)
}

/// The newest version of each rubric.
async fn rubrics(tx: &DatabaseTransaction) -> Result<HashMap<String, audit_rubric::Model>> {
    let versions = audit_rubric::Entity::find().order_by_asc(audit_rubric::Column::Version);
    let rows = versions.all(tx).await?.into_iter();
    // As above.
    Ok(rows.map(|row| (row.key.clone(), row)).collect())
}

type Sequences = (
    HashMap<entity::id::SequenceId, PublishedSequence>,
    HashMap<entity::id::SequenceVersionId, Arc<sequence_version::Model>>,
);

/// The sequences that run, and every version that somebody may stand on.
async fn sequences(tx: &DatabaseTransaction) -> Result<Sequences> {
    let rows = sequence::Entity::find()
        .filter(sequence::Column::CurrentVersionId.is_not_null())
        .all(tx)
        .await?;
    let versions = sequence_version::Entity::find()
        .filter(sequence_version::Column::PublishedAt.is_not_null())
        .all(tx)
        .await?;
    let versions: HashMap<_, _> = versions.into_iter().map(|row| (row.id, Arc::new(row))).collect();
    let published = rows
        .into_iter()
        .filter_map(|sequence| {
            let version = versions.get(&sequence.current_version_id?)?.as_ref().clone();
            Some((sequence.id, PublishedSequence { sequence, version }))
        })
        .collect();
    Ok((published, versions))
}

fn by_id<Id: Eq + Hash, Row>(rows: Vec<Row>, id: impl Fn(&Row) -> Id) -> HashMap<Id, Row> {
    rows.into_iter().map(|row| (id(&row), row)).collect()
}

/// Rows that others hold on to, for as long as they like.
fn shared_by_id<Id: Eq + Hash, Row>(rows: Vec<Row>, id: impl Fn(&Row) -> Id) -> HashMap<Id, Arc<Row>> {
    by_id(rows.into_iter().map(Arc::new).collect(), |row| id(row))
}

fn names(
    lines: &HashMap<entity::id::ServiceLineId, Arc<service_line::Model>>,
    aliases: Vec<service_line_alias::Model>,
) -> HashMap<String, entity::id::ServiceLineId> {
    let mut names: HashMap<_, _> = aliases
        .into_iter()
        .map(|row| (fold_name(&row.alias), row.service_line_id))
        .collect();
    for line in lines.values() {
        names.insert(fold_name(&line.slug), line.id);
        names.insert(fold_name(&line.name), line.id);
    }
    names.retain(|_, id| lines.get(id).is_some_and(|line| line.active));
    names
}

fn phones(facilities: &HashMap<FacilityId, Arc<facility::Model>>) -> HashMap<FacilityId, String> {
    let of = |facility: &Arc<facility::Model>| Some((facility.id, readable(facility.phone.as_deref()?)));
    facilities.values().filter_map(of).collect()
}

fn calendars(
    rows: Vec<business_calendar::Model>,
    facilities: &HashMap<FacilityId, Arc<facility::Model>>,
) -> Result<HashMap<FacilityId, Calendar>> {
    rows.into_iter()
        .filter_map(|row| facilities.get(&row.facility_id).map(|facility| (row, facility)))
        .map(|(row, facility)| {
            let zone: Tz = facility
                .time_zone
                .parse()
                .map_err(|_| Error::fault(format!("facility {} has an unknown time zone", facility.slug)))?;
            Ok((row.facility_id, Calendar::new(zone, row.hours)))
        })
        .collect()
}
