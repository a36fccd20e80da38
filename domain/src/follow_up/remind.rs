//! Sweeps over follow-ups: reminders before the due time, and what is late.
//!
//! Each call takes at most [`BATCH_MAX`] rows by one conditional update, so any number of workers may run them at once;
//! the caller goes on while a call was full.

use chrono::{DateTime, Utc};
use entity::follow_up::{Column, Entity, FollowUpState, Model};
use entity::message::{self, MessageKind};
use sea_orm::sea_query::{Expr, LockBehavior, LockType, SelectStatement};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use super::rank;
use crate::db::{self, BATCH_MAX};
use crate::done::Done;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::nudge::Subject;
use crate::outreach::staff_notice;
use crate::signal::Signal;
use crate::viewer::Actor;

/// Marks open follow-ups whose due time has come, moves them up in the work list and plans the mails that say so.
/// Answers how many.
///
/// The version of a follow-up does not rise by this: a coordinator who edits it meanwhile is not in anybody's way.
///
/// # Errors
/// When the database fails.
pub async fn mark_late(h: &Hospital) -> Result<Done<usize>> {
    let playbook = h.playbook().await?;
    let now = h.now();
    let tx = db::begin_write(&h.db).await?;
    let due = Entity::find()
        .filter(Column::State.eq(FollowUpState::Open))
        .filter(Column::DueAt.lte(now))
        .filter(Column::LateAt.is_null())
        .order_by_asc(Column::DueAt);
    let late_rank = Expr::case(Column::Urgent.eq(true), rank(true, true)).finally(rank(true, false));
    let late = Entity::update_many()
        .col_expr(Column::LateAt, Expr::value(now))
        .col_expr(Column::Rank, late_rank.into())
        .filter(Column::Id.in_subquery(batch(due)))
        .exec_with_returning(&tx)
        .await?;
    let notices = late
        .iter()
        .flat_map(|row| staff_notice::of_lateness(&h.site, &playbook, row, now))
        .collect();
    let nudges = waiting_mail(staff_notice::plan(&tx, notices, now).await?);
    tx.commit().await?;
    let signals = late
        .iter()
        .map(|row| Signal::FollowUpChanged { follow_up_id: row.id })
        .collect();
    Ok(Done {
        value: late.len(),
        signals,
        nudges,
    })
}

/// Plans the reminder of every follow-up whose time to remind has come. Answers how many were looked at. What is late by
/// now gets no reminder: the mail that it is late says more.
///
/// # Errors
/// When the database fails.
pub async fn due_soon(h: &Hospital) -> Result<Done<usize>> {
    let playbook = h.playbook().await?;
    let now = h.now();
    let tx = db::begin_write(&h.db).await?;
    let due = Entity::find()
        .filter(Column::RemindAt.lte(now))
        .order_by_asc(Column::RemindAt);
    let found = Entity::update_many()
        .col_expr(Column::RemindAt, Expr::value(Option::<DateTime<Utc>>::None))
        .filter(Column::Id.in_subquery(batch(due)))
        .exec_with_returning(&tx)
        .await?;
    let reminders: Vec<message::ActiveModel> = found
        .iter()
        .filter(|row| wants_reminder(row, now))
        .filter_map(|row| {
            let kind = MessageKind::FollowUpDueSoon;
            staff_notice::to_assignee(&h.site, &playbook, kind, row, Actor::SYSTEM, now)
        })
        .collect();
    let nudges = waiting_mail(staff_notice::plan(&tx, reminders, now).await?);
    tx.commit().await?;
    Ok(Done {
        value: found.len(),
        signals: Vec::new(),
        nudges,
    })
}

fn wants_reminder(row: &Model, now: DateTime<Utc>) -> bool {
    row.state == FollowUpState::Open && row.due_at > now
}

/// The ids of a batch of rows that no other sweep holds.
fn batch(select: sea_orm::Select<Entity>) -> SelectStatement {
    select
        .select_only()
        .column(Column::Id)
        .limit(BATCH_MAX as u64)
        // SQLite has one writer at a time, and leaves this out.
        .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
        .into_query()
}

fn waiting_mail(planned: usize) -> Vec<Subject> {
    if planned > 0 {
        vec![Subject::WaitingMail]
    } else {
        Vec::new()
    }
}
