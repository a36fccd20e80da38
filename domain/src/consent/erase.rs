//! Erasing what the ledger says of a person. What was done stays, with when and by which door; to whom, does not.

use chrono::{DateTime, Utc};
use entity::consent_event::{Column, ConsentEvidence, Entity};
use entity::id::ContactId;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};

use crate::error::Result;

/// Removes address, evidence and salt from every event of these contacts, and answers how many events there were that still
/// held them. Events keep their commitment, so the chain verifies as before; without the salt nobody can guess it back.
///
/// An erased grant allows nothing any more ([`super::standing`]). This is the one change that the database lets happen
/// to an event. The contacts must be locked ([`super::lock::lock_contacts`]), so that nothing is written down meanwhile.
///
/// # Errors
/// When the database fails.
pub(crate) async fn erase(tx: &DatabaseTransaction, ids: &[ContactId], now: DateTime<Utc>) -> Result<u64> {
    let erased = Entity::update_many()
        .col_expr(Column::Address, Expr::value(None::<String>))
        .col_expr(Column::Evidence, Expr::value(None::<ConsentEvidence>))
        .col_expr(Column::PersonalSalt, Expr::value(None::<Vec<u8>>))
        .col_expr(Column::ErasedAt, Expr::value(now))
        .filter(Column::ContactId.is_in(ids.iter().copied()))
        .filter(Column::ErasedAt.is_null())
        .exec(tx)
        .await?;
    Ok(erased.rows_affected)
}
