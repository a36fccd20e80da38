//! The statements that read what a batch names: one a table, none for a table that no message names.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use entity::appointment::AppointmentState;
use entity::enrollment::EnrollmentState;
use entity::enums::{LeadStage, Medium};
use entity::id::{
    CampaignId, ContactId, EnrollmentId, FollowUpId, LeadId, MailingId, MessageId, SequenceId, ServiceLineId,
    StaffId, TemplateId, TemplateVersionId,
};
use entity::mailing::MailingState;
use entity::message::{self, MessageKind};
use entity::sending_stop::EVERY_DOMAIN;
use entity::sequence::SequenceState;
use entity::suppression::SuppressionReason;
use entity::{
    appointment, campaign, campaign_spend, consent_event, contact, contact_line_preference,
    contact_preference, enrollment, follow_up, form_draft, lead, mailing, outreach_hold, sending_stop,
    sequence, staff, suppression, template_version,
};
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, QueryFilter,
    QueryOrder, QuerySelect, Statement, Value,
};

use super::known::by_id;
use crate::error::Result;
use crate::follow_up::digest::{self, Digest};
use crate::outreach::gate::CampaignNow;
use crate::outreach::template::seal::is_approved;
use crate::playbook::Playbook;

/// What a reader does with the contacts that it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::outreach) enum Contacts {
    /// Holds them until the transaction ends: what is decided will be written.
    Held,
    /// Only looks.
    Seen,
}

/// Reads contacts and, for a claim, holds them until it ends. So a withdrawal comes either before the gate is asked or
/// after the claim is written and then finds it; and of two claims at one moment only one counts what a contact was
/// sent.
///
/// The house locks contacts before messages, and here it is the other way round; so contacts that somebody holds are
/// passed over and not waited for, and nobody can wait in a circle.
pub(super) async fn contacts(
    tx: &DatabaseTransaction,
    ids: Vec<ContactId>,
    hold: Contacts,
) -> Result<HashMap<ContactId, Arc<contact::Model>>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut select = contact::Entity::find()
        .filter(contact::Column::Id.is_in(ids))
        .order_by_asc(contact::Column::Id);
    if hold == Contacts::Held {
        // SQLite has one writer at a time, and leaves this out.
        select = select.lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked);
    }
    Ok(by_id(select.all(tx).await?, |row| row.id))
}

/// What contacts wish about how often and until when not they are written to.
pub(super) async fn preferences(
    tx: &DatabaseTransaction,
    ids: Vec<ContactId>,
) -> Result<HashMap<ContactId, contact_preference::Model>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = contact_preference::Entity::find()
        .filter(contact_preference::Column::ContactId.is_in(ids))
        .all(tx)
        .await?;
    Ok(rows.into_iter().map(|row| (row.contact_id, row)).collect())
}

/// The service lines that contacts do not want mail about.
pub(super) async fn unwanted_lines(
    tx: &DatabaseTransaction,
    ids: Vec<ContactId>,
) -> Result<HashSet<(ContactId, ServiceLineId)>> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = contact_line_preference::Entity::find()
        .filter(contact_line_preference::Column::ContactId.is_in(ids))
        .filter(contact_line_preference::Column::Wanted.eq(false))
        .all(tx)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.contact_id, row.service_line_id))
        .collect())
}

/// The kinds and states of messages that frequency caps count, as the partial index has them.
const COUNTED: &str = "kind = 'NURTURE' AND (purpose = 'MARKETING' OR purpose = 'RESEARCH') AND (state = 'CLAIMED' \
                       OR state = 'HANDED_OFF' OR state = 'ACCEPTED' OR state = 'UNKNOWN')";

