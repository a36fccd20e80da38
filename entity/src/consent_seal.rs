//! A link of the chain of hashes over the consent ledger. Never changed.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::ConsentEventId;

/// A link of the chain of hashes over the consent ledger. Never changed.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consent_seal")]
pub struct Model {
    /// Its place in the chain, counted from 1 without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// The event that it seals.
    #[sea_orm(unique)]
    pub event_id: ConsentEventId,
    /// SHA-256 of the event.
    pub digest: Vec<u8>,
    /// SHA-256 of the link before and of this one.
    pub hash: Vec<u8>,
    /// When it was sealed.
    pub sealed_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
