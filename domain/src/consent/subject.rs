//! The contact that a consent is about, as far as the viewer may see it.

use entity::id::ContactId;
use entity::{contact, lead};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use crate::error::{Error, Result};
use crate::lead::find::in_scope;
use crate::viewer::{Scope, Viewer};

/// A contact that the viewer may see: any for who sees all leads, else one with a lead in scope.
///
/// # Errors
/// [`Error::Missing`] when there is none or the viewer may not see it.
pub(super) async fn visible_contact(
    conn: &impl ConnectionTrait,
    viewer: &Viewer,
    id: ContactId,
) -> Result<contact::Model> {
    let mut query = contact::Entity::find_by_id(id);
    if viewer.scope() != Scope::All {
        let seen = lead::Entity::find()
            .select_only()
            .column(lead::Column::ContactId)
            .filter(lead::Column::ContactId.eq(id))
            .filter(in_scope(viewer))
            .into_query();
        query = query.filter(contact::Column::Id.in_subquery(seen));
    }
    query.one(conn).await?.ok_or(Error::Missing { noun: "contact" })
}
