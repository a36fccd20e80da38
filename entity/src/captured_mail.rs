//! A mail that was kept instead of sent, when no mail server is set.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::MessageId;

/// A mail that was kept instead of sent, when no mail server is set.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "captured_mail")]
pub struct Model {
    /// The message.
    #[sea_orm(primary_key, auto_increment = false)]
    pub message_id: MessageId,
    /// The envelope's recipient.
    pub recipient: String,
    /// The mail as it would have gone out (RFC 5322).
    pub raw: Vec<u8>,
    /// When.
    pub captured_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
