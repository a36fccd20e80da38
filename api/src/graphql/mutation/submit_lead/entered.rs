//! An inquiry that staff or a program enters part by part, without a form.

use std::collections::BTreeMap;

use async_graphql::InputObject;
use domain::error::{Code, Error as DomainError, Refusal};
use domain::lead::inquiry::{Draft, Inquiry};
use domain::playbook::Playbook;
use domain::viewer::Viewer;
use entity::consent_event::{ConsentMethod, ConsentSource};
use entity::id::FacilityId;
use entity::lead::Answer;

use super::{SubmitLeadInput, consents, evidence};
use crate::graphql::mutation::{read_id, read_id_if_any};

/// Who asks. A name or an organization is needed, and an email address or a phone number.
#[derive(InputObject, Default)]
pub struct ContactInput {
    /// Given name.
    given_name: Option<String>,
    /// Family name.
    family_name: Option<String>,
    /// Practice, employer or partner; needed for `REFERRAL` and `EMPLOYER_PARTNER`.
    organization: Option<String>,
    /// Email address.
    email: Option<String>,
    /// Phone number; one without a country is read as a number of the United States.
    phone: Option<String>,
    /// Preferred language, a BCP 47 tag; English if not said.
    language: Option<String>,
    /// Two-letter USPS state code.
    region: Option<String>,
    /// Postal code.
    postal_code: Option<String>,
    /// IANA time zone, for example `America/Chicago`.
    time_zone: Option<String>,
}

/// What the person answered to one question.
#[derive(InputObject)]
pub struct AnswerInput {
    /// Name of the question, for rules; at most 64 characters.
    field: String,
    /// The question as it was asked; the name if not said.
    label: Option<String>,
    /// The answer, at most 4000 characters.
    value: String,
}

impl SubmitLeadInput {
    /// The inquiry that was entered.
    pub(super) fn entered(self, viewer: &Viewer, playbook: &Playbook) -> Result<Inquiry, DomainError> {
        if !self.fields.is_empty() {
            let message = "Fields belong to a form; name it by its public key.";
            return Err(DomainError::refused(Code::Required, "formKey", message));
        }
        let (facility, facility_field) = self.facility_slug(playbook)?;
        let contact = self.contact.unwrap_or_default();
        let text = Option::unwrap_or_default;
        let answers: Vec<Answer> = self.answers.into_iter().map(answer).collect();
        let named: Vec<String> = answers.iter().map(|answer| answer.field.clone()).collect();
        let draft = Draft {
            form_draft_id: None,
            lead_type: self.lead_type.map(Into::into),
            channel: self.channel.map(Into::into),
            external_id: text(self.external_id),
            given_name: text(contact.given_name),
            family_name: text(contact.family_name),
            organization: text(contact.organization),
            email: text(contact.email),
            phone: text(contact.phone),
            language: text(contact.language),
            region: text(contact.region),
            postal_code: text(contact.postal_code),
            time_zone: text(contact.time_zone),
            requested_service: text(self.requested_service),
            service_line_id: read_id_if_any("serviceLineId", self.service_line_id.as_ref())?,
            facility,
            answers,
            consents: consents(&self.consents)?,
            consent_method: Some(method(viewer)),
            consent_source: ConsentSource::default(),
            consent_evidence: evidence(),
            visit: self.visit.unwrap_or_default().read(),
            field_names: paths(facility_field),
            form_id: None,
        };
        draft.parse(playbook).map_err(|error| match error {
            DomainError::Refused(mut refusals) => {
                refusals.iter_mut().for_each(|refusal| at_answer(refusal, &named));
                DomainError::Refused(refusals)
            }
            error => error,
        })
    }

    /// The facility's slug, and the field that named it.
    fn facility_slug(&self, playbook: &Playbook) -> Result<(String, &'static str), DomainError> {
        let Some(id) = &self.facility_id else {
            return Ok((self.facility.clone().unwrap_or_default(), "facility"));
        };
        if self.facility.is_some() {
            let message = "Name the facility by its id or by its slug, not by both.";
            return Err(DomainError::refused(Code::Invalid, "facility", message));
        }
        let id: FacilityId = read_id("facilityId", id)?;
        let facility = playbook.facilities.get(&id).ok_or_else(|| {
            DomainError::refused(Code::NotFound, "facilityId", "There is no such facility.")
        })?;
        Ok((facility.slug.clone(), "facilityId"))
    }
}

fn answer(input: AnswerInput) -> Answer {
    Answer {
        label: input.label.unwrap_or_else(|| input.field.clone()),
        field: input.field,
        value: input.value,
    }
}

const fn method(viewer: &Viewer) -> ConsentMethod {
    match viewer {
        Viewer::Staff { .. } => ConsentMethod::Staff,
        Viewer::Token { .. } | Viewer::Form { .. } | Viewer::Public => ConsentMethod::Api,
    }
}

/// Where the parts of an inquiry stand in the input.
fn paths(facility_field: &str) -> BTreeMap<&'static str, String> {
    let contact = [
        "givenName",
        "familyName",
        "organization",
        "email",
        "phone",
        "language",
        "region",
        "postalCode",
        "timeZone",
    ];
    let mut paths: BTreeMap<_, _> = contact
        .into_iter()
        .map(|part| (part, format!("contact.{part}")))
        .collect();
    paths.insert("facility", facility_field.to_owned());
    paths
}

/// Refusals about an answer name its question; here the place in the list is named, too.
fn at_answer(refusal: &mut Refusal, named: &[String]) {
    let is_it = |name: &&String| Refusal::new(refusal.code, name, "").field == refusal.field;
    let is_part = refusal.field.first().is_some_and(|first| {
        matches!(
            first.as_str(),
            "contact"
                | "leadType"
                | "externalId"
                | "serviceLineId"
                | "facility"
                | "facilityId"
                | "requestedService"
                | "consents"
                | "answers"
        )
    });
    if let (false, Some(place)) = (is_part, named.iter().position(|name| is_it(&name))) {
        refusal.field = vec!["answers".to_owned(), place.to_string(), "value".to_owned()];
    }
}

#[cfg(test)]
impl ContactInput {
    /// A person with a name and an email address.
    pub(super) fn of(given_name: &str, email: &str) -> Self {
        Self {
            given_name: Some(given_name.to_owned()),
            email: Some(email.to_owned()),
            ..Self::default()
        }
    }
}

#[cfg(test)]
impl AnswerInput {
    /// An answer without a label.
    pub(super) fn of(field: &str, value: &str) -> Self {
        Self {
            field: field.to_owned(),
            label: None,
            value: value.to_owned(),
        }
    }
}
