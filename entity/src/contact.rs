//! A person or organization we can reach. Consent belongs to a contact.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::ContactId;

text_enum!(/// Whether a contact is one person or an organization.
ContactKind {
    /// A person.
    Person = "PERSON",
    /// A practice, employer or partner.
    Organization = "ORGANIZATION",
});

/// A person or organization we can reach. Consent belongs to a contact.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contact")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ContactId,
    /// Person or organization.
    pub kind: ContactKind,
    /// Given name; empty for an organization without a named person.
    pub given_name: String,
    /// Family name; may be empty.
    pub family_name: String,
    /// Name of the organization.
    pub organization: Option<String>,
    /// Address as the person wrote it.
    pub email: Option<String>,
    /// Address as it is compared: lower case.
    pub email_normalized: Option<String>,
    /// Phone number, E.164.
    pub phone: Option<String>,
    /// Preferred language, a BCP 47 tag.
    pub language: String,
    /// IANA time zone, when the person told it.
    pub time_zone: Option<String>,
    /// State, a two-letter USPS code in the United States.
    pub region: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// The contact that this one was found to be.
    pub merged_into_id: Option<ContactId>,
    /// Counts how often the links to the contact's preferences were revoked; a link made before the last time is void.
    pub link_generation: i32,
    /// When all personal data of it was erased.
    pub erased_at: Option<DateTime<Utc>>,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The name that people read.
    pub fn display_name(&self) -> String {
        let person = [self.given_name.as_str(), self.family_name.as_str()].join(" ");
        match (person.trim(), &self.organization) {
            ("", Some(organization)) => organization.clone(),
            (person, _) => person.to_owned(),
        }
    }
}
