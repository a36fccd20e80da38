//! A piece of a campaign that can be answered.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{CampaignId, PlacementId};

text_enum!(/// Kinds of placements.
PlacementKind {
    /// A group of ads.
    AdGroup = "AD_GROUP",
    /// A search keyword.
    Keyword = "KEYWORD",
    /// A landing page.
    Page = "PAGE",
    /// An event or screening day.
    Event = "EVENT",
    /// A piece of paper mail.
    MailPiece = "MAIL_PIECE",
    /// A newsletter.
    Newsletter = "NEWSLETTER",
    /// A visit, lunch or guide for referring practices.
    Outreach = "OUTREACH",
});

/// A piece of a campaign that can be answered.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "placement")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PlacementId,
    /// The campaign.
    pub campaign_id: CampaignId,
    /// The name that people read.
    pub name: String,
    /// What it is.
    pub kind: PlacementKind,
    /// Code by which answers name it.
    #[sea_orm(unique)]
    pub source_code: Option<String>,
    /// Path of the page it leads to.
    pub landing_page: Option<String>,
    /// Its own phone number, E.164.
    #[sea_orm(unique)]
    pub tracking_number: Option<String>,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
