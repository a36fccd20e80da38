//! A form that visitors fill in.

use chrono::{DateTime, Utc};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::enums::{Channel, LeadType};
use crate::id::{CampaignId, FacilityId, FormId, ServiceLineId, TemplateId};

text_enum!(/// How a field is filled in.
FieldKind {
    /// One line of text.
    Text = "TEXT",
    /// Several lines of text.
    TextArea = "TEXT_AREA",
    /// An email address.
    Email = "EMAIL",
    /// A phone number.
    Phone = "PHONE",
    /// One of some options.
    Select = "SELECT",
    /// Yes or nothing.
    Checkbox = "CHECKBOX",
});

text_enum!(/// What a field's value becomes.
FieldTarget {
    /// The contact's given name.
    GivenName = "GIVEN_NAME",
    /// The contact's family name.
    FamilyName = "FAMILY_NAME",
    /// The contact's organization.
    Organization = "ORGANIZATION",
    /// The contact's email address.
    Email = "EMAIL",
    /// The contact's phone number.
    Phone = "PHONE",
    /// The contact's state.
    Region = "REGION",
    /// The contact's postal code.
    PostalCode = "POSTAL_CODE",
    /// The service that is asked for.
    RequestedService = "REQUESTED_SERVICE",
    /// The facility that is preferred, by slug.
    Facility = "FACILITY",
    /// An answer of the lead.
    Answer = "ANSWER",
});

/// A choice of a select field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FieldOption {
    /// What is sent.
    pub value: String,
    /// What is shown.
    pub label: String,
}

/// One field of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Field {
    /// Name in the request, unique within the form.
    pub name: String,
    /// Label that is shown.
    pub label: String,
    /// How it is filled in.
    pub kind: FieldKind,
    /// What its value becomes.
    pub target: FieldTarget,
    /// Whether it must be filled in.
    #[serde(default)]
    pub required: bool,
    /// A hint under the label, for example the format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The HTML `autocomplete` token (WCAG 2.2, 1.3.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autocomplete: Option<String>,
    /// The choices of a select field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<FieldOption>,
    /// Longest value in characters.
    pub max_chars: u16,
}

/// The fields of a form, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Fields(pub Vec<Field>);

/// Keys of the consent wordings that a form shows as unticked checkboxes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct WordingKeys(pub Vec<String>);

/// A form that visitors fill in.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "form")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FormId,
    /// Name in the address `/f/{slug}`.
    #[sea_orm(unique)]
    pub slug: String,
    /// Heading of the page.
    pub title: String,
    /// Text under the heading.
    pub intro: String,
    /// Text of the confirmation page.
    pub thanks: String,
    /// A BCP 47 tag.
    pub language: String,
    /// Type of the leads it makes.
    pub lead_type: LeadType,
    /// Channel of its leads when the visit names none.
    pub channel: Channel,
    /// The service line it is for; none when a field asks for it.
    pub service_line_id: Option<ServiceLineId>,
    /// The facility it is for; none when a field or a rule decides.
    pub facility_id: Option<FacilityId>,
    /// The campaign it belongs to when the visit names none.
    pub campaign_id: Option<CampaignId>,
    /// Its fields.
    #[sea_orm(column_type = "JsonBinary")]
    pub fields: Fields,
    /// The consents it asks for.
    #[sea_orm(column_type = "JsonBinary")]
    pub wordings: WordingKeys,
    /// For how many days a second yes to its email consents may come; none when the first is enough.
    pub opt_in_days: Option<i32>,
    /// After how many days a form that was saved to be finished later counts as abandoned; none when this form cannot
    /// be saved.
    pub abandoned_after_days: Option<i32>,
    /// For how many days a saved form is kept. Set together with `abandoned_after_days`, and longer.
    pub kept_days: Option<i32>,
    /// The mail that answers it.
    pub confirmation_template_id: Option<TemplateId>,
    /// The key by which the public may submit it through GraphQL.
    #[sea_orm(unique)]
    pub public_key: String,
    /// Whether it can be filled in.
    pub active: bool,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}

/// How long a form that was saved to be finished later waits and is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinishLater {
    /// After how many days it counts as abandoned.
    pub abandoned_after_days: i32,
    /// For how many days it is kept.
    pub kept_days: i32,
}

impl Model {
    /// How long it waits and is kept when it is saved to be finished later; none when it cannot be saved.
    #[must_use]
    pub fn finish_later(&self) -> Option<FinishLater> {
        Some(FinishLater {
            abandoned_after_days: self.abandoned_after_days?,
            kept_days: self.kept_days?,
        })
    }
}
