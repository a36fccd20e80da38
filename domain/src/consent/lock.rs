//! Makes a withdrawal and the sending of a mail wait for each other.
//!
//! A worker that asks the gate reads the contact's consent; a withdrawal changes it. Without a lock the worker could
//! read before, and claim after, the withdrawal looked for claimed mails. Both therefore lock the contact first.
//!
//! Everybody takes locks in the same order, so that nobody waits in a circle: contacts, then enrollments, then
//! messages; several contacts by their ids.

use entity::contact;
use entity::id::ContactId;
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::db::BATCH_MAX;

/// Locks contacts until the transaction ends. At most [`BATCH_MAX`] of them are looked at in one statement.
///
/// `FOR NO KEY UPDATE`, because rows that refer to the contact may still be added meanwhile. On SQLite this only
/// reads: its write lock, taken when the transaction began, keeps everybody else out.
///
/// # Errors
/// When the database fails.
pub async fn lock_contacts(tx: &DatabaseTransaction, ids: &[ContactId]) -> Result<(), DbErr> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    for some in ids.chunks(BATCH_MAX) {
        contact::Entity::find()
            .select_only()
            .column(contact::Column::Id)
            .filter(contact::Column::Id.is_in(some.iter().copied()))
            .order_by_asc(contact::Column::Id)
            .lock(LockType::NoKeyUpdate)
            .into_tuple::<ContactId>()
            .all(tx)
            .await?;
    }
    Ok(())
}
