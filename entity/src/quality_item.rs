//! One piece of work in a sample.

use sea_orm::entity::prelude::*;

use crate::id::{AttemptId, LeadId, QualityItemId, QualitySampleId};

/// One piece of work in a sample.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "quality_item")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: QualityItemId,
    /// The sample.
    pub sample_id: QualitySampleId,
    /// The place in the order of the draw, from 1.
    pub place: i32,
    /// The lead.
    pub lead_id: LeadId,
    /// The attempt; none when something else of the lead is judged.
    pub attempt_id: Option<AttemptId>,
    /// Whether two people review it, and not one.
    pub twice: bool,
}

impl Model {
    /// By how many people it is reviewed.
    pub const fn reviews_wanted(&self) -> usize {
        if self.twice { 2 } else { 1 }
    }
}

impl ActiveModelBehavior for ActiveModel {}
