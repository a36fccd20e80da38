//! What an erasure takes out of the ledger: who could be reached where, and from where it was said.
//!
//! The skeleton stays: that somebody agreed to, or took back, which wording, when and by which door.

use entity::consent_event::{Column, ConsentSource, Entity};
use entity::id::ContactId;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};

use crate::error::Result;

/// Takes addresses and evidence out of the events of these contacts, which the caller has locked and emptied: an event
/// without an address is about every address, and they have none.
pub(crate) async fn erase(tx: &DatabaseTransaction, ids: &[ContactId]) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Address, Expr::value(None::<String>))
        .col_expr(Column::Source, Expr::value(ConsentSource::default()))
        .filter(Column::ContactId.is_in(ids.iter().copied()))
        .exec(tx)
        .await?;
    Ok(())
}
