//! Follow-ups are done, put off, or given to a person.

use async_graphql::{Context, Error, ID, InputObject, Object};
use domain::follow_up;

use super::{at_input, audited, read_id};
use crate::graphql::ask::Ask;
use crate::graphql::follow_up::FollowUp;
use crate::graphql::scalars::DateTime;

type DomainResult<T> = domain::error::Result<T>;

/// A follow-up that is done.
#[derive(InputObject)]
pub struct CompleteFollowUpInput {
    /// The follow-up.
    follow_up_id: ID,
    /// What came of it, at most 2000 characters.
    outcome: Option<String>,
    /// The version that was read: if the follow-up has changed since, nothing is done.
    version: Option<i64>,
}

impl CompleteFollowUpInput {
    fn read(self) -> DomainResult<follow_up::Complete> {
        let id = read_id("followUpId", &self.follow_up_id)?;
        Ok(follow_up::Complete {
            id,
            outcome: self.outcome,
            version: self.version,
        })
    }
}

/// A follow-up to put off.
#[derive(InputObject)]
pub struct SnoozeFollowUpInput {
    /// The follow-up.
    follow_up_id: ID,
    /// Its new due time: in the future, at most 90 days ahead.
    until: DateTime,
    /// The version that was read: if the follow-up has changed since, nothing is done.
    version: Option<i64>,
}

impl SnoozeFollowUpInput {
    fn read(self) -> DomainResult<follow_up::Snooze> {
        let id = read_id("followUpId", &self.follow_up_id)?;
        Ok(follow_up::Snooze {
            id,
            until: self.until.into(),
            version: self.version,
        })
    }
}

/// A follow-up to give to a person.
#[derive(InputObject)]
pub struct AssignFollowUpInput {
    /// The follow-up.
    follow_up_id: ID,
    /// An active member of the follow-up's team.
    assignee_id: ID,
    /// The version that was read: if the follow-up has changed since, nothing is done.
    version: Option<i64>,
}

impl AssignFollowUpInput {
    fn read(self) -> DomainResult<follow_up::AssignFollowUp> {
        Ok(follow_up::AssignFollowUp {
            id: read_id("followUpId", &self.follow_up_id)?,
            assignee_id: read_id("assigneeId", &self.assignee_id)?,
            version: self.version,
        })
    }
}

payload!(
    /// What came of completing a follow-up.
    CompleteFollowUpPayload {
        /// The follow-up after it.
        follow_up: FollowUp
    }
);

payload!(
    /// What came of putting a follow-up off.
    SnoozeFollowUpPayload {
        /// The follow-up after it.
        follow_up: FollowUp
    }
);

payload!(
    /// What came of giving a follow-up to a person.
    AssignFollowUpPayload {
        /// The follow-up after it.
        follow_up: FollowUp
    }
);

/// Changes of follow-ups.
#[derive(Default)]
pub struct FollowUpMutation;

/// Changes of follow-ups.
#[Object]
impl FollowUpMutation {
    /// Marks an open follow-up as done. It does not count as an attempt: log the attempt, and its follow-up is done.
    async fn complete_follow_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The follow-up.")] input: CompleteFollowUpInput,
    ) -> Result<CompleteFollowUpPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => follow_up::complete(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(
            ctx,
            "follow_up.complete",
            done.map_err(|error| at_input(error, "followUpId")),
            |row| row.id,
        )
        .await?;
        Ok(CompleteFollowUpPayload::of(outcome.map(FollowUp)))
    }

    /// Puts an open follow-up off. When the lead's first attempt is due does not change by that.
    async fn snooze_follow_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The follow-up, and until when.")] input: SnoozeFollowUpInput,
    ) -> Result<SnoozeFollowUpPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => follow_up::snooze(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(
            ctx,
            "follow_up.snooze",
            done.map_err(|error| at_input(error, "followUpId")),
            |row| row.id,
        )
        .await?;
        Ok(SnoozeFollowUpPayload::of(outcome.map(FollowUp)))
    }

    /// Gives an open follow-up to a member of its team, who gets a mail about it.
    async fn assign_follow_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The follow-up, and to whom.")] input: AssignFollowUpInput,
    ) -> Result<AssignFollowUpPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => follow_up::assign(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(
            ctx,
            "follow_up.assign",
            done.map_err(|error| at_input(error, "followUpId")),
            |row| row.id,
        )
        .await?;
        Ok(AssignFollowUpPayload::of(outcome.map(FollowUp)))
    }
}
