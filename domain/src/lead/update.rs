//! A lead's own data and its contact's are corrected.

use chrono_tz::Tz;
use entity::contact;
use entity::enums::{EligibilityFlag, LeadType};
use entity::id::{FacilityId, LeadId, ServiceLineId};
use entity::lead::{Flags, Model};
use entity::lead_event::LeadEventKind;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::LockType;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, QuerySelect};

use super::change::Change;
use super::event::NewEvent;
use super::triage;
use crate::contact::email::EmailAddress;
use crate::contact::name::PersonName;
use crate::contact::phone::PhoneNumber;
use crate::contact::zones::zones_of_state;
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::patch::Patch;
use crate::playbook::Playbook;
use crate::routing::with_added;
use crate::sequence::happen::Happening;
use crate::viewer::Viewer;

/// Longest postal code in characters.
const MAX_POSTAL_CODE_CHARS: usize = 16;
/// Longest language tag in characters (RFC 5646 section 4.4.1).
const MAX_LANGUAGE_CHARS: usize = 35;

/// Corrections of a lead. What is not named stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateLead {
    /// The lead.
    pub lead_id: LeadId,
    /// Its service line. The flags that follow from it change along.
    pub service_line_id: Patch<ServiceLineId>,
    /// Where it will be served. When the first attempt is due stays as it was.
    pub facility_id: Patch<FacilityId>,
    /// What is asked for.
    pub lead_type: Option<LeadType>,
    /// Whether it goes first, with its open follow-ups.
    pub urgent: Option<bool>,
    /// Corrections of its contact.
    pub contact: UpdateContact,
    /// The version that was read, to find out if somebody was faster.
    pub version: Option<i64>,
}

impl UpdateLead {
    /// Corrections of this lead, none yet.
    pub fn of(lead_id: LeadId) -> Self {
        Self {
            lead_id,
            service_line_id: Patch::Keep,
            facility_id: Patch::Keep,
            lead_type: None,
            urgent: None,
            contact: UpdateContact::default(),
            version: None,
        }
    }
}

/// Corrections of a contact. They count for all its leads. Consent was given for an address, so a new address has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateContact {
    /// Given name.
    pub given_name: Option<PersonName>,
    /// Family name.
    pub family_name: Patch<PersonName>,
    /// Email address.
    pub email: Patch<EmailAddress>,
    /// Phone number.
    pub phone: Patch<PhoneNumber>,
    /// Preferred language, a BCP 47 tag.
    pub language: Option<String>,
    /// Postal code.
    pub postal_code: Patch<String>,
    /// Two-letter USPS state code.
    pub region: Patch<String>,
    /// Time zone.
    pub time_zone: Patch<Tz>,
}

/// Corrects a lead and its contact. The event names the fields that changed, never what was in them. Nothing changed is
/// no event.
///
/// # Errors
/// When a value is refused, the lead is not visible or has another version, or the database fails.
pub async fn update(h: &Hospital, viewer: &Viewer, input: UpdateLead) -> Result<Done<Model>> {
    let edit = checked(input.contact).map_err(Error::Refused)?;
    let mut change = Change::begin(h, viewer, input.lead_id, input.version).await?;
    let old = change.lead.clone();
    let new = Model {
        service_line_id: input.service_line_id.apply(old.service_line_id),
        facility_id: input.facility_id.apply(old.facility_id),
        lead_type: input.lead_type.unwrap_or(old.lead_type),
        urgent: input.urgent.unwrap_or(old.urgent),
        ..old.clone()
    };
    known(&old, &new, &change.playbook).map_err(Error::Refused)?;
    let flags = flags(&old, &new, &change.playbook);
    let contact_fields = update_contact(&change, edit).await?;
    let fields = changed_fields(&old, &new);
    if fields.is_empty() && contact_fields.is_empty() {
        return Ok(Done::quiet(old));
    }
    change
        .save(|lead| {
            lead.service_line_id = Set(new.service_line_id);
            lead.facility_id = Set(new.facility_id);
            lead.lead_type = Set(new.lead_type);
            lead.urgent = Set(new.urgent);
            lead.flags = Set(Flags(flags));
        })
        .await?;
    let event = NewEvent::new(old.id, LeadEventKind::Updated, change.actor, change.now)
        .with("fields", fields)
        .with("contactFields", contact_fields);
    change.record(event).await?;
    if old.urgent != new.urgent {
        change.move_follow_ups().await?;
    }
    let mut happened = vec![Happening::DataChanged];
    let is_new = |flag: &&EligibilityFlag| !old.flags.0.contains(flag);
    happened.extend(
        change
            .lead
            .flags
            .0
            .iter()
            .filter(is_new)
            .copied()
            .map(Happening::FlagRaised),
    );
    change.sequences_follow(&happened).await?;
    change.commit(|lead| lead).await
}

/// What the edit refers to must exist; a service line that is out of use cannot be chosen anew.
fn known(old: &Model, new: &Model, playbook: &Playbook) -> Result<(), Vec<Refusal>> {
    let mut refusals = Vec::new();
    let line = new
        .service_line_id
        .filter(|_| new.service_line_id != old.service_line_id);
    if line.is_some_and(|id| !playbook.lines.get(&id).is_some_and(|line| line.active)) {
        refusals.push(Refusal::new(
            Code::NotFound,
            "serviceLineId",
            "There is no such service line in use.",
        ));
    }
    let facility = new.facility_id.filter(|_| new.facility_id != old.facility_id);
    if facility.is_some_and(|id| !playbook.facilities.contains_key(&id)) {
        refusals.push(Refusal::new(
            Code::NotFound,
            "facilityId",
            "There is no such facility.",
        ));
    }
    if refusals.is_empty() {
        Ok(())
    } else {
        Err(refusals)
    }
}

