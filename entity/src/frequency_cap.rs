//! How many promotional mails one contact may get, over all campaigns.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::FrequencyCapId;

/// How many promotional mails one contact may get, over all campaigns. The newest version holds; rows are
/// never changed.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "frequency_cap")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FrequencyCapId,
    /// Counts up from 1.
    #[sea_orm(unique)]
    pub version: i32,
    /// Most mails in any 24 hours.
    pub per_day: i32,
    /// Most mails in any 7 days.
    pub per_week: i32,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
