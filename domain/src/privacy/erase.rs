//! Erases one person, everywhere and at once.

use chrono::{DateTime, Utc};
use entity::contact;
use entity::id::ContactId;
use sea_orm::{ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};

use super::contacts;
use crate::audit;
use crate::contact::find;
use crate::db;
use crate::done::Done;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::lead::receive::person_keys;
use crate::viewer::Viewer;

/// A committed erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The contact, of whom nothing is left but the id.
    pub contact_id: ContactId,
    /// How many leads were emptied.
    pub leads: usize,
    /// How many mails that were planned will not go out.
    pub messages_withheld: usize,
    /// How many enrollments ended.
    pub enrollments_ended: usize,
    /// When; earlier than now if it was done before.
    pub at: DateTime<Utc>,
}

/// Erases a contact and those that were merged into it. Doing it again changes nothing.
///
/// # Errors
/// [`Error::Missing`](crate::error::Error::Missing) when the viewer may not see the contact.
pub async fn erase(h: &Hospital, viewer: &Viewer, id: ContactId) -> Result<Done<Erased>> {
    let tx = db::begin_write(&h.db).await?;
    let contact = find::by_id(&tx, viewer, id).await?;
    if let Some(at) = contact.erased_at {
        return Ok(Done::quiet(Erased {
            contact_id: id,
            leads: 0,
            messages_withheld: 0,
            enrollments_ended: 0,
            at,
        }));
    }
    // An inquiry of the same person that comes in at this moment is stored before, and erased, or belongs to a new
    // contact.
    let keys = person_keys(h, contact.email_normalized.as_deref(), contact.phone.as_deref());
    db::lock_keys(&tx, &keys).await?;
    let effect = contacts::erase(&tx, h, &with_merged(&tx, id).await?, viewer.actor()).await?;
    audit::record(viewer.actor(), "contact.erase", Some(&id), None, effect.at)
        .insert(&tx)
        .await?;
    tx.commit().await?;
    Ok(Done {
        value: Erased {
            contact_id: id,
            leads: effect.leads,
            messages_withheld: effect.messages_withheld,
            enrollments_ended: effect.enrollments_ended,
            at: effect.at,
        },
        signals: effect.signals,
        nudges: Vec::new(),
    })
}

/// The contact with those that were found to be the same person.
async fn with_merged(tx: &DatabaseTransaction, id: ContactId) -> Result<Vec<ContactId>> {
    let mut ids: Vec<ContactId> = contact::Entity::find()
        .select_only()
        .column(contact::Column::Id)
        .filter(contact::Column::MergedIntoId.eq(id))
        .into_tuple()
        .all(tx)
        .await?;
    ids.push(id);
    Ok(ids)
}
