//! A thing of a checklist that is done.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{FollowUpId, StaffId};

/// A thing of a checklist that is done.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "follow_up_check")]
pub struct Model {
    /// The follow-up.
    #[sea_orm(primary_key, auto_increment = false)]
    pub follow_up_id: FollowUpId,
    /// The key of the thing on its checklist.
    #[sea_orm(primary_key, auto_increment = false)]
    pub item: String,
    /// When it was done.
    pub done_at: DateTime<Utc>,
    /// Who did it; none means a program.
    pub done_by_id: Option<StaffId>,
}

impl ActiveModelBehavior for ActiveModel {}
