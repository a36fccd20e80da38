//! What a person says of a piece of work in a sample.

use chrono::{DateTime, Utc};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{FollowUpId, QualityItemId, QualityReviewId, StaffId};

/// The points for one criterion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Score {
    /// The key of the criterion.
    pub criterion: String,
    /// The points.
    pub points: i32,
}

/// The points for every criterion, in the order of the rubric.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Scores(pub Vec<Score>);

/// What a person says of a piece of work in a sample.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "quality_review")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: QualityReviewId,
    /// The piece of work.
    pub item_id: QualityItemId,
    /// Who says it.
    pub reviewer_id: StaffId,
    /// The points.
    #[sea_orm(column_type = "JsonBinary")]
    pub scores: Scores,
    /// What was found, in the reviewer's words.
    pub finding: Option<String>,
    /// The work that the finding led to.
    pub follow_up_id: Option<FollowUpId>,
    /// When it was said.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
