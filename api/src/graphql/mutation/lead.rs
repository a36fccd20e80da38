//! A lead is corrected, or given to a team or a person.

use async_graphql::{Context, Error, ID, InputObject, MaybeUndefined, Object};
use chrono_tz::Tz;
use domain::contact::email::EmailAddress;
use domain::contact::invalid::Invalid;
use domain::contact::name::PersonName;
use domain::contact::phone::PhoneNumber;
use domain::error::{Code, Error as DomainError, Refusal};
use domain::lead::assign::{Assign, assign};
use domain::lead::update::{UpdateContact, UpdateLead, update};
use domain::patch::Patch;

use super::{audited, edit, read_id, read_id_edit, read_id_if_any};
use crate::graphql::ask::Ask;
use crate::graphql::lead::Lead;
use crate::graphql::vocabulary::LeadType;

/// Corrections of a lead. What is not sent stays; null empties what may be empty.
#[derive(InputObject)]
pub struct UpdateLeadInput {
    /// The lead.
    lead_id: ID,
    /// What is asked for. Null leaves it.
    #[graphql(name = "type")]
    lead_type: Option<LeadType>,
    /// Its service line. The flags that follow from it change along.
    service_line_id: MaybeUndefined<ID>,
    /// Where it will be served. When the first attempt is due stays as it was.
    facility_id: MaybeUndefined<ID>,
    /// Whether it goes first, with its open follow-ups. Null leaves it.
    urgent: Option<bool>,
    /// Corrections of its contact, which count for all leads of that contact.
    contact: Option<UpdateContactInput>,
    /// The version that was read: if the lead has changed since, nothing is done.
    version: Option<i64>,
}

/// Corrections of a contact. Consent was given for an address, so a new address has none.
#[derive(InputObject, Default)]
pub struct UpdateContactInput {
    /// Given name. Null leaves it.
    given_name: Option<String>,
    /// Family name.
    family_name: MaybeUndefined<String>,
    /// Email address.
    email: MaybeUndefined<String>,
    /// Phone number; one without a country is read as a number of the United States.
    phone: MaybeUndefined<String>,
    /// Preferred language, a BCP 47 tag. Null leaves it.
    language: Option<String>,
    /// Postal code.
    postal_code: MaybeUndefined<String>,
    /// Two-letter USPS state code.
    region: MaybeUndefined<String>,
    /// IANA time zone, for example `America/Chicago`.
    time_zone: MaybeUndefined<String>,
}

impl UpdateLeadInput {
    fn read(self) -> Result<UpdateLead, DomainError> {
        Ok(UpdateLead {
            service_line_id: read_id_edit("serviceLineId", self.service_line_id)?,
            facility_id: read_id_edit("facilityId", self.facility_id)?,
            lead_type: self.lead_type.map(Into::into),
            urgent: self.urgent,
            contact: self
                .contact
                .unwrap_or_default()
                .read()
                .map_err(DomainError::Refused)?,
            version: self.version,
            ..UpdateLead::of(read_id("leadId", &self.lead_id)?)
        })
    }
}

impl UpdateContactInput {
    /// Every refusal at once.
    fn read(self) -> Result<UpdateContact, Vec<Refusal>> {
        let mut refusals = Vec::new();
        let contact = UpdateContact {
            given_name: self
                .given_name
                .and_then(|name| parsed("givenName", &name, PersonName::parse, &mut refusals)),
            family_name: parsed_edit("familyName", self.family_name, PersonName::parse, &mut refusals),
            email: parsed_edit("email", self.email, EmailAddress::parse, &mut refusals),
            phone: parsed_edit("phone", self.phone, PhoneNumber::parse, &mut refusals),
            language: self.language,
            postal_code: edit(self.postal_code),
            region: edit(self.region),
            time_zone: parsed_edit("timeZone", self.time_zone, time_zone, &mut refusals),
        };
        if refusals.is_empty() {
            Ok(contact)
        } else {
            Err(refusals)
        }
    }
}

fn time_zone(name: &str) -> Result<Tz, Invalid> {
    name.parse()
        .map_err(|_| Invalid::new("Enter an IANA time zone, for example America/Chicago."))
}

fn parsed<T>(
    field: &str,
    sent: &str,
    parse: impl FnOnce(&str) -> Result<T, Invalid>,
    refusals: &mut Vec<Refusal>,
) -> Option<T> {
    parse(sent)
        .map_err(|invalid| {
            refusals.push(Refusal::new(
                Code::Invalid,
                &format!("contact.{field}"),
                invalid.message,
            ));
        })
        .ok()
}

