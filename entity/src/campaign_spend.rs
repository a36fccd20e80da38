//! What a campaign cost on a day.

use chrono::NaiveDate;
use sea_orm::entity::prelude::*;

use crate::id::CampaignId;

/// What a campaign cost on a day.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "campaign_spend")]
pub struct Model {
    /// The campaign.
    #[sea_orm(primary_key, auto_increment = false)]
    pub campaign_id: CampaignId,
    /// The day, in the hospital's own reckoning.
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: NaiveDate,
    /// Spend in minor units of the campaign's currency.
    pub amount_minor: i64,
}

impl ActiveModelBehavior for ActiveModel {}
