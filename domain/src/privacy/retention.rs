//! How long personal data is kept unasked, and the sweep that ends it.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::{ContactId, LeadId, MessageId};
use entity::retention_policy::{Column, Entity, Model, RetentionKind};
use entity::{captured_mail, consent_event, contact, idempotency, lead};
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait,
    IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
};

use super::{contacts, leads};
use crate::audit;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::inbound::retain as inbound;
use crate::viewer::{Actor, Viewer};

/// Rows of one kind that one run of the sweep takes out in a transaction.
pub const BATCH: u64 = 100;
/// Longest time that can be set, in days: a hundred years.
pub const DAYS_MAX: i32 = 36_500;

/// What a policy finds, or took out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    /// What it is about.
    pub kind: RetentionKind,
    /// How many days it is kept.
    pub keep_days: i32,
    /// How many rows are, or were, past that.
    pub rows: u64,
}

/// The policies, in the order of their kinds.
///
/// # Errors
/// When the database fails.
pub async fn policies(conn: &impl ConnectionTrait) -> Result<Vec<Model>> {
    let mut policies = Entity::find().all(conn).await?;
    policies.sort_by_key(|policy| policy.kind);
    Ok(policies)
}

/// Sets how many days one kind is kept; none: until somebody erases it. Answers the policies as they are then.
///
/// # Errors
/// [`Error::Refused`] when the days are not from 1 to [`DAYS_MAX`].
pub async fn set(
    h: &Hospital,
    viewer: &Viewer,
    kind: RetentionKind,
    keep_days: Option<i32>,
) -> Result<Done<Vec<Model>>> {
    if keep_days.is_some_and(|days| !(1..=DAYS_MAX).contains(&days)) {
        let message = "Data is kept for 1 to 36500 days, or without an end.";
        return Err(Error::refused(Code::Invalid, "keepDays", message));
    }
    if kind == RetentionKind::InboundMail && keep_days.is_some_and(|days| days > inbound::KEPT_DAYS_MAX) {
        let message = "What came back about mails is kept for 30 days at most.";
        return Err(Error::refused(Code::TooLarge, "keepDays", message));
    }
    let tx = db::begin_write(&h.db).await?;
    let now = h.now();
    Entity::delete_many()
        .filter(Column::Kind.eq(kind))
        .exec(&tx)
        .await?;
    if let Some(keep_days) = keep_days {
        let row = Model {
            id: new_id(now),
            kind,
            keep_days,
            updated_at: now,
        };
        row.into_active_model().insert(&tx).await?;
    }
    audit::record(viewer.actor(), "retention.set", Some(&kind.as_str()), None, now)
        .insert(&tx)
        .await?;
    let policies = policies(&tx).await?;
    tx.commit().await?;
    Ok(Done::quiet(policies))
}

/// What a run would take out now. Writes nothing.
///
/// # Errors
/// When the database fails.
pub async fn due(h: &Hospital) -> Result<Vec<Swept>> {
    let mut found = Vec::new();
    for policy in policies(&h.db).await? {
        let before = before(&policy, h.now());
        let rows = match policy.kind {
            RetentionKind::ClosedLeads => closed_leads(before).count(&h.db).await?,
            RetentionKind::UnengagedContacts => unengaged(before).count(&h.db).await?,
            RetentionKind::CapturedMail => captured(before).count(&h.db).await?,
            RetentionKind::KeptAnswers => answers(before).count(&h.db).await?,
            RetentionKind::InboundMail => inbound::kept(before).count(&h.db).await?,
        };
        found.push(swept(&policy, rows));
    }
    Ok(found)
}

/// Takes out at most [`BATCH`] rows of each kind. Listeners are not told: nobody has looked at these for long. Any number of processes may do so at once.
///
/// # Errors
/// When the database fails; what was committed of other kinds stays so.
pub async fn sweep(h: &Hospital) -> Result<Vec<Swept>> {
    let mut done = Vec::new();
    for policy in policies(&h.db).await? {
        let tx = db::begin_write(&h.db).await?;
        let rows = take_out(&tx, h, &policy).await?;
        if rows > 0 {
            audit::record(
                Actor::SYSTEM,
                "retention.sweep",
                Some(&policy.kind.as_str()),
                None,
                h.now(),
            )
            .insert(&tx)
            .await?;
        }
        tx.commit().await?;
        done.push(swept(&policy, rows));
    }
    Ok(done)
}

