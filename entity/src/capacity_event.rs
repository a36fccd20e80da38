//! A change of what is said about a week's capacity. Never changed or deleted.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::entity::prelude::*;

use crate::enums::ActorKind;
use crate::id::{CapacityEventId, FacilityId, ServiceLineId};

/// A change of what is said about a week's capacity: who said what, and when.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "capacity_event")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CapacityEventId,
    /// The service line.
    pub service_line_id: ServiceLineId,
    /// The facility.
    pub facility_id: FacilityId,
    /// The Monday of the week.
    pub monday: NaiveDate,
    /// Visits that could be booked from then on.
    pub open_slots: i32,
    /// Days that people waited from then on.
    pub wait_days: Option<i32>,
    /// The week's version after it.
    pub version: i64,
    /// What kind of actor said it.
    pub actor_kind: ActorKind,
    /// The actor's id.
    pub actor_id: Option<Uuid>,
    /// When.
    pub at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
