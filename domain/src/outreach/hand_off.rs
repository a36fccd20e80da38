//! The last step before the bytes: after it, nobody can say that a message did not go out.

use chrono::TimeDelta;
use entity::id::MessageId;
use sea_orm::Value;

use super::claim::Sendable;
use crate::db::each::update_each;
use crate::error::Result;
use crate::hospital::Hospital;

/// Marks messages as going out, under a new lease of `send_lease_secs`, and answers which of them may go out now.
///
/// A message that is not in the answer must not be sent: it was withheld since it was claimed, or the lease ran out and
/// another worker may hold it.
///
/// One statement, and the row alone says it: the history has no entry of its own for the hand-off, because what came of
/// it has one.
///
/// # Errors
/// When the database fails; then none may be sent. What was written nevertheless becomes unknown when its lease ends.
pub async fn hand_off(h: &Hospital, sendables: &[&Sendable], send_lease_secs: u32) -> Result<Vec<MessageId>> {
    let now = h.now();
    let lease_until = now + TimeDelta::seconds(send_lease_secs.into());
    let sql = "UPDATE message SET state = 'HANDED_OFF', handed_off_at = $1, lease_until = $2, \
               attempts = attempts + 1, route = v.column3 FROM ({rows}) AS v \
               WHERE message.id = v.column1 AND message.fence = v.column2 AND message.state = 'CLAIMED' \
               AND message.lease_until > $1 RETURNING message.id";
    let ids = update_each(
        &h.db,
        sql,
        vec![now.into(), lease_until.into()],
        routed(sendables),
    )
    .await?;
    Ok(ids.into_iter().map(MessageId).collect())
}

/// Prolongs the lease of messages that are still going out, so that a slow mail server does not make them unknown.
///
/// # Errors
/// When the database fails; the lease then runs on as it was.
pub async fn renew(h: &Hospital, sendables: &[&Sendable], send_lease_secs: u32) -> Result<()> {
    let lease_until = h.now() + TimeDelta::seconds(send_lease_secs.into());
    let sql = "UPDATE message SET lease_until = $1 FROM ({rows}) AS v WHERE message.id = v.column1 \
               AND message.fence = v.column2 AND message.state = 'HANDED_OFF' RETURNING message.id";
    update_each(&h.db, sql, vec![lease_until.into()], held(sendables)).await?;
    Ok(())
}

/// Gives back messages of which nothing went out, so that they need not wait for the end of their lease.
///
/// The process stops, the mail server is away, or nobody knows whether the mark of the hand-off was written.
///
/// # Errors
/// When the database fails; the messages then come back, or become unknown, when their lease ends.
pub async fn give_back(h: &Hospital, sendables: &[&Sendable]) -> Result<()> {
    let sql = "UPDATE message SET state = 'PLANNED', lease_until = NULL, \
               attempts = attempts - CASE message.state WHEN 'HANDED_OFF' THEN 1 ELSE 0 END \
               FROM ({rows}) AS v WHERE message.id = v.column1 AND message.fence = v.column2 \
               AND message.state IN ('CLAIMED', 'HANDED_OFF') RETURNING message.id";
    update_each(&h.db, sql, Vec::new(), held(sendables)).await?;
    Ok(())
}

/// The same with the routes by which they go out.
fn routed(sendables: &[&Sendable]) -> Vec<[Value; 3]> {
    sendables
        .iter()
        .map(|sendable| {
            let message = sendable.message();
            [
                message.id.into(),
                message.fence.into(),
                message.route.clone().into(),
            ]
        })
        .collect()
}

/// The pairs by which a worker proves that it still holds a message.
fn held(sendables: &[&Sendable]) -> Vec<[Value; 2]> {
    sendables
        .iter()
        .map(|sendable| [sendable.id().into(), sendable.message().fence.into()])
        .collect()
}
