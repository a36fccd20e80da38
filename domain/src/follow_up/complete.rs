//! Follow-ups are done.

use entity::follow_up::{FollowUpState, Model};
use entity::id::FollowUpId;

use super::change::{Changed, Changes, Wanted, changed_event, only};
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
    let Complete { id, outcome, version } = input;
    only(complete_all(h, viewer, &[Wanted { id, version }], outcome).await?)
}

/// The same for several, in one transaction; each is done or says why not.
///
/// # Errors
/// When the outcome is too long, or the database fails.
pub async fn complete_all(
    h: &Hospital,
    viewer: &Viewer,
    wanted: &[Wanted],
    outcome: Option<String>,
) -> Result<Done<Vec<Changed>>> {
    let outcome = note::read("outcome", outcome)?;
    let mut changes = Changes::begin(h, viewer, wanted).await?;
    changes
        .save(|row, now| {
            row.state = FollowUpState::Done;
            row.outcome.clone_from(&outcome);
            row.completed_at = Some(now);
            row.remind_at = None;
            row.moves_at = None;
            Ok(())
        })
        .await?;
    let (actor, now) = (changes.actor, changes.now);
    changes
        .commit(|row| changed_event(row, "DONE", actor, now), Vec::new())
        .await
}
