//! How long what came back is kept: the mails themselves for days, that they came for a year.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::InboundMailId;
use entity::inbound_mail::{Column, Entity};
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

use crate::db::{self, BATCH_MAX};
use crate::error::Result;
use crate::hospital::Hospital;

/// Days for which the bytes of what came back are kept at the most, whatever the policy says.
pub const KEPT_DAYS_MAX: i32 = 30;

/// How long a row without its bytes still tells a repetition.
const REMEMBERED: TimeDelta = TimeDelta::days(365);

/// What still has its bytes and came before a moment, the oldest first.
pub(crate) fn kept(before: DateTime<Utc>) -> Select<Entity> {
    Entity::find()
        .filter(Column::Raw.is_not_null())
        .filter(Column::ReceivedAt.lt(before))
        .order_by_asc(Column::ReceivedAt)
}

/// Takes the bytes of these away, and answers of how many; what somebody else holds comes next time.
pub(crate) async fn empty(tx: &DatabaseTransaction, which: Select<Entity>) -> Result<u64> {
    let ids: Vec<InboundMailId> = which
        .select_only()
        .column(Column::Id)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_tuple()
        .all(tx)
        .await?;
    let emptied = Entity::update_many()
        .col_expr(Column::Raw, Expr::value(None::<Vec<u8>>))
        .filter(Column::Id.is_in(ids))
        .exec(tx)
        .await?;
    Ok(emptied.rows_affected)
}

/// Keeps to the limits that hold without any policy, a batch at a time. Answers whether there may be more. Any number of
/// processes may do so at once.
///
/// # Errors
/// When the database fails.
pub async fn keep_to_limits(h: &Hospital) -> Result<bool> {
    let now = h.now();
    let tx = db::begin_write(&h.db).await?;
    let past = kept(now - TimeDelta::days(KEPT_DAYS_MAX.into())).limit(BATCH_MAX as u64);
    let emptied = empty(&tx, past).await?;
    let old: Vec<InboundMailId> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Raw.is_null())
        // The id tells when a row was made, and its index gives the oldest first.
        .filter(Column::ReceivedAt.lt(now - REMEMBERED))
        .order_by_asc(Column::Id)
        .limit(BATCH_MAX as u64)
        .into_tuple()
        .all(&tx)
        .await?;
    let forgotten = Entity::delete_many()
        .filter(Column::Id.is_in(old))
        .exec(&tx)
        .await?;
    tx.commit().await?;
    let full = BATCH_MAX as u64;
    Ok(emptied == full || forgotten.rows_affected == full)
}
