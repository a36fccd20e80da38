//! An appointment is booked, or booked anew.

use chrono::{DateTime, Utc};
use entity::appointment::{self, AppointmentState};
use entity::enums::LeadStage;
use entity::follow_up::{FollowUpKind, FollowUpState};
use entity::id::{AppointmentId, FacilityId, LeadId};
use entity::lead;
use entity::lead_event::LeadEventKind;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::{Context, guard};
use crate::clock::to_micros;
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::lead::change::Change;
use crate::lead::event::NewEvent;
use crate::playbook::Playbook;
use crate::sequence::dates;
use crate::sequence::happen::Happening;
use crate::viewer::Viewer;

/// An appointment to book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleAppointment {
    /// The lead.
    pub lead_id: LeadId,
    /// When the visit starts; in the future.
    pub starts_at: DateTime<Utc>,
    /// When it ends; after its start.
    pub ends_at: Option<DateTime<Utc>>,
    /// Where it takes place; the lead's facility if not said.
    pub facility_id: Option<FacilityId>,
    /// The version that was read, to find out if somebody was faster.
    pub version: Option<i64>,
}

/// A booked appointment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// The lead after it.
    pub lead: lead::Model,
    /// The appointment.
    pub appointment: appointment::Model,
}

/// Books an appointment and moves the lead to `APPOINTMENT_SCHEDULED`.
///
/// A lead with an appointment gets the new one
/// instead of the old one. A contacted lead whose service line allows it is booked directly, and counts as qualified.
///
/// # Errors
/// When the times are refused, the stage does not allow it, the lead is not visible or has another version, or the
/// database fails.
pub async fn schedule(h: &Hospital, viewer: &Viewer, input: ScheduleAppointment) -> Result<Done<Scheduled>> {
    let mut change = Change::begin(h, viewer, input.lead_id, input.version).await?;
    let (now, from) = (change.now, change.lead.stage);
    check(&input, &change.playbook, now).map_err(Error::Refused)?;
    guard(
        from,
        LeadStage::AppointmentScheduled,
        &Context::of(&change.lead, &change.playbook),
    )?;
    let moved = cancel_booked(&change).await?;
    let appointment = appointment::Model {
        id: new_id::<AppointmentId>(now),
        lead_id: change.lead.id,
        facility_id: input.facility_id.or(change.lead.facility_id),
        starts_at: to_micros(input.starts_at),
        ends_at: input.ends_at.map(to_micros),
        state: AppointmentState::Booked,
        created_at: now,
        updated_at: now,
    };
    let appointment = appointment.into_active_model().insert(&change.tx).await?;
    let (qualified_at, scheduled_at) = (change.lead.qualified_at, change.lead.scheduled_at);
    change
        .save(|lead| {
            lead.stage = Set(LeadStage::AppointmentScheduled);
            lead.qualified_at = Set(qualified_at.or(Some(now)));
            lead.scheduled_at = Set(scheduled_at.or(Some(now)));
        })
        .await?;
    record(&mut change, from, &appointment, moved).await?;
    let open = change.open_follow_ups().await?;
    // Somebody has spoken with the person, so nobody needs to try again. What a sequence asked for stays.
    let tries: Vec<_> = open
        .into_iter()
        .filter(|row| row.kind != FollowUpKind::Sequence)
        .collect();
    change
        .end_follow_ups(&tries, FollowUpState::Done, "Appointment scheduled")
        .await?;
    dates::of_appointment(&change.tx, &change.playbook, &appointment, now).await?;
    let mut happened = vec![Happening::AppointmentBooked];
    happened.extend((from != LeadStage::AppointmentScheduled).then_some(Happening::StageChanged));
    change.sequences_follow(&happened).await?;
    change.commit(|lead| Scheduled { lead, appointment }).await
}

fn check(input: &ScheduleAppointment, playbook: &Playbook, now: DateTime<Utc>) -> Result<(), Vec<Refusal>> {
    let mut refusals = Vec::new();
    if input.starts_at <= now {
        refusals.push(Refusal::new(
            Code::Invalid,
            "startsAt",
            "Choose a time in the future.",
        ));
    }
    if input.ends_at.is_some_and(|ends_at| ends_at <= input.starts_at) {
        refusals.push(Refusal::new(
            Code::Invalid,
            "endsAt",
            "An appointment ends after it starts.",
        ));
    }
    if input
        .facility_id
        .is_some_and(|id| !playbook.facilities.contains_key(&id))
    {
        refusals.push(Refusal::new(
            Code::NotFound,
            "facilityId",
            "There is no such facility.",
        ));
    }
    if refusals.is_empty() {
        Ok(())
    } else {
        Err(refusals)
    }
}

/// Calls off what was booked before; answers whether there was something.
async fn cancel_booked(change: &Change<'_>) -> Result<bool> {
    let done = appointment::Entity::update_many()
        .col_expr(
            appointment::Column::State,
            Expr::value(AppointmentState::Cancelled),
        )
        .col_expr(appointment::Column::UpdatedAt, Expr::value(change.now))
        .filter(appointment::Column::LeadId.eq(change.lead.id))
        .filter(appointment::Column::State.eq(AppointmentState::Booked))
        .exec(&change.tx)
        .await?;
    Ok(done.rows_affected > 0)
}

async fn record(
    change: &mut Change<'_>,
    from: LeadStage,
    appointment: &appointment::Model,
    moved: bool,
) -> Result<()> {
    let (id, actor, now) = (change.lead.id, change.actor, change.now);
    let booked = NewEvent::new(id, LeadEventKind::AppointmentScheduled, actor, now)
        .with("appointmentId", appointment.id.to_string())
        .with("startsAt", appointment.starts_at.to_rfc3339())
        .with("moved", moved);
    change.record(booked).await?;
    let mut at = from;
    if at == LeadStage::Contacted {
        // Arrivals in a stage are counted by events, so a direct booking arrives in both.
        let qualified = NewEvent::stage(id, at, LeadStage::Qualified, actor, now).with("direct", true);
        change.record(qualified).await?;
        at = LeadStage::Qualified;
    }
    if at != LeadStage::AppointmentScheduled {
        change
            .record(NewEvent::stage(
                id,
                at,
                LeadStage::AppointmentScheduled,
                actor,
                now,
            ))
            .await?;
    }
    Ok(())
}
