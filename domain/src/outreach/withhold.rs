//! Taking planned mail back, when what it rested on is gone.

use chrono::{DateTime, Utc};
use entity::id::{ConsentEventId, MessageId};
use entity::message::{Column, Entity, GateReason, MessageState};
use entity::message_event::{self, MessageEventKind};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter};

use super::{gate, plan};
use crate::db::BATCH_MAX;
use crate::error::Result;

/// States in which a mail has not begun to go out.
pub const PENDING: [MessageState; 3] = [
    MessageState::Planned,
    MessageState::Deferred,
    MessageState::Claimed,
];

/// Withholds every pending mail of those that `which` selects, claimed ones included: the fence rises, so the worker
/// that holds one can no longer hand it off. Answers which were withheld.
///
/// `which` must select the mails of a contact, a lead or an enrollment, of which there are few.
///
/// # Errors
/// When the database fails.
pub async fn pending(
    tx: &DatabaseTransaction,
    which: Condition,
    reason: GateReason,
    consent_event_id: Option<ConsentEventId>,
    now: DateTime<Utc>,
) -> Result<Vec<MessageId>> {
    let decision = gate::withheld(reason, consent_event_id, now);
    let withheld = Entity::update_many()
        .col_expr(Column::State, Expr::value(MessageState::Withheld))
        .col_expr(Column::Fence, Expr::col(Column::Fence).add(1))
        .col_expr(Column::LeaseUntil, Expr::value(None::<DateTime<Utc>>))
        .col_expr(Column::Decision, Expr::value(decision))
        .col_expr(Column::SettledAt, Expr::value(now))
        .filter(Column::State.is_in(PENDING))
        .filter(which)
        .exec_with_returning(tx)
        .await?;
    let ids: Vec<MessageId> = withheld.into_iter().map(|message| message.id).collect();
    for some in ids.chunks(BATCH_MAX) {
        let events = some
            .iter()
            .map(|id| plan::event(*id, MessageEventKind::Withheld, Some(reason.as_str()), now));
        message_event::Entity::insert_many(events)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(ids)
}
