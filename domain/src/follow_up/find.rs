//! Finders of follow-ups. Each takes the viewer.

use entity::follow_up::{Column, Entity, Model};
use entity::id::{FollowUpId, StaffId, TeamId};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, Select};

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

/// The same in pieces, each of which an index gives in the order of the work list; no row is in two of them. None when
/// the viewer sees everything, which an index gives too.
pub fn pieces_of_scope(viewer: &Viewer) -> Option<Vec<Condition>> {
    match viewer.scope() {
        Scope::All => None,
        Scope::Teams { teams, staff } => {
            let theirs = Column::AssigneeId.eq(staff);
            let others = Condition::any()
                .add(Column::AssigneeId.is_null())
                .add(Column::AssigneeId.ne(staff));
            let of_team = |team| Condition::all().add(Column::TeamId.eq(team)).add(others.clone());
            let mut pieces = vec![Condition::all().add(theirs)];
            pieces.extend(teams.into_iter().map(of_team));
            Some(pieces)
        }
        Scope::Nothing => Some(vec![in_scope(viewer)]),
    }
}

/// What a person can do next, in such pieces: what is given to them, and what is for one of these teams and nobody yet.
pub fn pieces_of_work(staff: StaffId, teams: &[TeamId]) -> Vec<Condition> {
    let theirs = Condition::all().add(Column::AssigneeId.eq(staff));
    let free = |team: &TeamId| {
        Condition::all()
            .add(Column::TeamId.eq(*team))
            .add(Column::AssigneeId.is_null())
    };
    let mut pieces = vec![theirs];
    pieces.extend(teams.iter().map(free));
    pieces
}

/// One follow-up.
///
/// # Errors
/// [`Error::Missing`] when there is none or the viewer may not see it.
pub async fn by_id(conn: &impl ConnectionTrait, viewer: &Viewer, id: FollowUpId) -> Result<Model> {
    let row = visible_to(viewer).filter(Column::Id.eq(id)).one(conn).await?;
    row.ok_or(Error::Missing { noun: "follow-up" })
}
