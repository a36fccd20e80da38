//! A time during which a lead's clock does not run.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{LeadId, SlaPauseId};

text_enum!(/// Why a lead's clock does not run.
PauseReason {
    /// The person has to send something or to decide.
    WaitingForLead = "WAITING_FOR_LEAD",
    /// The referral has to come.
    WaitingForReferral = "WAITING_FOR_REFERRAL",
    /// Coverage has to be checked.
    WaitingForCoverage = "WAITING_FOR_COVERAGE",
    /// The person asked to be called later.
    LeadAskedLater = "LEAD_ASKED_LATER",
});

/// A time during which a lead's clock does not run.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sla_pause")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SlaPauseId,
    /// The lead.
    pub lead_id: LeadId,
    /// Why.
    pub reason: PauseReason,
    /// When it began.
    pub starts_at: DateTime<Utc>,
    /// When it ends. Moved forward when the clock runs again before that.
    pub ends_at: DateTime<Utc>,
    /// When its end was written down; none while it lasts.
    pub ended_at: Option<DateTime<Utc>>,
}

impl ActiveModelBehavior for ActiveModel {}
