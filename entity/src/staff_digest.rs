//! When a member of staff gets the next morning digest.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::StaffId;

/// When a member of staff gets the next morning digest.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "staff_digest")]
pub struct Model {
    /// The person.
    #[sea_orm(primary_key, auto_increment = false)]
    pub staff_id: StaffId,
    /// When the sweep looks at the person again: the next working morning, or any earlier time.
    pub next_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
