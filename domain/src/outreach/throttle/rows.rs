//! The rows of allowances: read and held for a batch, written once.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use entity::message_event::{self, MessageEventKind};
use entity::{sending_allowance, sending_day};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Statement, Value,
};

use super::{Bucket, Held};
use crate::db::each::update_each;
use crate::error::Result;
use crate::outreach::{gate, plan};

/// Buckets by key, held until the transaction ends; those that are new are full.
pub(super) async fn read_buckets(
    tx: &DatabaseTransaction,
    mut keys: Vec<String>,
    now: DateTime<Utc>,
) -> Result<HashMap<String, Bucket>> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    keys.sort_unstable();
    let new = keys.iter().map(|key| sending_allowance::ActiveModel {
        key: Set(key.clone()),
        next_at: Set(now),
        queued_until: Set(now),
    });
    let mut known = OnConflict::column(sending_allowance::Column::Key);
    known.do_nothing();
    sending_allowance::Entity::insert_many(new)
        .on_conflict(known)
        .exec_without_returning(tx)
        .await?;
    let rows = sending_allowance::Entity::find()
        .filter(sending_allowance::Column::Key.is_in(keys))
        .order_by_asc(sending_allowance::Column::Key)
        .lock_exclusive()
        .all(tx)
        .await?;
    let bucket = |row: sending_allowance::Model| {
        let bucket = Bucket {
            next_at: row.next_at,
            queued_until: row.queued_until,
        };
        (row.key, bucket)
    };
    Ok(rows.into_iter().map(bucket).collect())
}

pub(super) async fn write_buckets(tx: &DatabaseTransaction, buckets: &HashMap<String, Bucket>) -> Result<()> {
    if buckets.is_empty() {
        return Ok(());
    }
    let rows = buckets
        .iter()
        .map(|(key, bucket)| sending_allowance::ActiveModel {
            key: Set(key.clone()),
            next_at: Set(bucket.next_at),
            queued_until: Set(bucket.queued_until),
        });
    let mut known = OnConflict::column(sending_allowance::Column::Key);
    known.update_columns([
        sending_allowance::Column::NextAt,
        sending_allowance::Column::QueuedUntil,
    ]);
    sending_allowance::Entity::insert_many(rows)
        .on_conflict(known)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// How many mails a domain has sent on a day. The row is held until the transaction ends.
pub(super) async fn sent_on(tx: &DatabaseTransaction, domain: &str, day: NaiveDate) -> Result<i64> {
    let new = sending_day::ActiveModel {
        domain: Set(domain.to_owned()),
        day: Set(day),
        sent: Set(0),
    };
    let mut known = OnConflict::columns([sending_day::Column::Domain, sending_day::Column::Day]);
    known.do_nothing();
    sending_day::Entity::insert(new)
        .on_conflict(known)
        .exec_without_returning(tx)
        .await?;
    let row = sending_day::Entity::find_by_id((domain.to_owned(), day))
        .lock_exclusive()
        .one(tx)
        .await?;
    Ok(row.map_or(0, |row| row.sent))
}

pub(super) async fn count_day(
    tx: &DatabaseTransaction,
    domain: &str,
    day: NaiveDate,
    mails: usize,
) -> Result<()> {
    add_to_day(tx, domain, day, i64::try_from(mails).unwrap_or(i64::MAX)).await
}

pub(super) async fn uncount_day(
    conn: &impl ConnectionTrait,
    domain: &str,
    day: NaiveDate,
    mails: usize,
) -> Result<()> {
    add_to_day(conn, domain, day, -i64::try_from(mails).unwrap_or(i64::MAX)).await
}

async fn add_to_day(conn: &impl ConnectionTrait, domain: &str, day: NaiveDate, mails: i64) -> Result<()> {
    let sql = "UPDATE sending_day SET sent = sent + $1 WHERE domain = $2 AND day = $3";
    let values: [Value; 3] = [mails.into(), domain.into(), day.into()];
    conn.execute_raw(Statement::from_sql_and_values(
        conn.get_database_backend(),
        sql,
        values,
    ))
    .await?;
    Ok(())
}

/// Defers claimed mails and says why, in the history only when they begin to wait.
pub(super) async fn defer(tx: &DatabaseTransaction, held: &[Held], now: DateTime<Utc>) -> Result<()> {
    let rows: Vec<[Value; 4]> = held
        .iter()
        .map(|held| {
            let message = held.sendable.message();
            let decision = gate::deferred(held.reason, held.until, message.consent_event_id, now);
            [
                message.id.into(),
                message.fence.into(),
                held.until.into(),
                Some(decision).into(),
            ]
        })
        .collect();
    let sql = "UPDATE message SET state = 'DEFERRED', due_at = v.column3, decision = v.column4, lease_until = NULL \
               FROM ({rows}) AS v WHERE message.id = v.column1 AND message.fence = v.column2 \
               AND message.state = 'CLAIMED' RETURNING message.id";
    update_each(tx, sql, Vec::new(), rows).await?;
    let events: Vec<_> = held
        .iter()
        .filter(|held| !held.sendable.has_lined_up())
        .map(|held| {
            let (id, reason) = (held.sendable.id(), held.reason.as_str());
            plan::event(id, MessageEventKind::Deferred, Some(reason), now)
        })
        .collect();
    message_event::Entity::insert_many(events)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
