//! An ideal lead profile: what the leads of a channel or campaign have that are hoped for.

use chrono::{DateTime, Utc};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::enums::Channel;
use crate::id::{CampaignId, LeadProfileId};

/// One thing that is hoped for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Criterion {
    /// Its name within the profile.
    pub key: String,
    /// What people read.
    pub text: String,
    /// When it is met.
    pub when: Condition,
    /// How much it counts beside the others, 1 to 100.
    pub weight: i32,
}

/// The criteria of a profile, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Criteria(pub Vec<Criterion>);

/// An ideal lead profile. One of a campaign comes before one of a channel, and that before one that names neither.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lead_profile")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LeadProfileId,
    /// What setup documents call it.
    #[sea_orm(unique)]
    pub key: String,
    /// The name that people read.
    pub name: String,
    /// The channel whose leads it is for.
    pub channel: Option<Channel>,
    /// The campaign whose leads it is for.
    pub campaign_id: Option<CampaignId>,
    /// What is hoped for.
    #[sea_orm(column_type = "JsonBinary")]
    pub criteria: Criteria,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
