//! Takes up what workers left behind: a lease that ended means that its worker died, hangs, or lost the database.

use chrono::{DateTime, Utc};
use entity::id::MessageId;
use entity::message::{Lane, MessageState};
use entity::message_event::{self, MessageEventKind};
use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, Statement, Value};

use super::claim::skip_locked;
use super::plan;
use super::settle::{Doubt, in_doubt, sent_again_before};
use crate::db::{self, BATCH_MAX, each::update_each};
use crate::done::Done;
use crate::error::{Error, Result};
use crate::hospital::Hospital;
use crate::nudge::Subject;

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Had not gone out: planned again.
    pub planned: usize,
    /// May have gone out, and the recipient waits: sent once more with the same Message-ID.
    pub sent_again: usize,
    /// May have gone out: left to a person or to later evidence.
    pub unknown: usize,
}

impl Recovered {
    /// How many messages there were.
    pub fn total(self) -> usize {
        self.planned + self.sent_again + self.unknown
    }
}

/// The states are written as the partial index has them, so that both databases use it.
const EXPIRED: &str = "(state = 'CLAIMED' OR state = 'HANDED_OFF') AND lease_until < $1";

/// Recovers at most `limit` messages whose lease has ended. A claimed one did not go out and is planned again; of one
/// that was handed off nobody knows. Any number of workers may run this at once.
///
/// # Errors
/// When the database fails; nothing has changed then.
pub async fn expired_leases(h: &Hospital, limit: usize) -> Result<Done<Recovered>> {
    let now = h.now();
    // Asked first without a transaction: mostly there is nothing, and SQLite's one writer is not to be kept busy.
    if !any_expired(&h.db, now).await? {
        return Ok(Done::quiet(Recovered::default()));
    }
    let tx = db::begin_write(&h.db).await?;
    let left = find(&tx, limit.clamp(1, BATCH_MAX), now).await?;
    let doubtful = left
        .iter()
        .filter(|row| row.state == MessageState::HandedOff)
        .map(|row| row.id)
        .collect();
    let sent_again = sent_again_before(&tx, doubtful).await?;
    let mut done = Done::quiet(Recovered::default());
    let mut rows: Vec<[Value; 4]> = Vec::with_capacity(left.len());
    let mut events = Vec::new();
    for row in &left {
        let doubt =
            (row.state == MessageState::HandedOff).then(|| in_doubt(row.lane, sent_again.contains(&row.id)));
        let (state, fence_up, event) = match doubt {
            None => (MessageState::Planned, 1, None),
            Some(Doubt::SendAgain) => (MessageState::Planned, 1, Some(MessageEventKind::SentAgain)),
            // The fence stays, so that a worker that was merely slow can still settle it.
            Some(Doubt::LeaveUnknown) => (MessageState::Unknown, 0, Some(MessageEventKind::Unknown)),
        };
        match (state, event) {
            (MessageState::Unknown, _) => done.value.unknown += 1,
            (_, Some(_)) => done.value.sent_again += 1,
            (_, None) => done.value.planned += 1,
        }
        let fence: i64 = row.fence + fence_up;
        rows.push([
            row.id.into(),
            state.as_str().into(),
            fence.into(),
            row.due_at.into(),
        ]);
        events.extend(event.map(|kind| plan::event(row.id, kind, Some("the worker was lost"), now)));
    }
    let sql = "UPDATE message SET state = v.column2, fence = v.column3, due_at = v.column4, lease_until = NULL \
               FROM ({rows}) AS v WHERE message.id = v.column1 RETURNING message.id";
    update_each(&tx, sql, Vec::new(), rows).await?;
    message_event::Entity::insert_many(events)
        .exec_without_returning(&tx)
        .await?;
    tx.commit().await?;
    done.nudges = nudges(&left);
    Ok(done)
}

async fn any_expired(conn: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<bool> {
    let sql = format!("SELECT id FROM message WHERE {EXPIRED} LIMIT 1");
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, [now.into()]);
    Ok(conn.query_one_raw(statement).await?.is_some())
}

/// A message that was left behind.
#[derive(FromQueryResult)]
struct Left {
    id: MessageId,
    lane: Lane,
    state: MessageState,
    fence: i64,
    due_at: DateTime<Utc>,
}

async fn find(tx: &DatabaseTransaction, limit: usize, now: DateTime<Utc>) -> Result<Vec<Left>> {
    let backend = tx.get_database_backend();
    let limit = i64::try_from(limit).map_err(|_| Error::fault("a batch has a small size"))?;
    let sql = format!(
        "SELECT id, lane, state, fence, due_at FROM message WHERE {EXPIRED} ORDER BY lease_until LIMIT $2{}",
        skip_locked(backend)
    );
    let statement = Statement::from_sql_and_values(backend, sql, [now.into(), limit.into()]);
    Ok(Left::find_by_statement(statement).all(tx).await?)
}

fn nudges(left: &[Left]) -> Vec<Subject> {
    let lanes = [
        (Lane::Waiting, Subject::WaitingMail),
        (Lane::Bulk, Subject::BulkMail),
    ];
    lanes
        .into_iter()
        .filter(|(lane, _)| left.iter().any(|row| row.lane == *lane))
        .map(|(_, s)| s)
        .collect()
}
