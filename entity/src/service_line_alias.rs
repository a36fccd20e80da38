//! Another name of a service line, as people and rules write it.

use sea_orm::entity::prelude::*;

use crate::id::ServiceLineId;

/// Another name of a service line, as people and rules write it.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_line_alias")]
pub struct Model {
    /// The name, lower case, words joined by single spaces.
    #[sea_orm(primary_key, auto_increment = false)]
    pub alias: String,
    /// The line that is meant.
    pub service_line_id: ServiceLineId,
}

impl ActiveModelBehavior for ActiveModel {}
