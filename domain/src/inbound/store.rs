//! What comes in is stored as it is before anything else is done with it.

use entity::inbound_mail::{ActiveModel, Column, Entity, InboundSource, InboundState};
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use sea_orm::sea_query::OnConflict;
use sha2::{Digest, Sha256};

use super::EXAMINED_MAX;
use crate::db::{self, BATCH_MAX};
use crate::done::Done;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::nudge::Subject;

/// Something that came in.
#[derive(Clone)]
pub struct Came {
    /// By which door.
    pub source: InboundSource,
    /// What tells a repetition within that kind of door; at most 200 characters.
    pub key: String,
    /// The mail or the notice. Only the first [`EXAMINED_MAX`] bytes are kept.
    pub raw: Vec<u8>,
}

impl Came {
    /// A mail out of a mailbox. The same mail is the same by its bytes, whichever mailbox it lies in and however often
    /// it is read.
    #[must_use]
    pub fn mail(source: InboundSource, raw: Vec<u8>) -> Self {
        let key = format!("mail/{}", hex::encode(Sha256::digest(&raw)));
        Self { source, key, raw }
    }

    /// A provider's notice; `id` is the provider's own for it.
    #[must_use]
    pub fn notice(source: InboundSource, id: &str, raw: Vec<u8>) -> Self {
        // A provider's id is theirs to make: its hash has a known length and no strange letters.
        let key = format!("{}/{}", source.as_str(), hex::encode(Sha256::digest(id)));
        Self { source, key, raw }
    }
}

/// Stores what came in, each once. Answers how many were new.
///
/// When it returns, they are kept for good: the sender may be told so, and the mailbox may forget them.
///
/// # Errors
/// When the database fails; nothing is stored then.
pub async fn store(h: &Hospital, came: Vec<Came>) -> Result<Done<usize>> {
    let now = h.now();
    let tx = db::begin_write(&h.db).await?;
    let mut new = 0;
    for some in came.chunks(BATCH_MAX / 10) {
        let rows = some.iter().map(|one| ActiveModel {
            id: Set(new_id(now)),
            source: Set(one.source),
            dedupe_key: Set(one.key.clone()),
            raw: Set(Some(one.raw[..one.raw.len().min(EXAMINED_MAX)].to_vec())),
            state: Set(InboundState::Received),
            kind: Set(None),
            class: Set(None),
            status: Set(None),
            reason: Set(None),
            message_id: Set(None),
            due_at: Set(now),
            attempts: Set(0),
            received_at: Set(now),
            applied_at: Set(None),
        });
        let known = OnConflict::column(Column::DedupeKey).do_nothing().to_owned();
        let stored = Entity::insert_many(rows)
            .on_conflict(known)
            .try_insert()
            .exec_without_returning(&tx)
            .await?;
        if let sea_orm::TryInsertResult::Inserted(rows) = stored {
            new += usize::try_from(rows).unwrap_or(0);
        }
    }
    tx.commit().await?;
    Ok(Done {
        value: new,
        signals: Vec::new(),
        nudges: if new > 0 {
            vec![Subject::InboundMail]
        } else {
            Vec::new()
        },
    })
}
