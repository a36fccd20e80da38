//! What the person of a saved form has agreed to so far, by what the ledger says now.

use chrono::{DateTime, Utc};
use entity::consent_event::{self, Column, Entity};
use entity::form_draft::Model;
use entity::id::{ConsentWordingId, ContactId};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::consent::standing::standing_yeses;
use crate::error::Result;

/// The texts that were ticked when the form was saved and that still stand. They are not asked for again: a box that is
/// shown ticked proves nothing, and one that is left unticked takes nothing back.
pub(super) async fn of(
    conn: &impl ConnectionTrait,
    draft: &Model,
    now: DateTime<Utc>,
) -> Result<Vec<ConsentWordingId>> {
    let ticked: Vec<ConsentWordingId> = draft
        .consents
        .0
        .iter()
        .filter(|shown| shown.ticked)
        .map(|shown| shown.wording_id)
        .collect();
    if ticked.is_empty() {
        return Ok(ticked);
    }
    let events = events(conn, draft.contact_id).await?;
    let standing: Vec<ConsentWordingId> = standing_yeses(&events, now)
        .filter_map(|event| event.wording_id)
        .collect();
    Ok(ticked.into_iter().filter(|id| standing.contains(id)).collect())
}

/// Whether a contact agreed to anything that still stands.
pub(super) async fn to_anything(
    conn: &impl ConnectionTrait,
    id: ContactId,
    now: DateTime<Utc>,
) -> Result<bool> {
    let events = events(conn, id).await?;
    Ok(standing_yeses(&events, now).next().is_some())
}

async fn events(conn: &impl ConnectionTrait, id: ContactId) -> Result<Vec<consent_event::Model>> {
    Ok(Entity::find().filter(Column::ContactId.eq(id)).all(conn).await?)
}
