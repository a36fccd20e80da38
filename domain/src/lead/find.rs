//! Finders of leads. Each takes the viewer: there is no way to read a lead without saying who asks.

use entity::id::LeadId;
use entity::lead::{Column, Entity, Model};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect,
    Select,
};

use crate::error::{Error, Result};
use crate::viewer::{Scope, Viewer};

/// The leads that this viewer may see, unfinished ones among them: for one lead, or for rows around it. A list or a count
/// of leads adds [`is_sent`].
pub fn visible_to(viewer: &Viewer) -> Select<Entity> {
    Entity::find().filter(in_scope(viewer))
}

/// The same as a condition, for statements that join leads.
pub fn in_scope(viewer: &Viewer) -> Condition {
    match viewer.scope() {
        Scope::All => Condition::all(),
        Scope::Teams { teams, staff } => Condition::any()
            .add(Column::TeamId.is_in(teams))
            .add(Column::OwnerId.eq(staff)),
        // No id is null: nothing is found.
        Scope::Nothing => Condition::all().add(Column::Id.is_null()),
    }
}

/// Leads that somebody sent, and not those of forms that were saved and left. Whatever lists or counts leads asks this,
/// unless it was asked for the others.
#[must_use]
pub fn is_sent() -> Condition {
    Condition::all().add(Column::UnfinishedAt.is_null())
}

/// One lead.
///
/// # Errors
/// [`Error::Missing`] when there is none or the viewer may not see it.
pub async fn by_id(conn: &impl ConnectionTrait, viewer: &Viewer, id: LeadId) -> Result<Model> {
    let lead = visible_to(viewer).filter(Column::Id.eq(id)).one(conn).await?;
    lead.ok_or(Error::Missing { noun: "lead" })
}

/// One lead, held against other changes until the transaction ends.
///
/// # Errors
/// [`Error::Missing`] when there is none or the viewer may not see it, and for an unfinished one: nobody works on what
/// was not sent.
pub async fn for_change(tx: &DatabaseTransaction, viewer: &Viewer, id: LeadId) -> Result<Model> {
    // The weaker lock: rows that point at the lead can still be written, so a sweep never waits for a person here.
    let lead = visible_to(viewer)
        .filter(Column::Id.eq(id))
        .filter(Column::UnfinishedAt.is_null())
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?;
    lead.ok_or(Error::Missing { noun: "lead" })
}
