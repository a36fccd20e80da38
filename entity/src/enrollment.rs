//! A lead's place in a sequence.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{ContactId, EnrollmentId, LeadId, SequenceId, SequenceVersionId};

text_enum!(/// Where an enrollment stands.
EnrollmentState {
    /// Running.
    Active = "ACTIVE",
    /// Came to the end.
    Completed = "COMPLETED",
    /// Left before the end.
    Exited = "EXITED",
});

text_enum!(/// Why an enrollment ended early.
ExitReason {
    /// The lead reached an exit stage.
    Stage = "STAGE",
    /// The lead was closed.
    Closed = "CLOSED",
    /// The contact withdrew the consent that it rests on.
    Withdrawn = "WITHDRAWN",
    /// A person took the lead out.
    Unenrolled = "UNENROLLED",
    /// It ran for as long as the sequence allows.
    Expired = "EXPIRED",
    /// The sequence began anew for the lead.
    Restarted = "RESTARTED",
    /// The step it stood on does not exist.
    Broken = "BROKEN",
    /// The contact answered, so that a person goes on.
    Replied = "REPLIED",
    /// The person finished the form, or had it forgotten.
    FormFinished = "FORM_FINISHED",
});

/// A lead's place in a sequence.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "enrollment")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EnrollmentId,
    /// The sequence. A lead has at most one active enrollment in it.
    pub sequence_id: SequenceId,
    /// The version it stays on.
    pub sequence_version_id: SequenceVersionId,
    /// The lead.
    pub lead_id: LeadId,
    /// The lead's contact.
    pub contact_id: ContactId,
    /// Where it stands.
    pub state: EnrollmentState,
    /// Why it ended early.
    pub exit_reason: Option<ExitReason>,
    /// Key of the goal by which it was completed.
    pub goal_key: Option<String>,
    /// The step that comes next.
    pub step_key: String,
    /// Whether a wait on that step has begun.
    pub entered_step: bool,
    /// Whether what that step waits for has happened in time.
    pub happened: bool,
    /// How often steps were taken; tells repeated visits of one step apart.
    pub occurrence: i32,
    /// When to look at it again.
    pub due_at: DateTime<Utc>,
    /// How often in a row looking at it failed.
    pub fault_count: i32,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it last moved.
    pub updated_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl ActiveModelBehavior for ActiveModel {}
