//! A person who works with Leadward.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::enums::Role;
use crate::id::StaffId;

/// A person who works with Leadward.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "staff")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StaffId,
    /// Sign-in name and address of reminders, lower case.
    #[sea_orm(unique)]
    pub email: String,
    /// The name that people read.
    pub display_name: String,
    /// What the person may do.
    pub role: Role,
    /// IANA time zone of the person's mails.
    pub time_zone: String,
    /// Argon2id hash in PHC format; none means the person cannot sign in by password.
    pub password_hash: Option<String>,
    /// Most open follow-ups that the rules give the person; none means as many as come.
    pub max_open: Option<i32>,
    /// Whether the person works here.
    pub active: bool,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
