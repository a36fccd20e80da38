//! Finders of staff.

use entity::id::StaffId;
use entity::staff::{Column, Entity, Model};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Select};

use crate::error::{Error, Result};
use crate::viewer::Viewer;

/// The staff that this viewer may see: everybody with a role sees the directory, people who have left included,
/// because the history names them.
pub fn visible_to(viewer: &Viewer) -> Select<Entity> {
    let all = Entity::find();
    // No id is null: nothing is found.
    if viewer.role().is_some() {
        all
    } else {
        all.filter(Column::Id.is_null())
    }
}

/// One member of staff.
///
/// # Errors
/// [`Error::Missing`] when there is none or the viewer may not see the directory.
pub async fn by_id(conn: &impl ConnectionTrait, viewer: &Viewer, id: StaffId) -> Result<Model> {
    let found = visible_to(viewer).filter(Column::Id.eq(id)).one(conn).await?;
    found.ok_or(Error::Missing {
        noun: "member of staff",
    })
}
