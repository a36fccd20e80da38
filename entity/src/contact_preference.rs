//! How often and until when not a contact wants to be written to. No row: no wish of the contact's own.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{ContactId, ContactPreferenceId};

/// How often and until when not a contact wants to be written to. No row: no wish of the contact's own.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contact_preference")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ContactPreferenceId,
    /// Whose wish it is.
    #[sea_orm(unique)]
    pub contact_id: ContactId,
    /// No promotional mail before this moment.
    pub paused_until: Option<DateTime<Utc>>,
    /// The most promotional mails in seven days, at least 1; none: no limit of the contact's own.
    pub max_per_week: Option<i32>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
