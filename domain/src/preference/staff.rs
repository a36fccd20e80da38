//! Wishes that staff write down on a person's word.

use entity::contact;
use entity::id::ContactId;
use sea_orm::ActiveModelTrait;

use super::change::{Change, apply};
use crate::consent::lock::lock_contacts;
use crate::contact::find;
use crate::done::Done;
use crate::error::{Error, Result};
use crate::hospital::Hospital;
use crate::nudge::Subject;
use crate::viewer::Viewer;
use crate::{audit, db};

/// Changes what a contact wishes.
///
/// # Errors
/// [`Error::Missing`] when the viewer may not see the contact; [`Error::Refused`] with every field that is wrong.
pub async fn update(
    h: &Hospital,
    viewer: &Viewer,
    contact_id: ContactId,
    change: Change,
    request_id: &str,
) -> Result<Done<contact::Model>> {
    let playbook = h.playbook().await?;
    let tx = db::begin_write(&h.db).await?;
    lock_contacts(&tx, &[contact_id]).await?;
    let contact = find::by_id(&tx, viewer, contact_id).await?;
    let now = h.now();
    let refusals = change.refusals(|id| playbook.lines.contains_key(&id), now);
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let (contact, _) = apply(&tx, contact, change, now).await?;
    audit::record(
        viewer.actor(),
        "preferences.update",
        Some(&contact_id),
        Some(request_id),
        now,
    )
    .insert(&tx)
    .await?;
    tx.commit().await?;
    Ok(Done {
        value: contact,
        signals: Vec::new(),
        // A pause that ended early lets mail go now.
        nudges: vec![Subject::BulkMail],
    })
}
