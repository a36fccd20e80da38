//! A version of the rules of one kind: being written, counting, or of the past.

use chrono::{DateTime, Utc};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::enums::{ActorKind, EligibilityFlag};
use crate::id::{FacilityId, RoutingRuleId, RuleSetId, ScoringRuleId, SlaPolicyId, StaffId, TeamId};
use crate::routing_rule::PersonStrategy;

text_enum!(/// Which rules a version holds.
RuleKind {
    /// Which team and person serve a lead.
    Routing = "ROUTING",
    /// What gives points to a lead.
    Scoring = "SCORING",
    /// How fast a lead is answered.
    Sla = "SLA",
});

text_enum!(/// Where a version of rules stands.
RuleSetState {
    /// Being written; decides nothing.
    Draft = "DRAFT",
    /// Decides about every lead that comes in. One version of a kind at a time.
    Published = "PUBLISHED",
    /// Was published, or was a draft that nobody wants any more.
    Retired = "RETIRED",
});

/// A rule that sends leads to a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoutingRule {
    /// The id, which a rule keeps through all versions.
    pub id: RoutingRuleId,
    /// The name that people read.
    pub name: String,
    /// When it holds.
    pub when: Condition,
    /// Where the lead goes.
    pub team_id: TeamId,
    /// The facility that serves it.
    pub facility_id: Option<FacilityId>,
    /// The person, for a rule that names one.
    pub owner_id: Option<StaffId>,
    /// How the person is chosen.
    pub strategy: PersonStrategy,
    /// Flags that it adds.
    pub flags: Vec<EligibilityFlag>,
    /// Whether the lead goes first.
    pub urgent: bool,
    /// Whether it is tried.
    pub active: bool,
}

/// A rule that gives points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScoringRule {
    /// The id, which a rule keeps through all versions.
    pub id: ScoringRuleId,
    /// The name in a score's reasons.
    pub name: String,
    /// When it holds.
    pub when: Condition,
    /// Points, negative to take some.
    pub points: i32,
    /// The explanation in a score's reasons.
    pub text: String,
    /// Whether it counts.
    pub active: bool,
}

/// A policy that says how fast leads are answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlaRule {
    /// The id, which a policy keeps through all versions.
    pub id: SlaPolicyId,
    /// The name that people read.
    pub name: String,
    /// When it holds.
    pub when: Condition,
    /// Business minutes to the first attempt.
    pub first_attempt_mins: i64,
    /// Business minutes in which the first attempt is aimed at.
    pub target_mins: Option<i64>,
    /// Business minutes until the owner is warned.
    pub warn_owner_mins: Option<i64>,
    /// Business minutes until the lead of the team is told.
    pub tell_lead_mins: Option<i64>,
    /// Business minutes until the owner loses the lead.
    pub take_back_mins: Option<i64>,
    /// How many attempts are wanted.
    pub attempts_wanted: i32,
    /// Business minutes between attempts.
    pub spacing_mins: i64,
    /// Minutes before the due time at which the assignee is reminded.
    pub remind_before_mins: i64,
}

/// The rules of a version, in the order in which they are tried; only the list of its kind has entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase", default)]
pub struct Rules {
    /// Rules that send leads to teams.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routing: Vec<RoutingRule>,
    /// Rules that give points.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scoring: Vec<ScoringRule>,
    /// Policies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sla: Vec<SlaRule>,
}

/// A version of the rules of one kind.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rule_set")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RuleSetId,
    /// Which rules it holds.
    pub kind: RuleKind,
    /// 1 for the first of its kind, then one more for each.
    pub number: i32,
    /// Where it stands.
    pub state: RuleSetState,
    /// The rules.
    #[sea_orm(column_type = "JsonBinary")]
    pub rules: Rules,
    /// Number of the version that was published when it was last written; none if there was none.
    pub based_on: Option<i32>,
    /// What people say about it.
    pub note: Option<String>,
    /// Who made it.
    pub created_by_kind: ActorKind,
    /// The id of who made it.
    pub created_by_id: Option<Uuid>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Who published it.
    pub published_by_kind: Option<ActorKind>,
    /// The id of who published it.
    pub published_by_id: Option<Uuid>,
    /// When it was published.
    pub published_at: Option<DateTime<Utc>>,
    /// When another version took its place, or the draft was discarded.
    pub retired_at: Option<DateTime<Utc>>,
    /// Rises with every change, for optimistic concurrency.
    pub version: i64,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
