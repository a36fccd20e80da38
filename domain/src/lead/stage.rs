//! The stages of a lead and the guards between them.
//!
//! `NEW → CONTACTED → QUALIFIED → APPOINTMENT_SCHEDULED → VISIT_COMPLETED`, or `CLOSED` with a disposition. Each change
//! is an event in the same transaction, and sequences follow it. When a stage was first reached is set once and survives
//! closing and reopening, because figures count leads that *ever* reached a stage.

mod close;
mod miss;
mod qualify;
mod reopen;
mod schedule;
mod visit;

use entity::enums::LeadStage;
use entity::lead;

use crate::error::{Code, Error, Result};
use crate::playbook::Playbook;

pub use close::{Close, close};
pub use miss::{MissAppointment, miss};
pub use qualify::{Qualify, qualify};
pub use reopen::{Reopen, reopen};
pub use schedule::{ScheduleAppointment, Scheduled, schedule};
pub use visit::{CompleteVisit, complete_visit};

#[cfg(test)]
mod tests;

/// What the guards look at besides the two stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// Whether an attempt with an outcome is logged.
    pub attempted: bool,
    /// Whether the service line can be booked without qualification.
    pub direct_scheduling: bool,
    /// The furthest open stage that the lead ever reached.
    pub furthest: LeadStage,
}

impl Context {
    /// The context of a lead.
    pub fn of(lead: &lead::Model, playbook: &Playbook) -> Self {
        let line = lead.service_line_id.and_then(|id| playbook.lines.get(&id));
        Self {
            attempted: lead.first_attempt_at.is_some(),
            direct_scheduling: line.is_some_and(|line| line.direct_scheduling),
            furthest: furthest(lead),
        }
    }
}

/// The furthest open stage that the lead ever reached.
pub const fn furthest(lead: &lead::Model) -> LeadStage {
    if lead.completed_at.is_some() {
        LeadStage::VisitCompleted
    } else if lead.scheduled_at.is_some() {
        LeadStage::AppointmentScheduled
    } else if lead.qualified_at.is_some() {
        LeadStage::Qualified
    } else if lead.first_attempt_at.is_some() {
        LeadStage::Contacted
    } else {
        LeadStage::New
    }
}

/// Whether a lead may go from one stage to another.
///
/// # Errors
/// A sentence that says what has to come first.
pub fn allowed(from: LeadStage, to: LeadStage, context: &Context) -> Result<(), &'static str> {
    use LeadStage::{AppointmentScheduled, Closed, Contacted, New, Qualified, VisitCompleted};
    match (from, to) {
        (Closed, Closed) => Err("The lead is closed already."),
        (_, Closed) => Ok(()),
        (Closed, to) if to == context.furthest => Ok(()),
        (Closed, _) => Err("The lead is closed; reopen it first."),
        (New, Contacted) if context.attempted => Ok(()),
        (New, Contacted | Qualified | AppointmentScheduled | VisitCompleted) => {
            Err("Nobody has tried to reach the lead; log an attempt first.")
        }
        (Contacted, Qualified)
        | (Qualified, AppointmentScheduled)
        // Booked again: the visit was moved.
        | (AppointmentScheduled, AppointmentScheduled | VisitCompleted) => Ok(()),
        (Contacted, AppointmentScheduled) if context.direct_scheduling => Ok(()),
        (Contacted, AppointmentScheduled) => {
            Err("Qualify the lead first: its service cannot be booked directly.")
        }
        (Contacted | Qualified, VisitCompleted) => Err("Schedule an appointment first."),
        (_, _) => Err("The lead has come this far already."),
    }
}

/// The same as a refusal.
fn guard(from: LeadStage, to: LeadStage, context: &Context) -> Result<()> {
    allowed(from, to, context).map_err(|message| Error::refused(Code::NotAllowedNow, "leadId", message))
}
