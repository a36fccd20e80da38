//! The engine: moves enrollments whose time has come to their next wait or to their end.
//!
//! It works in batches, each one transaction with a constant number of statements, and any number of workers may run
//! it: each takes what no other holds. What a step asks for is written in the transaction that moves the enrollment
//! past it, so no step is skipped and none is done twice.
//!
//! Nobody gets stuck: an enrollment at a step that does not exist leaves as broken, and one that cannot be moved is
//! tried again apart from the others, later each time, and leaves as broken in the end.

mod known;
mod leads;
mod moves;

use chrono::{DateTime, TimeDelta, Utc};
use entity::enrollment::{Column, EnrollmentState, Entity, Model};
use entity::id::EnrollmentId;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use self::known::Known;
use self::moves::Moves;
use crate::db::{self, BATCH_MAX};
use crate::done::Done;
use crate::error::{Chain, Error, Result};
use crate::hospital::Hospital;
use crate::playbook::Playbook;

/// How long an enrollment of a paused sequence or campaign waits before it is looked at again.
pub const RECHECK: TimeDelta = TimeDelta::minutes(15);
/// How long an enrollment waits whose lead somebody is changing while a step may change it too.
pub const LEAD_HELD_RECHECK: TimeDelta = TimeDelta::seconds(1);
/// How often in a row looking at an enrollment may fail before it leaves as broken.
pub const MAX_FAULTS: i32 = 5;

/// What came of looking at what is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Advanced {
    /// Enrollments that were due.
    pub looked_at: usize,
    /// Those of them that took a step or ended.
    pub moved: usize,
    /// Whether there may be more.
    pub full: bool,
}

/// Moves at most `limit` enrollments, and never more than [`BATCH_MAX`], that are due. Call it again while it is full.
///
/// # Errors
/// When the database fails.
pub async fn advance_due(h: &Hospital, limit: usize) -> Result<Done<Advanced>> {
    let limit = limit.clamp(1, BATCH_MAX);
    match advance(h, limit, None).await {
        Err(Error::Fault(fault)) => {
            tracing::warn!(error = %Chain(fault.as_ref()), "moving a batch of enrollments failed; trying them one by one");
            advance_one_by_one(h, limit).await
        }
        done => done,
    }
}

/// One batch, or the one enrollment named.
async fn advance(h: &Hospital, limit: usize, only: Option<EnrollmentId>) -> Result<Done<Advanced>> {
    let playbook = h.playbook().await?;
    let tx = db::begin_write(&h.db).await?;
    let advanced = advance_within(&tx, h, &playbook, limit, only).await;
    match &advanced {
        Ok(_) => tx.commit().await?,
        // Said aloud, because a transaction that is only dropped holds its locks for a while longer, and the second try
        // passes over what is locked.
        Err(_) => tx.rollback().await?,
    }
    advanced
}

async fn advance_within(
    tx: &DatabaseTransaction,
    h: &Hospital,
    playbook: &Playbook,
    limit: usize,
    only: Option<EnrollmentId>,
) -> Result<Done<Advanced>> {
    let now = h.now();
    let due = take_due(tx, now, limit, only).await?;
    if due.is_empty() {
        return Ok(Done::quiet(Advanced::default()));
    }
    let looked_at = due.len();
    let known = Known::read(tx, playbook, &due, now).await?;
    let mut moves = Moves::new(&h.site, playbook, &known, now);
    for enrollment in due {
        moves.look_at(enrollment);
    }
    let moved = moves.moved;
    let told = moves.write(tx).await?;
    let value = Advanced {
        looked_at,
        moved,
        full: looked_at == limit,
    };
    Ok(Done {
        value,
        signals: told.signals,
        nudges: told.nudges,
    })
}

/// Takes what is due and nobody else holds, the longest due first.
async fn take_due(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    limit: usize,
    only: Option<EnrollmentId>,
) -> Result<Vec<Model>> {
    let mut query = Entity::find()
        .filter(Column::State.eq(EnrollmentState::Active))
        .filter(Column::DueAt.lte(now))
        .order_by_asc(Column::DueAt)
        .order_by_asc(Column::Id)
        .limit(limit as u64)
        // SQLite has one writer at a time and leaves this out.
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    if let Some(id) = only {
        query = query.filter(Column::Id.eq(id));
    }
    Ok(query.all(tx).await?)
}

/// After a batch has failed: each enrollment in a transaction of its own, so that the one that cannot be moved holds
/// nobody else up. Its fault is counted, and it is looked at later.
async fn advance_one_by_one(h: &Hospital, limit: usize) -> Result<Done<Advanced>> {
    let ids = due_ids(&h.db, h.now(), limit).await?;
    let mut all = Done::quiet(Advanced {
        looked_at: ids.len(),
        moved: 0,
        full: ids.len() == limit,
    });
    for id in ids {
        match advance(h, 1, Some(id)).await {
            Ok(done) => {
                all.value.moved += done.value.moved;
                all.signals.extend(done.signals);
                all.nudges.extend(done.nudges);
            }
            Err(Error::Fault(fault)) => {
                tracing::error!(enrollment = %id, error = %Chain(fault.as_ref()), "an enrollment cannot be moved");
                // When this fails too, it is the database and not the enrollment.
                count_fault(h, id).await?;
            }
            Err(other) => return Err(other),
        }
    }
    all.nudges.sort_unstable_by_key(|subject| subject.index());
    all.nudges.dedup();
    Ok(all)
}

async fn due_ids(conn: &impl ConnectionTrait, now: DateTime<Utc>, limit: usize) -> Result<Vec<EnrollmentId>> {
    let ids = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::State.eq(EnrollmentState::Active))
        .filter(Column::DueAt.lte(now))
        .order_by_asc(Column::DueAt)
        .order_by_asc(Column::Id)
        .limit(limit as u64)
        .into_tuple()
        .all(conn)
        .await?;
    Ok(ids)
}

async fn count_fault(h: &Hospital, id: EnrollmentId) -> Result<()> {
    let playbook = h.playbook().await?;
    let now = h.now();
    let tx = db::begin_write(&h.db).await?;
    let known = Known::default();
    let mut moves = Moves::new(&h.site, &playbook, &known, now);
    for enrollment in take_due(&tx, now, 1, Some(id)).await? {
        moves.fault(enrollment);
    }
    moves.write(&tx).await?;
    tx.commit().await?;
    Ok(())
}
