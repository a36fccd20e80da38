//! Sends leads to a team.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::condition::Condition;
use crate::id::{FacilityId, RoutingRuleId, StaffId, TeamId};

/// Sends leads to a team.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "routing_rule")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RoutingRuleId,
    /// The name that people read.
    pub name: String,
    /// Rules are tried in this order; the first that holds counts.
    pub position: i32,
    /// When it holds.
    #[sea_orm(column_type = "JsonBinary")]
    pub condition: Condition,
    /// Where the lead goes.
    pub team_id: TeamId,
    /// The facility that serves it.
    pub facility_id: Option<FacilityId>,
    /// A named person; none means the member of the team with the least open work.
    pub owner_id: Option<StaffId>,
    /// Whether the lead goes first.
    pub urgent: bool,
    /// Whether it is tried.
    pub active: bool,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
