//! A campaign or sequence whose demand-making mail waits, because the teams could not serve those who answer.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{CampaignId, OutreachHoldId, SequenceId};

/// A campaign or sequence whose demand-making mail waits, because the teams could not serve those who answer.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outreach_hold")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OutreachHoldId,
    /// The campaign that is held; none if a sequence is. Unique.
    pub campaign_id: Option<CampaignId>,
    /// The sequence that is held; none if a campaign is. Unique.
    pub sequence_id: Option<SequenceId>,
    /// When it ends by itself; none means when somebody releases it.
    pub until: Option<DateTime<Utc>>,
    /// Why, in words. No personal data.
    pub reason: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
