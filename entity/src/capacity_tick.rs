//! How many demand-making mails about a service line at a facility were let go on a day.

use chrono::NaiveDate;
use sea_orm::entity::prelude::*;

use crate::id::{FacilityId, ServiceLineId};

/// How many demand-making mails about a service line at a facility were let go on a day.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "capacity_tick")]
pub struct Model {
    /// The service line.
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_line_id: ServiceLineId,
    /// The facility.
    #[sea_orm(primary_key, auto_increment = false)]
    pub facility_id: FacilityId,
    /// The day in the facility's zone.
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: NaiveDate,
    /// Mails.
    pub let_go: i32,
}

impl ActiveModelBehavior for ActiveModel {}
