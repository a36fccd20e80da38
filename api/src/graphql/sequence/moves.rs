//! Moves of running enrollments to another version: what one would do, and how far one has come.

use std::collections::BTreeMap;

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use domain::error::Error as DomainError;
use domain::sequence::transfer::{self, MoveEnrollments, Preview, StepMove};
use entity::enrollment_move;
use entity::id::{EnrollmentMoveId, SequenceId};

use super::{Enrollment, Sequence, SequenceVersion, sequence, version};
use crate::graphql::ask::Ask;
use crate::graphql::errors::{Told, UserError, user_errors};
use crate::graphql::id::{self, id};
use crate::graphql::scalars::DateTime;
use crate::graphql::vocabulary::{EnrollmentMoveState, MoveObstacle, TakeOver};

/// Where those who stand at a step of the old version go.
#[derive(InputObject)]
pub struct StepMapInput {
    /// Key of the step in the old version.
    from: String,
    /// Key of the step in the new version.
    to: String,
}

/// The map of an input; of two entries for one step the last counts.
pub fn step_map(entries: Vec<StepMapInput>) -> BTreeMap<String, String> {
    entries.into_iter().map(|entry| (entry.from, entry.to)).collect()
}

/// What a move would do.
#[derive(SimpleObject)]
pub struct MovePreview {
    /// How many would be moved.
    movable: u64,
    /// How many would stay.
    staying: u64,
    /// Each step at which somebody stands, in the order of the old version.
    steps: Vec<MoveOfStep>,
}

/// Where those who stand at a step would go.
#[derive(SimpleObject)]
pub struct MoveOfStep {
    /// Key of the step that they stand at.
    step_key: String,
    /// How many stand there.
    count: u64,
    /// Key of the step that they would go to; null when they would stay.
    target_key: Option<String>,
    /// How their place is taken over; null when they would stay.
    how: Option<TakeOver>,
    /// Why they would stay; null when they would not.
    obstacle: Option<MoveObstacle>,
    /// Up to five of them that you may see, those who have been in the sequence longest first.
    samples: Vec<Enrollment>,
}

impl From<StepMove> for MoveOfStep {
    fn from(step: StepMove) -> Self {
        let (target_key, how, obstacle) = match step.target {
            Ok((key, how)) => (Some(key), Some(how.into()), None),
            Err(obstacle) => (None, None, Some(obstacle.into())),
        };
        Self {
            step_key: step.step_key,
            count: step.count,
            target_key,
            how,
            obstacle,
            samples: step.samples.into_iter().map(Enrollment).collect(),
        }
    }
}

impl From<Preview> for MovePreview {
    fn from(preview: Preview) -> Self {
        Self {
            movable: preview.movable(),
            staying: preview.staying(),
            steps: preview.steps.into_iter().map(Into::into).collect(),
        }
    }
}

/// What came of asking what a move would do.
#[derive(SimpleObject)]
pub struct MovePreviewPayload {
    /// What it would do.
    preview: Option<MovePreview>,
    /// Why it cannot be said; empty when it can.
    user_errors: Vec<UserError>,
}

/// A move of running enrollments to another version.
pub struct SequenceMove(pub enrollment_move::Model);

/// A move of running enrollments to another version. It goes on by itself until all that can be moved is moved.
#[Object]
impl SequenceMove {
    /// The id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The sequence.
    async fn sequence(&self, ctx: &Context<'_>) -> Result<Option<Sequence>, Error> {
        sequence(Ask::of(ctx), Some(self.0.sequence_id)).await
    }

    /// The version that they leave.
    #[graphql(name = "fromVersion")]
    async fn old_version(&self, ctx: &Context<'_>) -> Result<Option<SequenceVersion>, Error> {
        version(Ask::of(ctx), Some(self.0.from_version_id)).await
    }

    /// The version that they go to.
    async fn to_version(&self, ctx: &Context<'_>) -> Result<Option<SequenceVersion>, Error> {
        version(Ask::of(ctx), Some(self.0.to_version_id)).await
    }

    /// Where it stands.
    async fn state(&self) -> EnrollmentMoveState {
        self.0.state.into()
    }

    /// Enrollments moved so far.
    async fn moved(&self) -> i64 {
        self.0.moved
    }

    /// Enrollments that are still to be moved.
    async fn remaining(&self, ctx: &Context<'_>) -> Result<u64, Error> {
        let ask = Ask::of(ctx);
        transfer::remaining(ask.db(), &self.0).await.told(ask)
    }

    /// When it was asked for.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it was done.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(Into::into)
    }
}

/// Reads of moves.
#[derive(Default)]
pub struct MoveQuery;

/// Reads of moves.
#[Object]
impl MoveQuery {
    /// What moving the running enrollments of one version to the current one would do: nothing is written.
    async fn preview_sequence_move(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sequence.")] sequence_id: ID,
        #[graphql(desc = "Number of the version that they would leave.")] from_version: i32,
        #[graphql(desc = "Number of the version that they would go to: the current one.")] to_version: i32,
        #[graphql(
            desc = "Where steps lead that do not lead to the step of the same key.",
            default
        )]
        step_map: Vec<StepMapInput>,
    ) -> Result<MovePreviewPayload, Error> {
        let ask = Ask::of(ctx);
        let input = MoveEnrollments {
            sequence_id: id::read::<SequenceId>("sequenceId", &sequence_id)?,
            from_version,
            to_version,
            step_map: self::step_map(step_map),
        };
        match transfer::preview(&ask.api.hospital, ask.viewer(), &input).await {
            Err(DomainError::Refused(refusals)) => Ok(MovePreviewPayload {
                preview: None,
                user_errors: user_errors(refusals),
            }),
            found => Ok(MovePreviewPayload {
                preview: Some(found.told(ask)?.into()),
                user_errors: Vec::new(),
            }),
        }
    }

    /// One move, to see how far it has come.
    async fn sequence_move(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The move's id.")] id: ID,
    ) -> Result<Option<SequenceMove>, Error> {
        let ask = Ask::of(ctx);
        let id = id::read::<EnrollmentMoveId>("id", &id)?;
        match transfer::by_id(ask.db(), ask.viewer(), id).await {
            Err(DomainError::Missing { .. }) => Ok(None),
            found => found.map(|row| Some(SequenceMove(row))).told(ask),
        }
    }
}
