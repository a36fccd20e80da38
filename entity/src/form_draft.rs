//! A form that somebody began and saved, to finish it later.

use chrono::{DateTime, Utc};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{ConsentWordingId, ContactId, FormDraftId, FormId, LeadId, MessageId};
use crate::lead::Utm;

text_enum!(/// How far a saved form has come.
FormDraftState {
    /// It waits for its person.
    Waiting = "WAITING",
    /// It was left for so long that an unfinished lead was made of it. It can still be finished.
    Abandoned = "ABANDONED",
    /// It was sent. The row stays until its end, so that sending it twice is known.
    Finished = "FINISHED",
});

/// What was typed into one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TypedField {
    /// The field's name.
    pub name: String,
    /// What was typed or chosen.
    pub value: String,
}

/// Everything that was typed, in the form's order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct TypedFields(pub Vec<TypedField>);

/// A consent that was shown, and whether it was ticked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownConsent {
    /// The version of the wording.
    pub wording_id: ConsentWordingId,
    /// Whether the box was ticked.
    pub ticked: bool,
}

/// The consents that were shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct ShownConsents(pub Vec<ShownConsent>);

/// How the visit began in which the form was saved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase", default)]
pub struct DraftVisit {
    /// Path of the first page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub landing_page: Option<String>,
    /// Host of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer_host: Option<String>,
    /// Campaign parameters.
    pub utm: Utm,
    /// Code on a mail piece, event list or placement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_code: Option<String>,
    /// Which click id came along.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub click_id_kind: Option<String>,
}

/// A form that somebody began and saved, to finish it later.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "form_draft")]
pub struct Model {
    /// The id, which its link carries.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FormDraftId,
    /// The form.
    pub form_id: FormId,
    /// Whose it is, as far as that can be told from what was typed.
    pub contact_id: ContactId,
    /// The address that it was saved for, normalized. None once it is finished.
    pub email_normalized: Option<String>,
    /// What was typed.
    #[sea_orm(column_type = "JsonBinary")]
    pub fields: TypedFields,
    /// The consents that were shown.
    #[sea_orm(column_type = "JsonBinary")]
    pub consents: ShownConsents,
    /// How the visit began.
    #[sea_orm(column_type = "JsonBinary")]
    pub visit: DraftVisit,
    /// Keyed hash of the click id.
    pub click_id_hash: Option<Vec<u8>>,
    /// The text by which the person agreed that it is kept, as it was shown.
    pub agreement: String,
    /// When the person last agreed.
    pub agreed_at: DateTime<Utc>,
    /// The mail with the link.
    pub message_id: Option<MessageId>,
    /// The lead that was made of it.
    pub lead_id: Option<LeadId>,
    /// How far it has come.
    pub state: FormDraftState,
    /// When to look at it: to see whether it was left, then to forget it.
    pub due_at: DateTime<Utc>,
    /// Until when it is kept.
    pub expires_at: DateTime<Utc>,
    /// When it was first saved.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
