//! How far the chain over the consent ledger goes: one row, so that a tail that is cut off is missed.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// How far the chain over the consent ledger goes.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consent_head")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// How many events are sealed.
    pub sealed: i64,
    /// Hash of the last link.
    pub hash: Vec<u8>,
    /// HMAC of the two with the operator's key: who has only the database cannot make another chain.
    pub tag: Vec<u8>,
    /// When it last grew.
    pub sealed_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
