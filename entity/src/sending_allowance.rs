//! How much of a rate is used up, over all workers.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// How much of a rate is used up, over all workers: a bucket kept as two times (the generic cell rate algorithm).
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sending_allowance")]
pub struct Model {
    /// What is limited, such as `route/main/second`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// When the next mail would be due if all came evenly.
    pub next_at: DateTime<Utc>,
    /// Until when mails stand in line for it.
    pub queued_until: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
