//! Work for a human, with a due time.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{EnrollmentId, FollowUpId, FollowUpTemplateId, LeadId, StaffId, TeamId};

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
    /// Opened by a person.
    ByHand = "BY_HAND",
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
    /// Place in the work list: 0 urgent, 1 late, 2 due soon, 3 open, 4 not yet; kept by the operations and the sweep.
    pub rank: i32,
    /// Place among open work: minus the lead's score, so that the highest comes first; 0 in every other rank.
    pub weight: i32,
    /// When it is due.
    pub due_at: DateTime<Utc>,
    /// From when on it is due soon.
    pub soon_at: DateTime<Utc>,
    /// When its place changes by itself the next time, or it becomes late; none when that has happened or it has ended.
    pub moves_at: Option<DateTime<Utc>>,
    /// When to remind the assignee; none when done or never.
    pub remind_at: Option<DateTime<Utc>>,
    /// When the sweep found it late.
    pub late_at: Option<DateTime<Utc>>,
    /// How often it was put off.
    pub snoozed_count: i32,
    /// Who was given it as the next one and has it in hand.
    pub taken_by_id: Option<StaffId>,
    /// Until when it is in hand.
    pub taken_until: Option<DateTime<Utc>>,
    /// What came of it, in the coordinator's words.
    pub outcome: Option<String>,
    /// The template that it was opened from.
    pub template_id: Option<FollowUpTemplateId>,
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
