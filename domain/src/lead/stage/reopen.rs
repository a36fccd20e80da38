//! A closed lead is opened again.

use entity::enums::LeadStage;
use entity::id::LeadId;
use entity::lead::Model;
use sea_orm::ActiveValue::Set;

use super::{Context, allowed, furthest};
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::follow_up::build::{About, Pace, after_reopening};
use crate::hospital::Hospital;
use crate::lead::change::Change;
use crate::lead::event::NewEvent;
use crate::lead::note;
use crate::viewer::Viewer;

/// A lead to open again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reopen {
    /// The lead.
    pub lead_id: LeadId,
    /// What the coordinator writes, at most [`note::MAX_CHARS`] characters.
    pub note: Option<String>,
    /// The version that was read, to find out if somebody was faster.
    pub version: Option<i64>,
}

/// Takes a closed lead back to the furthest stage that it had reached and opens a follow-up, so that it does not lie
/// unseen.
///
/// This is no arrival in that stage: the event is `REOPENED`, and figures of arrivals do not count it.
///
/// # Errors
/// When the lead is not closed, not visible or has another version, the note is too long, or the database fails.
pub async fn reopen(h: &Hospital, viewer: &Viewer, input: Reopen) -> Result<Done<Model>> {
    let note = note::read("note", input.note)?;
    let mut change = Change::begin(h, viewer, input.lead_id, input.version).await?;
    let (from, to) = (change.lead.stage, furthest(&change.lead));
    if from != LeadStage::Closed {
        return Err(Error::refused(
            Code::NotAllowedNow,
            "leadId",
            "The lead is not closed.",
        ));
    }
    allowed(from, to, &Context::of(&change.lead, &change.playbook))
        .map_err(|message| Error::refused(Code::NotAllowedNow, "leadId", message))?;
    change
        .save(|lead| {
            lead.stage = Set(to);
            lead.disposition = Set(None);
        })
        .await?;
    let mut event = NewEvent::reopened(change.lead.id, to, change.actor, change.now);
    if let Some(note) = note {
        event = event.with("note", note);
    }
    change.record(event).await?;
    let calendar = change.playbook.calendar(change.lead.facility_id);
    let pace = Pace::of(&change.lead, &change.playbook);
    let next = after_reopening(&About::from(&change.lead), to, pace, &calendar, change.now);
    change.open_follow_up(next).await?;
    change.stage_moved().await?;
    change.commit(|lead| lead).await
}
