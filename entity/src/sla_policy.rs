//! How fast the first attempt must come, how many attempts, how far apart.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::condition::Condition;
use crate::id::SlaPolicyId;

/// How fast the first attempt must come, how many attempts, how far apart.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sla_policy")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SlaPolicyId,
    /// The name that people read.
    pub name: String,
    /// Policies are tried in this order; the first that holds counts.
    pub position: i32,
    /// When it holds.
    #[sea_orm(column_type = "JsonBinary")]
    pub condition: Condition,
    /// Business minutes from received to the first attempt.
    pub first_attempt_mins: i64,
    /// How many attempts are wanted.
    pub attempts_wanted: i32,
    /// Business minutes between attempts.
    pub spacing_mins: i64,
    /// Minutes before the due time at which the assignee is reminded.
    pub remind_before_mins: i64,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
