//! One human try to reach a lead.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::enums::{AttemptOutcome, Medium};
use crate::id::{AttemptId, LeadId, StaffId};

/// One human try to reach a lead.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attempt")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AttemptId,
    /// The lead.
    pub lead_id: LeadId,
    /// Who tried; none when a program logged it.
    pub staff_id: Option<StaffId>,
    /// How.
    pub medium: Medium,
    /// What came of it.
    pub outcome: AttemptOutcome,
    /// What the coordinator wrote.
    pub note: Option<String>,
    /// When the person asked to be called.
    pub callback_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
