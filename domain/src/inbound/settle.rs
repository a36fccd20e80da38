//! A person says what became of a message of which nobody knew.

use entity::id::MessageId;
use entity::message::{Entity, MessageState, Model};
use sea_orm::sea_query::LockType;
use sea_orm::{ActiveModelTrait, EntityTrait, QuerySelect};

use super::evidence::{self, Said};
use crate::audit;
use crate::consent::lock_contacts;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::outreach::find;
use crate::viewer::Viewer;

/// Longest note in characters.
pub const MAX_NOTE_CHARS: usize = 500;

/// What a person says of a message.
#[derive(Clone, Debug)]
pub struct SettleMessage {
    /// The message.
    pub message_id: MessageId,
    /// Whether the mail server took it; else it did not.
    pub accepted: bool,
    /// How the person knows; kept in the message's history, so without personal data.
    pub note: String,
}

/// Settles a message of which nobody knows whether it went out.
///
/// # Errors
/// [`Error::Missing`] when the viewer may not see it. [`Error::Refused`] when it is in another state, because then it is known
/// what became of it, and when the note is blank or too long.
pub async fn settle_message(h: &Hospital, viewer: &Viewer, input: SettleMessage) -> Result<Done<Model>> {
    let note = input.note.trim();
    if note.is_empty() {
        return Err(Error::refused(Code::Required, "note", "Say how you know."));
    }
    if note.chars().count() > MAX_NOTE_CHARS || note.chars().any(char::is_control) {
        let message = "The note is one line of at most 500 characters.";
        return Err(Error::refused(Code::TooLarge, "note", message));
    }
    let tx = db::begin_write(&h.db).await?;
    let seen = find::by_id(&tx, viewer, input.message_id).await?;
    if let Some(contact_id) = seen.contact_id {
        lock_contacts(&tx, &[contact_id]).await?;
    }
    let message = Entity::find_by_id(seen.id)
        .lock(LockType::Update)
        .one(&tx)
        .await?
        .ok_or(Error::Missing { noun: "message" })?;
    if message.state != MessageState::Unknown {
        let why = "It is known what became of this message.";
        return Err(Error::refused(Code::NotAllowedNow, "messageId", why));
    }
    let now = h.now();
    let said = if input.accepted {
        Said::Accepted
    } else {
        Said::Refused
    };
    let by = format!("a person says so: {note}");
    let signal = evidence::settle(&tx, &message, said, &by, now).await?;
    audit::record(viewer.actor(), "message.settle", Some(&message.id), None, now)
        .insert(&tx)
        .await?;
    let settled = Entity::find_by_id(message.id)
        .one(&tx)
        .await?
        .ok_or(Error::Missing { noun: "message" })?;
    tx.commit().await?;
    Ok(Done {
        value: settled,
        signals: signal.flatten().into_iter().collect(),
        nudges: Vec::new(),
    })
}
