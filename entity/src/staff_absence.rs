//! A time during which a member of staff is away.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{StaffAbsenceId, StaffId};

text_enum!(/// Why somebody is away. Nothing here tells of anybody's health.
AbsenceReason {
    /// Days off.
    Leave = "LEAVE",
    /// Not on shift.
    OffShift = "OFF_SHIFT",
    /// Learning something.
    Training = "TRAINING",
    /// Another reason, or none of anybody's business.
    Other = "OTHER",
});

/// A time during which a member of staff is away: `[starts_at, ends_at)`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "staff_absence")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StaffAbsenceId,
    /// Who is away.
    pub staff_id: StaffId,
    /// Why.
    pub reason: AbsenceReason,
    /// The first instant of it.
    pub starts_at: DateTime<Utc>,
    /// The instant from which the person is here again.
    pub ends_at: DateTime<Utc>,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
