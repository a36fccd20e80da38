//! Judges visits once all that speaks about them is written down.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::MessageId;
use entity::link_visit::{Column, Entity};
use entity::message;
use sea_orm::sea_query::{Expr, LockBehavior, LockType, SelectStatement};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, Value,
};

use super::judge::{SETTLED, Visit, judge};
use crate::db::{self, each::update_each};
use crate::error::Result;
use crate::hospital::Hospital;

/// Visits that are judged in one transaction.
pub const JUDGE_MAX: usize = 200;

/// Judges at most [`JUDGE_MAX`] visits that are old enough. Answers how many. Any number of processes may do so at once:
/// a visit is judged once, and whoever does it comes to the same verdict.
///
/// # Errors
/// When the database fails; nothing is judged then.
pub async fn judge_due(h: &Hospital) -> Result<usize> {
    let before = h.now() - SETTLED;
    // Most sweeps find nothing. They need not take SQLite's write lock to see that.
    if due(before).one(&h.db).await?.is_none() {
        return Ok(0);
    }
    let tx = db::begin_write(&h.db).await?;
    let found = due(before)
        .limit(JUDGE_MAX as u64)
        .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
        .all(&tx)
        .await?;
    let mut ids: Vec<MessageId> = found.iter().map(|visit| visit.message_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let taken_at: HashMap<MessageId, Option<DateTime<Utc>>> = message::Entity::find()
        .select_only()
        .columns([
            message::Column::Id,
            message::Column::SentAt,
            message::Column::HandedOffAt,
        ])
        .filter(message::Column::Id.is_in(ids.iter().copied()))
        .into_tuple::<(MessageId, Option<DateTime<Utc>>, Option<DateTime<Utc>>)>()
        .all(&tx)
        .await?
        .into_iter()
        .map(|(id, sent_at, handed_off_at)| (id, sent_at.or(handed_off_at)))
        .collect();
    let mut visits: HashMap<MessageId, Vec<Visit>> = HashMap::new();
    for row in Entity::find()
        .filter(Column::MessageId.is_in(ids))
        .all(&tx)
        .await?
    {
        visits.entry(row.message_id).or_default().push(Visit::from(&row));
    }
    let rows: Vec<[Value; 3]> = found
        .iter()
        .map(|row| {
            let all = visits.get(&row.message_id).map_or(&[][..], Vec::as_slice);
            let taken_at = taken_at.get(&row.message_id).copied().flatten();
            let (verdict, reason) = judge(Visit::from(row), all, taken_at);
            [row.id.into(), verdict.as_str().into(), reason.as_str().into()]
        })
        .collect();
    let sql = "UPDATE link_visit SET verdict = v.column2, reason = v.column3 FROM ({rows}) AS v \
               WHERE link_visit.id = v.column1 AND link_visit.verdict IS NULL RETURNING link_visit.id";
    let judged = update_each(&tx, sql, Vec::new(), rows).await?.len();
    tx.commit().await?;
    Ok(judged)
}

/// Visits that can be judged, the oldest first. The condition is written as the partial index has it.
fn due(before: DateTime<Utc>) -> Select<Entity> {
    Entity::find()
        .filter(Expr::cust("verdict IS NULL"))
        .filter(Column::At.lte(before))
        .order_by_asc(Column::At)
        .order_by_asc(Column::Id)
}

/// What is left of a mail's visits when its reader is erased: nothing.
pub(crate) async fn forget(tx: &DatabaseTransaction, messages: SelectStatement) -> Result<()> {
    Entity::delete_many()
        .filter(Column::MessageId.in_subquery(messages))
        .exec(tx)
        .await?;
    Ok(())
}
