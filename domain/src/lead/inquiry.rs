//! An inquiry as every door hands it in, parsed into types that cannot be wrong.
//!
//! A door fills a [`Draft`] with what was sent; [`Draft::parse`] answers an [`Inquiry`] or every refusal at once, each
//! with the field as the sender named it.

use std::collections::BTreeMap;

use entity::consent_event::{ConsentEvidence, ConsentMethod, ConsentSource};
use entity::contact::ContactKind;
use entity::enums::{Channel, LeadType};
use entity::id::{ConsentWordingId, FacilityId, FormDraftId, FormId, ServiceLineId};
use entity::lead::Answer;

use super::visit::Visit;
use crate::contact::email::EmailAddress;
use crate::contact::invalid::Invalid;
use crate::contact::name::PersonName;
use crate::contact::phone::PhoneNumber;
use crate::contact::zones::zones_of_state;
use crate::error::{Code, Error, Refusal, Result};
use crate::playbook::Playbook;
use crate::readable::{misleads, misleads_in_lines};

/// Longest external id in characters.
pub const MAX_EXTERNAL_ID_CHARS: usize = 200;
/// Most answers of one inquiry.
pub const MAX_ANSWERS: usize = 50;
/// Longest value of one answer in characters.
pub const MAX_ANSWER_CHARS: usize = 4000;

/// A person's answer to one consent that was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsentAnswer {
    /// The wording version that was shown.
    pub wording_id: ConsentWordingId,
    /// Whether the box was ticked.
    pub granted: bool,
}

/// What was sent, as text. Empty text means that nothing was sent.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The form that was filled in.
    pub form_id: Option<FormId>,
    /// The saved form that it finishes, if it came by the link to one.
    pub form_draft_id: Option<FormDraftId>,
    /// Type of the lead; the form's if there is a form.
    pub lead_type: Option<LeadType>,
    /// Channel, when the sender knows it better than the visit tells.
    pub channel: Option<Channel>,
    /// The sender's id of this inquiry.
    pub external_id: String,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Practice, employer or partner.
    pub organization: String,
    /// Email address.
    pub email: String,
    /// Phone number.
    pub phone: String,
    /// BCP 47 tag.
    pub language: String,
    /// Two-letter USPS state code.
    pub region: String,
    /// Postal code.
    pub postal_code: String,
    /// IANA time zone.
    pub time_zone: String,
    /// The service in the person's words.
    pub requested_service: String,
    /// The service line, when it is known.
    pub service_line_id: Option<ServiceLineId>,
    /// Slug of the preferred facility.
    pub facility: String,
    /// Answers.
    pub answers: Vec<Answer>,
    /// Consents that were shown.
    pub consents: Vec<ConsentAnswer>,
    /// By which door the consents came.
    pub consent_method: Option<ConsentMethod>,
    /// Where the consents were given.
    pub consent_source: ConsentSource,
    /// What proves the consents.
    pub consent_evidence: ConsentEvidence,
    /// How the visit began.
    pub visit: Visit,
    /// The sender's own names of the parts above, for refusals: from `email` to, say, `your_email`.
    pub field_names: BTreeMap<&'static str, String>,
}

/// A well-formed inquiry.
#[derive(Clone, Debug)]
pub struct Inquiry {
    /// The form that was filled in.
    pub form_id: Option<FormId>,
    /// The saved form that it finishes, if it came by the link to one.
    pub form_draft_id: Option<FormDraftId>,
    /// Type of the lead.
    pub lead_type: LeadType,
    /// Channel, when the sender knows it better than the visit tells.
    pub channel: Option<Channel>,
    /// The sender's id of this inquiry.
    pub external_id: Option<String>,
    /// Who asks.
    pub person: Person,
    /// The service in the person's words.
    pub requested_service: Option<String>,
    /// The service line, when it is known.
    pub service_line_id: Option<ServiceLineId>,
    /// The preferred facility.
    pub facility_id: Option<FacilityId>,
    /// Answers.
    pub answers: Vec<Answer>,
    /// Consents that were shown.
    pub consents: Vec<ConsentAnswer>,
    /// By which door the consents came.
    pub consent_method: ConsentMethod,
    /// Where the consents were given.
    pub consent_source: ConsentSource,
    /// What proves the consents.
    pub consent_evidence: ConsentEvidence,
    /// How the visit began.
    pub visit: Visit,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Person {
    /// A person, or somebody on behalf of an organization.
    pub kind: ContactKind,
    /// Given name; may be empty when there is an organization.
    pub given_name: String,
    /// Family name; may be empty.
    pub family_name: String,
    /// Practice, employer or partner.
    pub organization: Option<String>,
    /// Email address.
    pub email: Option<EmailAddress>,
    /// Phone number.
    pub phone: Option<PhoneNumber>,
    /// BCP 47 tag.
    pub language: String,
    /// Two-letter USPS state code.
    pub region: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// IANA time zone.
    pub time_zone: Option<String>,
}

impl Draft {
    /// Reads everything, collecting every refusal.
    ///
    /// # Errors
    /// [`Error::Refused`] with all that is wrong.
    pub fn parse(self, playbook: &Playbook) -> Result<Inquiry> {
        let (inquiry, list) = self.read(playbook);
        match inquiry {
            Some(inquiry) if list.is_empty() => Ok(inquiry),
            _ => Err(Error::Refused(list)),
        }
    }

