//! Answers kept for requests that may come again, so that a repeat does nothing and hears what the first one heard.
//!
//! The row is written before the request is carried out, which makes a second one that comes meanwhile wait or go away,
//! and gets its answer afterwards. A process that dies in between leaves a row without an answer. After
//! [`TAKE_OVER_SECS`] such a row may be taken over and the request is carried out again: until then a request is carried
//! out at most once, after a crash at least once. The operations underneath are safe against that by themselves, by
//! versions and unique keys; this is the convenience on top.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::IdempotencyId;
use entity::idempotency::{ActiveModel, Column, Entity, Model};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, LockBehavior, LockType, OnConflict};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, TryInsertResult,
};
use serde_json::Value;

use crate::db;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::id::new_id;

/// How long an answer is kept, in hours.
pub const KEPT_HOURS: i64 = 24;
/// How old a row without an answer must be before another request may take it over, in seconds: longer than any request
/// takes.
pub const TAKE_OVER_SECS: i64 = 60;
/// Longest key in characters.
pub const MAX_KEY_CHARS: usize = 255;
/// Rows past their time that one request clears away.
const CLEAR_MAX: u64 = 100;

/// A sender's key.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// Whose key it is. Keys of different principals have nothing to do with each other.
    pub principal: &'a str,
    /// The door, so that one key may be used at several.
    pub operation: &'a str,
    /// The key.
    pub key: &'a str,
}

impl Key<'_> {
    /// Its row.
    fn row(&self) -> Condition {
        Condition::all()
            .add(Column::Principal.eq(self.principal))
            .add(Column::Operation.eq(self.operation))
            .add(Column::Key.eq(self.key))
    }
}

/// What to do with a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Begun {
    /// Carry it out, then [`finish`] or [`forget`]: it is the first, or the one before it died.
    First,
    /// It was carried out before, with this answer.
    Answered(Value),
    /// The same request is being carried out right now, or its process has just died.
    Running,
    /// It was carried out before; its answer told of a person who was erased since.
    Erased,
}

/// Looks whether a request came before, and takes note of it if not. `request_hash` tells requests apart.
///
/// # Errors
/// [`Code::IdempotencyConflict`] when another request came under this key; or a fault of the database.
pub async fn begin(h: &Hospital, key: Key<'_>, request_hash: &str) -> Result<Begun> {
    let now = h.now();
    clear(h, now).await?;
    let tx = db::begin_write(&h.db).await?;
    let begun = if insert(&tx, key, request_hash, now).await? {
        Begun::First
    } else {
        known(&tx, key, request_hash, now).await?
    };
    tx.commit().await?;
    Ok(begun)
}

/// Keeps the answer. The first to be kept counts: after a request was taken over there may be two.
///
/// # Errors
/// When the database fails.
pub async fn finish(h: &Hospital, key: Key<'_>, answer: Value) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Response, Expr::value(Some(answer)))
        .filter(key.row())
        .filter(Column::Response.is_null())
        .exec(&h.db)
        .await?;
    Ok(())
}

/// Forgets a request that came to nothing, so that it may be tried again under its key.
///
/// # Errors
/// When the database fails.
pub async fn forget(h: &Hospital, key: Key<'_>) -> Result<()> {
    Entity::delete_many()
        .filter(key.row())
        .filter(Column::Response.is_null())
        .exec(&h.db)
        .await?;
    Ok(())
}

/// What stands where an answer stood that told of somebody.
fn erased() -> Value {
    serde_json::json!({ "erased": true })
}

/// How a word stands in an answer that has it as a value by itself.
pub(crate) fn as_value(word: &str) -> String {
    Value::from(word).to_string()
}

