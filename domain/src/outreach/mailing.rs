//! Mailings: one mail of a campaign to everybody of an audience.
//!
//! `DRAFT → STARTED → STOPPED`. Once it is started, workers look at the leads that there were, the newest first, a bounded
//! step at a time, and plan a mail for each contact that the audience has and none is planned for yet; so whoever has
//! several leads gets one mail, about the newest that fits. Each step is one transaction that plans, counts and moves the
//! place up to which it has looked. A process that dies leaves it where it was, and of two workers one does the step.
//!
//! Whom the gate will refuse is planned too, and withheld when it is due: so every contact of the audience can read on a
//! row why it got nothing. The rules of sending are asked where they always are, when the mail is about to go.
//!
//! A stop holds the mailing against claims and planning. What is planned is withheld in steps by workers, what a claim
//! has allowed already before the stop answers, and the gate withholds whatever is left.

mod audience;
pub mod count;
mod create;
pub mod find;
mod planning;
mod preview;
mod start;
mod stop;

use entity::mailing::Model;
use entity::mailing_progress::{Column, Entity, MailingWork};
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::nudge::Subject;
use crate::round::Round;

pub use audience::{LANGUAGES_MAX, LIST_MAX};
pub use create::{CreateMailing, MAX_NAME_CHARS, create};
pub use planning::STEP;
pub use preview::{LOOKED_AT_MAX, Preview, PreviewMailing, preview};
pub use start::{MAX_AHEAD, StartMailing, start};
pub use stop::{StopMailing, stop};

/// What there is to do, as the partial index has it.
const OPEN: &str = "(work = 'PLANNING' OR work = 'WITHHOLDING')";

/// Does one step of the mailing that has waited longest: plans mails, or withholds what a stopped one has planned. A step
/// that another worker does at this moment is left to it.
///
/// # Errors
/// When the database fails; nothing has changed then.
pub async fn go_on(h: &Hospital) -> Result<Done<Round>> {
    // Asked first without a transaction: mostly there is nothing, and SQLite's one writer is not to be kept busy.
    let due = || {
        Entity::find()
            .filter(Expr::cust(OPEN))
            .filter(Column::DueAt.lte(h.now()))
            .order_by_asc(Column::DueAt)
            .order_by_asc(Column::MailingId)
            .limit(1)
    };
    if due().one(&h.db).await?.is_none() {
        return Ok(Done::quiet(Round::default()));
    }
    let playbook = h.playbook().await?;
    let tx = db::begin_write(&h.db).await?;
    let progress = due()
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .one(&tx)
        .await?;
    let Some(progress) = progress else {
        return Ok(Done::quiet(Round::default()));
    };
    let stepped = match progress.work {
        MailingWork::Planning => planning::step(h, &tx, &playbook, progress).await?,
        MailingWork::Withholding => stop::step(h, &tx, progress).await?,
        MailingWork::Done => return Ok(Done::quiet(Round::default())),
    };
    let Some(rows) = stepped else {
        // Somebody is stopping it.
        return Ok(Done::quiet(Round::default()));
    };
    tx.commit().await?;
    Ok(Done {
        // A step that ends one mailing is followed by the next one's; the look after the last finds nothing.
        value: Round { rows, more: true },
        signals: Vec::new(),
        nudges: vec![Subject::BulkMail],
    })
}

/// Refuses a change of a version that is no more.
fn same_version(mailing: &Model, version: Option<i64>) -> Result<()> {
    if version.is_some_and(|version| version != mailing.version) {
        let message = "The mailing has changed since you read it; read it again.";
        return Err(Error::refused(Code::VersionConflict, "version", message));
    }
    Ok(())
}
