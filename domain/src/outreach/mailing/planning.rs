//! One step of planning: looks at the next leads in the order of their ids, the newest first, and plans mails by one
//! `INSERT … SELECT`. What it costs does not depend on how many leads or messages there are.

use chrono::{DateTime, Utc};
use entity::id::{ContactId, LeadId, MailingId, MessageId};
use entity::mailing::{MailingState, Model};
use entity::mailing_progress::{self, MailingWork};
use entity::message_event::MessageEventKind;
use entity::{lead, mailing, message_event, template_version};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, Statement, Value,
};

use super::audience::{condition, first_lead, place};
use crate::db::BATCH_MAX;
use crate::error::{Error, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::outreach::plan::{self, NURTURE_TTL, nurture_lane, own_subject, rfc_message_id};
use crate::playbook::Playbook;

/// Leads that one step looks at, and so the most mails that it plans.
pub const STEP: usize = BATCH_MAX;

/// Does the next step of a mailing whose progress is held by the caller. Answers how many leads it looked at; none when
/// somebody is stopping the mailing at this moment.
pub(super) async fn step(
    h: &Hospital,
    tx: &DatabaseTransaction,
    playbook: &Playbook,
    progress: mailing_progress::Model,
) -> Result<Option<usize>> {
    // Shared with claims, and against a stop: what a stop finds planned is all that will ever be.
    let mailing = mailing::Entity::find_by_id(progress.mailing_id)
        .lock_with_behavior(LockType::Share, LockBehavior::SkipLocked)
        .one(tx)
        .await?;
    let Some(mailing) = mailing.filter(|mailing| mailing.state == MailingState::Started) else {
        return Ok(None);
    };
    let now = h.now();
    let leads = next_leads(tx, &mailing, progress.before_lead_id).await?;
    let planned = plan(h, tx, playbook, &mailing, &leads, now).await?;
    let looked_at = leads.len();
    let finished = looked_at < STEP;
    let mut row = progress.clone().into_active_model();
    if let Some((last, _)) = leads.last() {
        row.before_lead_id = Set(*last);
    }
    row.looked_at = Set(progress.looked_at + count(looked_at)?);
    row.planned = Set(progress.planned + count(planned)?);
    // Mailings take turns.
    row.due_at = Set(now);
    if finished {
        row.work = Set(MailingWork::Done);
        row.finished_at = Set(Some(now));
    }
    row.update(tx).await?;
    // A step that finds no lead has done something too: it has found the end.
    Ok(Some(looked_at.max(1)))
}

fn count(rows: usize) -> Result<i64> {
    i64::try_from(rows).map_err(|_| Error::fault("a step has a small size"))
}

/// The next leads, whoever they are for: a range of the primary key.
async fn next_leads(
    tx: &DatabaseTransaction,
    mailing: &Model,
    before: LeadId,
) -> Result<Vec<(LeadId, ContactId)>> {
    let mut select = lead::Entity::find()
        .select_only()
        .columns([lead::Column::Id, lead::Column::ContactId])
        .filter(lead::Column::Id.lt(before))
        .order_by_desc(lead::Column::Id)
        .limit(STEP as u64);
    if let Some(first) = first_lead(mailing.audience.received_from) {
        select = select.filter(lead::Column::Id.gte(first));
    }
    Ok(select.into_tuple().all(tx).await?)
}

/// Plans a mail for each of these leads that is of the audience and whose contact has none of this mailing yet. Answers
/// how many.
async fn plan(
    h: &Hospital,
    tx: &DatabaseTransaction,
    playbook: &Playbook,
    mailing: &Model,
    leads: &[(LeadId, ContactId)],
    now: DateTime<Utc>,
) -> Result<usize> {
    if leads.is_empty() {
        return Ok(0);
    }
    let version = playbook
        .template_current
        .get(&mailing.template_id)
        .and_then(|id| playbook.template_versions.get(id))
        .ok_or_else(|| Error::fault("the template of a mailing has no text"))?;
    let (sql, values) = insert(h, mailing, version, leads, now);
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    let rows = tx.query_all_raw(statement).await?;
    let ids: Vec<MessageId> = rows
        .iter()
        .map(|row| row.try_get_by_index(0))
        .collect::<Result<_, _>>()?;
    let events = ids
        .iter()
        .map(|id| plan::event(*id, MessageEventKind::Planned, None, now));
    message_event::Entity::insert_many(events)
        .exec_without_returning(tx)
        .await?;
    Ok(ids.len())
}

/// The statement. Ids are made here and joined with the leads: only some are used. The newest lead of a contact comes
/// first; the origin key lets no second mail of the contact in, from this step or from one before.
fn insert(
    h: &Hospital,
    mailing: &Model,
    version: &template_version::Model,
    leads: &[(LeadId, ContactId)],
    now: DateTime<Utc>,
) -> (String, Vec<Value>) {
    let send_at = mailing.send_at.unwrap_or(now);
    let mut values: Vec<Value> = Vec::with_capacity(leads.len() * 4 + 32);
    let mut bind = |value: Value| place(&mut values, value);
    let fixed = [
        bind(nurture_lane(mailing.purpose).as_str().into()),
        bind(mailing.purpose.as_str().into()),
        bind(mailing.campaign_id.into()),
        bind(mailing.id.into()),
        bind(version.id.into()),
        bind(own_subject(version).into()),
        bind(send_at.into()),
        bind((send_at.max(now) + NURTURE_TTL).into()),
        bind(now.into()),
    ];
    let [
        lane,
        purpose,
        campaign,
        of_mailing,
        text,
        subject,
        due_at,
        expires_at,
        created_at,
    ] = fixed;
    let rows: Vec<String> = leads
        .iter()
        .map(|(lead, contact)| {
            let id: MessageId = new_id(now);
            let row = [
                bind(id.into()),
                bind((*lead).into()),
                bind(rfc_message_id(id, &h.site).into()),
                bind(origin_key(mailing.id, *contact).into()),
            ];
            format!("({})", row.join(", "))
        })
        .collect();
    let whose = condition(&mailing.audience, &mut values);
    let sql = format!(
        "INSERT INTO message (id, kind, lane, purpose, origin_key, lead_id, contact_id, campaign_id, mailing_id, \
         template_version_id, subject, rfc_message_id, state, due_at, expires_at, attempts, fence, created_at) \
         SELECT v.column1, 'NURTURE', {lane}, {purpose}, v.column4, lead.id, lead.contact_id, {campaign}, {of_mailing}, \
         {text}, {subject}, v.column3, 'PLANNED', {due_at}, {expires_at}, 0, 0, {created_at} \
         FROM (VALUES {rows}) AS v JOIN lead ON lead.id = v.column2 \
         WHERE {whose} ORDER BY lead.id DESC ON CONFLICT DO NOTHING RETURNING id",
        rows = rows.join(", ")
    );
    (sql, values)
}

/// What makes a contact's mail of a mailing the only one.
fn origin_key(mailing: MailingId, contact: ContactId) -> String {
    format!("mailing/{}/{}", mailing.0, contact.0)
}
