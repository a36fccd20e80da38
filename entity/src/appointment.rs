//! A booked visit of a lead.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{AppointmentId, FacilityId, LeadId};

text_enum!(/// Where an appointment stands.
AppointmentState {
    /// Booked.
    Booked = "BOOKED",
    /// The person came.
    Attended = "ATTENDED",
    /// The person did not come.
    NoShow = "NO_SHOW",
    /// Called off.
    Cancelled = "CANCELLED",
});

/// A booked visit of a lead.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "appointment")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AppointmentId,
    /// The lead.
    pub lead_id: LeadId,
    /// Where it takes place.
    pub facility_id: Option<FacilityId>,
    /// When it starts.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: Option<DateTime<Utc>>,
    /// Where it stands.
    pub state: AppointmentState,
    /// When it was booked.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
