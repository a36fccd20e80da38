//! Gives points to leads.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::condition::Condition;
use crate::id::ScoringRuleId;

/// Gives points to leads.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "scoring_rule")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ScoringRuleId,
    /// The name in a score's reasons.
    #[sea_orm(unique)]
    pub name: String,
    /// When it holds.
    #[sea_orm(column_type = "JsonBinary")]
    pub condition: Condition,
    /// Points, negative to take some.
    pub points: i32,
    /// The explanation in a score's reasons.
    pub text: String,
    /// Whether it counts.
    pub active: bool,
    /// When a version was published that has it no more. It stays, because leads point at it.
    pub retired_at: Option<DateTime<Utc>>,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
