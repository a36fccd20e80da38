//! What a campaign says about its mails at a moment.

use chrono::{DateTime, Days, Utc};
use chrono_tz::Tz;
use entity::campaign::{CampaignState, Model};

use crate::report::day_start;

/// A campaign as the gate sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CampaignNow {
    /// Where it stands.
    pub state: CampaignState,
    /// When its first day begins.
    pub opens_at: Option<DateTime<Utc>>,
    /// When its last day is over.
    pub closes_at: Option<DateTime<Utc>>,
    /// Whether it has spent its budget. A campaign that has spent nothing has a budget left, even one of zero.
    pub budget_spent: bool,
}

impl CampaignNow {
    /// Reads a campaign whose days are days of the hospital's zone; `spent_minor` is what it has cost so far.
    #[must_use]
    pub fn of(campaign: &Model, spent_minor: i64, zone: Tz) -> Self {
        let spent = |budget| spent_minor > 0 && spent_minor >= budget;
        Self {
            state: campaign.state,
            opens_at: campaign.starts_on.map(|day| day_start(zone, day)),
            closes_at: campaign
                .ends_on
                .and_then(|day| day.checked_add_days(Days::new(1)))
                .map(|day| day_start(zone, day)),
            budget_spent: campaign.budget_minor.is_some_and(spent),
        }
    }

    /// Whether it is over at `now`.
    pub(super) fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.state == CampaignState::Ended || self.closes_at.is_some_and(|closes| closes <= now)
    }
}
