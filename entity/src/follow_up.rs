//! Work for a human, with a due time.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{EnrollmentId, FollowUpId, LeadId, StaffId, TeamId};

text_enum!(/// What a follow-up is.
FollowUpKind {
    /// The first attempt that the SLA asks for.
    FirstContact = "FIRST_CONTACT",
    /// A further attempt.
    NextAttempt = "NEXT_ATTEMPT",
    /// A call that the person asked for.
    Callback = "CALLBACK",
    /// Asked for by a sequence.
    Sequence = "SEQUENCE",
    /// An answer of the person to a mail.
    Reply = "REPLY",
});

text_enum!(/// Where a follow-up stands.
FollowUpState {
    /// To be done.
    Open = "OPEN",
    /// Done.
    Done = "DONE",
    /// No longer needed.
    Cancelled = "CANCELLED",
});

/// Work for a human, with a due time.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "follow_up")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FollowUpId,
    /// The lead.
    pub lead_id: LeadId,
    /// The team it is for.
    pub team_id: TeamId,
    /// The person it is for; none means anybody of the team.
    pub assignee_id: Option<StaffId>,
    /// What it is.
    pub kind: FollowUpKind,
    /// What is to be done, without personal data.
    pub title: String,
    /// Where it stands.
    pub state: FollowUpState,
    /// Whether it goes first.
    pub urgent: bool,
    /// Place in the work list: 0 late and urgent, 1 late, 2 urgent, 3 other; kept by the operations and the sweep.
    pub rank: i32,
    /// When it is due.
    pub due_at: DateTime<Utc>,
    /// When to remind the assignee; none when done or never.
    pub remind_at: Option<DateTime<Utc>>,
    /// When the sweep found it late.
    pub late_at: Option<DateTime<Utc>>,
    /// How often it was put off.
    pub snoozed_count: i32,
    /// What came of it, in the coordinator's words.
    pub outcome: Option<String>,
    /// The enrollment that opened it.
    pub enrollment_id: Option<EnrollmentId>,
    /// What made it, so that nothing makes it twice.
    #[sea_orm(unique)]
    pub origin_key: Option<String>,
    /// Rises with every change, for optimistic concurrency.
    pub version: i64,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it was done or cancelled.
    pub completed_at: Option<DateTime<Utc>>,
}

impl ActiveModelBehavior for ActiveModel {}
