//! People who serve leads together.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{DepartmentId, FacilityId, StaffId, TeamId};

/// People who serve leads together.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "team")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TeamId,
    /// Short name in rules and configuration.
    #[sea_orm(unique)]
    pub slug: String,
    /// The name that people read.
    pub name: String,
    /// The facility whose calendar and zone the team keeps.
    pub facility_id: Option<FacilityId>,
    /// The department it belongs to.
    pub department_id: Option<DepartmentId>,
    /// The person who answers for it and is told what its members leave undone.
    pub lead_id: Option<StaffId>,
    /// Whether leads that no rule can place come here. Exactly one team has it.
    pub is_review: bool,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
