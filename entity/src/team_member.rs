//! Who belongs to which team.

use sea_orm::entity::prelude::*;

use crate::id::{StaffId, TeamId};

/// Who belongs to which team.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "team_member")]
pub struct Model {
    /// The team.
    #[sea_orm(primary_key, auto_increment = false)]
    pub team_id: TeamId,
    /// The member.
    #[sea_orm(primary_key, auto_increment = false)]
    pub staff_id: StaffId,
}

impl ActiveModelBehavior for ActiveModel {}
