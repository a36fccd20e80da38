//! The person and the service fit.

use entity::enums::LeadStage;
use entity::id::LeadId;
use entity::lead::Model;
use sea_orm::ActiveValue::Set;

use super::{Context, guard};
use crate::done::Done;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::lead::change::Change;
use crate::lead::event::NewEvent;
use crate::lead::note;
use crate::viewer::Viewer;

/// A lead to qualify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qualify {
    /// The lead.
    pub lead_id: LeadId,
    /// What the coordinator writes, at most [`note::MAX_CHARS`] characters.
    pub note: Option<String>,
    /// The version that was read, to find out if somebody was faster.
    pub version: Option<i64>,
}

/// Moves a contacted lead to `QUALIFIED`.
///
/// # Errors
/// When the stage does not allow it, the lead is not visible or has another version, the note is too long, or the
/// database fails.
pub async fn qualify(h: &Hospital, viewer: &Viewer, input: Qualify) -> Result<Done<Model>> {
    let note = note::read("note", input.note)?;
    let mut change = Change::begin(h, viewer, input.lead_id, input.version).await?;
    let (from, to) = (change.lead.stage, LeadStage::Qualified);
    guard(from, to, &Context::of(&change.lead, &change.playbook))?;
    let qualified_at = change.lead.qualified_at.or(Some(change.now));
    change
        .save(|lead| {
            lead.stage = Set(to);
            lead.qualified_at = Set(qualified_at);
        })
        .await?;
    let mut event = NewEvent::stage(change.lead.id, from, to, change.actor, change.now);
    if let Some(note) = note {
        event = event.with("note", note);
    }
    change.record(event).await?;
    change.stage_moved().await?;
    change.commit(|lead| lead).await
}
