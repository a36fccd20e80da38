//! The sweep over follow-ups: they move up in the work list as their time comes, with the mails that say so.
//!
//! A call takes at most [`BATCH_MAX`] rows that nobody else holds, so any number of workers may run it at once; the caller
//! goes on while a call was full.

use chrono::{DateTime, Utc};
use entity::follow_up::{Column, Entity, FollowUpState, Model};
use entity::message::{self, MessageKind};
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::place::put;
use super::write::write;
use crate::db::{self, BATCH_MAX};
use crate::done::Done;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::nudge::Subject;
use crate::outreach::staff_notice;
use crate::playbook::Playbook;
use crate::signal::Signal;
use crate::viewer::Actor;

/// Moves the open follow-ups whose time has come: what is due soon, and what is late, which is marked.
///
/// Plans the reminder of the one and the notices of the other. What is late by now gets no reminder: the mail that it is late
/// says more. Answers how many moved.
///
/// The version of a follow-up does not rise by this: a coordinator who edits it meanwhile is not in anybody's way.
///
/// # Errors
/// When the database fails.
pub async fn move_up(h: &Hospital) -> Result<Done<usize>> {
    let playbook = h.playbook().await?;
    let now = h.now();
    let tx = db::begin_write(&h.db).await?;
    let mut rows = Entity::find()
        .filter(Column::State.eq(FollowUpState::Open))
        .filter(Column::MovesAt.lte(now))
        .order_by_asc(Column::MovesAt)
        .limit(BATCH_MAX as u64)
        // SQLite has one writer at a time, and leaves this out.
        .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
        .all(&tx)
        .await?;
    let mut notices = Vec::new();
    for row in &mut rows {
        notices.extend(come(h, &playbook, row, now));
    }
    write(&tx, &rows).await?;
    let planned = staff_notice::plan(&tx, notices, now).await?;
    tx.commit().await?;
    let signals = rows
        .iter()
        .map(|row| Signal::FollowUpChanged { follow_up_id: row.id })
        .collect();
    Ok(Done {
        value: rows.len(),
        signals,
        nudges: if planned > 0 {
            vec![Subject::WaitingMail]
        } else {
            Vec::new()
        },
    })
}

/// Moves one row and answers the mails about it.
fn come(h: &Hospital, playbook: &Playbook, row: &mut Model, now: DateTime<Utc>) -> Vec<message::ActiveModel> {
    let (was_late, is_late) = (row.late_at.is_some(), row.due_at <= now);
    let remind = row.remind_at.take_if(|remind_at| *remind_at <= now).is_some();
    put(row, -row.weight, now);
    if is_late && !was_late {
        row.late_at = Some(now);
        return staff_notice::of_lateness(&h.site, playbook, row, now);
    }
    let kind = MessageKind::FollowUpDueSoon;
    (remind && !is_late)
        .then(|| staff_notice::to_assignee(&h.site, playbook, kind, row, Actor::SYSTEM, now))
        .flatten()
        .into_iter()
        .collect()
}
