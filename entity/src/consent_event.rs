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
    /// The person allowed it on a form that asks for a second yes, and has not given that yet.
    Pending = "PENDING",
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
    /// A reply to a mail or a text.
    Reply = "REPLY",
    /// A provider's webhook: a complaint, an unsubscription on its side.
    Webhook = "WEBHOOK",
    /// The link of the mail that asks for a second yes.
    DoubleOptIn = "DOUBLE_OPT_IN",
});

/// Where a consent was given, without personal data. Stays when the person is erased.
///
/// An unknown name does not parse: nothing may stand in the ledger that its hash does not cover.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConsentSource {
    /// The form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form_id: Option<FormId>,
    /// The message whose link was used, or that asks for the second yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
}

/// What proves a consent. Goes when the person is erased.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConsentEvidence {
    /// In words, for example `checkbox, unticked by default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Keyed hash of the visitor's network address, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_hash: Option<String>,
    /// Keyed hash of the visitor's browser name, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent_hash: Option<String>,
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
    /// SHA-256 of that text in hexadecimal, as it was then.
    pub wording_sha256: Option<String>,
    /// The language it was shown in.
    pub language: Option<String>,
    /// By which door it came.
    pub method: ConsentMethod,
    /// Where it was given.
    #[sea_orm(column_type = "JsonBinary")]
    pub source: ConsentSource,
    /// What proves it; none once the person is erased.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub evidence: Option<ConsentEvidence>,
    /// Random bytes that keep [`Self::commitment`] from being guessed; none once the person is erased.
    pub personal_salt: Option<Vec<u8>>,
    /// Binds address and evidence into the chain of hashes, and stays when they are erased.
    pub commitment: Vec<u8>,
    /// The event that this one completes: a second yes names the first.
    #[sea_orm(unique)]
    pub refers_to_id: Option<ConsentEventId>,
    /// Until when a grant holds, or a second yes may come.
    pub expires_at: Option<DateTime<Utc>>,
    /// Who recorded it.
    pub actor_kind: ActorKind,
    /// The id of who recorded it.
    pub actor_id: Option<Uuid>,
    /// When the person said it.
    pub occurred_at: DateTime<Utc>,
    /// When it was written down.
    pub recorded_at: DateTime<Utc>,
    /// When address and evidence were erased. The only thing of a row that ever changes.
    pub erased_at: Option<DateTime<Utc>>,
}

impl ActiveModelBehavior for ActiveModel {}
