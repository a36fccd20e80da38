//! One row whose number rises whenever rules, forms or lists change, so that every process notices.

use sea_orm::entity::prelude::*;

/// One row whose number rises whenever rules, forms or lists change, so that every process notices.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "playbook_revision")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// Rises by 1 with every change.
    pub revision: i64,
}

impl ActiveModelBehavior for ActiveModel {}
