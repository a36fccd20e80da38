//! Wishes of contacts are written down by staff who heard them, and links to them are revoked.

use async_graphql::{Context, Error, ID, InputObject, MaybeUndefined, Object};
use domain::error::Error as DomainError;
use domain::preference::{self, Change, LineWish};

use super::{edit, outcome, read_id};
use crate::graphql::ask::Ask;
use crate::graphql::contact::Contact;
use crate::graphql::scalars::DateTime;

/// What a person wishes, said to a member of staff. What is not sent stays; null empties what may be empty.
#[derive(InputObject)]
pub struct UpdateContactPreferencesInput {
    /// Whose wish it is.
    contact_id: ID,
    /// No promotional mail before this moment, at most two years ahead.
    paused_until: MaybeUndefined<DateTime>,
    /// The most promotional mails in seven days, 1 to 50. Null: no limit of the contact's own.
    max_per_week: MaybeUndefined<i32>,
    /// Service lines; those not named stay as they are.
    lines: Option<Vec<LinePreferenceInput>>,
    /// Preferred language, a BCP 47 tag. Null leaves it.
    language: Option<String>,
}

/// Whether a person wants promotional mail about a service line.
#[derive(InputObject)]
pub struct LinePreferenceInput {
    /// The service line.
    service_line_id: ID,
    /// Whether it is wanted.
    wanted: bool,
}

impl UpdateContactPreferencesInput {
    fn read(self) -> Result<(entity::id::ContactId, Change), DomainError> {
        let lines = self.lines.unwrap_or_default().into_iter().enumerate();
        let lines = lines
            .map(|(at, line)| {
                Ok(LineWish {
                    service_line_id: read_id(&format!("lines.{at}.serviceLineId"), &line.service_line_id)?,
                    wanted: line.wanted,
                })
            })
            .collect::<Result<_, DomainError>>()?;
        let change = Change {
            paused_until: edit(self.paused_until).map(Into::into),
            max_per_week: edit(self.max_per_week),
            lines,
            language: self.language,
        };
        Ok((read_id("contactId", &self.contact_id)?, change))
    }
}

/// Whose links to revoke.
#[derive(InputObject)]
pub struct RevokePreferenceLinksInput {
    /// The contact.
    contact_id: ID,
}

payload!(
    /// What came of a change of wishes.
    UpdateContactPreferencesPayload {
        /// The contact.
        contact: Contact
    }
);

payload!(
    /// What came of revoking links.
    RevokePreferenceLinksPayload {
        /// The contact.
        contact: Contact
    }
);

/// Changes of what contacts wish.
#[derive(Default)]
pub struct PreferenceMutation;

/// Changes of what contacts wish.
#[Object]
impl PreferenceMutation {
    /// Writes down what a person wishes for promotional mail. Consent is written down by `recordConsent` and
    /// `withdrawConsent`.
    async fn update_contact_preferences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the person said.")] input: UpdateContactPreferencesInput,
    ) -> Result<UpdateContactPreferencesPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok((id, change)) => {
                let h = &ask.api.hospital;
                preference::staff::update(h, ask.viewer(), id, change, &ask.request_id).await
            }
            Err(error) => Err(error),
        };
        let outcome = outcome(ctx, done).await?;
        Ok(UpdateContactPreferencesPayload::of(outcome.map(Contact::of)))
    }

    /// Voids every link to a contact's preferences that was mailed so far, for somebody whose mail others read. Mails
    /// written from now on carry new ones.
    async fn revoke_preference_links(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose links.")] input: RevokePreferenceLinksInput,
    ) -> Result<RevokePreferenceLinksPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match read_id("contactId", &input.contact_id) {
            Ok(id) => {
                let h = &ask.api.hospital;
                preference::link::revoke(h, ask.viewer(), id, &ask.request_id).await
            }
            Err(error) => Err(error),
        };
        let outcome = outcome(ctx, done).await?;
        Ok(RevokePreferenceLinksPayload::of(outcome.map(Contact::of)))
    }
}
