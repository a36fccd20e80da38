//! A follow-up is put off.

use chrono::{DateTime, TimeDelta, Utc};
use entity::follow_up::Model;
use entity::id::FollowUpId;
use entity::lead;
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;

use super::build::{Pace, remind_at};
use super::change::{Change, changed_event};
use super::rank;
use crate::clock::to_micros;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::viewer::Viewer;

/// How far a follow-up can be put off, in days.
pub const SNOOZE_MAX_DAYS: i64 = 90;

/// A follow-up to put off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snooze {
    /// The follow-up.
    pub id: FollowUpId,
    /// Its new due time: in the future, at most [`SNOOZE_MAX_DAYS`] ahead.
    pub until: DateTime<Utc>,
    /// The version that was read, to find out if somebody was faster.
    pub version: Option<i64>,
}

/// Puts an open follow-up off: it gets a new due time, is not late until then, and reminds once more before it.
///
/// When the first attempt is due does not change by that: the SLA is the lead's, not the follow-up's.
///
/// # Errors
/// When the time is not in range, the follow-up is not visible, not open or has another version, or the database fails.
pub async fn snooze(h: &Hospital, viewer: &Viewer, input: Snooze) -> Result<Done<Model>> {
    let until = to_micros(input.until);
    check(until, h.now())?;
    let playbook = h.playbook().await?;
    let mut change = Change::begin(h, viewer, input.id, input.version).await?;
    let (now, old) = (change.now, change.row.clone());
    let lead = lead::Entity::find_by_id(old.lead_id).one(&change.tx).await?;
    let before_mins = lead.map_or(super::build::DEFAULT_REMIND_BEFORE_MINS, |lead| {
        Pace::of(&lead, &playbook).remind_before_mins
    });
    change
        .save(|row| {
            row.due_at = Set(until);
            row.remind_at = Set(remind_at(until, old.assignee_id, before_mins, now));
            row.late_at = Set(None);
            row.rank = Set(rank(false, old.urgent));
            row.snoozed_count = Set(old.snoozed_count + 1);
        })
        .await?;
    let event = changed_event(&change.row, "SNOOZED", change.actor, now).with("until", until.to_rfc3339());
    change.commit(event, Vec::new()).await
}

fn check(until: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
    if until <= now {
        return Err(Error::refused(
            Code::Invalid,
            "until",
            "Choose a time in the future.",
        ));
    }
    if until > now + TimeDelta::days(SNOOZE_MAX_DAYS) {
        let message = format!("A follow-up can be put off by at most {SNOOZE_MAX_DAYS} days.");
        return Err(Error::refused(Code::TooLarge, "until", message));
    }
    Ok(())
}