/// The flags after the edit. They follow from the service line and the type, so they stay when those do.
fn flags(old: &Model, new: &Model, playbook: &Playbook) -> Vec<EligibilityFlag> {
    if (old.service_line_id, old.lead_type) == (new.service_line_id, new.lead_type) {
        return old.flags.0.clone();
    }
    let line = new.service_line_id.and_then(|id| playbook.lines.get(&id));
    let possible_duplicate = old.flags.0.contains(&EligibilityFlag::PossibleDuplicateContact);
    let flags = triage::flags(
        line.map(AsRef::as_ref),
        new.lead_type,
        &new.answers.0,
        possible_duplicate,
    );
    // What a rule said when the lead came in does not follow from what was corrected.
    with_added(&flags, &old.routing.basis.added_flags)
}

/// Names of the lead's fields that differ, as the public schema spells them.
fn changed_fields(old: &Model, new: &Model) -> Vec<&'static str> {
    let fields = [
        ("serviceLineId", old.service_line_id != new.service_line_id),
        ("facilityId", old.facility_id != new.facility_id),
        ("type", old.lead_type != new.lead_type),
        ("urgent", old.urgent != new.urgent),
    ];
    fields
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
}

/// Reads the contact's plain texts; every refusal at once.
fn checked(mut edit: UpdateContact) -> Result<UpdateContact, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let mut refuse = |field: &str, message: &'static str| {
        refusals.push(Refusal::new(Code::Invalid, &format!("contact.{field}"), message));
    };
    edit.region = edit.region.map(|code| code.trim().to_ascii_uppercase());
    if edit
        .region
        .set()
        .is_some_and(|code| zones_of_state(code).is_none())
    {
        refuse("region", "Enter a two-letter state code, for example OH.");
    }
    edit.postal_code = edit.postal_code.map(|code| code.trim().to_owned());
    let is_postal_code = |code: &String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-');
        !code.is_empty() && code.chars().all(plain) && code.len() <= MAX_POSTAL_CODE_CHARS
    };
    if edit.postal_code.set().is_some_and(|code| !is_postal_code(code)) {
        refuse("postalCode", "Enter a postal code, for example 43215.");
    }
    edit.language = edit.language.map(|tag| tag.trim().to_owned());
    let is_tag = |tag: &String| {
        !tag.is_empty()
            && tag.len() <= MAX_LANGUAGE_CHARS
            && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if edit.language.as_ref().is_some_and(|tag| !is_tag(tag)) {
        refuse("language", "Enter a language tag, for example en or es.");
    }
    if refusals.is_empty() {
        Ok(edit)
    } else {
        Err(refusals)
    }
}

/// Corrects the contact and answers the names of the fields that changed.
async fn update_contact(change: &Change<'_>, edit: UpdateContact) -> Result<Vec<&'static str>> {
    if edit == UpdateContact::default() {
        return Ok(Vec::new());
    }
    let old = contact::Entity::find_by_id(change.lead.contact_id)
        .lock(LockType::NoKeyUpdate)
        .one(&change.tx)
        .await?
        .ok_or_else(|| Error::fault("a lead has no contact"))?;
    let new = edited(old.clone(), edit);
    if new.email.is_none() && new.phone.is_none() && (old.email.is_some() || old.phone.is_some()) {
        let message = "Keep an email address or a phone number, so that the person can be reached.";
        return Err(Error::refused(Code::Required, "contact.email", message));
    }
    let fields = changed_contact_fields(&old, &new);
    if !fields.is_empty() {
        let mut row = contact::Model {
            updated_at: change.now,
            ..new
        }
        .into_active_model()
        .reset_all();
        row.created_at = sea_orm::ActiveValue::Unchanged(old.created_at);
        row.update(&change.tx).await?;
    }
    Ok(fields)
}

fn edited(old: contact::Model, edit: UpdateContact) -> contact::Model {
    let email_normalized = edit.email.clone().map(|email| email.normalized());
    let text = |name: PersonName| name.as_str().to_owned();
    contact::Model {
        given_name: edit.given_name.map_or(old.given_name, text),
        family_name: edit
            .family_name
            .map(text)
            .apply(Some(old.family_name))
            .unwrap_or_default(),
        email: edit.email.map(|email| email.as_str().to_owned()).apply(old.email),
        email_normalized: email_normalized.apply(old.email_normalized),
        phone: edit.phone.map(|phone| phone.as_str().to_owned()).apply(old.phone),
        language: edit.language.unwrap_or(old.language),
        postal_code: edit.postal_code.apply(old.postal_code),
        region: edit.region.apply(old.region),
        time_zone: edit
            .time_zone
            .map(|zone| zone.name().to_owned())
            .apply(old.time_zone),
        ..old
    }
}

/// Names of the contact's fields that differ, as the public schema spells them.
fn changed_contact_fields(old: &contact::Model, new: &contact::Model) -> Vec<&'static str> {
    let fields = [
        ("givenName", old.given_name != new.given_name),
        ("familyName", old.family_name != new.family_name),
        ("email", old.email != new.email),
        ("phone", old.phone != new.phone),
        ("language", old.language != new.language),
        ("postalCode", old.postal_code != new.postal_code),
        ("region", old.region != new.region),
        ("timeZone", old.time_zone != new.time_zone),
    ];
    fields
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
}
