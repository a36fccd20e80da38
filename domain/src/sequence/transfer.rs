//! Moving running enrollments to the sequence's current version, looked at beforehand.
//!
//! An enrollment stays on its version unless somebody moves it. A move says for each step where those who stand at it go;
//! a step that is in both versions under one key leads to itself. It works in batches, any number of workers may go on with
//! it, and doing it twice moves nobody twice: whoever was moved no longer stands on the old version.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::enrollment::{self, EnrollmentState};
use entity::enrollment_move::{self, EnrollmentMoveState, Model, StepMap};
use entity::id::{EnrollmentId, EnrollmentMoveId, SequenceId};
use entity::sequence_version::{self, Step, Steps};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};

use super::find;
use super::publish::hold;
use crate::db::{self, BATCH_MAX};
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::lead::find as leads;
use crate::nudge::Subject;
use crate::viewer::Viewer;

#[cfg(test)]
mod tests;

/// How long a move rests when all that is left is held by somebody else.
pub const REST: TimeDelta = TimeDelta::seconds(1);
/// Enrollments that a preview names for each step.
pub const SAMPLES_MAX: u64 = 5;

/// A move that is wanted.
#[derive(Clone, Debug)]
pub struct MoveEnrollments {
    /// The sequence.
    pub sequence_id: SequenceId,
    /// Number of the version that they leave.
    pub from_version: i32,
    /// Number of the version that they go to: the current one.
    pub to_version: i32,
    /// Where steps lead that do not lead to the step of the same key.
    pub step_map: BTreeMap<String, String>,
}

/// Why those who stand at a step cannot be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The new version has no step of this key, and the map names none.
    NoTarget,
    /// The map names a step that the new version has not.
    UnknownTarget,
}

/// How a place on a step is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeOver {
    /// The step says the same: a wait that has begun goes on.
    GoesOn,
    /// The step is another, or says something else: it begins.
    Begins,
}

/// Where those who stand at a step would go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepMove {
    /// The step that they stand at.
    pub step_key: String,
    /// How many stand there.
    pub count: u64,
    /// Where they would go and how, or why they cannot.
    pub target: Result<(String, TakeOver), Obstacle>,
    /// Some of them that the viewer may see, those who have been in it longest first.
    pub samples: Vec<enrollment::Model>,
}

/// What a move would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Each step at which somebody stands, in the order of the old version.
    pub steps: Vec<StepMove>,
}

impl Preview {
    /// How many would be moved.
    #[must_use]
    pub fn movable(&self) -> u64 {
        let movable = self.steps.iter().filter(|step| step.target.is_ok());
        movable.map(|step| step.count).sum()
    }

    /// How many would stay.
    #[must_use]
    pub fn staying(&self) -> u64 {
        let staying = self.steps.iter().filter(|step| step.target.is_err());
        staying.map(|step| step.count).sum()
    }
}

/// Where a step leads.
///
/// # Errors
/// Why those who stand at it cannot be moved.
pub fn target(
    step_key: &str,
    from: &Steps,
    to: &Steps,
    map: &BTreeMap<String, String>,
) -> Result<(String, TakeOver), Obstacle> {
    let step =
        |steps: &Steps, key: &str| -> Option<Step> { steps.0.iter().find(|step| step.key == key).cloned() };
    let mapped = map.get(step_key);
    let wanted = mapped.map_or(step_key, String::as_str);
    let Some(new) = step(to, wanted) else {
        return Err(if mapped.is_some() {
            Obstacle::UnknownTarget
        } else {
            Obstacle::NoTarget
        });
    };
    let same = step(from, step_key).is_some_and(|old| old.key == new.key && says_the_same(&old, &new));
    let how = if same { TakeOver::GoesOn } else { TakeOver::Begins };
    Ok((new.key, how))
}

/// Whether a wait that began on the old step is one on the new step. Where the ways of the step lead does not matter:
/// they are taken afterwards.
fn says_the_same(old: &Step, new: &Step) -> bool {
    use sequence_version::Action::WaitFor;
    match (&old.action, &new.action) {
        (
            WaitFor {
                event,
                stage,
                outcome,
                timeout_secs,
                ..
            },
            WaitFor {
                event: new_event,
                stage: new_stage,
                outcome: new_outcome,
                timeout_secs: new_timeout_secs,
                ..
            },
        ) => (event, stage, outcome, timeout_secs) == (new_event, new_stage, new_outcome, new_timeout_secs),
        (old, new) => old == new,
    }
}

