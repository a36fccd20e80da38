//! Applies what came in: reads it, and takes what it says as evidence.
//!
//! A mail or notice is begun by a short claim, which counts that it was begun: what kills its worker every time is given up
//! after a while and left to a person. All effects and the state that says so are one transaction, whose last statement
//! is conditional: of two workers that apply the same one, one finds it done and takes everything back.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::{InboundMailId, MessageId};
use entity::inbound_mail::{BounceClass, Column, Entity, InboundKind, InboundState, Model};
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::contents::{self, Contents};
use super::evidence::{self, TooEarly};
use crate::db::{self, BATCH_MAX};
use crate::done::Done;
use crate::error::{Chain, Result};
use crate::hospital::Hospital;
use crate::nudge::Subject;
use crate::outreach::settle::class::Class;
use crate::round::Round;
use crate::signal::Signal;

/// How long a worker has for one before another may begin it.
const BEGUN_FOR: TimeDelta = TimeDelta::seconds(60);

/// How often one is begun before it is left to a person.
const ATTEMPTS_MAX: i32 = 8;

/// Applies at most `limit` of what is due. Any number of workers may do so at once.
///
/// # Errors
/// When the database fails. What cannot be applied for a reason of its own is tried again later, and is no error.
pub async fn apply_due(h: &Hospital, limit: usize) -> Result<Done<Round>> {
    let limit = limit.clamp(1, BATCH_MAX);
    let begun = begin(h, limit).await?;
    let mut done = Done::quiet(Round {
        rows: begun.len(),
        more: begun.len() == limit,
    });
    for row in &begun {
        match apply(h, row).await {
            Ok(applied) => {
                done.signals.extend(applied.signals);
                done.nudges.extend(applied.nudges);
            }
            Err(error) => {
                let error = Chain(&error).to_string();
                tracing::error!(inbound = %row.id, attempt = row.attempts, error, "What came in could not be applied.");
                put_off(h, row).await?;
            }
        }
    }
    done.nudges.sort_by_key(|subject| subject.index());
    done.nudges.dedup();
    Ok(done)
}

/// Takes some of what is due, for a while, and counts that it was begun.
async fn begin(h: &Hospital, limit: usize) -> Result<Vec<Model>> {
    let now = h.now();
    // Asked first without a transaction: mostly there is nothing, and SQLite's one writer is not to be kept busy.
    if due(now).one(&h.db).await?.is_none() {
        return Ok(Vec::new());
    }
    let tx = db::begin_write(&h.db).await?;
    let ids: Vec<InboundMailId> = due(now)
        .select_only()
        .column(Column::Id)
        .limit(limit as u64)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_tuple()
        .all(&tx)
        .await?;
    let begun = Entity::update_many()
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .col_expr(Column::DueAt, Expr::value(now + BEGUN_FOR))
        .filter(Column::Id.is_in(ids))
        .exec_with_returning(&tx)
        .await?;
    tx.commit().await?;
    let mut begun = begun;
    begun.sort_by_key(|row| row.id);
    Ok(begun)
}

fn due(now: DateTime<Utc>) -> sea_orm::Select<Entity> {
    Entity::find()
        .filter(Expr::cust("state = 'RECEIVED'"))
        .filter(Column::DueAt.lte(now))
        .order_by_asc(Column::DueAt)
        .order_by_asc(Column::Id)
}

/// What there is to pass on after one was applied.
#[derive(Default)]
struct Applied {
    signals: Vec<Signal>,
    nudges: Vec<Subject>,
}

/// How one ends.
struct End {
    state: InboundState,
    contents: Contents,
    reason: String,
    message_id: Option<MessageId>,
    erased: bool,
}

