//! One version of a template. Never changed afterwards.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{TemplateId, TemplateVersionId};

/// One version of a template. Never changed afterwards.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "template_version")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TemplateVersionId,
    /// The template.
    pub template_id: TemplateId,
    /// Counts up from 1.
    pub version: i32,
    /// Liquid source of the subject; may name no service or condition.
    pub subject: String,
    /// Liquid source of the HTML part.
    pub html: String,
    /// Liquid source of the plain-text part.
    pub text: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
