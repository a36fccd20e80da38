//! Which leads a dashboard is about.

use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::{Channel, Disposition, LeadType};
use entity::id::{CampaignId, FacilityId, ServiceLineId};
use entity::lead::Column;
use sea_orm::{ColumnTrait, Condition};

use crate::clock::to_micros;
use crate::error::{Code, Error, Refusal, Result};
use crate::lead::find::is_sent;

/// The longest period, in days: three years.
pub const SPAN_MAX_DAYS: i64 = 3 * 366;
/// Most values of one list of a filter.
pub const LIST_MAX: usize = 100;

/// Which leads a dashboard is about. An empty list means all of them; within a list any value matches, and all lists
/// must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// First instant of the period.
    pub from: DateTime<Utc>,
    /// The instant at which the period has ended.
    pub to: DateTime<Utc>,
    /// Only these service lines.
    pub service_line_ids: Vec<ServiceLineId>,
    /// Only these channels.
    pub channels: Vec<Channel>,
    /// Only these campaigns.
    pub campaign_ids: Vec<CampaignId>,
    /// Only these facilities.
    pub facility_ids: Vec<FacilityId>,
    /// Only these lead types.
    pub lead_types: Vec<LeadType>,
}

impl Filter {
    /// All leads received in `[from, to)`.
    pub const fn period(from: DateTime<Utc>, to: DateTime<Utc>) -> Self {
        Self {
            from,
            to,
            service_line_ids: Vec::new(),
            channels: Vec::new(),
            campaign_ids: Vec::new(),
            facility_ids: Vec::new(),
            lead_types: Vec::new(),
        }
    }

    /// The same filter for the period before, of the same length. It ends where this one starts.
    #[must_use]
    pub fn previous(&self) -> Self {
        let length = self.to - self.from;
        let from = self
            .from
            .checked_sub_signed(length)
            .unwrap_or(DateTime::<Utc>::MIN_UTC);
        Self {
            from,
            to: self.from,
            ..self.clone()
        }
    }

    /// The filter, if it is one that can be answered.
    ///
    /// # Errors
    /// Every refusal at once, with the names of the fields.
    pub fn checked(self) -> Result<Self> {
        let mut refusals = Vec::new();
        let mut refuse =
            |code, field: &str, message: &'static str| refusals.push(Refusal::new(code, field, message));
        if self.from >= self.to {
            refuse(Code::Invalid, "to", "The period must end after it starts.");
        } else if self.to - self.from > TimeDelta::days(SPAN_MAX_DAYS) {
            refuse(Code::TooLarge, "to", "Choose a period of at most three years.");
        }
        let lists = [
            ("serviceLineIds", self.service_line_ids.len()),
            ("channels", self.channels.len()),
            ("campaignIds", self.campaign_ids.len()),
            ("facilityIds", self.facility_ids.len()),
            ("leadTypes", self.lead_types.len()),
        ];
        for (field, len) in lists {
            if len > LIST_MAX {
                refuse(Code::TooLarge, field, "Choose at most 100.");
            }
        }
        if refusals.is_empty() {
            // The databases keep no more than microseconds, so neither does a boundary.
            Ok(Self {
                from: to_micros(self.from),
                to: to_micros(self.to),
                ..self
            })
        } else {
            Err(Error::Refused(refusals))
        }
    }

    /// Leads of the filter, whenever received, as far as they count and `seen` allows.
    pub(super) fn leads(&self, seen: &Condition) -> Condition {
        let left_out = [Disposition::Duplicate, Disposition::Spam];
        let counts = Condition::any()
            .add(Column::Disposition.is_null())
            .add(Column::Disposition.is_not_in(left_out));
        let some = |list_is_empty: bool, condition| (!list_is_empty).then_some(condition);
        Condition::all()
            .add(seen.clone())
            .add(counts)
            .add(is_sent())
            .add_option(some(
                self.service_line_ids.is_empty(),
                Column::ServiceLineId.is_in(self.service_line_ids.iter().copied()),
            ))
            .add_option(some(
                self.channels.is_empty(),
                Column::Channel.is_in(self.channels.iter().copied()),
            ))
            .add_option(some(
                self.campaign_ids.is_empty(),
                Column::CampaignId.is_in(self.campaign_ids.iter().copied()),
            ))
            .add_option(some(
                self.facility_ids.is_empty(),
                Column::FacilityId.is_in(self.facility_ids.iter().copied()),
            ))
            .add_option(some(
                self.lead_types.is_empty(),
                Column::LeadType.is_in(self.lead_types.iter().copied()),
            ))
    }

    /// Leads of the filter received in its period.
    pub(super) fn cohort(&self, seen: &Condition) -> Condition {
        self.leads(seen)
            .add(Column::ReceivedAt.gte(self.from))
            .add(Column::ReceivedAt.lt(self.to))
    }

    /// Whether campaigns' spend can be held against the leads of this filter. It is known by campaign, channel and
    /// service line, but not by facility or lead type: a cost per lead of a part would carry the spend of the whole.
    pub(super) const fn has_costs(&self) -> bool {
        self.facility_ids.is_empty() && self.lead_types.is_empty()
    }
}
