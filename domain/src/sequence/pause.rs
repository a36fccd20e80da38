//! Holding a sequence, and letting it run again.

use entity::id::SequenceId;
use entity::sequence::{Model, SequenceState};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, IntoActiveModel};

use super::publish::hold;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::nudge::Subject;
use crate::outreach::release::{self, Released};
use crate::playbook;
use crate::viewer::Viewer;

/// A sequence to be held or let run.
#[derive(Clone, Copy, Debug)]
pub struct PauseSequence {
    /// The sequence.
    pub sequence_id: SequenceId,
    /// Whether to let it run again.
    pub resume: bool,
}

/// Pauses or resumes. While it is paused nobody is enrolled, enrollments keep their place and the gate defers its
/// mails. Doing it again changes nothing.
///
/// # Errors
/// [`Error::Missing`] when the viewer may not see it; [`Error::Refused`] for a draft, which does not run.
pub async fn pause(h: &Hospital, viewer: &Viewer, input: PauseSequence) -> Result<Done<Model>> {
    let now = h.now();
    let tx = db::begin_write(&h.db).await?;
    let row = hold(&tx, viewer, input.sequence_id).await?;
    let wanted = if input.resume {
        SequenceState::Published
    } else {
        SequenceState::Paused
    };
    if row.state == SequenceState::Draft {
        let message = "The sequence was never published.";
        return Err(Error::refused(Code::NotAllowedNow, "sequenceId", message));
    }
    if row.state == wanted {
        return Ok(Done::quiet(row));
    }
    let version = row.version + 1;
    let mut changed = row.into_active_model();
    changed.state = Set(wanted);
    changed.version = Set(version);
    changed.updated_at = Set(now);
    let row = changed.update(&tx).await?;
    playbook::changed(&tx).await?;
    if input.resume {
        release::note(&tx, Released::Sequence(row.id), now).await?;
    }
    tx.commit().await?;
    let nudges = if input.resume {
        vec![Subject::Enrollments, Subject::WaitingMail, Subject::BulkMail]
    } else {
        Vec::new()
    };
    Ok(Done {
        value: row,
        signals: Vec::new(),
        nudges,
    })
}
