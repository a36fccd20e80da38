//! Work that is opened by hand again and again.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{ChecklistId, FollowUpTemplateId};

/// Work that is opened by hand again and again.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "follow_up_template")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FollowUpTemplateId,
    /// What setup documents and programs call it.
    #[sea_orm(unique)]
    pub key: String,
    /// What is to be done.
    pub title: String,
    /// Business minutes until it is due.
    pub due_mins: i64,
    /// What is to be asked or done on the way.
    pub checklist_id: Option<ChecklistId>,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
