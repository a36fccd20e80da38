//! A follow-up is done.

use entity::follow_up::{FollowUpState, Model};
use entity::id::FollowUpId;
use sea_orm::ActiveValue::Set;

use super::change::{Change, changed_event};
use crate::done::Done;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::lead::note;
use crate::viewer::Viewer;

/// A follow-up that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complete {
    /// The follow-up.
    pub id: FollowUpId,
    /// What came of it, in the coordinator's words; at most [`note::MAX_CHARS`] characters.
    pub outcome: Option<String>,
    /// The version that was read, to find out if somebody was faster.
    pub version: Option<i64>,
}

/// Marks an open follow-up as done. It does not count as an attempt: an attempt is logged, and closes its follow-up.
///
/// # Errors
/// When the follow-up is not visible, not open or has another version, the outcome is too long, or the database fails.
pub async fn complete(h: &Hospital, viewer: &Viewer, input: Complete) -> Result<Done<Model>> {
    let outcome = note::read("outcome", input.outcome)?;
    let mut change = Change::begin(h, viewer, input.id, input.version).await?;
    let now = change.now;
    change
        .save(|row| {
            row.state = Set(FollowUpState::Done);
            row.outcome = Set(outcome);
            row.completed_at = Set(Some(now));
            row.remind_at = Set(None);
        })
        .await?;
    let event = changed_event(&change.row, "DONE", change.actor, now);
    change.commit(event, Vec::new()).await
}
