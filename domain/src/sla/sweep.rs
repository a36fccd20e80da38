//! The sweep over first attempts that did not come in time.

use entity::enums::LeadStage;
use entity::lead::{Column, Entity};
use entity::lead_event::{self, LeadEventKind};
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use crate::db::{self, BATCH_MAX};
use crate::done::Done;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::lead::event::NewEvent;
use crate::viewer::Actor;

/// Marks leads whose first attempt is late, with an event each. Answers how many, at most [`BATCH_MAX`]; the caller goes
/// on while a call was full. Any number of workers may run it at once.
///
/// A first attempt has to come *before* its due time, so a lead is late at that very instant. What counts in figures is
/// the due time itself; `sla_missed_at` is the moment of this sweep, and says only that the event was written. The
/// version of a lead does not rise by this: a coordinator who edits it meanwhile is not in anybody's way.
///
/// # Errors
/// When the database fails.
pub async fn mark_missed(h: &Hospital) -> Result<Done<usize>> {
    let now = h.now();
    let tx = db::begin_write(&h.db).await?;
    let due = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::SlaDueAt.lte(now))
        .filter(Column::FirstAttemptAt.is_null())
        .filter(Column::SlaMissedAt.is_null())
        .filter(Column::UnfinishedAt.is_null())
        .filter(Column::Stage.eq(LeadStage::New))
        .order_by_asc(Column::SlaDueAt)
        .limit(BATCH_MAX as u64)
        // SQLite has one writer at a time, and leaves this out.
        .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
        .into_query();
    let missed = Entity::update_many()
        .col_expr(Column::SlaMissedAt, Expr::value(now))
        .filter(Column::Id.in_subquery(due))
        .exec_with_returning(&tx)
        .await?;
    if missed.is_empty() {
        return Ok(Done::quiet(0));
    }
    let events: Vec<NewEvent> = missed
        .iter()
        .map(|lead| {
            NewEvent::new(lead.id, LeadEventKind::SlaMissed, Actor::SYSTEM, now)
                .with("dueAt", lead.sla_due_at.to_rfc3339())
        })
        .collect();
    let signals = events.iter().map(NewEvent::signal).collect();
    let rows = events.into_iter().map(NewEvent::row);
    lead_event::Entity::insert_many(rows)
        .exec_without_returning(&tx)
        .await?;
    tx.commit().await?;
    Ok(Done {
        value: missed.len(),
        signals,
        nudges: Vec::new(),
    })
}
