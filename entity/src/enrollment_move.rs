//! A move of running enrollments from one version of a sequence to another.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::enums::ActorKind;
use crate::id::{EnrollmentMoveId, SequenceId, SequenceVersionId};

text_enum!(/// Where a move stands.
EnrollmentMoveState {
    /// Enrollments are being moved.
    Running = "RUNNING",
    /// All that could be moved is moved.
    Done = "DONE",
});

/// Where enrollments at a step go: keys of the old version's steps with keys of the new version's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct StepMap(pub BTreeMap<String, String>);

/// A move of running enrollments from one version of a sequence to another.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "enrollment_move")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EnrollmentMoveId,
    /// The sequence.
    pub sequence_id: SequenceId,
    /// The version that they leave.
    pub from_version_id: SequenceVersionId,
    /// The version that they go to.
    pub to_version_id: SequenceVersionId,
    /// Where each step leads, complete: what is not in it stays.
    #[sea_orm(column_type = "JsonBinary")]
    pub step_map: StepMap,
    /// Where it stands.
    pub state: EnrollmentMoveState,
    /// Enrollments moved so far.
    pub moved: i64,
    /// When to go on with it.
    pub due_at: DateTime<Utc>,
    /// Who asked for it.
    pub actor_kind: ActorKind,
    /// The id of who asked for it.
    pub actor_id: Option<Uuid>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it was done.
    pub finished_at: Option<DateTime<Utc>>,
}

impl ActiveModelBehavior for ActiveModel {}