/// Says what a move would do. Nothing is written.
///
/// # Errors
/// [`Error::Missing`] when the viewer may not see the sequence; [`Error::Refused`] when a version is not one of its, or the
/// move does not lead to its current one.
pub async fn preview(h: &Hospital, viewer: &Viewer, input: &MoveEnrollments) -> Result<Preview> {
    let (from, to) = versions(&h.db, viewer, input).await?;
    let counts = counts(&h.db, &from).await?;
    let mut steps = Vec::with_capacity(counts.len());
    // At most as many steps as a version has.
    for (step_key, count) in counts {
        let visible = leads::visible_to(viewer)
            .select_only()
            .column(entity::lead::Column::Id);
        let samples = standing(&from)
            .filter(enrollment::Column::StepKey.eq(&step_key))
            .filter(enrollment::Column::LeadId.in_subquery(sea_orm::QueryTrait::into_query(visible)))
            .order_by_asc(enrollment::Column::Id)
            .limit(SAMPLES_MAX)
            .all(&h.db)
            .await?;
        steps.push(StepMove {
            target: target(&step_key, &from.steps, &to.steps, &input.step_map),
            step_key,
            count,
            samples,
        });
    }
    let place = |key: &str| from.steps.0.iter().position(|step| step.key == key);
    steps.sort_by_key(|step| place(&step.step_key));
    Ok(Preview { steps })
}

/// Begins a move and does its first batch; sweeps go on with it. When the same move runs already, that one is answered.
///
/// # Errors
/// As for [`preview`]; also [`Error::Refused`] when the map names a step that a version has not, or another move leaves
/// this version.
pub async fn begin(h: &Hospital, viewer: &Viewer, input: MoveEnrollments) -> Result<Done<Model>> {
    let tx = db::begin_write(&h.db).await?;
    // Held, so that no version is published and no other move begins meanwhile.
    hold(&tx, viewer, input.sequence_id).await?;
    let now = h.now();
    let (from, to) = versions(&tx, viewer, &input).await?;
    let refusals = check_map(&from, &to, &input.step_map);
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let map: BTreeMap<String, String> = from
        .steps
        .0
        .iter()
        .filter_map(|step| {
            Some((
                step.key.clone(),
                target(&step.key, &from.steps, &to.steps, &input.step_map).ok()?.0,
            ))
        })
        .collect();
    let map = StepMap(map);
    let running = enrollment_move::Entity::find()
        .filter(enrollment_move::Column::FromVersionId.eq(from.id))
        .filter(enrollment_move::Column::State.eq(EnrollmentMoveState::Running))
        .one(&tx)
        .await?;
    let row = match running {
        Some(row) if row.to_version_id == to.id && row.step_map == map => row,
        Some(_) => {
            let message = "Another move leaves this version; wait until it is done.";
            return Err(Error::refused(Code::NotAllowedNow, "fromVersion", message));
        }
        None => {
            let actor = viewer.actor();
            let row = enrollment_move::ActiveModel {
                id: Set(new_id::<EnrollmentMoveId>(now)),
                sequence_id: Set(input.sequence_id),
                from_version_id: Set(from.id),
                to_version_id: Set(to.id),
                step_map: Set(map),
                state: Set(EnrollmentMoveState::Running),
                moved: Set(0),
                due_at: Set(now),
                actor_kind: Set(actor.kind),
                actor_id: Set(actor.id),
                created_at: Set(now),
                finished_at: Set(None),
            };
            row.insert(&tx).await?
        }
    };
    let row = batch(&tx, row, &from, &to, now).await?;
    tx.commit().await?;
    Ok(Done {
        value: row,
        signals: Vec::new(),
        nudges: vec![Subject::Enrollments],
    })
}

