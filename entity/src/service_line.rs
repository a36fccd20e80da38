//! A service of the hospital under its canonical name.

use chrono::{DateTime, Utc};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::ServiceLineId;

/// Names of procedures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Procedures(pub Vec<String>);

/// Demand-making mails that bring one completed visit, unless the line says otherwise.
pub const MAILS_PER_VISIT: i32 = 20;
/// Weeks that are looked ahead, unless the line says otherwise.
pub const PACING_WEEKS: i32 = 4;

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
    /// The procedures that can be booked without a call.
    #[sea_orm(column_type = "JsonBinary")]
    pub direct_procedures: Procedures,
    /// Demand-making mails that bring one completed visit.
    pub mails_per_visit: i32,
    /// How many weeks are looked ahead, the present one included.
    pub pacing_weeks: i32,
    /// Promotion stops when people wait longer than so many days; none for no limit.
    pub max_wait_days: Option<i32>,
    /// Promotion stops when fewer slots are open in the week; none for no limit.
    pub min_open_slots: Option<i32>,
    /// Whether leads can still be received for it.
    pub active: bool,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
