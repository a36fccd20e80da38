//! A sample of work that was drawn to be reviewed.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::enums::ActorKind;
use crate::id::{AuditRubricId, QualitySampleId, TeamId};

/// A sample of work that was drawn to be reviewed. It is never changed: the seed says how it was drawn.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "quality_sample")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: QualitySampleId,
    /// The version of the rubric that it is reviewed by.
    pub rubric_id: AuditRubricId,
    /// What it was drawn with: the same seed draws the same from the same work.
    pub seed: i64,
    /// Work of this instant or later.
    pub from_at: DateTime<Utc>,
    /// Work of before this instant.
    pub to_at: DateTime<Utc>,
    /// The team whose leads it is about; none means all.
    pub team_id: Option<TeamId>,
    /// How many there were to draw from.
    pub population: i32,
    /// How many were drawn.
    pub size: i32,
    /// How many of these, the first drawn, are reviewed by two people.
    pub twice: i32,
    /// What kind of actor drew it.
    pub drawn_by_kind: ActorKind,
    /// Who drew it.
    pub drawn_by_id: Option<Uuid>,
    /// When it was drawn.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
