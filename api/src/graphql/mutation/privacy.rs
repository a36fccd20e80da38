//! What people may ask about their data, and how long it is kept unasked.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use domain::privacy::{erase, export, retention};

use super::{outcome, read_id};
use crate::graphql::ask::Ask;
use crate::graphql::id::id;
use crate::graphql::idempotency;
use crate::graphql::retention::{RetentionKind, RetentionPolicy};
use crate::graphql::scalars::DateTime;

/// Whose data is exported.
#[derive(InputObject)]
pub struct ExportContactInput {
    /// The contact.
    contact_id: ID,
}

/// Whose data is erased.
#[derive(InputObject)]
pub struct EraseContactInput {
    /// The contact.
    contact_id: ID,
}

/// How long one kind of data is kept.
#[derive(InputObject)]
pub struct SetRetentionInput {
    /// The kind.
    kind: RetentionKind,
    /// Days, from 1 to 36500; null: until somebody erases it.
    keep_days: Option<i32>,
}

/// What an erasure did. The contact's row stays, with nothing in it but counts and times.
#[derive(SimpleObject)]
pub struct ContactErasure {
    /// The contact.
    contact_id: ID,
    /// How many leads were emptied.
    leads: usize,
    /// How many mails that were planned will not go out.
    messages_withheld: usize,
    /// How many enrollments ended.
    enrollments_ended: usize,
    /// When it was erased; earlier than now if it was before.
    erased_at: DateTime,
}

payload!(
    /// What came of exporting a contact.
    ExportContactPayload {
        /// Everything that is held about the contact.
        export: serde_json::Value
    }
);

payload!(
    /// What came of erasing a contact.
    EraseContactPayload {
        /// What the erasure did.
        erasure: ContactErasure
    }
);

payload!(
    /// What came of setting how long data is kept.
    SetRetentionPayload {
        /// All policies as they are now.
        policies: Vec<RetentionPolicy>
    }
);

/// Exports, erasures and retention.
#[derive(Default)]
pub struct PrivacyMutation;

/// Exports, erasures and retention.
#[Object]
impl PrivacyMutation {
    /// Answers everything that is held about a contact. It is a mutation because the audit notes who asked. The answer is
    /// not kept under an `Idempotency-Key`.
    async fn export_contact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose data.")] input: ExportContactInput,
    ) -> Result<ExportContactPayload, Error> {
        idempotency::note_secret(ctx);
        let ask = Ask::of(ctx);
        let done = match read_id("contactId", &input.contact_id) {
            Ok(contact_id) => export::export(&ask.api.hospital, ask.viewer(), contact_id).await,
            Err(error) => Err(error),
        };
        Ok(ExportContactPayload::of(outcome(ctx, done).await?))
    }

    /// Erases all personal data of a contact, everywhere and for good. Figures stay as they are, a suppressed address stays
    /// suppressed, and what was planned for the contact does not go out.
    async fn erase_contact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose data.")] input: EraseContactInput,
    ) -> Result<EraseContactPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match read_id("contactId", &input.contact_id) {
            Ok(contact_id) => erase::erase(&ask.api.hospital, ask.viewer(), contact_id).await,
            Err(error) => Err(error),
        };
        let erasure = outcome(ctx, done).await?.map(|erased| ContactErasure {
            contact_id: id(erased.contact_id),
            leads: erased.leads,
            messages_withheld: erased.messages_withheld,
            enrollments_ended: erased.enrollments_ended,
            erased_at: erased.at.into(),
        });
        Ok(EraseContactPayload::of(erasure))
    }

    /// Sets how long one kind of personal data is kept. A sweep takes out what is past that.
    async fn set_retention(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What, and for how long.")] input: SetRetentionInput,
    ) -> Result<SetRetentionPayload, Error> {
        let ask = Ask::of(ctx);
        let done = retention::set(
            &ask.api.hospital,
            ask.viewer(),
            input.kind.into(),
            input.keep_days,
        )
        .await;
        let policies = outcome(ctx, done).await?;
        Ok(SetRetentionPayload::of(
            policies.map(|rows| rows.into_iter().map(RetentionPolicy).collect()),
        ))
    }
}
