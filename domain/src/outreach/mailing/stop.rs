//! A mailing is stopped, at any point: nothing of it goes out afterwards.
//!
//! The stop itself is one small transaction. It waits for claims and planning steps that are at work with the mailing, and
//! whoever comes after it finds it stopped. Then, before the stop answers, the mails are withheld that workers had claimed;
//! a mail that is not claimed is not handed off. Those that wait are withheld by workers, step by step, however many.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::{LeadId, MailingId, MessageId};
use entity::mailing::{MailingState, Model};
use entity::mailing_progress::{self, MailingWork};
use entity::message::{Column, Entity, GateReason, MessageState};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, Func, LockBehavior, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, Select,
};

use super::audience::first_id;
use super::{find, same_version};
use crate::audit;
use crate::db::{self, BATCH_MAX};
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::nudge::Subject;
use crate::outreach::withhold::{self, PENDING};
use crate::viewer::Viewer;

/// Rounds in which a stop withholds what is claimed. Nothing is claimed any more, so it is done in a few.
const ROUNDS_MAX: usize = 1_000;

/// What workers hold, as the partial index has it.
const HELD: &str = "(state = 'CLAIMED' OR state = 'HANDED_OFF')";

/// A mailing to stop.
#[derive(Clone, Copy, Debug)]
pub struct StopMailing {
    /// The mailing.
    pub id: MailingId,
    /// The version that was read, to find out if somebody was faster.
    pub version: Option<i64>,
}

/// Stops a mailing for good. When it answers, nothing of it is handed off any more; what is going out at this moment
/// goes.
///
/// # Errors
/// [`Error::Missing`] when the viewer may not see it; [`Error::Refused`] when it is stopped already or has another
/// version; or a fault of the database, after which workers finish a stop that was begun.
pub async fn stop(h: &Hospital, viewer: &Viewer, input: StopMailing) -> Result<Done<Model>> {
    let tx = db::begin_write(&h.db).await?;
    let before = find::for_change(&tx, viewer, input.id).await?;
    same_version(&before, input.version)?;
    if before.state == MailingState::Stopped {
        let message = "The mailing is stopped already.";
        return Err(Error::refused(Code::NotAllowedNow, "id", message));
    }
    let now = h.now();
    let was_started = before.state == MailingState::Started;
    let version = before.version + 1;
    let mut row = before.into_active_model();
    row.state = Set(MailingState::Stopped);
    row.stopped_at = Set(Some(now));
    row.version = Set(version);
    row.updated_at = Set(now);
    let row = row.update(&tx).await?;
    if was_started {
        mailing_progress::Entity::update_many()
            .col_expr(
                mailing_progress::Column::Work,
                Expr::value(MailingWork::Withholding),
            )
            .col_expr(mailing_progress::Column::DueAt, Expr::value(now))
            .filter(mailing_progress::Column::MailingId.eq(row.id))
            .exec(&tx)
            .await?;
    }
    audit::record(viewer.actor(), "mailing.stop", Some(&row.id), None, now)
        .insert(&tx)
        .await?;
    tx.commit().await?;
    if was_started {
        withhold_claimed(h, row.id).await?;
    }
    Ok(Done {
        value: row,
        signals: Vec::new(),
        nudges: vec![Subject::Mailings],
    })
}

/// Withholds what workers have claimed, in transactions of their own that hold no mail while they wait for another: a
/// worker that hands mails off holds several at once, in an order of its own.
async fn withhold_claimed(h: &Hospital, id: MailingId) -> Result<()> {
    for _ in 0..ROUNDS_MAX {
        let any: Option<MessageId> = claimed(id, 1).into_tuple().one(&h.db).await?;
        if any.is_none() {
            return Ok(());
        }
        let tx = db::begin_write(&h.db).await?;
        let mut ids: Vec<MessageId> = claimed(id, BATCH_MAX as u64)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .into_tuple()
            .all(&tx)
            .await?;
        if ids.is_empty() {
            // One that is just being handed off. After the wait it is gone out or free.
            let one = claimed(id, 1).lock(LockType::Update);
            ids = one.into_tuple().all(&tx).await?;
        }
        withhold(&tx, ids, h.now()).await?;
        tx.commit().await?;
    }
    Err(Error::fault("mails of a stopped mailing go on being claimed"))
}

/// The mails of a mailing that workers have claimed: those among the few that any worker holds. Its own mails, which are
/// many, are not gone through, so the mailing is compared in a way for which no index serves.
fn claimed(id: MailingId, limit: u64) -> Select<Entity> {
    Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Expr::cust(HELD))
        .filter(Column::State.eq(MessageState::Claimed))
        .filter(Func::coalesce([Expr::col(Column::MailingId), Expr::col(Column::MailingId)]).eq(id))
        .order_by_asc(Column::LeaseUntil)
        .limit(limit)
}

/// Withholds the next mails that a stopped mailing has planned. The caller holds its progress. Answers how many mails it
/// looked at.
pub(super) async fn step(
    h: &Hospital,
    tx: &DatabaseTransaction,
    progress: mailing_progress::Model,
) -> Result<Option<usize>> {
    let now = h.now();
    // The first mail was planned after the start. Without a bound PostgreSQL may go through all the mail before it.
    let after = progress.withheld_to_id.or_else(|| earlier(progress.from_lead_id));
    let of_mailing = || {
        let mut select = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::MailingId.eq(progress.mailing_id))
            .order_by_asc(Column::Id);
        if let Some(after) = after {
            select = select.filter(Column::Id.gt(after));
        }
        select
    };
    let ids: Vec<MessageId> = of_mailing().limit(BATCH_MAX as u64).into_tuple().all(tx).await?;
    let looked_at = ids.len();
    if let Some(last) = ids.last().copied() {
        // One that is held is being claimed, and the gate withholds it, or handed off.
        let free: Vec<MessageId> = of_mailing()
            .filter(Column::Id.lte(last))
            .filter(Column::State.is_in(PENDING))
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .into_tuple()
            .all(tx)
            .await?;
        withhold(tx, free, now).await?;
    }
    let finished = looked_at < BATCH_MAX;
    let last = ids.last().copied().or(progress.withheld_to_id);
    let mut row = progress.into_active_model();
    row.withheld_to_id = Set(last);
    row.due_at = Set(now);
    if finished {
        row.work = Set(MailingWork::Done);
    }
    row.update(tx).await?;
    Ok(Some(looked_at.max(1)))
}

/// An id that is smaller than any made since this one, by a process whose clock is up to an hour behind.
fn earlier(id: LeadId) -> Option<MessageId> {
    let (secs, _) = id.0.get_timestamp()?.to_unix();
    let at = DateTime::from_timestamp(i64::try_from(secs).ok()?, 0)? - TimeDelta::hours(1);
    first_id(at).map(MessageId)
}

async fn withhold(tx: &DatabaseTransaction, ids: Vec<MessageId>, now: DateTime<Utc>) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let these = Condition::all().add(Column::Id.is_in(ids));
    withhold::pending(tx, these, GateReason::MailingStopped, None, now).await?;
    Ok(())
}
