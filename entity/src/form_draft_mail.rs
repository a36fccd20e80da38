//! That an address gets a mail with the link to a saved form: what it takes to send few, and no more.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::FormDraftMailId;

/// A mail with the link to a saved form, for as long as it counts. It outlasts what was saved, so that who deletes it at
/// once is not written to without end.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "form_draft_mail")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FormDraftMailId,
    /// Keyed hash of the address.
    pub email_hash: Vec<u8>,
    /// When it is due.
    pub goes_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
