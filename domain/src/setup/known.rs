//! What the installation holds already.

use std::collections::{HashMap, HashSet};

use entity::id::{CampaignId, ServiceLineId, StaffId, TeamId, TemplateId};
use entity::{
    audit_rubric, business_calendar, campaign, campaign_service_line, checklist, consent_wording, department,
    facility, follow_up_template, form, frequency_cap, intake_script, lead_profile, placement,
    retention_policy, routing_rule, scoring_rule, send_window, sequence, sequence_version, service_line,
    service_line_alias, sla_policy, staff, staff_skill, team, team_member, template, template_version,
};
use sea_orm::{DatabaseTransaction, EntityTrait, QueryOrder};

use crate::error::Result;

/// Every row of configuration. These tables are small: each process keeps most of them in memory anyway.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) facilities: Vec<facility::Model>,
    pub(super) calendars: Vec<business_calendar::Model>,
    pub(super) departments: Vec<department::Model>,
    pub(super) staff: Vec<staff::Model>,
    pub(super) teams: Vec<team::Model>,
    pub(super) members: HashSet<(TeamId, StaffId)>,
    pub(super) skills: Vec<staff_skill::Model>,
    pub(super) lines: Vec<service_line::Model>,
    pub(super) aliases: Vec<service_line_alias::Model>,
    /// Every version.
    pub(super) wordings: Vec<consent_wording::Model>,
    pub(super) templates: Vec<template::Model>,
    /// The newest version of each template.
    pub(super) template_texts: HashMap<TemplateId, template_version::Model>,
    pub(super) campaigns: Vec<campaign::Model>,
    pub(super) campaign_lines: HashSet<(CampaignId, ServiceLineId)>,
    pub(super) placements: Vec<placement::Model>,
    pub(super) forms: Vec<form::Model>,
    pub(super) sla: Vec<sla_policy::Model>,
    pub(super) routing: Vec<routing_rule::Model>,
    pub(super) scoring: Vec<scoring_rule::Model>,
    pub(super) checklists: Vec<checklist::Model>,
    /// Every version.
    pub(super) scripts: Vec<intake_script::Model>,
    pub(super) profiles: Vec<lead_profile::Model>,
    /// Every version.
    pub(super) rubrics: Vec<audit_rubric::Model>,
    pub(super) follow_up_templates: Vec<follow_up_template::Model>,
    pub(super) sequences: Vec<sequence::Model>,
    /// Every version.
    pub(super) sequence_versions: Vec<sequence_version::Model>,
    /// Every version.
    pub(super) send_windows: Vec<send_window::Model>,
    /// Every version.
    pub(super) frequency_caps: Vec<frequency_cap::Model>,
    pub(super) retention: Vec<retention_policy::Model>,
}

pub(super) async fn read(tx: &DatabaseTransaction) -> Result<Known> {
    let members = team_member::Entity::find().all(tx).await?;
    let campaign_lines = campaign_service_line::Entity::find().all(tx).await?;
    let texts = template_version::Entity::find()
        .order_by_asc(template_version::Column::Version)
        .all(tx)
        .await?;
    Ok(Known {
        facilities: facility::Entity::find().all(tx).await?,
        calendars: business_calendar::Entity::find().all(tx).await?,
        departments: department::Entity::find().all(tx).await?,
        staff: staff::Entity::find().all(tx).await?,
        teams: team::Entity::find().all(tx).await?,
        members: members
            .into_iter()
            .map(|row| (row.team_id, row.staff_id))
            .collect(),
        skills: staff_skill::Entity::find().all(tx).await?,
        lines: service_line::Entity::find().all(tx).await?,
        aliases: service_line_alias::Entity::find().all(tx).await?,
        wordings: consent_wording::Entity::find().all(tx).await?,
        templates: template::Entity::find().all(tx).await?,
        template_texts: texts.into_iter().map(|row| (row.template_id, row)).collect(),
        campaigns: campaign::Entity::find().all(tx).await?,
        campaign_lines: campaign_lines
            .into_iter()
            .map(|row| (row.campaign_id, row.service_line_id))
            .collect(),
        placements: placement::Entity::find().all(tx).await?,
        forms: form::Entity::find().all(tx).await?,
        sla: sla_policy::Entity::find().all(tx).await?,
        routing: routing_rule::Entity::find().all(tx).await?,
        scoring: scoring_rule::Entity::find().all(tx).await?,
        checklists: checklist::Entity::find().all(tx).await?,
        scripts: intake_script::Entity::find().all(tx).await?,
        profiles: lead_profile::Entity::find().all(tx).await?,
        rubrics: audit_rubric::Entity::find().all(tx).await?,
        follow_up_templates: follow_up_template::Entity::find().all(tx).await?,
        sequences: sequence::Entity::find().all(tx).await?,
        sequence_versions: sequence_version::Entity::find().all(tx).await?,
        send_windows: send_window::Entity::find().all(tx).await?,
        frequency_caps: frequency_cap::Entity::find().all(tx).await?,
        retention: retention_policy::Entity::find().all(tx).await?,
    })
}
