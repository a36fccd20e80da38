//! Who is asking. Every finder takes a viewer, so that row scope lives where the SQL is built.

use entity::enums::{ActorKind, Role};
use entity::id::{FormId, StaffId, TeamId, TokenId};
use uuid::Uuid;

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// A signed-in member of staff.
    Staff {
        /// The person.
        id: StaffId,
        /// The person's role.
        role: Role,
        /// The teams the person belongs to.
        teams: Vec<TeamId>,
    },
    /// A program with an access token.
    Token {
        /// The token.
        id: TokenId,
        /// The token's role.
        role: Role,
    },
    /// Anybody, holding a form's public key.
    Form {
        /// The form.
        id: FormId,
    },
    /// Anybody.
    Public,
}

/// Who did something, as it is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// What kind of actor.
    pub kind: ActorKind,
    /// The actor's id.
    pub id: Option<Uuid>,
}

impl Actor {
    /// Leadward itself.
    pub const SYSTEM: Self = Self {
        kind: ActorKind::System,
        id: None,
    };
    /// A visitor of a form.
    pub const VISITOR: Self = Self {
        kind: ActorKind::Visitor,
        id: None,
    };
}

/// Which leads a viewer may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    All,
    /// Those of these teams, and those owned by this person.
    Teams {
        /// The teams.
        teams: Vec<TeamId>,
        /// The person.
        staff: StaffId,
    },
    /// None.
    Nothing,
}

impl Viewer {
    /// The role, if any.
    pub fn role(&self) -> Option<Role> {
        match self {
            Self::Staff { role, .. } | Self::Token { role, .. } => Some(*role),
            Self::Form { .. } | Self::Public => None,
        }
    }

    /// How the viewer's deeds are written down.
    pub fn actor(&self) -> Actor {
        match self {
            Self::Staff { id, .. } => Actor {
                kind: ActorKind::Staff,
                id: Some(id.0),
            },
            Self::Token { id, .. } => Actor {
                kind: ActorKind::Token,
                id: Some(id.0),
            },
            Self::Form { .. } | Self::Public => Actor::VISITOR,
        }
    }

    /// The member of staff, if it is one.
    pub fn staff_id(&self) -> Option<StaffId> {
        match self {
            Self::Staff { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// Which people's data the viewer may see: the minimum that the role needs (45 CFR 164.502(b)). Coordinators,
    /// reviewers and service-line leads see their teams' leads; operators see all; the others see numbers only.
    pub fn scope(&self) -> Scope {
        match (self, self.role()) {
            (_, Some(Role::Admin | Role::MarketingOps)) => Scope::All,
            (
                Self::Staff { id, teams, .. },
                Some(Role::IntakeCoordinator | Role::ServiceLineLead | Role::ClinicalReviewer),
            ) => Scope::Teams {
                teams: teams.clone(),
                staff: *id,
            },
            // A token of such a role belongs to no team: it serves a program of the whole desk.
            (Self::Token { .. }, Some(Role::IntakeCoordinator | Role::ServiceLineLead)) => Scope::All,
            _ => Scope::Nothing,
        }
    }
}
