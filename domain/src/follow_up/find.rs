//! Finders of follow-ups. Each takes the viewer.

use entity::follow_up::{Column, Entity, Model};
use entity::id::FollowUpId;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect,
    Select,
};

use crate::error::{Error, Result};
use crate::viewer::{Scope, Viewer};

/// The follow-ups that this viewer may see: those of the viewer's teams, and those given to the viewer.
pub fn visible_to(viewer: &Viewer) -> Select<Entity> {
    Entity::find().filter(in_scope(viewer))
}

/// The same as a condition, for statements that join follow-ups.
pub fn in_scope(viewer: &Viewer) -> Condition {
    match viewer.scope() {
        Scope::All => Condition::all(),
        Scope::Teams { teams, staff } => Condition::any()
            .add(Column::TeamId.is_in(teams))
            .add(Column::AssigneeId.eq(staff)),
        // No id is null: nothing is found.
        Scope::Nothing => Condition::all().add(Column::Id.is_null()),
    }
}

/// One follow-up.
///
/// # Errors
/// [`Error::Missing`] when there is none or the viewer may not see it.
pub async fn by_id(conn: &impl ConnectionTrait, viewer: &Viewer, id: FollowUpId) -> Result<Model> {
    let row = visible_to(viewer).filter(Column::Id.eq(id)).one(conn).await?;
    row.ok_or(Error::Missing { noun: "follow-up" })
}

/// One follow-up, held against other changes until the transaction ends.
///
/// # Errors
/// [`Error::Missing`] when there is none or the viewer may not see it.
pub async fn for_change(tx: &DatabaseTransaction, viewer: &Viewer, id: FollowUpId) -> Result<Model> {
    let row = visible_to(viewer)
        .filter(Column::Id.eq(id))
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?;
    row.ok_or(Error::Missing { noun: "follow-up" })
}
