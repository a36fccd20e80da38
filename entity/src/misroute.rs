//! A lead that went to the wrong team, as whoever moved it on says.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::enums::ActorKind;
use crate::id::{LeadId, MisrouteId, RoutingRuleId, TeamId};

text_enum!(/// Why a team was the wrong one.
MisrouteReason {
    /// Another service is asked for than was thought.
    WrongServiceLine = "WRONG_SERVICE_LINE",
    /// It is served at another facility.
    WrongFacility = "WRONG_FACILITY",
    /// Nobody of the team speaks the person's language.
    WrongLanguage = "WRONG_LANGUAGE",
    /// Another type of lead than was thought, for example a referral.
    WrongLeadType = "WRONG_LEAD_TYPE",
    /// The team cannot take it in time.
    NoCapacity = "NO_CAPACITY",
    /// Another reason, told in the note.
    Other = "OTHER",
});

/// A lead that went to the wrong team, as whoever moved it on says.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "misroute")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MisrouteId,
    /// The lead.
    pub lead_id: LeadId,
    /// The rule that had sent the lead when it came in; none for the catch-all.
    pub rule_id: Option<RoutingRuleId>,
    /// The rule's name, as it was then.
    pub rule: String,
    /// Number of the version of the rules that had sent it; 0 for leads of before there were versions.
    pub rule_version: i32,
    /// Whether the rule had sent it to the team that it was taken from. Once a lead: later moves correct people.
    pub by_rule: bool,
    /// The team that it was taken from.
    pub from_team_id: TeamId,
    /// The team that it was given to.
    pub to_team_id: TeamId,
    /// Why.
    pub reason: MisrouteReason,
    /// What is to be said about it.
    pub note: Option<String>,
    /// Who moved it.
    pub actor_kind: ActorKind,
    /// The id of who moved it.
    pub actor_id: Option<Uuid>,
    /// When.
    pub at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
