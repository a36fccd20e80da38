//! Publishing a version of a sequence. From then on it never changes.

use chrono::{DateTime, Utc};
use entity::enums::LeadStage;
use entity::id::SequenceId;
use entity::sequence::{self, Model, SequenceState};
use entity::sequence_version::{self, Exits, Steps, Trigger};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QuerySelect};

use super::{create, dates, find, steps};
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::patch::Patch;
use crate::playbook::{self, Playbook};
use crate::viewer::Viewer;

/// What a version says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// When a lead is enrolled.
    pub trigger: Trigger,
    /// The steps.
    pub steps: Steps,
    /// What ends it early.
    pub exits: Exits,
}

/// A version to be published.
#[derive(Clone, Debug)]
pub struct PublishSequence {
    /// The sequence.
    pub sequence_id: SequenceId,
    /// A new trigger; the newest version's when none is given.
    pub trigger: Option<Trigger>,
    /// New steps; the newest version's when none are given.
    pub steps: Option<Steps>,
    /// New stages that end it early; the newest version's when none are given.
    pub exit_stages: Option<Vec<LeadStage>>,
    /// A new time in seconds after which it ends.
    pub ends_after: Patch<i64>,
}

/// Publishes the newest version, or with new content the next one. New enrollments take it; running ones stay on
/// theirs. A paused sequence stays paused: only resuming ends a pause.
///
/// # Errors
/// [`Error::Missing`] when the viewer may not see it; [`Error::Refused`] with everything that is wrong with the version,
/// or when there is nothing new to publish.
pub async fn publish(h: &Hospital, viewer: &Viewer, input: PublishSequence) -> Result<Done<Model>> {
    let playbook = h.playbook().await?;
    let now = h.now();
    let tx = db::begin_write(&h.db).await?;
    let row = hold(&tx, viewer, input.sequence_id).await?;
    let version = next_version(&tx, &row, input, &playbook, now).await?;
    let state = if row.state == SequenceState::Paused {
        SequenceState::Paused
    } else {
        SequenceState::Published
    };
    let mut changed = row.clone().into_active_model();
    changed.state = Set(state);
    changed.current_version_id = Set(Some(version.id));
    changed.version = Set(row.version + 1);
    changed.updated_at = Set(now);
    let row = changed.update(&tx).await?;
    dates::of_booked(&tx, &playbook, row.id, &version.trigger, now).await?;
    playbook::changed(&tx).await?;
    tx.commit().await?;
    Ok(Done::quiet(row))
}

/// The sequence, held until the transaction ends.
pub(super) async fn hold(tx: &DatabaseTransaction, viewer: &Viewer, id: SequenceId) -> Result<Model> {
    find::by_id(tx, viewer, id).await?;
    let held = sequence::Entity::find_by_id(id).lock_exclusive().one(tx).await?;
    held.ok_or(Error::Missing { noun: "sequence" })
}

/// Writes the version that is published: the waiting draft, or the next one with new content.
async fn next_version(
    tx: &DatabaseTransaction,
    row: &Model,
    input: PublishSequence,
    playbook: &Playbook,
    now: DateTime<Utc>,
) -> Result<sequence_version::Model> {
    let newest = find::newest_version(tx, row.id).await?;
    let content = Content {
        trigger: input.trigger.unwrap_or_else(|| newest.trigger.clone()),
        steps: input.steps.unwrap_or_else(|| newest.steps.clone()),
        exits: Exits {
            stages: input.exit_stages.unwrap_or_else(|| newest.exits.stages.clone()),
            after_secs: input.ends_after.apply(newest.exits.after_secs),
        },
    };
    let same =
        content.trigger == newest.trigger && content.steps == newest.steps && content.exits == newest.exits;
    if same && newest.published_at.is_some() {
        let message = "There is nothing new to publish.";
        return Err(Error::refused(Code::NotAllowedNow, "sequenceId", message));
    }
    let forms: Vec<_> = playbook.forms.values().collect();
    let mut refusals = steps::check_trigger(&content.trigger, &forms);
    refusals.extend(steps::check(
        &content.steps,
        &content.exits,
        row.purpose,
        playbook,
    ));
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    if newest.published_at.is_some() {
        let mut next = create::version(row.id, newest.number + 1, content, now);
        next.published_at = Set(Some(now));
        return Ok(next.insert(tx).await?);
    }
    // Nobody stands on a version that was never published, so it may still take the new content.
    let mut draft = newest.into_active_model();
    draft.trigger = Set(content.trigger);
    draft.steps = Set(content.steps);
    draft.exits = Set(content.exits);
    draft.published_at = Set(Some(now));
    Ok(draft.update(tx).await?)
}
