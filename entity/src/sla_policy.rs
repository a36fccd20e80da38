//! How fast the first attempt must come, how many attempts, how far apart.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::condition::Condition;
use crate::id::SlaPolicyId;

text_enum!(/// What is done about a lead that nobody has tried to reach, in the order in which it is done.
SlaStep {
    /// Its owner is warned.
    WarnOwner = "WARN_OWNER",
    /// The lead of its team is told.
    TellLead = "TELL_LEAD",
    /// Its owner loses it, and it is handed on.
    TakeBack = "TAKE_BACK",
});

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
    /// Business minutes from received to the first attempt. Whoever comes later has missed it.
    pub first_attempt_mins: i64,
    /// Business minutes in which the first attempt is aimed at, not more than the above; none means the same.
    pub target_mins: Option<i64>,
    /// Business minutes from received until the owner is warned that nobody has tried; none means never.
    pub warn_owner_mins: Option<i64>,
    /// Business minutes until the lead of the team is told; none means never.
    pub tell_lead_mins: Option<i64>,
    /// Business minutes until the owner loses the lead; none means never.
    pub take_back_mins: Option<i64>,
    /// How many attempts are wanted.
    pub attempts_wanted: i32,
    /// Business minutes between attempts.
    pub spacing_mins: i64,
    /// Minutes before the due time at which the assignee is reminded.
    pub remind_before_mins: i64,
    /// When a version was published that has it no more. It stays, because leads point at it.
    pub retired_at: Option<DateTime<Utc>>,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
