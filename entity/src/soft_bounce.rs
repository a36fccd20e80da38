//! How often mails to an address came back that may work later. Kept by a keyed hash, without the address.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::SoftBounceId;

/// How often mails to an address came back that may work later. Kept by a keyed hash, without the address.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "soft_bounce")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SoftBounceId,
    /// Keyed hash of the normalized address; one row each.
    pub address_hash: Vec<u8>,
    /// How often, in a row.
    pub fails: i32,
    /// When the first of them came back.
    pub first_at: DateTime<Utc>,
    /// When the last of them came back.
    pub last_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
