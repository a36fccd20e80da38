//! Sends leads to a team.

use chrono::{DateTime, Utc};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::enums::EligibilityFlag;
use crate::id::{FacilityId, RoutingRuleId, StaffId, TeamId};

text_enum!(/// How the person of a team is chosen. Whoever is away or has enough is passed over, however it is.
PersonStrategy {
    /// The person whom the rule names; if that person cannot take it, whoever has the least open work.
    Named = "NAMED",
    /// Whoever has the least open work.
    LeastOpenWork = "LEAST_OPEN_WORK",
    /// One after the other: whoever was given a lead by the rule the longest ago.
    RoundRobin = "ROUND_ROBIN",
    /// Of those who speak the person's language and know the service line, whoever has the least open work.
    SkillMatch = "SKILL_MATCH",
});

/// Flags that a rule adds to a lead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct AddedFlags(pub Vec<EligibilityFlag>);

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
    /// How the person is chosen.
    pub strategy: PersonStrategy,
    /// The person, for a rule that names one.
    pub owner_id: Option<StaffId>,
    /// Flags that it adds.
    #[sea_orm(column_type = "JsonBinary")]
    pub flags: AddedFlags,
    /// Whether the lead goes first.
    pub urgent: bool,
    /// Whether it is tried.
    pub active: bool,
    /// When a version was published that has it no more. It stays, because leads point at it.
    pub retired_at: Option<DateTime<Utc>>,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