async fn take_out(tx: &DatabaseTransaction, h: &Hospital, policy: &Model) -> Result<u64> {
    let now = h.now();
    let before = before(policy, now);
    let rows = match policy.kind {
        RetentionKind::ClosedLeads => {
            let ids: Vec<LeadId> = batch(closed_leads(before), lead::Column::Id)
                .into_tuple()
                .all(tx)
                .await?;
            leads::erase(tx, &ids, now).await?;
            ids.len() as u64
        }
        RetentionKind::UnengagedContacts => {
            let ids: Vec<ContactId> = batch(unengaged(before), contact::Column::Id)
                .into_tuple()
                .all(tx)
                .await?;
            contacts::erase(tx, h, &ids, Actor::SYSTEM).await?;
            ids.len() as u64
        }
        RetentionKind::CapturedMail => {
            let ids: Vec<MessageId> = batch(captured(before), captured_mail::Column::MessageId)
                .into_tuple()
                .all(tx)
                .await?;
            let gone = captured_mail::Entity::delete_many()
                .filter(captured_mail::Column::MessageId.is_in(ids))
                .exec(tx)
                .await?;
            gone.rows_affected
        }
        RetentionKind::KeptAnswers => {
            let ids = batch(answers(before), idempotency::Column::Id);
            let gone = idempotency::Entity::delete_many()
                .filter(idempotency::Column::Id.in_subquery(ids.into_query()))
                .exec(tx)
                .await?;
            gone.rows_affected
        }
        RetentionKind::InboundMail => inbound::empty(tx, inbound::kept(before).limit(BATCH)).await?,
    };
    Ok(rows)
}

/// The first rows of a choice, held; those that somebody else holds come next time.
fn batch<E: EntityTrait>(rows: Select<E>, id: E::Column) -> Select<E> {
    rows.select_only()
        .column(id)
        .limit(BATCH)
        .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
}

fn before(policy: &Model, now: DateTime<Utc>) -> DateTime<Utc> {
    now - TimeDelta::days(policy.keep_days.into())
}

const fn swept(policy: &Model, rows: u64) -> Swept {
    Swept {
        kind: policy.kind,
        keep_days: policy.keep_days,
        rows,
    }
}

/// Written out, as the partial index has it.
fn closed_leads(before: DateTime<Utc>) -> Select<lead::Entity> {
    lead::Entity::find()
        .filter(lead::Column::ErasedAt.is_null())
        .filter(sea_orm::sea_query::Expr::cust("stage = 'CLOSED'"))
        .filter(lead::Column::ClosedAt.lt(before))
        .order_by_asc(lead::Column::ClosedAt)
}

/// Contacts that did nothing and for whom nothing was done.
fn unengaged(before: DateTime<Utc>) -> Select<contact::Entity> {
    let lately = lead::Entity::find()
        .select_only()
        .column(lead::Column::ContactId)
        .filter(lead::Column::UpdatedAt.gte(before))
        .into_query();
    let spoke = consent_event::Entity::find()
        .select_only()
        .column(consent_event::Column::ContactId)
        .filter(consent_event::Column::RecordedAt.gte(before))
        .into_query();
    contact::Entity::find()
        .filter(contact::Column::ErasedAt.is_null())
        .filter(contact::Column::UpdatedAt.lt(before))
        .filter(
            Condition::all()
                .add(contact::Column::Id.not_in_subquery(lately))
                .add(contact::Column::Id.not_in_subquery(spoke)),
        )
        .order_by_asc(contact::Column::UpdatedAt)
}

fn captured(before: DateTime<Utc>) -> Select<captured_mail::Entity> {
    captured_mail::Entity::find()
        .filter(captured_mail::Column::CapturedAt.lt(before))
        .order_by_asc(captured_mail::Column::CapturedAt)
}

fn answers(before: DateTime<Utc>) -> Select<idempotency::Entity> {
    idempotency::Entity::find()
        .filter(idempotency::Column::CreatedAt.lt(before))
        .order_by_asc(idempotency::Column::CreatedAt)
}
