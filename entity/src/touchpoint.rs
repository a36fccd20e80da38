//! One dated contact with marketing; the raw material of attribution.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::enums::Channel;
use crate::id::{CampaignId, ContactId, LeadId, PlacementId, TouchpointId};

text_enum!(/// Kinds of touchpoints.
TouchpointKind {
    /// A click.
    Click = "CLICK",
    /// A form answered.
    Form = "FORM",
    /// A call.
    Call = "CALL",
    /// An event attended.
    Event = "EVENT",
    /// A visit.
    Visit = "VISIT",
    /// Anything else.
    Other = "OTHER",
});

/// One dated contact with marketing; the raw material of attribution.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "touchpoint")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TouchpointId,
    /// Whose contact.
    pub contact_id: ContactId,
    /// The lead that it led to.
    pub lead_id: Option<LeadId>,
    /// What it was.
    pub kind: TouchpointKind,
    /// Where.
    pub channel: Channel,
    /// The campaign.
    pub campaign_id: Option<CampaignId>,
    /// The placement.
    pub placement_id: Option<PlacementId>,
    /// When.
    pub at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
