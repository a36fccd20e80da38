//! What happened to a lead, never changed afterwards.

use chrono::{DateTime, Utc};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::enums::{ActorKind, LeadStage};
use crate::id::{LeadEventId, LeadId};

text_enum!(/// Kinds of things that happen to a lead.
LeadEventKind {
    /// It came in.
    Received = "RECEIVED",
    /// It was sent to a team or person.
    Routed = "ROUTED",
    /// A person gave it to a team or person.
    Assigned = "ASSIGNED",
    /// Somebody tried to reach the contact.
    Attempted = "ATTEMPTED",
    /// The stage changed.
    StageChanged = "STAGE_CHANGED",
    /// A closed lead was opened again.
    Reopened = "REOPENED",
    /// Its data changed.
    Updated = "UPDATED",
    /// An appointment was booked.
    AppointmentScheduled = "APPOINTMENT_SCHEDULED",
    /// The person did not come to an appointment.
    AppointmentMissed = "APPOINTMENT_MISSED",
    /// A first attempt became late.
    SlaMissed = "SLA_MISSED",
    /// Its owner was warned that nobody has tried to reach the contact.
    SlaWarned = "SLA_WARNED",
    /// The lead of its team was told that nobody has tried to reach the contact.
    SlaToldLead = "SLA_TOLD_LEAD",
    /// It was taken back from its owner and handed on.
    SlaTakenBack = "SLA_TAKEN_BACK",
    /// Its clock was stopped for a reason.
    SlaPaused = "SLA_PAUSED",
    /// Its clock runs again.
    SlaResumed = "SLA_RESUMED",
    /// It was enrolled in a sequence.
    Enrolled = "ENROLLED",
    /// It left a sequence.
    Unenrolled = "UNENROLLED",
    /// A follow-up was opened, done, snoozed or handed over.
    FollowUpChanged = "FOLLOW_UP_CHANGED",
    /// A message was sent to the contact.
    MessageSent = "MESSAGE_SENT",
    /// The same inquiry came in again.
    Repeated = "REPEATED",
    /// The contact answered a mail.
    Replied = "REPLIED",
    /// It was made of a form that was saved and left.
    FormAbandoned = "FORM_ABANDONED",
});

/// The facts of an event: names and ids, never free text of the person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct EventData(pub serde_json::Map<String, serde_json::Value>);

/// What happened to a lead, never changed afterwards.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lead_event")]
pub struct Model {
    /// The id; its order is the order of events.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LeadEventId,
    /// The lead.
    pub lead_id: LeadId,
    /// What happened.
    pub kind: LeadEventKind,
    /// The stage before, for a change of stage.
    pub from_stage: Option<LeadStage>,
    /// The stage after, for a change of stage.
    pub to_stage: Option<LeadStage>,
    /// Who did it.
    pub actor_kind: ActorKind,
    /// The id of who did it.
    pub actor_id: Option<Uuid>,
    /// More facts.
    #[sea_orm(column_type = "JsonBinary")]
    pub data: EventData,
    /// When it happened.
    pub at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