    /// Reads what was typed into a form so far. Nothing but the email address must be there, for the link to the rest
    /// goes to it; what is there must be well-formed.
    ///
    /// # Errors
    /// [`Error::Refused`] with all that is wrong.
    pub fn parse_unfinished(self, playbook: &Playbook) -> Result<Inquiry> {
        let nowhere = self.email.trim().is_empty();
        let field = self.field_names.get("email").cloned();
        let (inquiry, mut list) = self.read(playbook);
        list.retain(|refusal| refusal.code != Code::Required);
        if nowhere {
            let message = "Enter your email address, so that we can send you the link.";
            list.push(Refusal::new(
                Code::Required,
                field.as_deref().unwrap_or("email"),
                message,
            ));
        }
        match inquiry {
            Some(inquiry) if list.is_empty() => Ok(inquiry),
            _ => Err(Error::Refused(list)),
        }
    }

    /// Everything as far as it can be read, with all that is wrong; nothing without a type of lead.
    fn read(self, playbook: &Playbook) -> (Option<Inquiry>, Vec<Refusal>) {
        let mut refusals = Refusals {
            names: &self.field_names,
            list: Vec::new(),
        };
        let form = self.form_id.and_then(|id| playbook.forms.get(&id));
        let lead_type = form.map(|form| form.lead_type).or(self.lead_type);
        if lead_type.is_none() {
            refusals.add(Code::Required, "leadType", "Say what kind of lead this is.");
        }
        let person = self.person(
            form.map_or("en", |form| form.language.as_str()),
            lead_type,
            &mut refusals,
        );
        let requested_service = refusals.text("requestedService", &self.requested_service, 200);
        let external_id = refusals.text("externalId", &self.external_id, MAX_EXTERNAL_ID_CHARS);
        let service_line_id = self
            .service_line_id
            .or(form.and_then(|form| form.service_line_id));
        if service_line_id.is_some_and(|id| !playbook.lines.contains_key(&id)) {
            refusals.add(Code::NotFound, "serviceLineId", "There is no such service line.");
        }
        let facility_id = match self.facility.trim() {
            "" => form.and_then(|form| form.facility_id),
            slug => {
                let found = playbook
                    .facilities
                    .values()
                    .find(|row| row.slug == slug)
                    .map(|row| row.id);
                if found.is_none() {
                    refusals.add(
                        Code::NotFound,
                        "facility",
                        "Choose one of the facilities offered.",
                    );
                }
                found
            }
        };
        self.check_answers(&mut refusals);
        self.check_consents(playbook, &mut refusals);
        let list = refusals.list;
        let inquiry = lead_type.map(|lead_type| Inquiry {
            form_id: self.form_id,
            form_draft_id: self.form_draft_id,
            lead_type,
            channel: self.channel,
            external_id,
            person,
            requested_service,
            service_line_id,
            facility_id,
            answers: self.answers,
            consents: self.consents,
            consent_method: self.consent_method.unwrap_or(ConsentMethod::Api),
            consent_source: self.consent_source,
            consent_evidence: self.consent_evidence,
            visit: self.visit.bounded(),
        });
        (inquiry, list)
    }

