//! Campaigns and sequences are held back and released; bulk mail is stopped and resumed.

use async_graphql::{Context, Error, ID, InputObject, Object};
use domain::outreach::hold::{self, Held, HoldOutreach};
use domain::outreach::stop::{self, StopSending};

use super::{outcome, read_id_if_any};
use crate::graphql::ask::Ask;
use crate::graphql::errors::UserError;
use crate::graphql::outreach::{OutreachHold, SendingStop, StopReason};
use crate::graphql::scalars::DateTime;

type DomainResult<T> = domain::error::Result<T>;

/// A hold of a campaign or a sequence; name one of them.
#[derive(InputObject)]
pub struct HoldOutreachInput {
    /// The campaign, with all its sequences.
    campaign_id: Option<ID>,
    /// The sequence.
    sequence_id: Option<ID>,
    /// When it ends by itself; null means when somebody releases it.
    until: Option<DateTime>,
    /// Why, in words; at most 500 characters and no personal data.
    reason: String,
}

impl HoldOutreachInput {
    fn read(self) -> DomainResult<HoldOutreach> {
        Ok(HoldOutreach {
            held: held(self.campaign_id.as_ref(), self.sequence_id.as_ref())?,
            until: self.until.map(Into::into),
            reason: self.reason,
        })
    }
}

/// A campaign or a sequence to release; name one of them.
#[derive(InputObject)]
pub struct ReleaseOutreachInput {
    /// The campaign.
    campaign_id: Option<ID>,
    /// The sequence.
    sequence_id: Option<ID>,
}

/// A stop of bulk mail.
#[derive(InputObject)]
pub struct StopSendingInput {
    /// The domain of the `From` address; null for every domain.
    domain: Option<String>,
    /// Why.
    reason: StopReason,
    /// More, in words; at most 500 characters and no personal data.
    note: Option<String>,
}

/// A stop of bulk mail to end.
#[derive(InputObject)]
pub struct ResumeSendingInput {
    /// The domain of the stop; null for the stop of every domain.
    domain: Option<String>,
}

fn held(campaign: Option<&ID>, sequence: Option<&ID>) -> DomainResult<Held> {
    Held::one_of(
        read_id_if_any("campaignId", campaign)?,
        read_id_if_any("sequenceId", sequence)?,
    )
}

payload!(
    /// What came of holding a campaign or sequence back.
    HoldOutreachPayload {
        /// The hold.
        hold: OutreachHold
    }
);

/// What came of releasing a campaign or sequence.
#[derive(async_graphql::SimpleObject)]
pub struct ReleaseOutreachPayload {
    /// The hold that was; null when there was none.
    hold: Option<OutreachHold>,
    /// Why nothing was done; empty when it was, or when there was nothing to do.
    user_errors: Vec<UserError>,
}

payload!(
    /// What came of stopping bulk mail.
    StopSendingPayload {
        /// The stop.
        stop: SendingStop
    }
);

/// What came of letting bulk mail run again.
#[derive(async_graphql::SimpleObject)]
pub struct ResumeSendingPayload {
    /// The stop that was; null when there was none.
    stop: Option<SendingStop>,
    /// Why nothing was done; empty when it was, or when there was nothing to do.
    user_errors: Vec<UserError>,
}

/// Changes of what holds mail back.
#[derive(Default)]
pub struct OutreachMutation;

/// Changes of what holds mail back.
#[Object]
impl OutreachMutation {
    /// Holds the marketing mail of a campaign or sequence back until a time, or until it is released: the teams could
    /// not serve those who would answer. Doing it again changes time and reason.
    async fn hold_outreach(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to hold.")] input: HoldOutreachInput,
    ) -> Result<HoldOutreachPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => hold::hold(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        Ok(HoldOutreachPayload::of(
            outcome(ctx, done).await?.map(OutreachHold),
        ))
    }

    /// Releases a campaign or sequence that is held back: what waits is looked at again right away.
    async fn release_outreach(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to release.")] input: ReleaseOutreachInput,
    ) -> Result<ReleaseOutreachPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match held(input.campaign_id.as_ref(), input.sequence_id.as_ref()) {
            Ok(held) => hold::release(&ask.api.hospital, ask.viewer(), held).await,
            Err(error) => Err(error),
        };
        Ok(match outcome(ctx, done).await? {
            Ok(hold) => ReleaseOutreachPayload {
                hold: hold.map(OutreachHold),
                user_errors: Vec::new(),
            },
            Err(user_errors) => ReleaseOutreachPayload {
                hold: None,
                user_errors,
            },
        })
    }

    /// Stops all bulk mail of a sending domain, to keep its good name with the mailbox providers. Requested replies,
    /// reminders and mail to staff go on. Doing it again changes reason and note.
    async fn stop_sending(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stop.")] input: StopSendingInput,
    ) -> Result<StopSendingPayload, Error> {
        let ask = Ask::of(ctx);
        let input = StopSending {
            domain: input.domain,
            reason: input.reason.into(),
            note: input.note,
        };
        let done = stop::stop(&ask.api.hospital, ask.viewer(), input).await;
        Ok(StopSendingPayload::of(outcome(ctx, done).await?.map(SendingStop)))
    }

    /// Ends a stop of bulk mail: what waits is looked at again right away.
    async fn resume_sending(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stop to end.")] input: ResumeSendingInput,
    ) -> Result<ResumeSendingPayload, Error> {
        let ask = Ask::of(ctx);
        let done = stop::resume(&ask.api.hospital, ask.viewer(), input.domain.as_deref()).await;
        Ok(match outcome(ctx, done).await? {
            Ok(stop) => ResumeSendingPayload {
                stop: stop.map(SendingStop),
                user_errors: Vec::new(),
            },
            Err(user_errors) => ResumeSendingPayload {
                stop: None,
                user_errors,
            },
        })
    }
}
