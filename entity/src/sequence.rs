//! A plan of mails, follow-ups, waits and branches.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::enums::Purpose;
use crate::id::{CampaignId, SequenceId, SequenceVersionId};

text_enum!(/// Where a sequence stands.
SequenceState {
    /// Being written; enrolls nobody.
    Draft = "DRAFT",
    /// Enrolls and runs.
    Published = "PUBLISHED",
    /// Holds everything where it is.
    Paused = "PAUSED",
});

/// A plan of mails, follow-ups, waits and branches.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sequence")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SequenceId,
    /// The name that people read.
    #[sea_orm(unique)]
    pub name: String,
    /// Where it stands.
    pub state: SequenceState,
    /// What its mails are for.
    pub purpose: Purpose,
    /// The campaign whose pause holds it too.
    pub campaign_id: Option<CampaignId>,
    /// The version that new enrollments take.
    pub current_version_id: Option<SequenceVersionId>,
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
