//! How long personal data is kept.

use async_graphql::{Context, Enum, Error, Object};
use domain::privacy::retention;
use entity::retention_policy::Model;

use super::ask::Ask;
use super::errors::Told;
use super::scalars::DateTime;

/// What a retention policy is about. The audit is always kept.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::retention_policy::RetentionKind")]
pub enum RetentionKind {
    /// Answers, notes and mails of leads that are closed; the days count from the closing.
    ClosedLeads,
    /// Contacts of whom nothing was heard and with whom nothing was done; the days count from the last of it.
    UnengagedContacts,
    /// Mails that were captured instead of sent.
    CapturedMail,
    /// Answers kept for requests that may come again; never longer than a day in any case.
    KeptAnswers,
    /// What came back about mails, as it came; never longer than 30 days in any case.
    InboundMail,
}

/// How long personal data of one kind is kept.
pub struct RetentionPolicy(pub Model);

/// How long personal data of one kind is kept.
#[Object]
impl RetentionPolicy {
    /// What it is about.
    async fn kind(&self) -> RetentionKind {
        self.0.kind.into()
    }

    /// How many days it is kept.
    async fn keep_days(&self) -> i32 {
        self.0.keep_days
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }
}

/// Reads of how long data is kept.
#[derive(Default)]
pub struct RetentionQuery;

/// Reads of how long data is kept.
#[Object]
impl RetentionQuery {
    /// How long personal data is kept, by kind. What is not in the list is kept until somebody erases it.
    async fn retention_policies(&self, ctx: &Context<'_>) -> Result<Vec<RetentionPolicy>, Error> {
        let ask = Ask::of(ctx);
        let policies = retention::policies(ask.db()).await.told(ask)?;
        Ok(policies.into_iter().map(RetentionPolicy).collect())
    }
}
