//! Two contacts that may be one, for a person to judge.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{ContactCandidateId, ContactId};

text_enum!(/// What a person decided about two contacts.
CandidateState {
    /// Nobody has looked yet.
    Open = "OPEN",
    /// They are one.
    Same = "SAME",
    /// They are two.
    Different = "DIFFERENT",
});

/// Two contacts that may be one, for a person to judge.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contact_candidate")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ContactCandidateId,
    /// The newer contact.
    pub contact_id: ContactId,
    /// The contact that shares an address or number with it.
    pub other_contact_id: ContactId,
    /// What they share, in words without the value: `email`, `phone`.
    pub reason: String,
    /// What was decided.
    pub state: CandidateState,
    /// When the pair was found.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
