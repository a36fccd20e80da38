//! Planned work with a channel, service lines, budget, dates, a code and a goal.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::entity::prelude::*;

use crate::enums::Channel;
use crate::id::CampaignId;

text_enum!(/// Where a campaign stands.
CampaignState {
    /// Being planned.
    Draft = "DRAFT",
    /// Running.
    Live = "LIVE",
    /// Held: its mails wait.
    Paused = "PAUSED",
    /// Over.
    Ended = "ENDED",
});

/// Planned work with a channel, service lines, budget, dates, a code and a goal.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "campaign")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CampaignId,
    /// Code in links and lists, for example `sleep-study-fall`.
    #[sea_orm(unique)]
    pub code: String,
    /// The name that people read.
    pub name: String,
    /// Where it runs.
    pub channel: Channel,
    /// Where it stands.
    pub state: CampaignState,
    /// What it is for, in words.
    pub goal: Option<String>,
    /// First day.
    pub starts_on: Option<NaiveDate>,
    /// Last day.
    pub ends_on: Option<NaiveDate>,
    /// Budget in minor units of the currency.
    pub budget_minor: Option<i64>,
    /// ISO 4217 code.
    pub currency: String,
    /// Whether its mails ask people to come who would not have: such marketing waits for capacity.
    pub demand_making: bool,
    /// Rises with every change, for optimistic concurrency.
    pub version: i64,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
