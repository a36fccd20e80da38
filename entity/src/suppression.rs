//! An address that must not be written to. Kept as a keyed hash, so that it survives erasure.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::enums::Medium;
use crate::id::SuppressionId;

text_enum!(/// Why an address is suppressed.
SuppressionReason {
    /// The address does not exist.
    HardBounce = "HARD_BOUNCE",
    /// The person reported a mail as spam.
    Complaint = "COMPLAINT",
    /// Mails to it have come back for days. Lifted when one arrives.
    SoftBounces = "SOFT_BOUNCES",
    /// The person must not be contacted at all.
    DoNotContact = "DO_NOT_CONTACT",
});

/// An address that must not be written to. Kept as a keyed hash, so that it survives erasure.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "suppression")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SuppressionId,
    /// The medium.
    pub medium: Medium,
    /// Keyed hash of the normalized address; unique within the medium.
    pub address_hash: Vec<u8>,
    /// Why.
    pub reason: SuppressionReason,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
