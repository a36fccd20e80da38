//! Finders of sequences and enrollments.

use std::collections::HashMap;
use std::sync::Arc;

use entity::id::{EnrollmentId, SequenceId, SequenceVersionId};
use entity::{enrollment, lead, sequence, sequence_version};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Select};

use crate::error::{Error, Result};
use crate::lead::find as leads;
use crate::playbook::Playbook;
use crate::viewer::Viewer;

/// The sequences that this viewer may see: all for whoever has a role. They hold no personal data.
pub fn visible_to(viewer: &Viewer) -> Select<sequence::Entity> {
    let all = sequence::Entity::find();
    // No id is null: nothing is found.
    if viewer.role().is_some() {
        all
    } else {
        all.filter(sequence::Column::Id.is_null())
    }
}

/// One sequence.
///
/// # Errors
/// [`Error::Missing`] when there is none or the viewer may not see it.
pub async fn by_id(conn: &impl ConnectionTrait, viewer: &Viewer, id: SequenceId) -> Result<sequence::Model> {
    let found = visible_to(viewer)
        .filter(sequence::Column::Id.eq(id))
        .one(conn)
        .await?;
    found.ok_or(Error::Missing { noun: "sequence" })
}

/// The newest version of a sequence, published or not.
///
/// # Errors
/// When the database fails, or the sequence has no version.
pub async fn newest_version(conn: &impl ConnectionTrait, id: SequenceId) -> Result<sequence_version::Model> {
    let found = sequence_version::Entity::find()
        .filter(sequence_version::Column::SequenceId.eq(id))
        .order_by_desc(sequence_version::Column::Number)
        .one(conn)
        .await?;
    found.ok_or_else(|| Error::fault("a sequence has no version"))
}

/// The versions with these ids. The playbook has them; those that were published after it was read come from the
/// database, in one statement.
///
/// # Errors
/// When the database fails.
pub async fn versions(
    conn: &impl ConnectionTrait,
    playbook: &Playbook,
    ids: impl IntoIterator<Item = SequenceVersionId>,
) -> Result<HashMap<SequenceVersionId, Arc<sequence_version::Model>>> {
    let mut found = HashMap::new();
    let mut newer = Vec::new();
    for id in ids {
        match playbook.sequence_versions.get(&id) {
            Some(version) => _ = found.insert(id, version.clone()),
            None => newer.push(id),
        }
    }
    if !newer.is_empty() {
        let rows = sequence_version::Entity::find()
            .filter(sequence_version::Column::Id.is_in(newer))
            .all(conn)
            .await?;
        found.extend(rows.into_iter().map(|row| (row.id, Arc::new(row))));
    }
    Ok(found)
}

/// One enrollment with its lead.
///
/// # Errors
/// [`Error::Missing`] when there is none or the viewer may not see its lead.
pub async fn enrollment(
    conn: &impl ConnectionTrait,
    viewer: &Viewer,
    id: EnrollmentId,
) -> Result<(enrollment::Model, lead::Model)> {
    const MISSING: Error = Error::Missing { noun: "enrollment" };
    let found = enrollment::Entity::find_by_id(id)
        .one(conn)
        .await?
        .ok_or(MISSING)?;
    let lead = leads::by_id(conn, viewer, found.lead_id)
        .await
        .map_err(|error| match error {
            Error::Missing { .. } => MISSING,
            other => other,
        })?;
    Ok((found, lead))
}
