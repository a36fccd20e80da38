//! How fast demand-making mail about a service line goes out at a facility, and how far its line has been laid out.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{FacilityId, MessageId, ServiceLineId};

text_enum!(/// Why promotion of a service line has stopped at a facility.
PaceStop {
    /// People wait longer for a visit than the line allows.
    LongWait = "LONG_WAIT",
    /// Fewer slots are open than the line wants to have.
    FewSlots = "FEW_SLOTS",
});

/// How fast demand-making mail about a service line goes out at a facility, and how far its line has been laid out.
///
/// There is one as soon as somebody has entered a week. Whoever lets mail go or moves the line holds it.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "capacity_pace")]
pub struct Model {
    /// The service line.
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_line_id: ServiceLineId,
    /// The facility.
    #[sea_orm(primary_key, auto_increment = false)]
    pub facility_id: FacilityId,
    /// When the pace is reckoned anew, or the laying out goes on.
    pub due_at: DateTime<Utc>,
    /// Whether the line is being laid out by this pace.
    pub laying: bool,
    /// Mails a day, in millionths.
    pub rate_micro: i64,
    /// Why promotion has stopped; none while it goes on.
    pub stopped: Option<PaceStop>,
    /// Visits that the leads in the funnel will take, in millionths; none without enough evidence.
    pub demand_micro: Option<i64>,
    /// Leads in the funnel that have no visit yet.
    pub funnel: i64,
    /// The share of the line's leads that were booked, in millionths; none without enough evidence.
    pub conversion_micro: Option<i64>,
    /// When it was last reckoned; none before the first time.
    pub reckoned_at: Option<DateTime<Utc>>,
    /// The line has been laid out up to this place: since when the mail waits.
    pub laid_since: Option<DateTime<Utc>>,
    /// The line has been laid out up to this mail.
    pub laid_id: Option<MessageId>,
    /// The day of the last place of the line; none when no more days can be told.
    pub tail_on: Option<NaiveDate>,
    /// Places of that day that are taken.
    pub tail_used: i32,
}

impl ActiveModelBehavior for ActiveModel {}