async fn apply(h: &Hospital, row: &Model) -> Result<Applied> {
    let playbook = h.playbook().await?;
    let contents = contents::read(row);
    let tx = db::begin_write(&h.db).await?;
    let mut applied = Applied::default();
    let mut end = End {
        state: InboundState::Ignored,
        reason: contents.why.clone(),
        message_id: None,
        erased: false,
        contents,
    };
    if row.attempts > ATTEMPTS_MAX {
        end.state = InboundState::Failed;
        end.reason = "It was begun too often and never finished.".to_owned();
        end.contents.evidence.clear();
    }
    let taking = evidence::Taking {
        tx: &tx,
        h,
        playbook: &playbook,
        inbound_id: row.id,
    };
    for one in end.contents.evidence.clone() {
        let taken = match evidence::take(taking, &one).await? {
            Ok(taken) => taken,
            Err(TooEarly { until }) => {
                tx.rollback().await?;
                wait(h, row, until).await?;
                return Ok(Applied::default());
            }
        };
        if taken.matched {
            end.state = InboundState::Applied;
        } else if end.state == InboundState::Ignored && contents::needs_a_match(&end.contents) {
            end.state = InboundState::Unmatched;
        }
        if end.message_id.is_none() {
            end.message_id = taken.message_id;
            let found = if taken.matched { "Found " } else { "" };
            let stop = if taken.matched { "." } else { "" };
            end.reason = format!("{} {found}{}{stop}", end.contents.why, taken.how);
        }
        end.erased |= taken.erased;
        applied.signals.extend(taken.signals);
        applied.nudges.extend(taken.nudges);
    }
    if !finish(&tx, row, &end, h.now()).await? {
        // Another worker has done it meanwhile; what was written here is taken back.
        tx.rollback().await?;
        return Ok(Applied::default());
    }
    tx.commit().await?;
    Ok(applied)
}

/// Says that it is done, if nobody has said so. The last statement of the transaction: whoever erases a contact holds
/// that first too.
async fn finish(
    tx: &sea_orm::DatabaseTransaction,
    row: &Model,
    end: &End,
    now: DateTime<Utc>,
) -> Result<bool> {
    let mut update = Entity::update_many()
        .col_expr(Column::State, Expr::value(end.state))
        .col_expr(Column::Kind, Expr::value(end.contents.kind))
        .col_expr(Column::Class, Expr::value(end.contents.class.map(stored)))
        .col_expr(Column::Status, Expr::value(end.contents.status.clone()))
        .col_expr(Column::Reason, Expr::value(end.reason.clone()))
        .col_expr(Column::MessageId, Expr::value(end.message_id))
        .col_expr(Column::AppliedAt, Expr::value(now));
    if end.erased
        || end
            .contents
            .kind
            .is_none_or(|kind| kind == InboundKind::Other && end.state == InboundState::Ignored)
    {
        // Nobody needs it: the person was erased, or it is no business of ours.
        update = update.col_expr(Column::Raw, Expr::value(None::<Vec<u8>>));
    }
    let done = update
        .filter(Column::Id.eq(row.id))
        .filter(Column::State.eq(InboundState::Received))
        .exec(tx)
        .await?;
    Ok(done.rows_affected == 1)
}

const fn stored(class: Class) -> BounceClass {
    match class {
        Class::Hard => BounceClass::Hard,
        Class::Soft => BounceClass::Soft,
        Class::Content => BounceClass::Content,
        Class::Blocked => BounceClass::Blocked,
    }
}

/// Looks again at `until`. That it came too early does not count as a failure.
async fn wait(h: &Hospital, row: &Model, until: DateTime<Utc>) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::DueAt, Expr::value(until))
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).sub(1))
        .filter(Column::Id.eq(row.id))
        .filter(Column::State.eq(InboundState::Received))
        .exec(&h.db)
        .await?;
    Ok(())
}

/// Tries again later, each time a little later.
async fn put_off(h: &Hospital, row: &Model) -> Result<()> {
    let wait = TimeDelta::seconds(5 << row.attempts.clamp(0, 10));
    Entity::update_many()
        .col_expr(Column::DueAt, Expr::value(h.now() + wait))
        .filter(Column::Id.eq(row.id))
        .filter(Column::State.eq(InboundState::Received))
        .exec(&h.db)
        .await?;
    Ok(())
}
