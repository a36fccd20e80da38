//! From what a visitor put into a form's fields to an inquiry.
//!
//! The form's own configuration says what each field becomes, what must be filled in and what may be chosen. Every
//! refusal is collected, in the order of the form's fields, so that a visitor mends all of it at once.

use std::collections::{BTreeMap, HashMap, HashSet};

use entity::consent_event::{ConsentEvidence, ConsentMethod, ConsentSource};
use entity::form::{self, Field, FieldKind, FieldTarget};
use entity::id::FormDraftId;
use entity::lead::Answer;

use super::inquiry::{ConsentAnswer, Draft, Inquiry};
use super::visit::Visit;
use crate::error::{Code, Error, Refusal, Result};
use crate::playbook::Playbook;
use crate::readable::misleads;

#[cfg(test)]
mod tests;

/// The value of a ticked checkbox among the answers.
pub const TICKED: &str = "yes";
/// Longest part of an unknown field's name that a refusal repeats, in characters.
const MAX_NAME_CHARS: usize = 64;

/// What was sent to a form.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// Names and values, as they came.
    pub fields: Vec<(String, String)>,
    /// Answers to the consents that were shown.
    pub consents: Vec<ConsentAnswer>,
    /// Where the consents were given.
    pub consent_source: ConsentSource,
    /// What proves the consents.
    pub consent_evidence: ConsentEvidence,
    /// The sender's id of this inquiry; empty if there is none.
    pub external_id: String,
    /// How the visit began.
    pub visit: Visit,
    /// The saved form that it finishes.
    pub form_draft_id: Option<FormDraftId>,
}

/// Reads everything.
///
/// # Errors
/// [`Error::Refused`] with all that is wrong, in the order of the form's fields.
pub fn inquiry(form: &form::Model, playbook: &Playbook, sent: Sent) -> Result<Inquiry> {
    let (draft, refusals) = draft(form, sent);
    joined(form, draft.parse(playbook), refusals)
}

/// Reads what was typed so far into a form that is saved to be finished later. Only the email address must be there.
///
/// # Errors
/// As [`inquiry`].
pub fn unfinished(form: &form::Model, playbook: &Playbook, sent: Sent) -> Result<Inquiry> {
    let (draft, mut refusals) = draft(form, sent);
    refusals.retain(|refusal| refusal.code != Code::Required);
    joined(form, draft.parse_unfinished(playbook), refusals)
}

/// What was read, or everything that is wrong with it.
fn joined(form: &form::Model, read: Result<Inquiry>, mut refusals: Vec<Refusal>) -> Result<Inquiry> {
    match read {
        Ok(inquiry) if refusals.is_empty() => return Ok(inquiry),
        Ok(_) => {}
        Err(Error::Refused(more)) => {
            let told: HashSet<Vec<String>> = refusals.iter().map(|refusal| refusal.field.clone()).collect();
            refusals.extend(more.into_iter().filter(|refusal| !told.contains(&refusal.field)));
        }
        Err(error) => return Err(error),
    }
    let place = |refusal: &Refusal| {
        let name = refusal.field.first().map_or("", String::as_str);
        form.fields
            .0
            .iter()
            .position(|field| field.name == name)
            .unwrap_or(usize::MAX)
    };
    refusals.sort_by_key(place);
    Err(Error::Refused(refusals))
}

/// Puts every value where the form's configuration wants it. A value that is refused is put there too: what is
/// wrong with it has been said, and it must not look as if it were missing.
pub fn draft(form: &form::Model, sent: Sent) -> (Draft, Vec<Refusal>) {
    let fields = &form.fields.0;
    let (mut values, mut refusals) = by_field(fields, sent.fields);
    let mut draft = Draft {
        form_id: Some(form.id),
        form_draft_id: sent.form_draft_id,
        external_id: sent.external_id,
        consents: sent.consents,
        consent_method: Some(ConsentMethod::WebForm),
        consent_source: sent.consent_source,
        consent_evidence: sent.consent_evidence,
        visit: sent.visit,
        field_names: names_of_parts(fields),
        ..Draft::default()
    };
    for field in fields {
        let value = tidy(field, values.remove(field.name.as_str()).unwrap_or_default());
        refusals.extend(refusal(field, &value));
        place(&mut draft, field, value);
    }
    (draft, refusals)
}