fn parsed_edit<T>(
    field: &str,
    sent: MaybeUndefined<String>,
    parse: impl FnOnce(&str) -> Result<T, Invalid>,
    refusals: &mut Vec<Refusal>,
) -> Patch<T> {
    match edit(sent) {
        Patch::Keep => Patch::Keep,
        Patch::Clear => Patch::Clear,
        // Nothing is written when there is a refusal, so what stands here then does not count.
        Patch::Set(sent) => parsed(field, &sent, parse, refusals).map_or(Patch::Keep, Patch::Set),
    }
}

/// A lead to give to a team or a person.
#[derive(InputObject)]
pub struct AssignLeadInput {
    /// The lead.
    lead_id: ID,
    /// The team; the present one if not said.
    team_id: Option<ID>,
    /// The person, an active member of the team. If not said, the present one stays if a member of the team; null gives
    /// the lead to the team as a whole.
    owner_id: MaybeUndefined<ID>,
    /// Why, at most 2000 characters.
    reason: Option<String>,
    /// The version that was read: if the lead has changed since, nothing is done.
    version: Option<i64>,
}

impl AssignLeadInput {
    fn read(self) -> Result<Assign, DomainError> {
        Ok(Assign {
            lead_id: read_id("leadId", &self.lead_id)?,
            team_id: read_id_if_any("teamId", self.team_id.as_ref())?,
            owner_id: read_id_edit("ownerId", self.owner_id)?,
            reason: self.reason,
            version: self.version,
        })
    }
}

payload!(
    /// What came of a correction.
    UpdateLeadPayload {
        /// The lead after it.
        lead: Lead
    }
);

payload!(
    /// What came of giving a lead to somebody.
    AssignLeadPayload {
        /// The lead after it.
        lead: Lead
    }
);

/// Changes of leads.
#[derive(Default)]
pub struct LeadMutation;

/// Changes of leads.
#[Object]
impl LeadMutation {
    /// Corrects a lead and its contact.
    async fn update_lead(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The corrections.")] input: UpdateLeadInput,
    ) -> Result<UpdateLeadPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => update(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "lead.update", done, |lead| lead.id).await?;
        Ok(UpdateLeadPayload::of(outcome.map(Lead::of)))
    }

    /// Gives a lead with its open follow-ups to a team and a person, who gets a mail about each of them.
    async fn assign_lead(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "To whom.")] input: AssignLeadInput,
    ) -> Result<AssignLeadPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => assign(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "lead.assign", done, |lead| lead.id).await?;
        Ok(AssignLeadPayload::of(outcome.map(Lead::of)))
    }
}

#[cfg(test)]
mod tests {
    use entity::id::LeadId;
    use uuid::Uuid;

    use super::*;
    use crate::graphql::id::id;

    fn input(contact: UpdateContactInput) -> UpdateLeadInput {
        UpdateLeadInput {
            lead_id: id(LeadId(Uuid::from_u128(7))),
            lead_type: None,
            service_line_id: MaybeUndefined::Undefined,
            facility_id: MaybeUndefined::Null,
            urgent: None,
            contact: Some(contact),
            version: Some(3),
        }
    }

    #[test]
    fn every_wrong_field_of_a_contact_is_named_at_once_and_never_repeated() {
        let refused = input(UpdateContactInput {
            given_name: Some("www.example.com".to_owned()),
            email: MaybeUndefined::Value("secret at example".to_owned()),
            phone: MaybeUndefined::Value("12".to_owned()),
            time_zone: MaybeUndefined::Value("Ohio".to_owned()),
            ..UpdateContactInput::default()
        });
        let DomainError::Refused(refusals) = refused.read().unwrap_err() else {
            panic!("it is no refusal")
        };
        let fields: Vec<String> = refusals.iter().map(|refusal| refusal.field.join(".")).collect();
        assert_eq!(
            fields,
            [
                "contact.givenName",
                "contact.email",
                "contact.phone",
                "contact.timeZone"
            ]
        );
        assert!(refusals.iter().all(|refusal| !refusal.message.contains("secret")));
    }

    #[test]
    fn what_is_not_sent_stays_and_null_empties() {
        let read = input(UpdateContactInput {
            family_name: MaybeUndefined::Null,
            email: MaybeUndefined::Value("Pat@Example.org".to_owned()),
            ..UpdateContactInput::default()
        });
        let update = read.read().unwrap();
        assert_eq!(
            (update.service_line_id, update.facility_id),
            (Patch::Keep, Patch::Clear)
        );
        assert_eq!(update.contact.family_name, Patch::Clear);
        assert_eq!(update.contact.phone, Patch::Keep);
        assert_eq!(
            update.contact.email,
            Patch::Set(EmailAddress::parse("Pat@Example.org").unwrap())
        );
        assert_eq!(update.version, Some(3));
    }
}
