//! The clock of a lead is stopped, and runs again.

use async_graphql::{Context, Error, ID, InputObject, Object};
use domain::lead::pause;

use super::{audited, read_id};
use crate::graphql::ask::Ask;
use crate::graphql::lead::Lead;
use crate::graphql::scalars::DateTime;
use crate::graphql::vocabulary::PauseReason;

type DomainResult<T> = domain::error::Result<T>;

/// A lead's clock to stop.
#[derive(InputObject)]
pub struct PauseSlaInput {
    /// The lead.
    lead_id: ID,
    /// Why.
    reason: PauseReason,
    /// When it runs again by itself: in the future, at most 90 days ahead.
    until: DateTime,
    /// The version that was read: if the lead has changed since, nothing is done.
    version: Option<i64>,
}

impl PauseSlaInput {
    fn read(self) -> DomainResult<pause::Pause> {
        Ok(pause::Pause {
            lead_id: read_id("leadId", &self.lead_id)?,
            reason: self.reason.into(),
            until: self.until.into(),
            version: self.version,
        })
    }
}

/// A lead's clock that is to run again.
#[derive(InputObject)]
pub struct ResumeSlaInput {
    /// The lead.
    lead_id: ID,
    /// The version that was read: if the lead has changed since, nothing is done.
    version: Option<i64>,
}

impl ResumeSlaInput {
    fn read(self) -> DomainResult<pause::Resume> {
        Ok(pause::Resume {
            lead_id: read_id("leadId", &self.lead_id)?,
            version: self.version,
        })
    }
}

payload!(
    /// What came of stopping a clock.
    PauseSlaPayload {
        /// The lead after it.
        lead: Lead
    }
);

payload!(
    /// What came of letting a clock run again.
    ResumeSlaPayload {
        /// The lead after it.
        lead: Lead
    }
);

/// Changes of clocks.
#[derive(Default)]
pub struct ClockMutation;

/// Changes of clocks.
#[Object]
impl ClockMutation {
    /// Stops the clock of a lead that nobody has tried to reach, for a reason. Nothing of it is missed until it runs again
    /// by itself, by `resumeSla` or by an attempt; its times are later by the business time that it stood.
    async fn pause_sla(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lead, why, and until when.")] input: PauseSlaInput,
    ) -> Result<PauseSlaPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => pause::pause(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "lead.pause_sla", done, |lead| lead.id).await?;
        Ok(PauseSlaPayload::of(outcome.map(Lead::of)))
    }

    /// Lets the clock of a lead run again before its pause ends by itself.
    async fn resume_sla(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lead.")] input: ResumeSlaInput,
    ) -> Result<ResumeSlaPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => pause::resume(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "lead.resume_sla", done, |lead| lead.id).await?;
        Ok(ResumeSlaPayload::of(outcome.map(Lead::of)))
    }
}
