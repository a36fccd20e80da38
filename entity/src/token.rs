//! An access token of a program. Only its hash is stored.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::enums::Role;
use crate::id::TokenId;

/// An access token of a program. Only its hash is stored.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "token")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TokenId,
    /// What the token is for.
    pub name: String,
    /// What its bearer may do.
    pub role: Role,
    /// SHA-256 of the token, which has 256 random bits of its own.
    #[sea_orm(unique)]
    pub secret_hash: Vec<u8>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was taken back.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl ActiveModelBehavior for ActiveModel {}
