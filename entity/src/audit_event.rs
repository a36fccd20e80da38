//! Who did or read what, never changed afterwards.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::enums::ActorKind;
use crate::id::AuditEventId;

/// Who did or read what, never changed afterwards.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_event")]
pub struct Model {
    /// The id; its order is the order of events.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditEventId,
    /// Who.
    pub actor_kind: ActorKind,
    /// The id of who.
    pub actor_id: Option<Uuid>,
    /// What was done, for example `lead.close`.
    pub action: String,
    /// The public id of what it was done to.
    pub subject_id: Option<String>,
    /// The request.
    pub request_id: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
