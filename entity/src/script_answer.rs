//! What a person answered to a question of an intake script.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{IntakeScriptId, LeadId, StaffId};

/// What a person answered to a question of an intake script. The last answer counts.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "script_answer")]
pub struct Model {
    /// The lead.
    #[sea_orm(primary_key, auto_increment = false)]
    pub lead_id: LeadId,
    /// The key of the script.
    #[sea_orm(primary_key, auto_increment = false)]
    pub script_key: String,
    /// The key of the question.
    #[sea_orm(primary_key, auto_increment = false)]
    pub question: String,
    /// The version of the script in which it was asked.
    pub script_id: IntakeScriptId,
    /// The answer.
    pub value: String,
    /// When it was written down.
    pub answered_at: DateTime<Utc>,
    /// Who wrote it down; none means a program.
    pub answered_by_id: Option<StaffId>,
}

impl ActiveModelBehavior for ActiveModel {}
