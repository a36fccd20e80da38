//! Pauses of clocks: finders, and the sweep over those that have ended.

use std::collections::HashMap;
use std::ops::Range;

use chrono::{DateTime, Utc};
use entity::id::LeadId;
use entity::lead_event::{self, LeadEventKind};
use entity::sla_pause::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
};

use crate::db::{self, BATCH_MAX};
use crate::done::Done;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::lead::event::NewEvent;
use crate::viewer::Actor;

/// Most pauses of a lead.
pub const PAUSES_MAX: u64 = 20;

/// The pauses of some leads, each lead's in the order of time; one that lasts, up to its planned end.
///
/// # Errors
/// When the database fails.
pub async fn of_leads(
    conn: &impl ConnectionTrait,
    ids: &[LeadId],
) -> Result<HashMap<LeadId, Vec<Range<DateTime<Utc>>>>> {
    let mut found: HashMap<LeadId, Vec<Range<DateTime<Utc>>>> = HashMap::new();
    let rows = Entity::find()
        .filter(Column::LeadId.is_in(ids.iter().copied()))
        .order_by_asc(Column::StartsAt)
        .all(conn)
        .await?;
    for row in rows {
        found
            .entry(row.lead_id)
            .or_default()
            .push(row.starts_at..row.ends_at);
    }
    Ok(found)
}

/// The pause of a lead whose end has not been written down, held until the transaction ends.
pub(crate) async fn lasting(tx: &DatabaseTransaction, id: LeadId) -> Result<Option<Model>> {
    let found = Entity::find()
        .filter(Column::LeadId.eq(id))
        .filter(Column::EndedAt.is_null())
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?;
    Ok(found)
}

/// The event that a clock runs again. `why` is one of `BY_HAND`, `TIME_CAME`, `ATTEMPTED`, `CLOSED`.
pub(crate) fn resumed_event(row: &Model, why: &'static str, actor: Actor, now: DateTime<Utc>) -> NewEvent {
    NewEvent::new(row.lead_id, LeadEventKind::SlaResumed, actor, now)
        .with("reason", row.reason.as_str())
        .with("endedAt", row.ends_at.to_rfc3339())
        .with("why", why)
}

/// Writes down that pauses have come to their planned end. Answers how many, at most [`BATCH_MAX`]; the caller goes on
/// while a call was full. Any number of workers may run it at once.
///
/// The times of the lead were moved when the pause began, for its planned end: so nothing depends on when this runs.
///
/// # Errors
/// When the database fails.
pub async fn end_due(h: &Hospital) -> Result<Done<usize>> {
    let now = h.now();
    let tx = db::begin_write(&h.db).await?;
    let due = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::EndedAt.is_null())
        .filter(Column::EndsAt.lte(now))
        .order_by_asc(Column::EndsAt)
        .order_by_asc(Column::Id)
        .limit(BATCH_MAX as u64)
        // SQLite has one writer at a time, and leaves this out.
        .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
        .into_query();
    let ended = Entity::update_many()
        .col_expr(Column::EndedAt, Expr::value(now))
        .filter(Column::Id.in_subquery(due))
        .exec_with_returning(&tx)
        .await?;
    if ended.is_empty() {
        return Ok(Done::quiet(0));
    }
    let events: Vec<NewEvent> = ended
        .iter()
        .map(|row| resumed_event(row, "TIME_CAME", Actor::SYSTEM, now))
        .collect();
    let signals = events.iter().map(NewEvent::signal).collect();
    lead_event::Entity::insert_many(events.into_iter().map(NewEvent::row))
        .exec_without_returning(&tx)
        .await?;
    tx.commit().await?;
    Ok(Done {
        value: ended.len(),
        signals,
        nudges: Vec::new(),
    })
}
