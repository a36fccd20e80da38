//! An append-only fact about consent. What a contact allows is the fold of these.

use chrono::{DateTime, Utc};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::enums::{ActorKind, Medium, Purpose};
use crate::id::{ConsentEventId, ConsentWordingId, ContactId, FormId, MessageId};

text_enum!(/// What a consent event does.
ConsentAction {
    /// The person allows it.
    Grant = "GRANT",
    /// The person was asked and did not allow it.
    Deny = "DENY",
    /// The person takes it back.
    Withdraw = "WITHDRAW",
    /// It ended by its own date.
    Expire = "EXPIRE",
});

text_enum!(/// How strong a consent is.
ConsentLevel {
    /// None.
    None = "NONE",
    /// From an existing relation.
    Implied = "IMPLIED",
    /// Said or ticked.
    Express = "EXPRESS",
    /// Signed.
    ExpressWritten = "EXPRESS_WRITTEN",
    /// An authorization under 45 CFR 164.508.
    HipaaAuthorization = "HIPAA_AUTHORIZATION",
});

text_enum!(/// By which door a consent came.
ConsentMethod {
    /// The hosted or embedded form.
    WebForm = "WEB_FORM",
    /// A program, through the API.
    Api = "API",
    /// A member of staff wrote it down.
    Staff = "STAFF",
    /// The one-click link of a mail.
    OneClick = "ONE_CLICK",
    /// The page behind the link of a mail.
    UnsubscribePage = "UNSUBSCRIBE_PAGE",
    /// The page behind the link in each mail on which people set what they want.
    PreferencePage = "PREFERENCE_PAGE",
    /// An import.
    Import = "IMPORT",
});

/// Where a consent was given, without personal data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase", default)]
pub struct ConsentSource {
    /// The form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form_id: Option<FormId>,
    /// The message whose link was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// Keyed hash of the visitor's address, hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_hash: Option<String>,
    /// Keyed hash of the visitor's browser name, hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent_hash: Option<String>,
    /// What proves it, for example `checkbox, unticked by default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// An append-only fact about consent. What a contact allows is the fold of these.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consent_event")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ConsentEventId,
    /// Whose consent it is.
    pub contact_id: ContactId,
    /// The medium.
    pub medium: Medium,
    /// The address it is about, normalized; none means every address of the medium.
    pub address: Option<String>,
    /// The purpose; none, for a withdrawal, means every purpose.
    pub purpose: Option<Purpose>,
    /// What it does.
    pub action: ConsentAction,
    /// How strong it is.
    pub level: ConsentLevel,
    /// The text that was shown.
    pub wording_id: Option<ConsentWordingId>,
    /// The language it was shown in.
    pub language: Option<String>,
    /// By which door it came.
    pub method: ConsentMethod,
    /// Where it was given.
    #[sea_orm(column_type = "JsonBinary")]
    pub source: ConsentSource,
    /// Who recorded it.
    pub actor_kind: ActorKind,
    /// The id of who recorded it.
    pub actor_id: Option<Uuid>,
    /// When the person said it.
    pub occurred_at: DateTime<Utc>,
    /// When it was written down.
    pub recorded_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
