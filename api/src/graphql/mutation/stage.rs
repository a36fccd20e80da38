//! A lead moves on: qualified, scheduled, visited, closed, reopened.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use domain::lead::stage;
use domain::lead::stage::Scheduled;

use super::{Outcome, audited, read_id, read_id_if_any};
use crate::graphql::ask::Ask;
use crate::graphql::errors::UserError;
use crate::graphql::lead::{Appointment, Lead};
use crate::graphql::scalars::DateTime;
use crate::graphql::vocabulary::Disposition;

type DomainResult<T> = domain::error::Result<T>;

/// A lead to qualify.
#[derive(InputObject)]
pub struct QualifyLeadInput {
    /// The lead.
    lead_id: ID,
    /// What the coordinator writes, at most 2000 characters.
    note: Option<String>,
    /// The version that was read: if the lead has changed since, nothing is done.
    version: Option<i64>,
}

impl QualifyLeadInput {
    fn read(self) -> DomainResult<stage::Qualify> {
        let lead_id = read_id("leadId", &self.lead_id)?;
        Ok(stage::Qualify {
            lead_id,
            note: self.note,
            version: self.version,
        })
    }
}

/// An appointment to book. A lead that has one gets the new one instead.
#[derive(InputObject)]
pub struct ScheduleAppointmentInput {
    /// The lead.
    lead_id: ID,
    /// When the visit starts; in the future.
    starts_at: DateTime,
    /// When it ends; after its start.
    ends_at: Option<DateTime>,
    /// Where it takes place; the lead's facility if not said.
    facility_id: Option<ID>,
    /// The version that was read: if the lead has changed since, nothing is done.
    version: Option<i64>,
}

impl ScheduleAppointmentInput {
    fn read(self) -> DomainResult<stage::ScheduleAppointment> {
        Ok(stage::ScheduleAppointment {
            lead_id: read_id("leadId", &self.lead_id)?,
            starts_at: self.starts_at.into(),
            ends_at: self.ends_at.map(Into::into),
            facility_id: read_id_if_any("facilityId", self.facility_id.as_ref())?,
            version: self.version,
        })
    }
}

/// A visit that took place.
#[derive(InputObject)]
pub struct CompleteVisitInput {
    /// The lead.
    lead_id: ID,
    /// The appointment that was kept; the booked one if not said.
    appointment_id: Option<ID>,
    /// When the visit was; now if not said. Not in the future, not before the lead came in.
    at: Option<DateTime>,
    /// The version that was read: if the lead has changed since, nothing is done.
    version: Option<i64>,
}

impl CompleteVisitInput {
    fn read(self) -> DomainResult<stage::CompleteVisit> {
        Ok(stage::CompleteVisit {
            lead_id: read_id("leadId", &self.lead_id)?,
            appointment_id: read_id_if_any("appointmentId", self.appointment_id.as_ref())?,
            at: self.at.map(Into::into),
            version: self.version,
        })
    }
}

/// An appointment to which the person did not come.
#[derive(InputObject)]
pub struct MissAppointmentInput {
    /// The lead.
    lead_id: ID,
    /// The appointment; the earliest that is booked if not said. Its time must have come.
    appointment_id: Option<ID>,
    /// The version that was read: if the lead has changed since, nothing is done.
    version: Option<i64>,
}

impl MissAppointmentInput {
    fn read(self) -> DomainResult<stage::MissAppointment> {
        Ok(stage::MissAppointment {
            lead_id: read_id("leadId", &self.lead_id)?,
            appointment_id: read_id_if_any("appointmentId", self.appointment_id.as_ref())?,
            version: self.version,
        })
    }
}

/// A lead to close.
#[derive(InputObject)]
pub struct CloseLeadInput {
    /// The lead.
    lead_id: ID,
    /// Why.
    disposition: Disposition,
    /// What the coordinator writes, at most 2000 characters; needed for `OTHER`.
    note: Option<String>,
    /// The version that was read: if the lead has changed since, nothing is done.
    version: Option<i64>,
}

impl CloseLeadInput {
    fn read(self) -> DomainResult<stage::Close> {
        Ok(stage::Close {
            lead_id: read_id("leadId", &self.lead_id)?,
            disposition: self.disposition.into(),
            note: self.note,
            version: self.version,
        })
    }
}