    fn person(
        &self,
        form_language: &str,
        lead_type: Option<LeadType>,
        refusals: &mut Refusals<'_>,
    ) -> Person {
        let given_name = refusals.typed("givenName", &self.given_name, PersonName::parse);
        let family_name = refusals.typed("familyName", &self.family_name, PersonName::parse);
        let organization = refusals.text("organization", &self.organization, 200);
        let email = refusals.typed("email", &self.email, EmailAddress::parse);
        let phone = refusals.typed("phone", &self.phone, PhoneNumber::parse);
        let speaks_for_organization =
            matches!(lead_type, Some(LeadType::Referral | LeadType::EmployerPartner));
        if speaks_for_organization && organization.is_none() && !refusals.names("organization") {
            refusals.add(
                Code::Required,
                "organization",
                "Enter the name of the practice or organization.",
            );
        }
        if given_name.is_none() && organization.is_none() && !refusals.names("givenName") {
            refusals.add(Code::Required, "givenName", "Enter your name.");
        }
        if self.email.trim().is_empty() && self.phone.trim().is_empty() {
            refusals.add(
                Code::Required,
                "email",
                "Enter an email address or a phone number, so that we can answer.",
            );
        }
        let region = refusals.text("region", &self.region.to_uppercase(), 2);
        if region
            .as_deref()
            .is_some_and(|code| zones_of_state(code).is_none())
        {
            refusals.add(
                Code::Invalid,
                "region",
                "Enter a two-letter state code, for example OH.",
            );
        }
        let time_zone = refusals.text("timeZone", &self.time_zone, 64);
        if time_zone
            .as_deref()
            .is_some_and(|name| name.parse::<chrono_tz::Tz>().is_err())
        {
            refusals.add(
                Code::Invalid,
                "timeZone",
                "Enter an IANA time zone, for example America/Chicago.",
            );
        }
        let language = refusals
            .text("language", &self.language, 35)
            .unwrap_or_else(|| form_language.to_owned());
        if !language.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            refusals.add(
                Code::Invalid,
                "language",
                "Enter a language tag, for example en or es.",
            );
        }
        Person {
            kind: if speaks_for_organization {
                ContactKind::Organization
            } else {
                ContactKind::Person
            },
            given_name: given_name
                .map(|name| name.as_str().to_owned())
                .unwrap_or_default(),
            family_name: family_name
                .map(|name| name.as_str().to_owned())
                .unwrap_or_default(),
            organization,
            email,
            phone,
            language,
            region,
            postal_code: refusals.text("postalCode", &self.postal_code, 16),
            time_zone,
        }
    }

    fn check_answers(&self, refusals: &mut Refusals<'_>) {
        if self.answers.len() > MAX_ANSWERS {
            refusals.add(Code::TooLarge, "answers", "There are too many answers.");
        }
        for answer in &self.answers {
            let chars = answer.value.chars().count();
            if chars > MAX_ANSWER_CHARS || answer.field.len() > 64 || answer.label.len() > 1000 {
                refusals.list.push(Refusal::new(
                    Code::TooLarge,
                    &answer.field,
                    "This answer is too long.",
                ));
            }
            if answer.value.chars().any(misleads_in_lines) {
                let message = "This answer has characters that cannot be read.";
                refusals
                    .list
                    .push(Refusal::new(Code::Invalid, &answer.field, message));
            }
        }
    }

    fn check_consents(&self, playbook: &Playbook, refusals: &mut Refusals<'_>) {
        let form = self.form_id.and_then(|id| playbook.forms.get(&id));
        let mut seen = std::collections::HashSet::new();
        for consent in &self.consents {
            let Some(wording) = playbook.wordings.get(&consent.wording_id) else {
                refusals.add(Code::NotFound, "consents", "This consent text is not known here.");
                continue;
            };
            // A form can only collect what it shows.
            if form.is_some_and(|form| !form.wordings.0.contains(&wording.key)) {
                refusals.add(
                    Code::Invalid,
                    "consents",
                    "This form does not ask for this consent.",
                );
            }
            if !seen.insert(wording.key.as_str()) {
                refusals.add(Code::Invalid, "consents", "A consent is answered once.");
            }
        }
    }
}

/// Collects refusals under the sender's own field names.
struct Refusals<'a> {
    names: &'a BTreeMap<&'static str, String>,
    list: Vec<Refusal>,
}

impl Refusals<'_> {
    fn add(&mut self, code: Code, part: &'static str, message: &'static str) {
        let field = self.names.get(part).map_or(part, String::as_str);
        self.list.push(Refusal::new(code, field, message));
    }

    /// Whether this part was refused already.
    fn names(&self, part: &'static str) -> bool {
        let field = self.names.get(part).map_or(part, String::as_str);
        self.list
            .iter()
            .any(|refusal| refusal.field.iter().map(String::as_str).eq(field.split('.')))
    }

    /// A value with a parser of its own; none when nothing was sent.
    fn typed<T>(
        &mut self,
        part: &'static str,
        sent: &str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        if sent.trim().is_empty() {
            return None;
        }
        parse(sent)
            .map_err(|invalid| {
                let field = self.names.get(part).map_or(part, String::as_str);
                self.list
                    .push(Refusal::new(Code::Invalid, field, invalid.message));
            })
            .ok()
    }

    /// Plain text of one line; none when nothing was sent.
    fn text(&mut self, part: &'static str, sent: &str, max_chars: usize) -> Option<String> {
        let sent = sent.trim();
        if sent.is_empty() {
            return None;
        }
        if sent.chars().count() > max_chars {
            self.add(Code::TooLarge, part, "This is too long.");
        } else if sent.chars().any(misleads) {
            self.add(Code::Invalid, part, "This has characters that cannot be read.");
        } else {
            return Some(sent.to_owned());
        }
        None
    }
}
