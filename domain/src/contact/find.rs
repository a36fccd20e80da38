//! Finders of contacts. Each takes the viewer: a contact is seen by whoever sees one of its leads.

use entity::contact::{Column, Entity, Model};
use entity::id::ContactId;
use entity::lead;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select,
};

use crate::error::{Error, Result};
use crate::lead::find as leads;
use crate::viewer::{Scope, Viewer};

/// The contacts that this viewer may see.
pub fn visible_to(viewer: &Viewer) -> Select<Entity> {
    Entity::find().filter(in_scope(viewer))
}

/// The same as a condition, for statements that join contacts.
pub fn in_scope(viewer: &Viewer) -> Condition {
    match viewer.scope() {
        Scope::All => Condition::all(),
        Scope::Teams { .. } => {
            let theirs = leads::visible_to(viewer)
                .select_only()
                .column(lead::Column::ContactId);
            Condition::all().add(Column::Id.in_subquery(theirs.into_query()))
        }
        // No id is null: nothing is found.
        Scope::Nothing => Condition::all().add(Column::Id.is_null()),
    }
}

/// One contact.
///
/// # Errors
/// [`Error::Missing`] when there is none or the viewer may not see it.
pub async fn by_id(conn: &impl ConnectionTrait, viewer: &Viewer, id: ContactId) -> Result<Model> {
    let row = visible_to(viewer).filter(Column::Id.eq(id)).one(conn).await?;
    row.ok_or(Error::Missing { noun: "contact" })
}
