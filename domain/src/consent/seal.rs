//! Seals what was written down into the chain of hashes.
//!
//! Intake never waits for the chain: the database queues each event as it is written, and a sweep seals what is queued
//! moments later. The order of the chain is the order of sealing, not of ids: a transaction that began early and
//! committed late is sealed after those that it did not hold up. One sealer works at a time; the others leave at once.

use entity::consent_event::{self, Model};
use entity::{consent_head, consent_seal, consent_unsealed};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::chain::{self, BEFORE_FIRST, Hash};
use crate::db;
use crate::error::{Error, Result};
use crate::hospital::Hospital;

/// Events of one transaction at the most. On SQLite nobody else writes meanwhile, so it is a few hundredths of a second.
pub const SEAL_MAX: usize = 1_000;

/// The only row of the head.
const HEAD: i32 = 1;

/// Whoever holds it may seal. The number is arbitrary and used for nothing else.
const SEALER: i64 = 0x6c65_6467_6572_0001;

/// Seals at most [`SEAL_MAX`] events. Answers how many there were; none too when somebody else is sealing.
///
/// # Errors
/// When the database fails, or an event that was not sealed yet was damaged so that it cannot be read.
pub async fn seal(h: &Hospital) -> Result<usize> {
    // Most sweeps find nothing. They need not take SQLite's write lock to see that.
    if consent_unsealed::Entity::find().one(&h.db).await?.is_none() {
        return Ok(0);
    }
    let tx = db::begin_write(&h.db).await?;
    if !db::try_lock_key(&tx, SEALER).await? {
        return Ok(0);
    }
    let events = queued(&tx).await?;
    if events.is_empty() {
        return Ok(0);
    }
    let head = head(&tx).await?;
    let (mut seq, mut before) = match &head {
        Some(head) => (head.sealed, as_hash(&head.hash)?),
        None => (0, BEFORE_FIRST),
    };
    let sealed_at = h.now();
    let mut links = Vec::with_capacity(events.len());
    for event in &events {
        seq += 1;
        let digest = chain::digest(event);
        let hash = chain::link(&before, seq, event.id, &digest, sealed_at);
        links.push(consent_seal::ActiveModel {
            seq: Set(seq),
            event_id: Set(event.id),
            digest: Set(digest.to_vec()),
            hash: Set(hash.to_vec()),
            sealed_at: Set(sealed_at),
        });
        before = hash;
    }
    consent_seal::Entity::insert_many(links)
        .exec_without_returning(&tx)
        .await?;
    consent_unsealed::Entity::delete_many()
        .filter(consent_unsealed::Column::EventId.is_in(events.iter().map(|event| event.id)))
        .exec(&tx)
        .await?;
    let grown = consent_head::ActiveModel {
        id: Set(HEAD),
        sealed: Set(seq),
        hash: Set(before.to_vec()),
        tag: Set(h.secrets.chain_tag(seq, &before).to_vec()),
        sealed_at: Set(sealed_at),
    };
    consent_head::Entity::insert(grown)
        .on_conflict(
            OnConflict::column(consent_head::Column::Id)
                .update_columns([
                    consent_head::Column::Sealed,
                    consent_head::Column::Hash,
                    consent_head::Column::Tag,
                    consent_head::Column::SealedAt,
                ])
                .to_owned(),
        )
        .exec_without_returning(&tx)
        .await?;
    tx.commit().await?;
    Ok(events.len())
}

/// How many events wait for their seal: those of the last seconds.
///
/// # Errors
/// When the database fails.
pub async fn unsealed(conn: &impl ConnectionTrait) -> Result<u64> {
    Ok(consent_unsealed::Entity::find().count(conn).await?)
}

/// The events that wait, the oldest first.
async fn queued(tx: &DatabaseTransaction) -> Result<Vec<Model>, DbErr> {
    let ids = consent_unsealed::Entity::find()
        .order_by_asc(consent_unsealed::Column::EventId)
        .limit(SEAL_MAX as u64)
        .all(tx)
        .await?;
    consent_event::Entity::find()
        .filter(consent_event::Column::Id.is_in(ids.into_iter().map(|row| row.event_id)))
        .order_by_asc(consent_event::Column::Id)
        .all(tx)
        .await
}

/// How far the chain goes; none before the first seal.
pub(super) async fn head(conn: &impl ConnectionTrait) -> Result<Option<consent_head::Model>, DbErr> {
    consent_head::Entity::find_by_id(HEAD).one(conn).await
}

fn as_hash(bytes: &[u8]) -> Result<Hash> {
    bytes
        .try_into()
        .map_err(|_| Error::fault("the head of the consent ledger holds no hash"))
}
