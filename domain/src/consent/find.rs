//! Finders of consent events.

use std::collections::HashMap;

use entity::consent_event::{Column, Entity, Model};
use entity::enums::Medium;
use entity::id::ContactId;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use crate::db::BATCH_MAX;

/// What these contacts have said about one medium, for [`super::standing::fold`]. One statement for up to
/// [`BATCH_MAX`] contacts; a contact that never said anything is not in the answer.
///
/// # Errors
/// When the database fails.
pub async fn events_of(
    conn: &impl ConnectionTrait,
    contacts: &[ContactId],
    medium: Medium,
) -> Result<HashMap<ContactId, Vec<Model>>, DbErr> {
    let mut by_contact: HashMap<ContactId, Vec<Model>> = HashMap::new();
    for some in contacts.chunks(BATCH_MAX) {
        let events = Entity::find()
            .filter(Column::ContactId.is_in(some.iter().copied()))
            .filter(Column::Medium.eq(medium))
            .all(conn)
            .await?;
        for event in events {
            by_contact.entry(event.contact_id).or_default().push(event);
        }
    }
    Ok(by_contact)
}
