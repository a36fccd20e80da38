//! Consents are written down and taken back.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use domain::consent;
use domain::consent::{WithdrawConsent, Withdrawal, WordingRef};
use domain::error::{Code, Error as DomainError};

use super::{Outcome, audited, read_id, read_id_if_any};
use crate::graphql::ask::Ask;
use crate::graphql::consent::ConsentEvent;
use crate::graphql::errors::UserError;
use crate::graphql::scalars::DateTime;
use crate::graphql::vocabulary::{Medium, Purpose};

/// A consent that a person gave or refused, by voice, on paper or through another program.
#[derive(InputObject)]
pub struct RecordConsentInput {
    /// Whose consent it is.
    contact_id: ID,
    /// The medium.
    medium: Medium,
    /// The address it is about; the contact's own if not said.
    address: Option<String>,
    /// The purpose.
    purpose: Purpose,
    /// The version of the text that was shown or read out.
    wording_id: Option<ID>,
    /// Instead of `wordingId`: the key of the text, of which the newest version in the contact's language is taken.
    wording_key: Option<String>,
    /// Whether the person allowed it; else the person was asked and did not.
    granted: bool,
    /// When the person said it; now if not said.
    occurred_at: Option<DateTime>,
    /// When a grant ends by itself; never if not said.
    expires_at: Option<DateTime>,
    /// What proves it, for example `said so on the phone`; at most 500 characters.
    evidence: Option<String>,
}

impl RecordConsentInput {
    fn read(self) -> Result<consent::RecordConsent, DomainError> {
        let wording_id = read_id_if_any("wordingId", self.wording_id.as_ref())?;
        let wording = match (wording_id, self.wording_key) {
            (Some(_), Some(_)) => {
                let message = "Name the text by its id or by its key, not by both.";
                return Err(DomainError::refused(Code::Invalid, "wordingKey", message));
            }
            (Some(id), None) => Some(WordingRef::Id(id)),
            (None, key) => key.map(WordingRef::Key),
        };
        Ok(consent::RecordConsent {
            contact_id: read_id("contactId", &self.contact_id)?,
            medium: self.medium.into(),
            address: self.address,
            purpose: self.purpose.into(),
            wording,
            granted: self.granted,
            occurred_at: self.occurred_at.map(Into::into),
            expires_at: self.expires_at.map(Into::into),
            evidence: self.evidence,
        })
    }
}

/// A consent to take back.
#[derive(InputObject)]
pub struct WithdrawConsentInput {
    /// Whose consent it is.
    contact_id: ID,
    /// The medium; every medium if not said.
    medium: Option<Medium>,
    /// The purpose; every purpose if not said.
    purpose: Option<Purpose>,
    /// How the person said it, at most 500 characters.
    reason: Option<String>,
}

impl WithdrawConsentInput {
    fn read(self) -> Result<WithdrawConsent, DomainError> {
        Ok(WithdrawConsent {
            contact_id: read_id("contactId", &self.contact_id)?,
            medium: self.medium.map(Into::into),
            purpose: self.purpose.map(Into::into),
            reason: self.reason,
        })
    }
}

payload!(
    /// What came of writing a consent down.
    RecordConsentPayload {
        /// What was written down.
        consent_event: ConsentEvent
    }
);

/// What came of a withdrawal.
#[derive(SimpleObject)]
pub struct WithdrawConsentPayload {
    /// What was written down, one event per medium.
    consent_events: Option<Vec<ConsentEvent>>,
    /// How many mails that were planned will not go out.
    messages_withheld: Option<usize>,
    /// How many places in sequences ended.
    enrollments_ended: Option<usize>,
    /// Why nothing was done; empty when it was.
    user_errors: Vec<UserError>,
}

impl WithdrawConsentPayload {
    fn of(outcome: Outcome<Withdrawal>) -> Self {
        match outcome {
            Ok(done) => Self {
                consent_events: Some(done.events.into_iter().map(ConsentEvent).collect()),
                messages_withheld: Some(done.messages_withheld),
                enrollments_ended: Some(done.enrollments_ended),
                user_errors: Vec::new(),
            },
            Err(user_errors) => Self {
                consent_events: None,
                messages_withheld: None,
                enrollments_ended: None,
                user_errors,
            },
        }
    }
}

/// Changes of consent.
#[derive(Default)]
pub struct ConsentMutation;

/// Changes of consent.
#[Object]
impl ConsentMutation {
    /// Writes a consent down. A grant needs the text that the person agreed to, or what proves it.
    async fn record_consent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the person said.")] input: RecordConsentInput,
    ) -> Result<RecordConsentPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => consent::record(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "consent.record", done, |event| event.contact_id).await?;
        Ok(RecordConsentPayload::of(outcome.map(ConsentEvent)))
    }

    /// Takes a consent back, at once: mails that are planned do not go out, and sequences that rest on it end.
    async fn withdraw_consent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the person takes back.")] input: WithdrawConsentInput,
    ) -> Result<WithdrawConsentPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => consent::withdraw(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "consent.withdraw", done, |done| done.contact_id).await?;
        Ok(WithdrawConsentPayload::of(outcome))
    }
}
