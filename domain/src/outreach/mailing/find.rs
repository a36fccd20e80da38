//! Finders of mailings. They hold no personal data.

use entity::id::MailingId;
use entity::mailing::{Column, Entity, Model};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, Select,
};

use crate::error::{Error, Result};
use crate::viewer::Viewer;

const MISSING: Error = Error::Missing { noun: "mailing" };

/// The mailings that this viewer may see: all for whoever has a role.
pub fn visible_to(viewer: &Viewer) -> Select<Entity> {
    let all = Entity::find();
    // No id is null: nothing is found.
    if viewer.role().is_some() {
        all
    } else {
        all.filter(Column::Id.is_null())
    }
}

/// One mailing.
///
/// # Errors
/// [`Error::Missing`] when there is none or the viewer may not see it.
pub async fn by_id(conn: &impl ConnectionTrait, viewer: &Viewer, id: MailingId) -> Result<Model> {
    let found = visible_to(viewer).filter(Column::Id.eq(id)).one(conn).await?;
    found.ok_or(MISSING)
}

/// One mailing, held against other changes, claims of its mails and planning until the transaction ends.
///
/// # Errors
/// [`Error::Missing`] when there is none or the viewer may not see it.
pub async fn for_change(tx: &DatabaseTransaction, viewer: &Viewer, id: MailingId) -> Result<Model> {
    let found = visible_to(viewer)
        .filter(Column::Id.eq(id))
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?;
    found.ok_or(MISSING)
}
