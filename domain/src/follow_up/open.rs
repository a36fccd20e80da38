//! Writes new follow-ups with their history and the mails about them.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entity::follow_up::{Column, Entity, Model};
use entity::message::MessageKind;
use entity::{lead_event, message};
use sea_orm::{DatabaseTransaction, EntityTrait, IntoActiveModel, TryInsertResult};

use super::change::changed_event;
use crate::db::BATCH_MAX;
use crate::error::Result;
use crate::hospital::Site;
use crate::lead::event::NewEvent;
use crate::nudge::Subject;
use crate::outreach::staff_notice;
use crate::playbook::Playbook;
use crate::signal::Signal;
use crate::viewer::Actor;

/// What there is to tell of follow-ups that were opened, after the commit.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    /// The follow-ups that are new; those that existed already are left out.
    pub rows: Vec<Model>,
    /// What to tell listeners.
    pub signals: Vec<Signal>,
    /// What workers should look at.
    pub nudges: Vec<Subject>,
}

/// Opens follow-ups within the caller's transaction: the rows, an event of each lead, and a mail to each assignee.
///
/// What has the origin key of one that exists is left out, so a step that is run twice opens its follow-up once. Nobody
/// is mailed about their own doing.
///
/// # Errors
/// When the database fails.
pub async fn open(
    tx: &DatabaseTransaction,
    playbook: &Playbook,
    site: &Site,
    rows: Vec<Model>,
    actor: Actor,
    now: DateTime<Utc>,
) -> Result<Opened> {
    let mut opened = Opened::default();
    for batch in rows.chunks(BATCH_MAX) {
        let batch = batch.iter().cloned().map(IntoActiveModel::into_active_model);
        let inserted = Entity::insert_many(batch)
            .on_conflict_do_nothing_on([Column::OriginKey])
            .exec_with_returning_many(tx)
            .await?;
        if let TryInsertResult::Inserted(inserted) = inserted {
            // RETURNING promises no order.
            let inserted: HashSet<_> = inserted.into_iter().map(|row| row.id).collect();
            opened
                .rows
                .extend(rows.iter().filter(|row| inserted.contains(&row.id)).cloned());
        }
    }
    let events: Vec<NewEvent> = opened
        .rows
        .iter()
        .map(|row| changed_event(row, "OPENED", actor, now))
        .collect();
    opened.signals.extend(events.iter().map(NewEvent::signal));
    opened.signals.extend(
        opened
            .rows
            .iter()
            .map(|row| Signal::FollowUpChanged { follow_up_id: row.id }),
    );
    for batch in events.chunks(BATCH_MAX) {
        let batch = batch.iter().cloned().map(NewEvent::row);
        lead_event::Entity::insert_many(batch)
            .exec_without_returning(tx)
            .await?;
    }
    let notices: Vec<message::ActiveModel> = opened
        .rows
        .iter()
        .filter_map(|row| {
            staff_notice::to_assignee(site, playbook, MessageKind::FollowUpAssigned, row, actor, now)
        })
        .collect();
    if staff_notice::plan(tx, notices, now).await? > 0 {
        opened.nudges.push(Subject::WaitingMail);
    }
    Ok(opened)
}
