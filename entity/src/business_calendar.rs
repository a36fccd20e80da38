//! When a facility works.

pub mod hours;

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{BusinessCalendarId, FacilityId};

/// When a facility works.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "business_calendar")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BusinessCalendarId,
    /// The facility.
    #[sea_orm(unique)]
    pub facility_id: FacilityId,
    /// Weekly ranges and holidays, in the facility's zone.
    #[sea_orm(column_type = "JsonBinary")]
    pub hours: hours::Hours,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
