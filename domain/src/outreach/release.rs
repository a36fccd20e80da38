//! What a hold kept back is looked at again as soon as the hold ends, not when the gate would have looked anyway.
//!
//! Ten thousand messages may be waiting for one campaign. So the transaction that ends a hold only writes a row that says
//! so, and the worker goes through the deferred messages by their ids, a bounded batch at a time, remembering how far it
//! has come. It may be stopped at any moment: the row is still there. A contact has few messages, so the end of its own
//! pause sets them at once.

use chrono::{DateTime, Utc};
use entity::id::{CampaignId, ContactId, MessageId, SequenceId};
use entity::message::{Column, Decision, Entity, GateOutcome, MessageState};
use entity::{audit_event, outreach_release, sequence};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, IntoActiveModel,
    ModelTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::db::{self, BATCH_MAX};
use crate::done::Done;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::nudge::Subject;

/// What was held and may go now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// The mails of a campaign and of its sequences.
    Campaign(CampaignId),
    /// The mails of a sequence.
    Sequence(SequenceId),
    /// Every mail.
    Everything,
}

/// Writes down that a hold has ended, in the transaction that ends it. Nudge for both lanes of mail after the commit.
///
/// # Errors
/// When the database fails.
pub async fn note(tx: &DatabaseTransaction, what: Released, now: DateTime<Utc>) -> Result<()> {
    let (campaign_id, sequence_id) = match what {
        Released::Campaign(id) => (Some(id), None),
        Released::Sequence(id) => (None, Some(id)),
        Released::Everything => (None, None),
    };
    let row = outreach_release::ActiveModel {
        id: Set(new_id(now)),
        campaign_id: Set(campaign_id),
        sequence_id: Set(sequence_id),
        after_id: Set(None),
        created_at: Set(now),
    };
    outreach_release::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Ends what held mail back, in the transaction that took its row out: notes what may go now, writes who ended it into
/// the audit, commits, and answers the row with the nudges for both lanes.
pub(super) async fn end<Row>(
    tx: DatabaseTransaction,
    what: Released,
    ended: audit_event::ActiveModel,
    row: Row,
    now: DateTime<Utc>,
) -> Result<Done<Option<Row>>> {
    note(&tx, what, now).await?;
    ended.insert(&tx).await?;
    tx.commit().await?;
    Ok(Done {
        value: Some(row),
        signals: Vec::new(),
        nudges: vec![Subject::BulkMail, Subject::WaitingMail],
    })
}

/// Makes what the gate holds back for a contact due now, in the transaction that ends its pause. At most [`BATCH_MAX`]
/// messages: a contact has a handful.
///
/// # Errors
/// When the database fails.
pub async fn of_contact(tx: &DatabaseTransaction, contact_id: ContactId, now: DateTime<Utc>) -> Result<()> {
    let held: Vec<(MessageId, Option<Decision>)> = Entity::find()
        .select_only()
        .columns([Column::Id, Column::Decision])
        .filter(Column::ContactId.eq(contact_id))
        .filter(Column::State.eq(MessageState::Deferred))
        .order_by_asc(Column::Id)
        .limit(BATCH_MAX as u64)
        .into_tuple()
        .all(tx)
        .await?;
    let ids = held
        .into_iter()
        .filter(|(_, decision)| is_held_by_gate(decision.as_ref()))
        .map(|(id, _)| id);
    make_due(tx, ids.collect(), now).await
}

/// Goes on with the oldest release: looks at no more than `limit` deferred messages and makes those that it is about due
/// now. Answers whether there may be more to do.
///
/// # Errors
/// When the database fails; nothing has changed then.
pub async fn pull_forward(h: &Hospital, limit: usize) -> Result<bool> {
    // Asked first without a transaction: mostly there is nothing, and SQLite's one writer is not to be kept busy.
    if oldest(&h.db).await?.is_none() {
        return Ok(false);
    }
    let limit = limit.clamp(1, BATCH_MAX);
    let tx = db::begin_write(&h.db).await?;
    let now = h.now();
    let release = outreach_release::Entity::find()
        .order_by_asc(outreach_release::Column::Id)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .one(&tx)
        .await?;
    let Some(release) = release else {
        return Ok(false);
    };
    let held = deferred(&tx, release.after_id, limit).await?;
    let sequences = sequences_of(&tx, &release).await?;
    let ids = held
        .iter()
        .filter(|held| is_held_by_gate(held.decision.as_ref()) && is_meant(&release, &sequences, held))
        .map(|held| held.id)
        .collect();
    make_due(&tx, ids, now).await?;
    match held.last().filter(|_| held.len() == limit) {
        Some(last) => {
            let mut row = release.into_active_model();
            row.after_id = Set(Some(last.id));
            row.update(&tx).await?;
        }
        None => {
            release.delete(&tx).await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}

/// When the oldest release that is not done was written; none when all are done.
///
/// # Errors
/// When the database fails.
pub async fn oldest(conn: &impl ConnectionTrait) -> Result<Option<DateTime<Utc>>> {
    let row = outreach_release::Entity::find()
        .order_by_asc(outreach_release::Column::Id)
        .one(conn)
        .await?;
    Ok(row.map(|row| row.created_at))
}

/// A deferred message, as far as a release asks.
#[derive(sea_orm::FromQueryResult)]
struct Held {
    id: MessageId,
    campaign_id: Option<CampaignId>,
    sequence_id: Option<SequenceId>,
    decision: Option<Decision>,
}

async fn deferred(tx: &DatabaseTransaction, after: Option<MessageId>, limit: usize) -> Result<Vec<Held>> {
    let mut select = Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::CampaignId,
            Column::SequenceId,
            Column::Decision,
        ])
        // A literal, as the partial index has it.
        .filter(Expr::cust("state = 'DEFERRED'"))
        .order_by_asc(Column::Id)
        .limit(limit as u64);
    if let Some(after) = after {
        select = select.filter(Column::Id.gt(after));
    }
    Ok(select.into_model::<Held>().all(tx).await?)
}

/// The sequences of the campaign that was released.
async fn sequences_of(
    tx: &DatabaseTransaction,
    release: &outreach_release::Model,
) -> Result<Vec<SequenceId>> {
    let Some(campaign) = release.campaign_id else {
        return Ok(Vec::new());
    };
    Ok(sequence::Entity::find()
        .select_only()
        .column(sequence::Column::Id)
        .filter(sequence::Column::CampaignId.eq(campaign))
        .into_tuple()
        .all(tx)
        .await?)
}

fn is_meant(release: &outreach_release::Model, sequences: &[SequenceId], held: &Held) -> bool {
    match (release.campaign_id, release.sequence_id) {
        (Some(campaign), _) => {
            held.campaign_id == Some(campaign) || held.sequence_id.is_some_and(|id| sequences.contains(&id))
        }
        (None, Some(sequence)) => held.sequence_id == Some(sequence),
        (None, None) => true,
    }
}

/// Whether the gate holds a deferred message back, and not a mail server that asked for patience.
fn is_held_by_gate(decision: Option<&Decision>) -> bool {
    decision.is_some_and(|decision| decision.outcome == GateOutcome::Defer)
}

async fn make_due(tx: &DatabaseTransaction, ids: Vec<MessageId>, now: DateTime<Utc>) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    Entity::update_many()
        .col_expr(Column::DueAt, Expr::value(now))
        .filter(Column::Id.is_in(ids))
        // Another worker may have claimed it since.
        .filter(Column::State.eq(MessageState::Deferred))
        .filter(Column::DueAt.gt(now))
        .exec(tx)
        .await?;
    Ok(())
}
