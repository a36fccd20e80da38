//! The link in every promotional mail: one click, and no more of this kind.
//!
//! RFC 8058 sends a POST without cookies or context, so the token alone says everything. Looking at the page never
//! unsubscribes, because scanners fetch links before people do.

use entity::consent_event::{ConsentEvidence, ConsentMethod, ConsentSource};
use entity::enums::{ActorKind, Medium, Purpose};
use entity::id::{ContactId, MessageId};
use entity::message_event::MessageEventKind;
use entity::{contact, message};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait};

use super::find::events_of;
use super::lock::lock_contacts;
use super::standing::{Standing, fold};
use super::withdraw::{TakeBack, take_back};
use crate::db;
use crate::done::Done;
use crate::error::{Error, Result};
use crate::hospital::Hospital;
use crate::outreach::plan;
use crate::viewer::Actor;

/// How the link was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// By the mail program's own button.
    OneClick,
    /// By the button of the page behind the link.
    UnsubscribePage,
}

/// A committed unsubscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribed {
    /// The purpose that is taken back.
    pub purpose: Purpose,
    /// Whether it was taken back before; then nothing was written.
    pub already: bool,
    /// The language that the person is written to in, a BCP 47 tag.
    pub language: String,
}

/// What the page behind a link shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkShows {
    /// The purpose that the link takes back.
    pub purpose: Purpose,
    /// Whether mails for this purpose still go to the person.
    pub subscribed: bool,
    /// The language that the person is written to in, a BCP 47 tag.
    pub language: String,
}

/// Takes back the consent to mails of the same purpose as the one that carried the link. Doing it again changes
/// nothing.
///
/// # Errors
/// [`Error::Missing`] for a token that was not made here.
pub async fn unsubscribe(h: &Hospital, token: &str, method: Method) -> Result<Done<Unsubscribed>> {
    let message_id = open(h, token)?;
    let tx = db::begin_write(&h.db).await?;
    let (message, contact) = find(&tx, message_id).await?;
    lock_contacts(&tx, &[contact.id]).await?;
    // Read after the lock: whoever waited for it comes later than the click it waited for, and sees what that wrote.
    let now = h.now();
    // A contact without a recorded standing unsubscribes too: a later grant must then be a new one.
    if matches!(
        standing(&tx, &contact, message.purpose, now).await?,
        Standing::Withdrawn { .. }
    ) {
        return Ok(Done::quiet(Unsubscribed {
            purpose: message.purpose,
            already: true,
            language: contact.language,
        }));
    }
    let said = TakeBack {
        contact_id: contact.id,
        media: &[Medium::Email],
        purpose: Some(message.purpose),
        method: match method {
            Method::OneClick => ConsentMethod::OneClick,
            Method::UnsubscribePage => ConsentMethod::UnsubscribePage,
        },
        source: ConsentSource {
            form_id: None,
            message_id: Some(message.id),
        },
        evidence: ConsentEvidence::default(),
        actor: Actor {
            kind: ActorKind::Contact,
            id: Some(contact.id.0),
        },
    };
    let taken = take_back(&tx, said, now).await?;
    plan::event(message.id, MessageEventKind::Unsubscribed, None, now)
        .insert(&tx)
        .await?;
    tx.commit().await?;
    Ok(taken.map(|_| Unsubscribed {
        purpose: message.purpose,
        already: false,
        language: contact.language,
    }))
}

/// What the page behind a link shows. Writes nothing.
///
/// # Errors
/// [`Error::Missing`] for a token that was not made here.
pub async fn look_up(h: &Hospital, token: &str) -> Result<LinkShows> {
    let (message, contact) = find(&h.db, open(h, token)?).await?;
    let standing = standing(&h.db, &contact, message.purpose, h.now()).await?;
    Ok(LinkShows {
        purpose: message.purpose,
        subscribed: !matches!(standing, Standing::Withdrawn { .. }),
        language: contact.language,
    })
}

const MISSING: Error = Error::Missing { noun: "link" };

fn open(h: &Hospital, token: &str) -> Result<MessageId> {
    h.secrets
        .open_unsubscribe_token(token)
        .map(MessageId)
        .ok_or(MISSING)
}

/// The message and its recipient, who must be a contact: staff have nothing to unsubscribe from.
async fn find(conn: &impl ConnectionTrait, id: MessageId) -> Result<(message::Model, contact::Model)> {
    let message = message::Entity::find_by_id(id).one(conn).await?.ok_or(MISSING)?;
    let contact_id: ContactId = message.contact_id.ok_or(MISSING)?;
    let contact = contact::Entity::find_by_id(contact_id)
        .one(conn)
        .await?
        .ok_or(MISSING)?;
    Ok((message, contact))
}

/// What a contact allows by mail for a purpose.
pub(crate) async fn standing(
    conn: &impl ConnectionTrait,
    contact: &contact::Model,
    purpose: Purpose,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Standing> {
    let events = events_of(conn, &[contact.id], Medium::Email)
        .await?
        .remove(&contact.id)
        .unwrap_or_default();
    let address = contact.email_normalized.as_deref().unwrap_or_default();
    Ok(fold(&events, Medium::Email, address, purpose, now))
}
