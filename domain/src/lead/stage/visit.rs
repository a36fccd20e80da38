//! The visit took place.

use chrono::{DateTime, Utc};
use entity::appointment::{self, AppointmentState};
use entity::enums::LeadStage;
use entity::follow_up::{FollowUpKind, FollowUpState};
use entity::id::{AppointmentId, LeadId};
use entity::lead::Model;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::{Context, guard};
use crate::clock::to_micros;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::lead::change::Change;
use crate::lead::event::NewEvent;
use crate::viewer::Viewer;

/// A visit that took place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompleteVisit {
    /// The lead.
    pub lead_id: LeadId,
    /// The appointment that was kept; the booked one if not said.
    pub appointment_id: Option<AppointmentId>,
    /// When the visit was; now if not said. Not in the future, not before the lead came in.
    pub at: Option<DateTime<Utc>>,
    /// The version that was read, to find out if somebody was faster.
    pub version: Option<i64>,
}

/// Moves a lead with an appointment to `VISIT_COMPLETED` and marks the appointment as attended.
///
/// # Errors
/// When the time or the appointment is refused, the stage does not allow it, the lead is not visible or has another
/// version, or the database fails.
pub async fn complete_visit(h: &Hospital, viewer: &Viewer, input: CompleteVisit) -> Result<Done<Model>> {
    let mut change = Change::begin(h, viewer, input.lead_id, input.version).await?;
    let (now, from, to) = (change.now, change.lead.stage, LeadStage::VisitCompleted);
    let at = input.at.map_or(now, to_micros);
    if at > now || at < change.lead.received_at {
        let message = "A visit was after the lead came in, and not in the future.";
        return Err(Error::refused(Code::Invalid, "at", message));
    }
    guard(from, to, &Context::of(&change.lead, &change.playbook))?;
    let kept = attend(&change, input.appointment_id).await?;
    let completed_at = change.lead.completed_at.or(Some(at));
    change
        .save(|lead| {
            lead.stage = Set(to);
            lead.completed_at = Set(completed_at);
        })
        .await?;
    let mut event =
        NewEvent::stage(change.lead.id, from, to, change.actor, now).with("visitedAt", at.to_rfc3339());
    if let Some(kept) = kept {
        event = event.with("appointmentId", kept.to_string());
    }
    change.record(event).await?;
    let open = change.open_follow_ups().await?;
    let tries: Vec<_> = open
        .into_iter()
        .filter(|row| row.kind != FollowUpKind::Sequence)
        .collect();
    change
        .end_follow_ups(&tries, FollowUpState::Done, "Visit completed")
        .await?;
    change.stage_moved().await?;
    change.commit(|lead| lead).await
}

/// Marks the appointment as attended: the one named, else the one that is booked, if any.
async fn attend(change: &Change<'_>, named: Option<AppointmentId>) -> Result<Option<AppointmentId>> {
    let mut booked = appointment::Entity::find()
        .filter(appointment::Column::LeadId.eq(change.lead.id))
        .filter(appointment::Column::State.eq(AppointmentState::Booked))
        .order_by_asc(appointment::Column::StartsAt);
    if let Some(id) = named {
        booked = booked.filter(appointment::Column::Id.eq(id));
    }
    match (booked.one(&change.tx).await?, named) {
        (Some(row), _) => {
            let id = row.id;
            let mut row = row.into_active_model();
            row.state = Set(AppointmentState::Attended);
            row.updated_at = Set(change.now);
            row.update(&change.tx).await?;
            Ok(Some(id))
        }
        (None, Some(_)) => {
            let message = "The lead has no such booked appointment.";
            Err(Error::refused(Code::NotFound, "appointmentId", message))
        }
        (None, None) => Ok(None),
    }
}