/// Goes on with one move that is due. Answers how many enrollments it moved, and nothing when none is due; call it again
/// while it moves some.
///
/// # Errors
/// When the database fails.
pub async fn go_on(h: &Hospital) -> Result<Done<usize>> {
    let tx = db::begin_write(&h.db).await?;
    let now = h.now();
    let due = enrollment_move::Entity::find()
        .filter(enrollment_move::Column::State.eq(EnrollmentMoveState::Running))
        .filter(enrollment_move::Column::DueAt.lte(now))
        .order_by_asc(enrollment_move::Column::DueAt)
        .order_by_asc(enrollment_move::Column::Id)
        // SQLite has one writer at a time and leaves this out.
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .one(&tx)
        .await?;
    let Some(row) = due else {
        return Ok(Done::quiet(0));
    };
    let ids = [row.from_version_id, row.to_version_id];
    let versions = sequence_version::Entity::find()
        .filter(sequence_version::Column::Id.is_in(ids))
        .all(&tx)
        .await?;
    let of = |id| versions.iter().find(|version| version.id == id);
    let (Some(from), Some(to)) = (of(row.from_version_id), of(row.to_version_id)) else {
        return Err(Error::fault("a move of enrollments names a version that is gone"));
    };
    let before = row.moved;
    let row = batch(&tx, row, from, to, now).await?;
    tx.commit().await?;
    let moved = usize::try_from(row.moved - before).unwrap_or(0);
    let nudges = if moved > 0 {
        vec![Subject::Enrollments]
    } else {
        Vec::new()
    };
    Ok(Done {
        value: moved,
        signals: Vec::new(),
        nudges,
    })
}

/// One move.
///
/// # Errors
/// [`Error::Missing`] when there is none or the viewer may not see its sequence.
pub async fn by_id(conn: &impl ConnectionTrait, viewer: &Viewer, id: EnrollmentMoveId) -> Result<Model> {
    const MISSING: Error = Error::Missing { noun: "move" };
    let row = enrollment_move::Entity::find_by_id(id).one(conn).await?;
    row.filter(|_| viewer.role().is_some()).ok_or(MISSING)
}

/// How many still stand where the move would take them from.
///
/// # Errors
/// When the database fails.
pub async fn remaining(conn: &impl ConnectionTrait, row: &Model) -> Result<u64> {
    use sea_orm::PaginatorTrait;
    let waiting = movable(row).count(conn).await?;
    Ok(waiting)
}

/// Moves a batch of those who can be moved and nobody else holds.
async fn batch(
    tx: &DatabaseTransaction,
    row: Model,
    from: &sequence_version::Model,
    to: &sequence_version::Model,
    now: DateTime<Utc>,
) -> Result<Model> {
    let mut moved = 0;
    let taken: Vec<(EnrollmentId, String)> = movable(&row)
        .select_only()
        .columns([enrollment::Column::Id, enrollment::Column::StepKey])
        .order_by_asc(enrollment::Column::Id)
        .limit(BATCH_MAX as u64)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_tuple()
        .all(tx)
        .await?;
    let full = taken.len() == BATCH_MAX;
    let mut by_step: BTreeMap<String, Vec<EnrollmentId>> = BTreeMap::new();
    for (id, step_key) in taken {
        by_step.entry(step_key).or_default().push(id);
    }
    // At most one statement for each step of the version.
    for (step_key, ids) in by_step {
        let Ok((key, how)) = target(&step_key, &from.steps, &to.steps, &row.step_map.0) else {
            continue;
        };
        moved += ids.len();
        place(tx, to, key, how, ids, now).await?;
    }
    let left = !full && remaining(tx, &row).await? == 0;
    let total = row.moved + i64::try_from(moved).unwrap_or(0);
    let mut changed = row.into_active_model();
    changed.moved = Set(total);
    if left {
        changed.state = Set(EnrollmentMoveState::Done);
        changed.finished_at = Set(Some(now));
    } else if !full {
        changed.due_at = Set(now + REST);
    }
    Ok(changed.update(tx).await?)
}

