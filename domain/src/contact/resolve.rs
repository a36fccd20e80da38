//! Who is it? An inquiry's person is found among the contacts that share the address or number, or is new.
//!
//! The same address or number with an agreeing name is the same person. Everything else is a candidate for a person
//! to judge: a parent and a child on one address stay two.

use chrono::{DateTime, Utc};
use entity::contact::{Column, Entity, Model};
use entity::id::ContactId;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::name::{FullName, names_agree};
use crate::error::Result;
use crate::id::new_id;
use crate::lead::inquiry::Person;
use crate::playbook::fold_name;

/// Contacts looked at for one address or number. A number shared by more is a switchboard, and proves nothing.
pub const SHARED_MAX: u64 = 20;

/// Who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// A contact that we know, with what the inquiry adds to it.
    Known {
        /// The contact as it is now.
        contact: Model,
        /// Names of the columns that the inquiry changed.
        changed: Vec<&'static str>,
    },
    /// A new contact.
    New {
        /// The contact to be written.
        contact: Model,
        /// Contacts that may be the same one, with what they share.
        candidates: Vec<(ContactId, &'static str)>,
    },
}

impl Resolution {
    /// The contact, known or new.
    pub fn contact(&self) -> &Model {
        match self {
            Self::Known { contact, .. } | Self::New { contact, .. } => contact,
        }
    }
}

/// The contacts that share the person's address or number, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn sharing(conn: &impl ConnectionTrait, person: &Person) -> Result<Vec<Model>> {
    let mut same = Condition::any();
    if let Some(email) = &person.email {
        same = same.add(Column::EmailNormalized.eq(email.normalized()));
    }
    if let Some(phone) = &person.phone {
        same = same.add(Column::Phone.eq(phone.as_str()));
    }
    let found = Entity::find()
        .filter(Column::MergedIntoId.is_null())
        .filter(same)
        .order_by_asc(Column::Id)
        .limit(SHARED_MAX)
        .all(conn)
        .await?;
    Ok(found)
}

/// Decides who the person is among the contacts that share an address or number.
pub fn resolve(sharing: &[Model], person: &Person, now: DateTime<Utc>) -> Resolution {
    let known = sharing
        .iter()
        .filter(|contact| same_name(contact, person) && !addresses_differ(contact, person))
        // Sharing both says more than sharing one; among equals the oldest is kept.
        .max_by_key(|contact| {
            (
                shares_email(contact, person) && shares_phone(contact, person),
                std::cmp::Reverse(contact.id),
            )
        });
    if let Some(contact) = known {
        let (contact, changed) = completed(contact.clone(), person, now);
        return Resolution::Known { contact, changed };
    }
    let candidates = sharing
        .iter()
        .map(|contact| {
            (
                contact.id,
                if shares_email(contact, person) {
                    "email"
                } else {
                    "phone"
                },
            )
        })
        .collect();
    Resolution::New {
        contact: made(person, now),
        candidates,
    }
}

pub(crate) fn shares_email(contact: &Model, person: &Person) -> bool {
    person
        .email
        .as_ref()
        .is_some_and(|email| contact.email_normalized.as_deref() == Some(email.normalized().as_str()))
}

fn shares_phone(contact: &Model, person: &Person) -> bool {
    person
        .phone
        .as_ref()
        .is_some_and(|phone| contact.phone.as_deref() == Some(phone.as_str()))
}

/// Whether both name an email address, and not the same. A public form must not be able to move somebody's mail to
/// another address by knowing a name and a phone number.
fn addresses_differ(contact: &Model, person: &Person) -> bool {
    contact.email_normalized.is_some() && person.email.is_some() && !shares_email(contact, person)
}

