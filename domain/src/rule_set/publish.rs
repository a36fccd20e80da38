//! Publishing a draft. From the commit on it decides about every lead that comes in.

use entity::id::RuleSetId;
use entity::rule_set::{Model, RuleSetState};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, IntoActiveModel};

use super::follow::retire_published;
use super::{draft, find, rows};
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::playbook;
use crate::viewer::Viewer;

/// Publishes a draft: its rules count, and the version that counted until now is retired, in one transaction. Leads that
/// came in before keep what was decided about them.
///
/// # Errors
/// When it is no draft or has another version; when other rules were published since it was written, which it would undo
/// unseen; when it says what the published version says; or when the database fails.
pub async fn publish(
    h: &Hospital,
    viewer: &Viewer,
    id: RuleSetId,
    expected_version: i64,
) -> Result<Done<Model>> {
    let tx = db::begin_write(&h.db).await?;
    let row = draft::held(&tx, id, expected_version).await?;
    let now = h.now();
    let before = find::published(&tx, row.kind).await?;
    if before.as_ref().map(|before| before.number) != row.based_on {
        let message =
            "Other rules were published since this was written. Read them, and write the rules anew.";
        return Err(Error::refused(Code::VersionConflict, "id", message));
    }
    if before.is_some_and(|before| before.rules == row.rules) {
        let message = "There is nothing new to publish.";
        return Err(Error::refused(Code::NotAllowedNow, "id", message));
    }
    rows::write(&tx, row.kind, &row.rules, now).await?;
    retire_published(&tx, row.kind, now).await?;
    let (actor, version) = (viewer.actor(), row.version);
    let mut changed = row.into_active_model();
    changed.state = Set(RuleSetState::Published);
    changed.published_by_kind = Set(Some(actor.kind));
    changed.published_by_id = Set(actor.id);
    changed.published_at = Set(Some(now));
    changed.version = Set(version + 1);
    changed.updated_at = Set(now);
    let row = changed.update(&tx).await?;
    playbook::changed(&tx).await?;
    tx.commit().await?;
    Ok(Done::quiet(row))
}
