//! The statements that read what a batch names: one a table, none for a table that no message names.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::appointment::AppointmentState;
use entity::campaign::CampaignState;
use entity::enrollment::EnrollmentState;
use entity::enums::{LeadStage, Medium};
use entity::id::{
    CampaignId, ContactId, EnrollmentId, FollowUpId, LeadId, SequenceId, StaffId, TemplateVersionId,
};
use entity::sequence::SequenceState;
use entity::suppression::SuppressionReason;
use entity::{
    appointment, campaign, consent_event, contact, enrollment, follow_up, lead, sequence, staff, suppression,
    template_version,
};
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, Statement, Value,
};

use super::known::by_id;
use crate::error::Result;

/// Reads contacts and holds them until the claim ends, so that a withdrawal comes either before the gate is asked or
/// after the claim is written and then finds it.
///
/// The house locks contacts before messages, and here it is the other way round; so contacts that somebody holds are
/// passed over and not waited for, and nobody can wait in a circle.
pub(super) async fn lock_contacts(
    tx: &DatabaseTransaction,
    ids: Vec<ContactId>,
) -> Result<HashMap<ContactId, Arc<contact::Model>>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = contact::Entity::find()
        .filter(contact::Column::Id.is_in(ids))
        .order_by_asc(contact::Column::Id)
        // SQLite has one writer at a time, and leaves this out.
        .lock_with_behavior(LockType::Share, LockBehavior::SkipLocked)
        .all(tx)
        .await?;
    Ok(by_id(rows, |row| row.id))
}

/// For each contact the latest of those events that say the same about the same: the fold looks at no others. So a
/// contact costs a few rows, however long its history is.
pub(super) async fn latest_consents(
    tx: &DatabaseTransaction,
    ids: Vec<ContactId>,
    now: DateTime<Utc>,
) -> Result<HashMap<ContactId, Vec<consent_event::Model>>> {
    let mut found: HashMap<ContactId, Vec<consent_event::Model>> = HashMap::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let places: Vec<String> = (3..ids.len() + 3).map(|n| format!("${n}")).collect();
    let sql = format!(
        "SELECT * FROM (SELECT consent_event.*, row_number() OVER (PARTITION BY contact_id, address, purpose, action \
         ORDER BY occurred_at DESC, id DESC) AS place FROM consent_event \
         WHERE medium = $1 AND occurred_at <= $2 AND contact_id IN ({})) AS ranked WHERE place = 1",
        places.join(", ")
    );
    let mut values: Vec<Value> = vec![Medium::Email.as_str().into(), now.into()];
    values.extend(ids.into_iter().map(Value::from));
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    for event in consent_event::Model::find_by_statement(statement).all(tx).await? {
        found.entry(event.contact_id).or_default().push(event);
    }
    Ok(found)
}

pub(super) async fn suppressed(
    tx: &DatabaseTransaction,
    hashes: Vec<Vec<u8>>,
) -> Result<HashMap<Vec<u8>, SuppressionReason>> {
    if hashes.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = suppression::Entity::find()
        .filter(suppression::Column::Medium.eq(Medium::Email))
        .filter(suppression::Column::AddressHash.is_in(hashes))
        .all(tx)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.address_hash, row.reason))
        .collect())
}

pub(super) async fn find_staff(tx: &DatabaseTransaction, ids: Vec<StaffId>) -> Result<Vec<staff::Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(staff::Entity::find()
        .filter(staff::Column::Id.is_in(ids))
        .all(tx)
        .await?)
}

pub(super) async fn find_leads(tx: &DatabaseTransaction, ids: Vec<LeadId>) -> Result<Vec<lead::Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(lead::Entity::find()
        .filter(lead::Column::Id.is_in(ids))
        .all(tx)
        .await?)
}

/// The next booked visit of leads that have one to come.
pub(super) async fn next_visits(
    tx: &DatabaseTransaction,
    leads: &HashMap<LeadId, Arc<lead::Model>>,
    now: DateTime<Utc>,
) -> Result<HashMap<LeadId, appointment::Model>> {
    let booked: Vec<LeadId> = leads
        .values()
        .filter(|lead| lead.stage == LeadStage::AppointmentScheduled)
        .map(|lead| lead.id)
        .collect();
    if booked.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = appointment::Entity::find()
        .filter(appointment::Column::LeadId.is_in(booked))
        .filter(appointment::Column::State.eq(AppointmentState::Booked))
        .filter(appointment::Column::StartsAt.gte(now))
        .order_by_desc(appointment::Column::StartsAt)
        .all(tx)
        .await?;
    // The soonest comes last and stays.
    Ok(rows.into_iter().map(|row| (row.lead_id, row)).collect())
}

pub(super) async fn find_follow_ups(
    tx: &DatabaseTransaction,
    ids: Vec<FollowUpId>,
) -> Result<Vec<follow_up::Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(follow_up::Entity::find()
        .filter(follow_up::Column::Id.is_in(ids))
        .all(tx)
        .await?)
}

pub(super) async fn find_templates(
    tx: &DatabaseTransaction,
    ids: Vec<TemplateVersionId>,
) -> Result<Vec<template_version::Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(template_version::Entity::find()
        .filter(template_version::Column::Id.is_in(ids))
        .all(tx)
        .await?)
}

pub(super) async fn enrollments(
    tx: &DatabaseTransaction,
    ids: Vec<EnrollmentId>,
) -> Result<HashMap<EnrollmentId, EnrollmentState>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = enrollment::Entity::find()
        .select_only()
        .columns([enrollment::Column::Id, enrollment::Column::State])
        .filter(enrollment::Column::Id.is_in(ids))
        .into_tuple::<(EnrollmentId, EnrollmentState)>()
        .all(tx)
        .await?;
    Ok(rows.into_iter().collect())
}

pub(super) async fn sequences(
    tx: &DatabaseTransaction,
    ids: Vec<SequenceId>,
) -> Result<HashMap<SequenceId, (SequenceState, Option<CampaignId>)>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sequence::Entity::find()
        .filter(sequence::Column::Id.is_in(ids))
        .all(tx)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.id, (row.state, row.campaign_id)))
        .collect())
}

pub(super) async fn campaigns(
    tx: &DatabaseTransaction,
    ids: Vec<CampaignId>,
) -> Result<HashMap<CampaignId, CampaignState>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = campaign::Entity::find()
        .select_only()
        .columns([campaign::Column::Id, campaign::Column::State])
        .filter(campaign::Column::Id.is_in(ids))
        .into_tuple::<(CampaignId, CampaignState)>()
        .all(tx)
        .await?;
    Ok(rows.into_iter().collect())
}