async fn place(
    tx: &DatabaseTransaction,
    to: &sequence_version::Model,
    key: String,
    how: TakeOver,
    ids: Vec<EnrollmentId>,
    now: DateTime<Utc>,
) -> Result<()> {
    use enrollment::Column;
    let mut update = enrollment::Entity::update_many()
        .col_expr(Column::SequenceVersionId, Expr::value(to.id))
        .col_expr(Column::StepKey, Expr::value(key))
        .col_expr(Column::UpdatedAt, Expr::value(now));
    if how == TakeOver::Begins {
        update = update
            .col_expr(Column::EnteredStep, Expr::value(false))
            .col_expr(Column::Happened, Expr::value(false))
            .col_expr(Column::FaultCount, Expr::value(0))
            .col_expr(Column::DueAt, Expr::value(now));
    }
    update.filter(Column::Id.is_in(ids)).exec(tx).await?;
    Ok(())
}

fn standing(version: &sequence_version::Model) -> sea_orm::Select<enrollment::Entity> {
    enrollment::Entity::find()
        .filter(enrollment::Column::SequenceVersionId.eq(version.id))
        .filter(enrollment::Column::State.eq(EnrollmentState::Active))
}

fn movable(row: &Model) -> sea_orm::Select<enrollment::Entity> {
    enrollment::Entity::find()
        .filter(enrollment::Column::SequenceVersionId.eq(row.from_version_id))
        .filter(enrollment::Column::State.eq(EnrollmentState::Active))
        .filter(enrollment::Column::StepKey.is_in(row.step_map.0.keys().cloned()))
}

async fn counts(conn: &impl ConnectionTrait, from: &sequence_version::Model) -> Result<Vec<(String, u64)>> {
    let counts: Vec<(String, i64)> = standing(from)
        .select_only()
        .column(enrollment::Column::StepKey)
        .column_as(enrollment::Column::Id.count(), "standing")
        .group_by(enrollment::Column::StepKey)
        .into_tuple()
        .all(conn)
        .await?;
    let counts = counts.into_iter();
    Ok(counts
        .map(|(key, count)| (key, u64::try_from(count).unwrap_or(0)))
        .collect())
}

/// The two versions of a move.
async fn versions(
    conn: &impl ConnectionTrait,
    viewer: &Viewer,
    input: &MoveEnrollments,
) -> Result<(sequence_version::Model, sequence_version::Model)> {
    let sequence = find::by_id(conn, viewer, input.sequence_id).await?;
    let mut found = sequence_version::Entity::find()
        .filter(sequence_version::Column::SequenceId.eq(sequence.id))
        .filter(sequence_version::Column::Number.is_in([input.from_version, input.to_version]))
        .filter(sequence_version::Column::PublishedAt.is_not_null())
        .all(conn)
        .await?;
    let mut take = |number: i32, field| {
        let place = found.iter().position(|version| version.number == number);
        place.map(|place| found.swap_remove(place)).ok_or_else(|| {
            Error::refused(
                Code::NotFound,
                field,
                "The sequence has published no such version.",
            )
        })
    };
    if input.from_version == input.to_version {
        let message = "Name two versions.";
        return Err(Error::refused(Code::Invalid, "toVersion", message));
    }
    let (from, to) = (
        take(input.from_version, "fromVersion")?,
        take(input.to_version, "toVersion")?,
    );
    if sequence.current_version_id != Some(to.id) {
        let message = "Enrollments are moved to the current version only.";
        return Err(Error::refused(Code::NotAllowedNow, "toVersion", message));
    }
    Ok((from, to))
}

/// What is wrong with a map: a step that one of the versions has not.
fn check_map(
    from: &sequence_version::Model,
    to: &sequence_version::Model,
    map: &BTreeMap<String, String>,
) -> Vec<Refusal> {
    let has =
        |version: &sequence_version::Model, key: &str| version.steps.0.iter().any(|step| step.key == key);
    let mut refusals = Vec::new();
    for (place, (old, new)) in map.iter().enumerate() {
        for (part, version, key) in [("from", from, old), ("to", to, new)] {
            if !has(version, key) {
                let path = format!("stepMap.{place}.{part}");
                refusals.push(Refusal::new(
                    Code::NotFound,
                    &path,
                    "The version has no step with this key.",
                ));
            }
        }
    }
    refusals
}
