//! The people who work with Leadward, the programs that act for them, and how both prove who they are.

pub mod absence;
mod add;
pub mod find;
pub mod limit;
pub mod password;
pub mod session;
mod sign_in;
pub mod skill;
pub mod token;

#[cfg(test)]
mod tests;

use entity::staff;
use entity::token as tokens;

pub use self::add::{AddStaff, MAX_NAME_CHARS, add};
pub use self::sign_in::{
    FAILURES_ANYWHERE_MAX, FAILURES_MAX, FAILURES_WITHIN_MINS, SignIn, SignedIn, sign_in,
};
use crate::error::Result;
use crate::hospital::Hospital;
use crate::viewer::Viewer;

/// The member of staff as a viewer, with the teams that the person belongs to.
///
/// # Errors
/// When the database fails.
pub async fn viewer_of(h: &Hospital, staff: &staff::Model) -> Result<Viewer> {
    let playbook = h.playbook().await?;
    let mut teams: Vec<_> = playbook
        .members
        .iter()
        .filter(|(_, members)| members.contains(&staff.id))
        .map(|(team, _)| *team)
        .collect();
    // A map has no order; what is asked of the database should not change from one request to the next.
    teams.sort_unstable();
    Ok(Viewer::Staff {
        id: staff.id,
        role: staff.role,
        teams,
    })
}

/// The bearer of a token as a viewer.
pub const fn viewer_of_token(token: &tokens::Model) -> Viewer {
    Viewer::Token {
        id: token.id,
        role: token.role,
    }
}
