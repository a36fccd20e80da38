//! A hold that ended: the messages that it held are still to be looked at again.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{CampaignId, MessageId, OutreachReleaseId, SequenceId};

/// A hold that ended: the messages that it held are still to be looked at again. Deleted when all of them are due.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outreach_release")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OutreachReleaseId,
    /// Messages of this campaign.
    pub campaign_id: Option<CampaignId>,
    /// Messages of this sequence. Without either it is about all messages.
    pub sequence_id: Option<SequenceId>,
    /// Up to which message they have been looked through.
    pub after_id: Option<MessageId>,
    /// When the hold ended.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
