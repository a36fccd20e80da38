//! The link in every mail that opens the preferences of whoever got it.
//!
//! The link is made from the mail's own id, so nothing is stored for it. It is bound to the contact, the purpose of the
//! mail and the contact's generation: raising the generation voids every link that is out.

use entity::enums::Purpose;
use entity::id::{ContactId, MessageId};
use entity::{contact, message};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter};

use crate::consent::lock::lock_contacts;
use crate::contact::find;
use crate::done::Done;
use crate::error::{Error, Result};
use crate::hospital::Hospital;
use crate::link::PreferenceLink;
use crate::viewer::Viewer;
use crate::{audit, db};

/// The answer to a link that was not made here, is revoked or leads to nobody: one for all, so that nothing is told.
const MISSING: Error = Error::Missing { noun: "link" };

/// The address that a mail to this contact carries.
#[must_use]
pub fn url(h: &Hospital, message: &message::Model, contact: &contact::Model) -> String {
    let token = h.secrets.preference_token(&bound_to(message, contact));
    format!("{}/p/{token}", h.site.public_url)
}

fn bound_to(message: &message::Model, contact: &contact::Model) -> PreferenceLink<'static> {
    PreferenceLink {
        message_id: message.id.0,
        contact_id: contact.id.0,
        purpose: message.purpose.as_str(),
        generation: contact.link_generation,
    }
}

/// What a link leads to.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) message_id: MessageId,
    pub(super) purpose: Purpose,
    pub(super) contact: contact::Model,
}

/// Opens a link.
///
/// # Errors
/// [`Error::Missing`] for one that was not made here, was revoked, or leads to a contact that is no more.
pub(super) async fn open(h: &Hospital, conn: &impl ConnectionTrait, token: &str) -> Result<Opened> {
    let id = h.secrets.message_of_preference_token(token).ok_or(MISSING)?;
    let message = message::Entity::find_by_id(MessageId(id)).one(conn).await?;
    let message = message.ok_or(MISSING)?;
    let contact_id = message.contact_id.ok_or(MISSING)?;
    let contact = contact::Entity::find_by_id(contact_id).one(conn).await?;
    let contact = contact.ok_or(MISSING)?;
    // A contact that turned out to be another one has no preferences of its own any more.
    let genuine = h.secrets.proves_preference(token, &bound_to(&message, &contact));
    if !genuine || contact.merged_into_id.is_some() {
        return Err(MISSING);
    }
    Ok(Opened {
        message_id: message.id,
        purpose: message.purpose,
        contact,
    })
}

/// Voids every link to these contacts' preferences that is out. Mails written from now on carry new ones. The contacts
/// must be locked.
///
/// # Errors
/// When the database fails.
pub async fn revoke_within(tx: &impl ConnectionTrait, contacts: &[ContactId]) -> Result<()> {
    contact::Entity::update_many()
        .col_expr(
            contact::Column::LinkGeneration,
            Expr::col(contact::Column::LinkGeneration).add(1),
        )
        .filter(contact::Column::Id.is_in(contacts.iter().copied()))
        .exec(tx)
        .await?;
    Ok(())
}

/// Voids every link to a contact's preferences, for a person whose mails somebody else reads.
///
/// # Errors
/// [`Error::Missing`] when the viewer may not see the contact.
pub async fn revoke(
    h: &Hospital,
    viewer: &Viewer,
    id: ContactId,
    request_id: &str,
) -> Result<Done<contact::Model>> {
    let tx = db::begin_write(&h.db).await?;
    lock_contacts(&tx, &[id]).await?;
    find::by_id(&tx, viewer, id).await?;
    revoke_within(&tx, &[id]).await?;
    let contact = find::by_id(&tx, viewer, id).await?;
    audit::record(
        viewer.actor(),
        "preferences.revoke_links",
        Some(&id),
        Some(request_id),
        h.now(),
    )
    .insert(&tx)
    .await?;
    tx.commit().await?;
    Ok(Done::quiet(contact))
}
