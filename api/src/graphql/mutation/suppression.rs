//! Addresses that must not be written to.

use async_graphql::{Context, Enum, Error, ID, InputObject, Object};
use domain::outreach::suppress::{SuppressAddress, suppress};
use entity::suppression::Model as StoredSuppression;

use super::outcome;
use crate::graphql::ask::Ask;
use crate::graphql::id::id;
use crate::graphql::scalars::DateTime;
use crate::graphql::vocabulary::Medium;

/// Why an address is suppressed.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::suppression::SuppressionReason")]
pub enum SuppressionReason {
    /// The address does not exist.
    HardBounce,
    /// The person reported a mail as spam. Answers that the person asks for still go out.
    Complaint,
    /// Mails to it have come back for days. Answers that the person asks for still go out.
    SoftBounces,
    /// The person must not be contacted at all.
    DoNotContact,
}

/// An address that must not be written to.
#[derive(InputObject)]
pub struct SuppressAddressInput {
    /// The medium; not `POST`.
    medium: Medium,
    /// The address.
    address: String,
    /// Why.
    reason: SuppressionReason,
}

/// An address that must not be written to. The address itself is not kept, only a hash of it.
pub struct Suppression(StoredSuppression);

/// An address that must not be written to. The address itself is not kept, only a hash of it.
#[Object]
impl Suppression {
    /// The id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The medium.
    async fn medium(&self) -> Medium {
        self.0.medium.into()
    }

    /// The strongest reason there was.
    async fn reason(&self) -> SuppressionReason {
        self.0.reason.into()
    }

    /// Since when.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}

payload!(
    /// What came of suppressing an address.
    SuppressAddressPayload {
        /// The entry on the list.
        suppression: Suppression
    }
);

/// Changes of the list of suppressed addresses.
#[derive(Default)]
pub struct SuppressionMutation;

/// Changes of the list of suppressed addresses.
#[Object]
impl SuppressionMutation {
    /// Suppresses an address for good: what is planned to it does not go out. Stronger than any consent.
    async fn suppress_address(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The address.")] input: SuppressAddressInput,
    ) -> Result<SuppressAddressPayload, Error> {
        let ask = Ask::of(ctx);
        let input = SuppressAddress {
            medium: input.medium.into(),
            address: input.address,
            reason: input.reason.into(),
        };
        let done = suppress(&ask.api.hospital, ask.viewer(), input).await;
        Ok(SuppressAddressPayload::of(
            outcome(ctx, done).await?.map(Suppression),
        ))
    }
}
