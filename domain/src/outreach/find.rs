//! Finders of messages. Each takes the viewer: a message is seen by whoever sees the lead it is about.

use entity::id::MessageId;
use entity::lead;
use entity::message::{Column, Entity, Model};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select,
};

use crate::error::{Error, Result};
use crate::lead::find as leads;
use crate::viewer::{Scope, Viewer};

/// The messages that this viewer may see.
pub fn visible_to(viewer: &Viewer) -> Select<Entity> {
    Entity::find().filter(in_scope(viewer))
}

/// The same as a condition, for statements that join messages.
pub fn in_scope(viewer: &Viewer) -> Condition {
    match viewer.scope() {
        Scope::All => Condition::all(),
        Scope::Teams { staff, .. } => {
            let theirs = leads::visible_to(viewer).select_only().column(lead::Column::Id);
            Condition::any()
                .add(Column::LeadId.in_subquery(theirs.into_query()))
                .add(Column::StaffId.eq(staff))
        }
        // No id is null: nothing is found.
        Scope::Nothing => Condition::all().add(Column::Id.is_null()),
    }
}

/// One message.
///
/// # Errors
/// [`Error::Missing`] when there is none or the viewer may not see it.
pub async fn by_id(conn: &impl ConnectionTrait, viewer: &Viewer, id: MessageId) -> Result<Model> {
    let row = visible_to(viewer).filter(Column::Id.eq(id)).one(conn).await?;
    row.ok_or(Error::Missing { noun: "message" })
}
