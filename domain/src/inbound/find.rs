//! Finders of what came in. It is seen by those who answer for mail, and by nobody for its content.

use entity::enums::Role;
use entity::inbound_mail::{Column, Entity};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Select};

use crate::viewer::Viewer;

/// What came in, as far as this viewer may see that it did.
pub fn visible_to(viewer: &Viewer) -> Select<Entity> {
    match viewer.role() {
        Some(Role::Admin | Role::MarketingOps) => Entity::find(),
        // No id is null: nothing is found.
        _ => Entity::find().filter(Column::Id.is_null()),
    }
}
