//! What a person says of a message of which nobody knows whether it went out.

use async_graphql::{Context, Enum, Error, ID, InputObject, Object};
use domain::inbound::{SettleMessage, settle_message};

use super::outcome;
use crate::graphql::ask::Ask;
use crate::graphql::id;
use crate::graphql::message::Message;

/// What became of a message.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettledAs {
    /// The mail server took it.
    Accepted,
    /// The mail server did not take it.
    Refused,
}

/// What became of a message of which nobody knew.
#[derive(InputObject)]
pub struct SettleMessageInput {
    /// The message; only one that is `UNKNOWN` can be settled.
    message_id: ID,
    /// What became of it.
    outcome: SettledAs,
    /// How you know, in one line of at most 500 characters, without personal data.
    note: String,
}

payload!(
    /// What came of settling a message.
    SettleMessagePayload {
        /// The message.
        message: Message
    }
);

/// Changes of messages in doubt.
#[derive(Default)]
pub struct SettleMutation;

/// Changes of messages in doubt.
#[Object]
impl SettleMutation {
    /// Says what became of a message of which nobody knows whether it went out. It is not sent again.
    async fn settle_message(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What became of it.")] input: SettleMessageInput,
    ) -> Result<SettleMessagePayload, Error> {
        let ask = Ask::of(ctx);
        let input = SettleMessage {
            message_id: id::read("messageId", &input.message_id)?,
            accepted: input.outcome == SettledAs::Accepted,
            note: input.note,
        };
        let done = settle_message(&ask.api.hospital, ask.viewer(), input).await;
        Ok(SettleMessagePayload::of(outcome(ctx, done).await?.map(Message)))
    }
}