/// Values by the name of their field, with a refusal for each name that the form does not know or that came twice.
fn by_field(fields: &[Field], sent: Vec<(String, String)>) -> (HashMap<&str, String>, Vec<Refusal>) {
    let mut values = HashMap::new();
    let mut refusals = Vec::new();
    for (name, value) in sent {
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            let name = name.chars().take(MAX_NAME_CHARS).collect();
            refusals.push(named(Code::UnknownField, name, "This form has no such field."));
            continue;
        };
        if values.insert(field.name.as_str(), value).is_some() {
            refusals.push(named(Code::Invalid, name, "This field came more than once."));
        }
    }
    (values, refusals)
}

/// A refusal about a field whose name may have dots of its own.
fn named(code: Code, name: String, message: &'static str) -> Refusal {
    Refusal {
        code,
        field: vec![name],
        message: message.into(),
    }
}

/// The names that refusals use for the parts of the draft.
fn names_of_parts(fields: &[Field]) -> BTreeMap<&'static str, String> {
    let mut names = BTreeMap::from([("externalId", "Idempotency-Key".to_owned())]);
    for field in fields {
        if let Some(part) = part(field.target) {
            names.entry(part).or_insert_with(|| field.name.clone());
        }
    }
    // "An email address or a phone number is needed" is said at the one that the form has.
    if let (false, Some(phone)) = (names.contains_key("email"), names.get("phone").cloned()) {
        names.insert("email", phone);
    }
    names
}

/// The draft's name for what a field becomes; none for answers.
const fn part(target: FieldTarget) -> Option<&'static str> {
    match target {
        FieldTarget::GivenName => Some("givenName"),
        FieldTarget::FamilyName => Some("familyName"),
        FieldTarget::Organization => Some("organization"),
        FieldTarget::Email => Some("email"),
        FieldTarget::Phone => Some("phone"),
        FieldTarget::Region => Some("region"),
        FieldTarget::PostalCode => Some("postalCode"),
        FieldTarget::RequestedService => Some("requestedService"),
        FieldTarget::Facility => Some("facility"),
        FieldTarget::Answer => None,
    }
}

/// The value as it is kept: without space around it, lines ended one way, a ticked box as [`TICKED`].
fn tidy(field: &Field, value: String) -> String {
    let value = value.trim();
    match field.kind {
        FieldKind::TextArea => value.replace("\r\n", "\n").replace('\r', "\n"),
        FieldKind::Checkbox if matches!(value, "on" | "yes" | "true" | "1") => TICKED.to_owned(),
        _ => value.to_owned(),
    }
}

/// What is wrong with a field's value by the form's configuration.
fn refusal(field: &Field, value: &str) -> Option<Refusal> {
    let refuse = |code, message| Some(named(code, field.name.clone(), message));
    if value.is_empty() {
        return match field.kind {
            _ if !field.required => None,
            FieldKind::Select => refuse(Code::Required, "Choose one of the options."),
            FieldKind::Checkbox => refuse(Code::Required, "Tick this box to go on."),
            _ => refuse(Code::Required, "Fill in this field."),
        };
    }
    if value.chars().count() > usize::from(field.max_chars) {
        let message = format!("This is too long: it may have {} characters.", field.max_chars);
        return Some(Refusal {
            code: Code::TooLarge,
            field: vec![field.name.clone()],
            message: message.into(),
        });
    }
    match field.kind {
        FieldKind::Select if !field.options.iter().any(|option| option.value == value) => {
            refuse(Code::Invalid, "Choose one of the options.")
        }
        FieldKind::Checkbox if value != TICKED => refuse(Code::Invalid, "Tick the box or leave it empty."),
        FieldKind::TextArea => None,
        _ if value.chars().any(misleads) => refuse(Code::Invalid, "This has characters that cannot be read."),
        _ => None,
    }
}

fn place(draft: &mut Draft, field: &Field, value: String) {
    let slot = match field.target {
        FieldTarget::GivenName => &mut draft.given_name,
        FieldTarget::FamilyName => &mut draft.family_name,
        FieldTarget::Organization => &mut draft.organization,
        FieldTarget::Email => &mut draft.email,
        FieldTarget::Phone => &mut draft.phone,
        FieldTarget::Region => &mut draft.region,
        FieldTarget::PostalCode => &mut draft.postal_code,
        FieldTarget::RequestedService => &mut draft.requested_service,
        FieldTarget::Facility => &mut draft.facility,
        FieldTarget::Answer => {
            if !value.is_empty() {
                draft.answers.push(Answer {
                    field: field.name.clone(),
                    label: field.label.clone(),
                    value,
                });
            }
            return;
        }
    };
    *slot = value;
}
