//! How many visits a service line has open at a facility in a week.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{FacilityId, ServiceLineId};

/// How many visits a service line has open at a facility in a week.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "capacity")]
pub struct Model {
    /// The service line.
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_line_id: ServiceLineId,
    /// The facility.
    #[sea_orm(primary_key, auto_increment = false)]
    pub facility_id: FacilityId,
    /// The Monday of the week.
    #[sea_orm(primary_key, auto_increment = false)]
    pub monday: NaiveDate,
    /// Visits that can still be booked in the week.
    pub open_slots: i32,
    /// Days that somebody who asks in this week waits for a visit; none if nobody said.
    pub wait_days: Option<i32>,
    /// Rises with every change, for optimistic concurrency.
    pub version: i64,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
