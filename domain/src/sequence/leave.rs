//! Leaving a sequence before its end.

use chrono::{DateTime, Utc};
use entity::enrollment::{Column, EnrollmentState, Entity, ExitReason, Model};
use entity::lead_event::{self, LeadEventKind};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter};

use crate::db::BATCH_MAX;
use crate::error::Result;
use crate::lead::event::NewEvent;
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
/// `which` must select the enrollments of a contact or a lead, of which there are few.
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
    let enrollments = Entity::update_many()
        .col_expr(Column::State, Expr::value(EnrollmentState::Exited))
        .col_expr(Column::ExitReason, Expr::value(reason))
        .col_expr(Column::EndedAt, Expr::value(now))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::State.eq(EnrollmentState::Active))
        .filter(which)
        .exec_with_returning(tx)
        .await?;
    let events: Vec<NewEvent> = enrollments
        .iter()
        .map(|row| event(row, reason.as_str(), actor, now))
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

/// The event that a lead's history gets when an enrollment ends; `reason` is an exit reason or `COMPLETED`.
pub(super) fn event(row: &Model, reason: &'static str, actor: Actor, now: DateTime<Utc>) -> NewEvent {
    NewEvent::new(row.lead_id, LeadEventKind::Unenrolled, actor, now)
        .with("enrollmentId", row.id.to_string())
        .with("sequenceId", row.sequence_id.to_string())
        .with("reason", reason)
}
