//! A kept answer to a request that may be repeated.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::IdempotencyId;

/// A kept answer to a request that may be repeated.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: IdempotencyId,
    /// Whose key it is: a token, a member of staff or the public form.
    pub principal: String,
    /// What was asked. Unique with principal and key.
    pub operation: String,
    /// The sender's key.
    pub key: String,
    /// SHA-256 of the request in hexadecimal; another request under the same key is a conflict.
    pub request_hash: String,
    /// The first answer; none while it is being made.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub response: Option<Json>,
    /// When the first request came.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
