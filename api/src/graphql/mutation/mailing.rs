//! Mailings are prepared, started and stopped.

use async_graphql::{Context, Error, ID, InputObject, Object};
use domain::outreach::mailing::{self as mailings, CreateMailing, StartMailing, StopMailing};

use super::{at_input, outcome, read_id};
use crate::graphql::ask::Ask;
use crate::graphql::mailing::{Mailing, MailingAudienceInput};
use crate::graphql::scalars::DateTime;

type DomainResult<T> = domain::error::Result<T>;

/// A mailing to prepare.
#[derive(InputObject)]
pub struct CreateMailingInput {
    /// The name that people read; at most 120 characters.
    name: String,
    /// The campaign that it belongs to.
    campaign_id: ID,
    /// The text, whose purpose becomes the mailing's. Reminders are refused: they are sent by sequences.
    template_id: ID,
    /// Whom it is for; without it everybody with a lead.
    #[graphql(default)]
    audience: MailingAudienceInput,
    /// When its mails are to go; starting it may say so instead.
    send_at: Option<DateTime>,
}

impl CreateMailingInput {
    fn read(self) -> DomainResult<CreateMailing> {
        Ok(CreateMailing {
            name: self.name,
            campaign_id: read_id("campaignId", &self.campaign_id)?,
            template_id: read_id("templateId", &self.template_id)?,
            audience: self.audience.read()?,
            send_at: self.send_at.map(Into::into),
        })
    }
}

/// A mailing to start.
#[derive(InputObject)]
pub struct StartMailingInput {
    /// The mailing, a draft.
    mailing_id: ID,
    /// The version that was read: if the mailing has changed since, nothing is done.
    version: Option<i64>,
    /// When its mails are to go, at most 90 days ahead; else when the draft says, else now.
    send_at: Option<DateTime>,
}

impl StartMailingInput {
    fn read(self) -> DomainResult<StartMailing> {
        Ok(StartMailing {
            id: read_id("mailingId", &self.mailing_id)?,
            version: self.version,
            send_at: self.send_at.map(Into::into),
        })
    }
}

/// A mailing to stop.
#[derive(InputObject)]
pub struct StopMailingInput {
    /// The mailing.
    mailing_id: ID,
    /// The version that was read: if the mailing has changed since, nothing is done. Leave it out to stop it in any case.
    version: Option<i64>,
}

impl StopMailingInput {
    fn read(self) -> DomainResult<StopMailing> {
        Ok(StopMailing {
            id: read_id("mailingId", &self.mailing_id)?,
            version: self.version,
        })
    }
}

payload!(
    /// What came of preparing a mailing.
    CreateMailingPayload {
        /// The mailing.
        mailing: Mailing
    }
);

payload!(
    /// What came of starting a mailing.
    StartMailingPayload {
        /// The mailing after it.
        mailing: Mailing
    }
);

payload!(
    /// What came of stopping a mailing.
    StopMailingPayload {
        /// The mailing after it.
        mailing: Mailing
    }
);

/// Changes of mailings. Their operations write the audit themselves.
#[derive(Default)]
pub struct MailingMutation;

/// Changes of mailings.
#[Object]
impl MailingMutation {
    /// Prepares a mailing. Nothing is planned until it is started.
    async fn create_mailing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The mailing.")] input: CreateMailingInput,
    ) -> Result<CreateMailingPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => mailings::create(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        Ok(CreateMailingPayload::of(outcome(ctx, done).await?.map(Mailing)))
    }

    /// Starts a mailing: workers look at the leads that there are now and plan a mail for each contact of the audience,
    /// step by step; `progress` says how far they are.
    async fn start_mailing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The mailing.")] input: StartMailingInput,
    ) -> Result<StartMailingPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => mailings::start(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let done = done.map_err(|error| at_input(error, "mailingId"));
        Ok(StartMailingPayload::of(outcome(ctx, done).await?.map(Mailing)))
    }

    /// Stops a mailing for good, at any point. When it answers, nothing of it is handed to a mail server any more; what is
    /// planned is withheld.
    async fn stop_mailing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The mailing.")] input: StopMailingInput,
    ) -> Result<StopMailingPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => mailings::stop(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let done = done.map_err(|error| at_input(error, "mailingId"));
        Ok(StopMailingPayload::of(outcome(ctx, done).await?.map(Mailing)))
    }
}
