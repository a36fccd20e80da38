//! How long personal data of one kind is kept. No row: until somebody erases it.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::RetentionPolicyId;

text_enum!(/// What a retention policy is about. The audit is always kept.
RetentionKind {
    /// Answers, notes and mails of leads that are closed; the days count from the closing.
    ClosedLeads = "CLOSED_LEADS",
    /// Contacts of whom nothing was heard and with whom nothing was done; the days count from the last of it.
    UnengagedContacts = "UNENGAGED_CONTACTS",
    /// Mails that were captured instead of sent.
    CapturedMail = "CAPTURED_MAIL",
    /// Answers kept for requests that may come again.
    KeptAnswers = "KEPT_ANSWERS",
    /// What came back about mails, as it came. It is never kept for longer than 30 days.
    InboundMail = "INBOUND_MAIL",
});

/// How long personal data of one kind is kept. No row: until somebody erases it.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "retention_policy")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RetentionPolicyId,
    /// What it is about; one row a kind.
    #[sea_orm(unique)]
    pub kind: RetentionKind,
    /// How many days it is kept, at least 1.
    pub keep_days: i32,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
