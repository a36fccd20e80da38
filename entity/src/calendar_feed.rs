//! An address under which a person's follow-ups can be subscribed to in a calendar. Only its hash is stored.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{CalendarFeedId, StaffId};

/// An address under which a person's follow-ups can be subscribed to in a calendar. It ends when the row is deleted.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "calendar_feed")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CalendarFeedId,
    /// Whose follow-ups it shows.
    pub staff_id: StaffId,
    /// Where the person uses it.
    pub name: String,
    /// SHA-256 of the secret in the address, which has 256 random bits of its own.
    #[sea_orm(unique)]
    pub secret_hash: Vec<u8>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
