//! Who am I, and what may I do.

use async_graphql::{Context, Enum, Error, Object};
use domain::viewer::Viewer as Asking;

use super::access;
use super::ask::Ask;
use super::directory::{self, Staff, Team};
use super::vocabulary::Role;
use crate::viewer::Caller;

/// What kind of viewer.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewerKind {
    /// A signed-in member of staff.
    Staff,
    /// A program with an access token.
    Token,
    /// Anybody.
    Public,
}

/// Who is asking.
pub struct Viewer(Caller);

impl Viewer {
    /// The viewer of a request, or the one that a sign-in makes of it.
    pub fn of(caller: &Caller) -> Self {
        Self(caller.clone())
    }
}

/// Who is asking.
#[Object]
impl Viewer {
    /// What kind of viewer.
    async fn kind(&self) -> ViewerKind {
        match &self.0.viewer {
            Asking::Staff { .. } => ViewerKind::Staff,
            Asking::Token { .. } => ViewerKind::Token,
            Asking::Form { .. } | Asking::Public => ViewerKind::Public,
        }
    }

    /// Name of the member of staff or of the token.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// The role; null for the public.
    async fn role(&self) -> Option<Role> {
        self.0.viewer.role().map(Into::into)
    }

    /// The member of staff, if it is one.
    async fn staff(&self, ctx: &Context<'_>) -> Result<Option<Staff>, Error> {
        directory::staff(Ask::of(ctx), self.0.viewer.staff_id()).await
    }

    /// The teams that the viewer belongs to.
    #[graphql(complexity = "5 * child_complexity")]
    async fn teams(&self, ctx: &Context<'_>) -> Result<Vec<Team>, Error> {
        let Asking::Staff { teams, .. } = &self.0.viewer else {
            return Ok(Vec::new());
        };
        let playbook = Ask::of(ctx).playbook().await?;
        Ok(teams
            .iter()
            .filter_map(|id| playbook.teams.get(id))
            .cloned()
            .map(Team)
            .collect())
    }

    /// Names of the root fields that the viewer may ask for.
    async fn permissions(&self) -> Vec<&'static str> {
        access::table()
            .iter()
            .filter(|rule| rule.allows(&self.0.viewer))
            .map(|rule| rule.field)
            .collect()
    }

    /// For a signed-in browser: the token to send as `X-CSRF-Token` with every mutation.
    async fn csrf_token(&self) -> Option<&str> {
        self.0.csrf_token.as_deref()
    }
}

/// Reads of the viewer.
#[derive(Default)]
pub struct ViewerQuery;

/// Reads of the viewer.
#[Object]
impl ViewerQuery {
    /// Who am I: staff, token or public; role, permissions.
    async fn viewer(&self, ctx: &Context<'_>) -> Viewer {
        Viewer::of(&Ask::of(ctx).caller)
    }
}
