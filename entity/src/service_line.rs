//! A service of the hospital under its canonical name.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::ServiceLineId;

/// A service of the hospital under its canonical name.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_line")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ServiceLineId,
    /// Short name in rules and forms, for example `sleep`.
    #[sea_orm(unique)]
    pub slug: String,
    /// The canonical name that people read.
    pub name: String,
    /// Whether intake may book it without a clinician's look.
    pub direct_scheduling: bool,
    /// Whether a referral must exist before a visit.
    pub referral_required: bool,
    /// Whether a provider's order must exist before a visit.
    pub order_required: bool,
    /// Whether a clinician triages every lead.
    pub triage_required: bool,
    /// Whether leads can still be received for it.
    pub active: bool,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