/// Takes out every kept answer in which one of these words stands. The keys stay: what was asked is not carried out
/// again. Answers are kept for [`KEPT_HOURS`], so there are few; an answer that is no text names nothing but an id.
pub(crate) async fn erase(tx: &DatabaseTransaction, words: &[String]) -> Result<()> {
    let mut after = IdempotencyId(uuid::Uuid::nil());
    loop {
        let rows = Entity::find()
            .filter(Column::Id.gt(after))
            .filter(Column::Response.is_not_null())
            .order_by_asc(Column::Id)
            .limit(db::BATCH_MAX as u64)
            .all(tx)
            .await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.id;
        let tells = |row: &&Model| {
            let text = row.response.as_ref().and_then(Value::as_str).unwrap_or_default();
            words.iter().any(|word| text.contains(word))
        };
        let telling: Vec<IdempotencyId> = rows.iter().filter(tells).map(|row| row.id).collect();
        Entity::update_many()
            .col_expr(Column::Response, Expr::value(Some(erased())))
            .filter(Column::Id.is_in(telling))
            .exec(tx)
            .await?;
    }
}

/// Whether the key was free.
async fn insert(
    tx: &DatabaseTransaction,
    key: Key<'_>,
    request_hash: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let row = ActiveModel {
        id: Set(new_id(now)),
        principal: Set(key.principal.to_owned()),
        operation: Set(key.operation.to_owned()),
        key: Set(key.key.to_owned()),
        request_hash: Set(request_hash.to_owned()),
        response: Set(None),
        created_at: Set(now),
    };
    let same_key = OnConflict::columns([Column::Principal, Column::Operation, Column::Key])
        .do_nothing()
        .to_owned();
    let inserted = Entity::insert(row)
        .on_conflict(same_key)
        .try_insert()
        .exec_without_returning(tx)
        .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1)))
}

/// What is known of a key that is taken.
async fn known(
    tx: &DatabaseTransaction,
    key: Key<'_>,
    request_hash: &str,
    now: DateTime<Utc>,
) -> Result<Begun> {
    // Absent when it was cleared away since the look before; the sender tries again.
    let Some(row) = Entity::find().filter(key.row()).lock_exclusive().one(tx).await? else {
        return Ok(Begun::Running);
    };
    match verdict(&row, request_hash, now) {
        Verdict::Answer(answer) if answer == erased() => Ok(Begun::Erased),
        Verdict::Answer(answer) => Ok(Begun::Answered(answer)),
        Verdict::Wait => Ok(Begun::Running),
        Verdict::Conflict => {
            let message = "Another request came with this Idempotency-Key; choose a new one.";
            Err(Error::refused(
                Code::IdempotencyConflict,
                "Idempotency-Key",
                message,
            ))
        }
        Verdict::TakeOver => {
            Entity::update_many()
                .col_expr(Column::RequestHash, Expr::value(request_hash))
                .col_expr(Column::Response, Expr::value(None::<Value>))
                .col_expr(Column::CreatedAt, Expr::value(now))
                .filter(Column::Id.eq(row.id))
                .exec(tx)
                .await?;
            Ok(Begun::First)
        }
    }
}

/// What a row says about a request under its key.
#[derive(Clone, Debug, PartialEq)]
enum Verdict {
    Answer(Value),
    Wait,
    Conflict,
    TakeOver,
}

fn verdict(row: &Model, request_hash: &str, now: DateTime<Utc>) -> Verdict {
    let age = now - row.created_at;
    if age >= TimeDelta::hours(KEPT_HOURS) {
        return Verdict::TakeOver;
    }
    if row.request_hash != request_hash {
        return Verdict::Conflict;
    }
    match &row.response {
        Some(answer) => Verdict::Answer(answer.clone()),
        None if age >= TimeDelta::seconds(TAKE_OVER_SECS) => Verdict::TakeOver,
        None => Verdict::Wait,
    }
}

/// Clears away what is past its time, a few rows with every request. Requests that clear at the same time leave each
/// other's rows alone.
async fn clear(h: &Hospital, now: DateTime<Utc>) -> Result<()> {
    let past = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::CreatedAt.lte(now - TimeDelta::hours(KEPT_HOURS)))
        .order_by_asc(Column::CreatedAt)
        .limit(CLEAR_MAX)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_query();
    Entity::delete_many()
        .filter(Column::Id.in_subquery(past))
        .exec(&h.db)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
