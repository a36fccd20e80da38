//! Looking for versions of rules.

use entity::id::RuleSetId;
use entity::rule_set::{Column, Entity, Model, RuleKind, RuleSetState};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};

use crate::db;
use crate::error::{Error, Result};

/// The key by which changes of versions wait for each other.
const KEY: i64 = 0x7275_6c65_5f73_6574;

/// The version that counts; none before there were any rules of the kind.
///
/// # Errors
/// When the database fails.
pub async fn published(conn: &impl ConnectionTrait, kind: RuleKind) -> Result<Option<Model>> {
    let found = Entity::find()
        .filter(Column::Kind.eq(kind))
        .filter(Column::State.eq(RuleSetState::Published))
        .one(conn)
        .await?;
    Ok(found)
}

/// The version of this id.
///
/// # Errors
/// [`Error::Missing`] when there is none, or a fault of the database.
pub async fn by_id(conn: &impl ConnectionTrait, id: RuleSetId) -> Result<Model> {
    let found = Entity::find_by_id(id).one(conn).await?;
    found.ok_or(Error::Missing { noun: "draft" })
}

/// Lets one transaction at a time change versions.
pub(super) async fn hold(tx: &DatabaseTransaction) -> Result<()> {
    Ok(db::lock_keys(tx, &[KEY]).await?)
}

/// The number of the next version of a kind, for whoever holds the versions.
pub(super) async fn next_number(tx: &DatabaseTransaction, kind: RuleKind) -> Result<i32> {
    let last: Option<Option<i32>> = Entity::find()
        .select_only()
        .column_as(Column::Number.max(), "number")
        .filter(Column::Kind.eq(kind))
        .into_tuple()
        .one(tx)
        .await?;
    Ok(last.flatten().unwrap_or(0) + 1)
}