fn same_name(contact: &Model, person: &Person) -> bool {
    if contact.kind != person.kind {
        return false;
    }
    let organizations = [contact.organization.as_deref(), person.organization.as_deref()];
    let organization_agrees = match organizations {
        [Some(a), Some(b)] => fold_name(a) == fold_name(b),
        _ => true,
    };
    let unnamed = contact.given_name.is_empty() && person.given_name.is_empty();
    let same_text = fold_name(&format!("{} {}", contact.given_name, contact.family_name))
        == fold_name(&format!("{} {}", person.given_name, person.family_name));
    let person_agrees = names_agree(
        FullName {
            given: &contact.given_name,
            family: &contact.family_name,
        },
        FullName {
            given: &person.given_name,
            family: &person.family_name,
        },
    );
    organization_agrees && (unnamed && organizations[0].is_some() || same_text || person_agrees)
}

/// The contact with what the inquiry adds: what was blank is filled, and the newest phone number and language count.
fn completed(mut contact: Model, person: &Person, now: DateTime<Utc>) -> (Model, Vec<&'static str>) {
    let mut changed = Vec::new();
    let mut fill = |name, column: &mut Option<String>, value: Option<String>, newest_counts: bool| {
        if value.is_some() && *column != value && (newest_counts || column.is_none()) {
            *column = value;
            changed.push(name);
        }
    };
    let email = person.email.as_ref();
    fill(
        "email",
        &mut contact.email,
        email.map(|email| email.as_str().to_owned()),
        false,
    );
    fill(
        "email_normalized",
        &mut contact.email_normalized,
        email.map(|email| email.normalized()),
        false,
    );
    fill(
        "phone",
        &mut contact.phone,
        person.phone.as_ref().map(|phone| phone.as_str().to_owned()),
        true,
    );
    fill(
        "organization",
        &mut contact.organization,
        person.organization.clone(),
        false,
    );
    fill("region", &mut contact.region, person.region.clone(), true);
    fill(
        "postal_code",
        &mut contact.postal_code,
        person.postal_code.clone(),
        true,
    );
    fill(
        "time_zone",
        &mut contact.time_zone,
        person.time_zone.clone(),
        true,
    );
    if !changed.is_empty() {
        contact.updated_at = now;
    }
    (contact, changed)
}

/// Whether the names of a contact and a person say nothing against each other: what is known of both is the same.
pub(crate) fn names_fit(contact: &Model, person: &Person) -> bool {
    let fit = |a: &str, b: &str| a.is_empty() || b.is_empty() || fold_name(a) == fold_name(b);
    let organization = |of: &Option<String>| of.clone().unwrap_or_default();
    fit(&contact.given_name, &person.given_name)
        && fit(&contact.family_name, &person.family_name)
        && fit(
            &organization(&contact.organization),
            &organization(&person.organization),
        )
}

/// The person is this contact, and knows best what the name is.
pub(crate) fn renamed(contact: Model, person: &Person, now: DateTime<Utc>) -> Resolution {
    let (mut contact, mut changed) = completed(contact, person, now);
    for (name, column, value) in [
        ("given_name", &mut contact.given_name, &person.given_name),
        ("family_name", &mut contact.family_name, &person.family_name),
    ] {
        if *column != *value && !value.is_empty() {
            column.clone_from(value);
            changed.push(name);
        }
    }
    if !changed.is_empty() {
        contact.kind = person.kind;
        contact.updated_at = now;
    }
    Resolution::Known { contact, changed }
}

fn made(person: &Person, now: DateTime<Utc>) -> Model {
    Model {
        id: new_id(now),
        kind: person.kind,
        given_name: person.given_name.clone(),
        family_name: person.family_name.clone(),
        organization: person.organization.clone(),
        email: person.email.as_ref().map(|email| email.as_str().to_owned()),
        email_normalized: person.email.as_ref().map(|email| email.normalized()),
        phone: person.phone.as_ref().map(|phone| phone.as_str().to_owned()),
        language: person.language.clone(),
        time_zone: person.time_zone.clone(),
        region: person.region.clone(),
        postal_code: person.postal_code.clone(),
        merged_into_id: None,
        link_generation: 0,
        erased_at: None,
        created_at: now,
        updated_at: now,
    }
}
