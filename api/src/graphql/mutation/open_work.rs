//! A person opens work, and goes through its checklist.

use async_graphql::{Context, Error, ID, InputObject, Object};
use domain::error::Error as DomainError;
use domain::follow_up::{self, CheckItem};
use domain::lead::open_work::{OpenFollowUp, open_follow_up};

use super::{at_input, audited, read_id, read_id_if_any};
use crate::graphql::ask::Ask;
use crate::graphql::follow_up::FollowUp;
use crate::graphql::scalars::DateTime;

/// Work to open: from a template, or with a title and a due time.
#[derive(InputObject)]
pub struct OpenFollowUpInput {
    /// The lead.
    lead_id: ID,
    /// The key of a template, which says what is to be done and until when.
    template: Option<String>,
    /// What is to be done, without personal data; at most 200 characters. Either this or a template.
    title: Option<String>,
    /// When it is due: in the future, at most 90 days ahead. Needed without a template.
    due_at: Option<DateTime>,
    /// An active member of the lead's team; the lead's owner if not said.
    assignee_id: Option<ID>,
}

impl OpenFollowUpInput {
    fn read(self) -> Result<OpenFollowUp, DomainError> {
        Ok(OpenFollowUp {
            lead_id: read_id("leadId", &self.lead_id)?,
            assignee_id: read_id_if_any("assigneeId", self.assignee_id.as_ref())?,
            template: self.template,
            title: self.title,
            due_at: self.due_at.map(Into::into),
        })
    }
}

/// A thing of a checklist that is done, or is not after all.
#[derive(InputObject)]
pub struct CheckItemInput {
    /// The follow-up.
    follow_up_id: ID,
    /// The key of the thing.
    item: String,
    /// Whether it is done.
    done: bool,
}

impl CheckItemInput {
    fn read(self) -> Result<CheckItem, DomainError> {
        Ok(CheckItem {
            id: read_id("followUpId", &self.follow_up_id)?,
            item: self.item,
            done: self.done,
        })
    }
}

payload!(
    /// What came of opening a follow-up.
    OpenFollowUpPayload {
        /// The follow-up.
        follow_up: FollowUp
    }
);

payload!(
    /// What came of going through a checklist.
    CheckItemPayload {
        /// The follow-up after it.
        follow_up: FollowUp
    }
);

/// Work that a person opens.
#[derive(Default)]
pub struct OpenWorkMutation;

/// Work that a person opens.
#[Object]
impl OpenWorkMutation {
    /// Opens a follow-up of a lead, and mails its assignee unless that is you.
    async fn open_follow_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The work.")] input: OpenFollowUpInput,
    ) -> Result<OpenFollowUpPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => open_follow_up(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "follow_up.open", done, |row| row.id).await?;
        Ok(OpenFollowUpPayload::of(outcome.map(FollowUp)))
    }

    /// Marks a thing of an open follow-up's checklist as done, or takes that back.
    async fn check_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The thing.")] input: CheckItemInput,
    ) -> Result<CheckItemPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => follow_up::check_item(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let done = done.map_err(|error| at_input(error, "followUpId"));
        let outcome = audited(ctx, "follow_up.check_item", done, |row| row.id).await?;
        Ok(CheckItemPayload::of(outcome.map(FollowUp)))
    }
}
