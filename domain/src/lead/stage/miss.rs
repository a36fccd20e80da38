//! The person did not come.

use chrono::{DateTime, Utc};
use entity::appointment::{self, AppointmentState};
use entity::enums::LeadStage;
use entity::id::{AppointmentId, LeadId};
use entity::lead::Model;
use entity::lead_event::LeadEventKind;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::lead::change::Change;
use crate::lead::event::NewEvent;
use crate::sequence::happen::Happening;
use crate::viewer::Viewer;

/// An appointment to which the person did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissAppointment {
    /// The lead.
    pub lead_id: LeadId,
    /// The appointment; the booked one if not said.
    pub appointment_id: Option<AppointmentId>,
    /// The version that was read, to find out if somebody was faster.
    pub version: Option<i64>,
}

/// Marks an appointment whose time has come as missed. The lead stays in its stage: it can be booked anew or closed, and
/// sequences on missed appointments begin.
///
/// # Errors
/// When no such appointment is booked or its time has not come, the lead is not visible, is closed or has another
/// version, or the database fails.
pub async fn miss(h: &Hospital, viewer: &Viewer, input: MissAppointment) -> Result<Done<Model>> {
    let mut change = Change::begin(h, viewer, input.lead_id, input.version).await?;
    if change.lead.stage == LeadStage::Closed {
        let message = "The lead is closed; reopen it first.";
        return Err(Error::refused(Code::NotAllowedNow, "leadId", message));
    }
    let missed = mark(&change, input.appointment_id, change.now).await?;
    change.save(|_| {}).await?;
    let event = NewEvent::new(
        change.lead.id,
        LeadEventKind::AppointmentMissed,
        change.actor,
        change.now,
    );
    change
        .record(event.with("appointmentId", missed.to_string()))
        .await?;
    change.sequences_follow(&[Happening::AppointmentMissed]).await?;
    change.commit(|lead| lead).await
}

/// Marks the appointment as missed: the one named, else the earliest that is booked.
async fn mark(
    change: &Change<'_>,
    named: Option<AppointmentId>,
    now: DateTime<Utc>,
) -> Result<AppointmentId> {
    let mut booked = appointment::Entity::find()
        .filter(appointment::Column::LeadId.eq(change.lead.id))
        .filter(appointment::Column::State.eq(AppointmentState::Booked))
        .order_by_asc(appointment::Column::StartsAt);
    if let Some(id) = named {
        booked = booked.filter(appointment::Column::Id.eq(id));
    }
    let refused = |code, message: &'static str| Err(Error::refused(code, "appointmentId", message));
    let Some(row) = booked.one(&change.tx).await? else {
        return refused(Code::NotFound, "The lead has no such booked appointment.");
    };
    if row.starts_at > now {
        return refused(Code::NotAllowedNow, "The appointment is still to come.");
    }
    let id = row.id;
    let mut row = row.into_active_model();
    row.state = Set(AppointmentState::NoShow);
    row.updated_at = Set(now);
    row.update(&change.tx).await?;
    Ok(id)
}