/// A lead to open again.
#[derive(InputObject)]
pub struct ReopenLeadInput {
    /// The lead.
    lead_id: ID,
    /// What the coordinator writes, at most 2000 characters.
    note: Option<String>,
    /// The version that was read: if the lead has changed since, nothing is done.
    version: Option<i64>,
}

impl ReopenLeadInput {
    fn read(self) -> DomainResult<stage::Reopen> {
        let lead_id = read_id("leadId", &self.lead_id)?;
        Ok(stage::Reopen {
            lead_id,
            note: self.note,
            version: self.version,
        })
    }
}

payload!(
    /// What came of qualifying a lead.
    QualifyLeadPayload {
        /// The lead after it.
        lead: Lead
    }
);

payload!(
    /// What came of completing a visit.
    CompleteVisitPayload {
        /// The lead after it.
        lead: Lead
    }
);

payload!(
    /// What came of marking an appointment as missed.
    MissAppointmentPayload {
        /// The lead after it.
        lead: Lead
    }
);

payload!(
    /// What came of closing a lead.
    CloseLeadPayload {
        /// The lead after it.
        lead: Lead
    }
);

payload!(
    /// What came of opening a lead again.
    ReopenLeadPayload {
        /// The lead after it.
        lead: Lead
    }
);

/// What came of booking an appointment.
#[derive(SimpleObject)]
pub struct ScheduleAppointmentPayload {
    /// The lead after it.
    lead: Option<Lead>,
    /// The appointment.
    appointment: Option<Appointment>,
    /// Why nothing was done; empty when it was.
    user_errors: Vec<UserError>,
}

impl ScheduleAppointmentPayload {
    fn of(outcome: Outcome<Scheduled>) -> Self {
        match outcome {
            Ok(scheduled) => Self {
                lead: Some(Lead::of(scheduled.lead)),
                appointment: Some(Appointment(scheduled.appointment)),
                user_errors: Vec::new(),
            },
            Err(user_errors) => Self {
                lead: None,
                appointment: None,
                user_errors,
            },
        }
    }
}

/// Changes of a lead's stage.
#[derive(Default)]
pub struct StageMutation;

/// Changes of a lead's stage.
#[Object]
impl StageMutation {
    /// Moves a contacted lead to `QUALIFIED`.
    async fn qualify_lead(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lead.")] input: QualifyLeadInput,
    ) -> Result<QualifyLeadPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => stage::qualify(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "lead.qualify", done, |lead| lead.id).await?;
        Ok(QualifyLeadPayload::of(outcome.map(Lead::of)))
    }

    /// Books an appointment and moves the lead to `APPOINTMENT_SCHEDULED`.
    async fn schedule_appointment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The appointment.")] input: ScheduleAppointmentInput,
    ) -> Result<ScheduleAppointmentPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => stage::schedule(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "lead.schedule", done, |scheduled| scheduled.lead.id).await?;
        Ok(ScheduleAppointmentPayload::of(outcome))
    }

    /// Moves a lead with an appointment to `VISIT_COMPLETED`.
    async fn complete_visit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The visit.")] input: CompleteVisitInput,
    ) -> Result<CompleteVisitPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => stage::complete_visit(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "lead.complete_visit", done, |lead| lead.id).await?;
        Ok(CompleteVisitPayload::of(outcome.map(Lead::of)))
    }

    /// Marks an appointment whose time has come as missed. The lead stays in its stage; sequences on missed appointments
    /// begin.
    async fn miss_appointment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The appointment.")] input: MissAppointmentInput,
    ) -> Result<MissAppointmentPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => stage::miss(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "lead.miss_appointment", done, |lead| lead.id).await?;
        Ok(MissAppointmentPayload::of(outcome.map(Lead::of)))
    }

    /// Closes a lead with a disposition: its open follow-ups are cancelled and its sequences end.
    async fn close_lead(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lead, and why.")] input: CloseLeadInput,
    ) -> Result<CloseLeadPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => stage::close(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "lead.close", done, |lead| lead.id).await?;
        Ok(CloseLeadPayload::of(outcome.map(Lead::of)))
    }

    /// Takes a closed lead back to the furthest stage that it had reached and opens a follow-up.
    async fn reopen_lead(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lead.")] input: ReopenLeadInput,
    ) -> Result<ReopenLeadPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => stage::reopen(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "lead.reopen", done, |lead| lead.id).await?;
        Ok(ReopenLeadPayload::of(outcome.map(Lead::of)))
    }
}
