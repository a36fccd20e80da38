//! A lead ends with a disposition.

use entity::enums::{Disposition, LeadStage};
use entity::follow_up::FollowUpState;
use entity::id::LeadId;
use entity::lead::Model;
use sea_orm::ActiveValue::Set;

use super::{Context, guard};
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::lead::change::Change;
use crate::lead::event::NewEvent;
use crate::lead::note;
use crate::viewer::Viewer;

/// A lead to close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// The lead.
    pub lead_id: LeadId,
    /// Why.
    pub disposition: Disposition,
    /// What the coordinator writes, at most [`note::MAX_CHARS`] characters; needed for [`Disposition::Other`].
    pub note: Option<String>,
    /// The version that was read, to find out if somebody was faster.
    pub version: Option<i64>,
}

/// Closes a lead: its open follow-ups are cancelled, its sequences end and what they had planned is withheld.
///
/// An appointment that is booked stays booked: calling it off is a matter of the scheduling desk.
///
/// # Errors
/// When it is closed already, the lead is not visible or has another version, the note is missing or too long, or the
/// database fails.
pub async fn close(h: &Hospital, viewer: &Viewer, input: Close) -> Result<Done<Model>> {
    let note = note::read("note", input.note)?;
    if input.disposition == Disposition::Other && note.is_none() {
        return Err(Error::refused(
            Code::Required,
            "note",
            "Say in the note why the lead is closed.",
        ));
    }
    let mut change = Change::begin(h, viewer, input.lead_id, input.version).await?;
    let (now, from, to) = (change.now, change.lead.stage, LeadStage::Closed);
    guard(from, to, &Context::of(&change.lead, &change.playbook))?;
    let times = change.pause_is_over("CLOSED").await?;
    change
        .save(|lead| {
            times.write(lead);
            lead.sla_step = Set(None);
            lead.sla_step_at = Set(None);
            lead.stage = Set(to);
            lead.disposition = Set(Some(input.disposition));
            lead.closed_at = Set(Some(now));
        })
        .await?;
    let mut event = NewEvent::stage(change.lead.id, from, to, change.actor, now)
        .with("disposition", input.disposition.as_str());
    if let Some(note) = note {
        event = event.with("note", note);
    }
    change.record(event).await?;
    let open = change.open_follow_ups().await?;
    change
        .end_follow_ups(&open, FollowUpState::Cancelled, "The lead was closed")
        .await?;
    change.stage_moved().await?;
    change.commit(|lead| lead).await
}
