//! One day on which a sequence is to enroll a lead: so many days before a visit, or after the lead came in.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{AppointmentId, DateOccasionId, LeadId, SequenceId};

text_enum!(/// Where an occasion stands.
DateOccasionState {
    /// Its time has not come.
    Waiting = "WAITING",
    /// Its time came, and the lead was enrolled or the trigger did not hold.
    Done = "DONE",
    /// What it was counted from was called off.
    Cancelled = "CANCELLED",
});

/// One day on which a sequence is to enroll a lead. The row stays, so that the day comes once.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "date_occasion")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DateOccasionId,
    /// The sequence.
    pub sequence_id: SequenceId,
    /// The lead.
    pub lead_id: LeadId,
    /// The appointment that it is counted from; none means the lead's coming in.
    pub appointment_id: Option<AppointmentId>,
    /// What makes it unique: the sequence, and the appointment or the lead.
    #[sea_orm(unique)]
    pub origin_key: String,
    /// Where it stands.
    pub state: DateOccasionState,
    /// When its time comes.
    pub due_at: DateTime<Utc>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When its time came, or it was called off.
    pub settled_at: Option<DateTime<Utc>>,
}

impl ActiveModelBehavior for ActiveModel {}
