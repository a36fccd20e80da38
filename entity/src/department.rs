//! A part of a facility.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{DepartmentId, FacilityId};

/// A part of a facility.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "department")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DepartmentId,
    /// The facility it belongs to.
    pub facility_id: FacilityId,
    /// The name that people read.
    pub name: String,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
