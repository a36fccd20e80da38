//! The place of a mail in the line for capacity.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{FacilityId, MessageId, ServiceLineId};

/// The place of a mail in the line for capacity. Deleted when the mail is let go, withheld, or leaves the line.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "capacity_turn")]
pub struct Model {
    /// The mail.
    #[sea_orm(primary_key, auto_increment = false)]
    pub message_id: MessageId,
    /// The service line that it is about.
    pub service_line_id: ServiceLineId,
    /// The facility whose slots it waits for.
    pub facility_id: FacilityId,
    /// When it was first due, by which the line is ordered.
    pub since: DateTime<Utc>,
    /// The day in the facility's zone on which it is let go; none while nobody can tell.
    pub due_on: Option<NaiveDate>,
}

impl ActiveModelBehavior for ActiveModel {}
