//! A mail's text, in versions.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::enums::Purpose;
use crate::id::TemplateId;

/// A mail's text, in versions.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "template")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TemplateId,
    /// Name in steps and forms, for example `sleep-study-day-2`.
    #[sea_orm(unique)]
    pub key: String,
    /// The name that people read.
    pub name: String,
    /// What mails made of it are for.
    pub purpose: Purpose,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
