//! How many promotional mails a contact gets, over all campaigns.
//!
//! Windows of time roll: at most so many in *any* 24 hours and in any 7 days, so that neither midnight nor Sunday lets
//! twice as many through. A mail counts from the moment it is allowed: what another worker, or this batch, is about to
//! send is in the history too.

use chrono::{DateTime, TimeDelta, Utc};
use entity::frequency_cap;

/// The span of the daily cap.
pub const DAY: TimeDelta = TimeDelta::hours(24);
/// The span of the weekly cap, and how far back the history is looked at.
pub const WEEK: TimeDelta = TimeDelta::days(7);

/// The house's frequency caps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// 0 for what the program brings, else the version of the row.
    pub version: i32,
    /// Most mails in any 24 hours.
    pub per_day: u32,
    /// Most mails in any 7 days.
    pub per_week: u32,
}

impl Default for Caps {
    /// Two in a day, four in a week: a policy of ours, for no law counts mails.
    fn default() -> Self {
        Self {
            version: 0,
            per_day: 2,
            per_week: 4,
        }
    }
}

impl From<&frequency_cap::Model> for Caps {
    fn from(row: &frequency_cap::Model) -> Self {
        Self {
            version: row.version,
            per_day: row.per_day.try_into().unwrap_or(0),
            per_week: row.per_week.try_into().unwrap_or(0),
        }
    }
}

/// When one more mail may go, if none may go now. `history` is when the contact was sent the others, the latest first;
/// `own_per_week` is the contact's own cap, which may only be stricter.
pub(super) fn free_at(
    caps: Caps,
    own_per_week: Option<u32>,
    history: &[DateTime<Utc>],
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let per_week = own_per_week.map_or(caps.per_week, |own| own.min(caps.per_week));
    [(caps.per_day, DAY), (per_week, WEEK)]
        .into_iter()
        .map(|(cap, span)| room_at(cap, span, history, now))
        .max()
        .filter(|at| *at > now)
}

/// When fewer than `cap` mails lie in the `span` before.
fn room_at(cap: u32, span: TimeDelta, history: &[DateTime<Utc>], now: DateTime<Utc>) -> DateTime<Utc> {
    match usize::try_from(cap).unwrap_or(usize::MAX).checked_sub(1) {
        Some(place) => history.get(place).map_or(now, |at| *at + span),
        // Nothing may go at all: asked again when the span is over.
        None => now + span,
    }
}
