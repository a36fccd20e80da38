//! Leaving a sequence before its end.

use chrono::{DateTime, Utc};
use entity::enrollment::{Column, EnrollmentState, Entity, ExitReason, Model};
use entity::id::EnrollmentId;
use entity::lead_event::{self, LeadEventKind};
use entity::message::{self, GateReason};
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::course::End;
use crate::db::BATCH_MAX;
use crate::error::Result;
use crate::lead::event::NewEvent;
use crate::outreach::withhold;
use crate::signal::Signal;
use crate::viewer::Actor;

/// Enrollments that ended.
#[derive(Clone, Debug, Default)]
pub struct Left {
    /// The enrollments, as they ended.
    pub enrollments: Vec<Model>,
    /// What to tell listeners of their leads.
    pub signals: Vec<Signal>,
}

/// Ends every active enrollment of those that `which` selects, within the caller's transaction, and writes it into the
/// history of each lead. The caller withholds the mails that they planned.
///
/// `which` must select the enrollments of a contact or a lead, or some by their ids: there are few of them.
///
/// # Errors
/// When the database fails.
pub async fn leave(
    tx: &DatabaseTransaction,
    which: Condition,
    reason: ExitReason,
    actor: Actor,
    now: DateTime<Utc>,
) -> Result<Left> {
    end(tx, which, &End::Left(reason), actor, now).await
}

/// The same for any end.
///
/// # Errors
/// When the database fails.
pub(super) async fn end(
    tx: &DatabaseTransaction,
    which: Condition,
    how: &End,
    actor: Actor,
    now: DateTime<Utc>,
) -> Result<Left> {
    // Held in the order of their ids first: an UPDATE takes its rows in any order, and two that take the same rows in
    // two orders would wait in a circle.
    let held: Vec<EnrollmentId> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::State.eq(EnrollmentState::Active))
        .filter(which)
        .order_by_asc(Column::Id)
        .lock(LockType::Update)
        .into_tuple()
        .all(tx)
        .await?;
    if held.is_empty() {
        return Ok(Left::default());
    }
    let enrollments = Entity::update_many()
        .col_expr(Column::State, Expr::value(how.state()))
        .col_expr(Column::ExitReason, Expr::value(how.reason()))
        .col_expr(Column::GoalKey, Expr::value(how.goal_key().map(str::to_owned)))
        .col_expr(Column::EndedAt, Expr::value(now))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::State.eq(EnrollmentState::Active))
        .filter(Column::Id.is_in(held))
        .exec_with_returning(tx)
        .await?;
    let events: Vec<NewEvent> = enrollments
        .iter()
        .map(|row| event(row, how.word(), actor, now))
        .collect();
    let signals = events.iter().map(NewEvent::signal).collect();
    for batch in events.chunks(BATCH_MAX) {
        let rows = batch.iter().cloned().map(NewEvent::row);
        lead_event::Entity::insert_many(rows)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(Left { enrollments, signals })
}

/// Ends these enrollments and withholds what they planned, in the order in which everybody locks.
///
/// # Errors
/// When the database fails.
pub(super) async fn end_and_withhold(
    tx: &DatabaseTransaction,
    ids: &[EnrollmentId],
    how: &End,
    actor: Actor,
    now: DateTime<Utc>,
) -> Result<Left> {
    let mut all = Left::default();
    for ids in ids.chunks(BATCH_MAX) {
        let which = Condition::all().add(Column::Id.is_in(ids.iter().copied()));
        let left = end(tx, which, how, actor, now).await?;
        let planned = Condition::all().add(message::Column::EnrollmentId.is_in(ids.iter().copied()));
        withhold::pending(tx, planned, GateReason::LeadLeft, None, now).await?;
        all.enrollments.extend(left.enrollments);
        all.signals.extend(left.signals);
    }
    Ok(all)
}

/// The event that a lead's history gets when an enrollment ends; `reason` is an exit reason, `GOAL` or `COMPLETED`.
pub(super) fn event(row: &Model, reason: &'static str, actor: Actor, now: DateTime<Utc>) -> NewEvent {
    NewEvent::new(row.lead_id, LeadEventKind::Unenrolled, actor, now)
        .with("enrollmentId", row.id.to_string())
        .with("sequenceId", row.sequence_id.to_string())
        .with("reason", reason)
}
