//! A consent event that waits for its place in the chain. The database adds it with the event, whoever writes that.

use sea_orm::entity::prelude::*;

use crate::id::ConsentEventId;

/// A consent event that waits for its place in the chain.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consent_unsealed")]
pub struct Model {
    /// The event.
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: ConsentEventId,
}

impl ActiveModelBehavior for ActiveModel {}