/// When contacts were sent the mails that frequency caps count, since `since`, the latest first. What another worker has
/// claimed goes out at any moment and counts as of `now`; the messages of this batch are not marked as claimed yet.
///
/// It is answered by one small index, on PostgreSQL by nothing else: claimed messages stand in it without a time.
pub(super) async fn history(
    tx: &DatabaseTransaction,
    ids: Vec<ContactId>,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<HashMap<ContactId, Vec<DateTime<Utc>>>> {
    let mut found: HashMap<ContactId, Vec<DateTime<Utc>>> = HashMap::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let sql = history_sql(ids.len());
    let mut values: Vec<Value> = vec![since.into()];
    values.extend(ids.into_iter().map(Value::from));
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    for row in tx.query_all_raw(statement).await? {
        let at: Option<DateTime<Utc>> = row.try_get_by_index(1)?;
        found
            .entry(row.try_get_by_index(0)?)
            .or_default()
            .push(at.unwrap_or(now));
    }
    for times in found.values_mut() {
        times.sort_unstable_by(|a, b| b.cmp(a));
    }
    Ok(found)
}

/// The statement of [`history`]: `$1` is the earliest time, the contacts follow. Two ranges of the index, because
/// neither database puts an `OR` over times and missing times into one.
fn history_sql(contacts: usize) -> String {
    let places: Vec<String> = (2..contacts + 2).map(|n| format!("${n}")).collect();
    let of_contacts = format!("contact_id IN ({}) AND {COUNTED}", places.join(", "));
    format!(
        "SELECT contact_id, handed_off_at FROM message WHERE {of_contacts} AND handed_off_at > $1 \
         UNION ALL SELECT contact_id, handed_off_at FROM message WHERE {of_contacts} AND handed_off_at IS NULL"
    )
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

/// The saved forms that messages link to: those that they bring the link to, and those of unfinished leads.
pub(super) async fn drafts(
    tx: &DatabaseTransaction,
    messages: &[message::Model],
    leads: &HashMap<LeadId, Arc<lead::Model>>,
) -> Result<Vec<Arc<form_draft::Model>>> {
    let brought: Vec<MessageId> = messages
        .iter()
        .filter(|message| message.kind == MessageKind::FormSaved)
        .map(|message| message.id)
        .collect();
    let unfinished: Vec<LeadId> = leads
        .values()
        .filter(|lead| lead.unfinished_at.is_some())
        .map(|lead| lead.id)
        .collect();
    if brought.is_empty() && unfinished.is_empty() {
        return Ok(Vec::new());
    }
    let any = Condition::any()
        .add(form_draft::Column::MessageId.is_in(brought))
        .add(form_draft::Column::LeadId.is_in(unfinished));
    let rows = form_draft::Entity::find().filter(any).all(tx).await?;
    Ok(rows.into_iter().map(Arc::new).collect())
}

/// What the people have to do whom the digests of a batch go to.
pub(super) async fn digests(
    tx: &DatabaseTransaction,
    playbook: &Playbook,
    messages: &[message::Model],
    now: DateTime<Utc>,
) -> Result<HashMap<StaffId, Arc<Digest>>> {
    let staff: Vec<StaffId> = messages
        .iter()
        .filter(|message| message.kind == MessageKind::FollowUpDigest)
        .filter_map(|message| message.staff_id)
        .collect();
    let read = digest::read(tx, playbook, &staff, now).await?;
    Ok(read
        .into_iter()
        .map(|(id, digest)| (id, Arc::new(digest)))
        .collect())
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

/// For each version that messages were planned with, the version of that template that counts now, and whether mails may
/// be made of it. The digest is taken of the row as it is now, so a changed letter is seen however it came about.
pub(super) async fn templates(
    tx: &DatabaseTransaction,
    planned: Vec<TemplateVersionId>,
) -> Result<HashMap<TemplateVersionId, (Arc<template_version::Model>, bool)>> {
    if planned.is_empty() {
        return Ok(HashMap::new());
    }
    let planned = template_version::Entity::find()
        .select_only()
        .columns([template_version::Column::Id, template_version::Column::TemplateId])
        .filter(template_version::Column::Id.is_in(planned))
        .into_tuple::<(TemplateVersionId, TemplateId)>()
        .all(tx)
        .await?;
    let mut wanted: Vec<TemplateId> = planned.iter().map(|(_, template)| *template).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let current: HashMap<TemplateId, (Arc<template_version::Model>, bool)> = template_version::Entity::find()
        .filter(template_version::Column::TemplateId.is_in(wanted))
        .filter(Expr::cust(template_version::COUNTS))
        .all(tx)
        .await?
        .into_iter()
        .map(|row| {
            let approved = is_approved(&row);
            (row.template_id, (Arc::new(row), approved))
        })
        .collect();
    Ok(planned
        .into_iter()
        .filter_map(|(version, template)| Some((version, current.get(&template)?.clone())))
        .collect())
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

/// The mailings of a batch and, for a claim, nobody can stop them until it ends: so a stop comes either before the gate is
/// asked or after the claim is written and then finds it. A claim that holds messages waits for nobody, so a mailing that
/// is being stopped at this moment is passed over.
pub(super) async fn mailings(
    tx: &DatabaseTransaction,
    ids: Vec<MailingId>,
    hold: Contacts,
) -> Result<HashMap<MailingId, MailingState>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut select = mailing::Entity::find()
        .select_only()
        .columns([mailing::Column::Id, mailing::Column::State])
        .filter(mailing::Column::Id.is_in(ids))
        .order_by_asc(mailing::Column::Id);
    if hold == Contacts::Held {
        // Shared: any number of claims go on at once. SQLite leaves it out.
        select = select.lock_with_behavior(LockType::Share, LockBehavior::SkipLocked);
    }
    let rows = select.into_tuple::<(MailingId, MailingState)>().all(tx).await?;
    Ok(rows.into_iter().collect())
}

/// Campaigns with what they have cost so far, where that matters.
pub(super) async fn campaigns(
    tx: &DatabaseTransaction,
    mut ids: Vec<CampaignId>,
    zone: Tz,
) -> Result<HashMap<CampaignId, CampaignNow>> {
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = campaign::Entity::find()
        .filter(campaign::Column::Id.is_in(ids.iter().copied()))
        .all(tx)
        .await?;
    let spend: HashMap<CampaignId, i64> = campaign_spend::Entity::find()
        .select_only()
        .column(campaign_spend::Column::CampaignId)
        // Each database sums whole numbers in a type of its own.
        .expr(Expr::cust("CAST(SUM(amount_minor) AS bigint)"))
        .filter(campaign_spend::Column::CampaignId.is_in(ids))
        .group_by(campaign_spend::Column::CampaignId)
        .into_tuple::<(CampaignId, i64)>()
        .all(tx)
        .await?
        .into_iter()
        .collect();
    let now_of = |row: &campaign::Model| {
        let spent = spend.get(&row.id).copied().unwrap_or_default();
        CampaignNow::of(row, spent, zone)
    };
    Ok(rows.iter().map(|row| (row.id, now_of(row))).collect())
}

/// The holds of these campaigns and sequences.
pub(super) async fn holds(
    tx: &DatabaseTransaction,
    campaigns: &[CampaignId],
    sequences: &[SequenceId],
) -> Result<Vec<outreach_hold::Model>> {
    if campaigns.is_empty() && sequences.is_empty() {
        return Ok(Vec::new());
    }
    let any = Condition::any()
        .add(outreach_hold::Column::CampaignId.is_in(campaigns.iter().copied()))
        .add(outreach_hold::Column::SequenceId.is_in(sequences.iter().copied()));
    Ok(outreach_hold::Entity::find().filter(any).all(tx).await?)
}

/// Whether bulk mail of this domain is stopped.
pub(super) async fn is_stopped(tx: &DatabaseTransaction, domain: &str) -> Result<bool> {
    let found = sending_stop::Entity::find()
        .filter(sending_stop::Column::Domain.is_in([domain, EVERY_DOMAIN]))
        .limit(1)
        .one(tx)
        .await?;
    Ok(found.is_some())
}
