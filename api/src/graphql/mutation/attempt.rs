//! A human tried to reach a lead.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use domain::error::Error as DomainError;
use domain::lead::attempt::{LogAttempt, Logged, log};

use super::{Outcome, audited, read_id};
use crate::graphql::ask::Ask;
use crate::graphql::errors::UserError;
use crate::graphql::lead::{Attempt, Lead};
use crate::graphql::scalars::DateTime;
use crate::graphql::vocabulary::{AttemptOutcome, Medium};

/// An attempt to log.
#[derive(InputObject)]
pub struct LogAttemptInput {
    /// The lead.
    lead_id: ID,
    /// How it was tried.
    medium: Medium,
    /// What came of it.
    outcome: AttemptOutcome,
    /// What the coordinator writes, at most 2000 characters.
    note: Option<String>,
    /// When the person asked to be called: needed for `CALLBACK_ASKED`, and only then. Within the next 90 days.
    callback_at: Option<DateTime>,
    /// When it was made; now if not said. Not in the future, not before the lead came in.
    at: Option<DateTime>,
}

impl LogAttemptInput {
    fn read(self) -> Result<LogAttempt, DomainError> {
        Ok(LogAttempt {
            lead_id: read_id("leadId", &self.lead_id)?,
            medium: self.medium.into(),
            outcome: self.outcome.into(),
            note: self.note,
            callback_at: self.callback_at.map(Into::into),
            at: self.at.map(Into::into),
        })
    }
}

/// What came of logging an attempt.
#[derive(SimpleObject)]
pub struct LogAttemptPayload {
    /// The lead after it.
    lead: Option<Lead>,
    /// The attempt.
    attempt: Option<Attempt>,
    /// Why nothing was done; empty when it was.
    user_errors: Vec<UserError>,
}

impl LogAttemptPayload {
    fn of(outcome: Outcome<Logged>) -> Self {
        match outcome {
            Ok(logged) => Self {
                lead: Some(Lead::of(logged.lead)),
                attempt: Some(Attempt(logged.attempt)),
                user_errors: Vec::new(),
            },
            Err(user_errors) => Self {
                lead: None,
                attempt: None,
                user_errors,
            },
        }
    }
}

/// Attempts.
#[derive(Default)]
pub struct AttemptMutation;

/// Attempts.
#[Object]
impl AttemptMutation {
    /// Logs an attempt. The first one stops the SLA clock and moves `NEW` to `CONTACTED`; the follow-ups that it answers
    /// are done, and the next one is opened by rule.
    async fn log_attempt(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The attempt.")] input: LogAttemptInput,
    ) -> Result<LogAttemptPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => log(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "lead.log_attempt", done, |logged| logged.lead.id).await?;
        Ok(LogAttemptPayload::of(outcome))
    }
}
