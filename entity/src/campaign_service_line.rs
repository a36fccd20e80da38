//! Which service lines a campaign promotes.

use sea_orm::entity::prelude::*;

use crate::id::{CampaignId, ServiceLineId};

/// Which service lines a campaign promotes.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "campaign_service_line")]
pub struct Model {
    /// The campaign.
    #[sea_orm(primary_key, auto_increment = false)]
    pub campaign_id: CampaignId,
    /// The service line.
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_line_id: ServiceLineId,
}

impl ActiveModelBehavior for ActiveModel {}
