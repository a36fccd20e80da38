//! Quiet hours: at which local times a contact may be written to.
//!
//! 47 CFR 64.1200(c)(1) forbids telephone solicitation before 08:00 and after 21:00 at the called party's location, and
//! several states are stricter. Leadward keeps the window for all nurture, whatever the medium, and keeps it in **every** zone the contact may be in (see [`crate::contact::zones`]): the place is often known only by
//! its state.
//!
//! Windows are data with a named source, by jurisdiction and in versions (see [`windows`]), because the law changes and
//! the lists of state rules disagree. A window holds at the moment of sending, not only at planning, so the gate asks
//! again.

pub mod windows;

use chrono::{DateTime, Duration, TimeDelta, Utc};
use chrono_tz::Tz;
use entity::business_calendar::hours::WeeklyHours;

use crate::{contact::zones::us_zones, sla::calendar::Calendar};

#[cfg(test)]
mod tests;

/// How many days ahead an allowed time is looked for. A window that repeats weekly shows itself within one week;
/// the rest is room for a clock change or a day line between zones.
pub const SEARCH_DAYS: i64 = 35;

/// The local hours in which a contact may be written to: what all the windows that hold for it have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendWindow {
    /// The windows it was made of and their versions, such as `HOUSE.1 US.0 US-FL.2`.
    pub version: String,
    /// The allowed local time, `[start, end)`: a window that ends at 20:00 does not allow 20:00:00.
    pub hours: WeeklyHours,
}

impl SendWindow {
    /// The house's own window where it has written none: 09:00 to 20:00, Monday to Saturday. It lies inside the federal
    /// 08:00 to 21:00 and inside the stricter evenings of most states.
    #[must_use]
    pub fn marketing() -> Self {
        Self {
            version: format!("{}.0", windows::HOUSE),
            hours: windows::house_hours(),
        }
    }
}

/// Whether `at` is inside the window in every zone.
///
/// No zone at all means that the place is unknown, so that every zone of the United States has to agree.
#[must_use]
pub fn is_allowed(at: DateTime<Utc>, zones: &[Tz], window: &SendWindow) -> bool {
    calendars(zones, window)
        .iter()
        .all(|calendar| calendar.is_open(at))
}

/// The earliest time, not before `at`, that is inside the window in every zone.
///
/// `None` means that there is no such time within [`SEARCH_DAYS`]: the window is empty, or the zones are so far apart
/// that it never holds in all of them. No zone at all is read as in [`is_allowed`].
#[must_use]
pub fn next_allowed(at: DateTime<Utc>, zones: &[Tz], window: &SendWindow) -> Option<DateTime<Utc>> {
    let calendars = calendars(zones, window);
    let last = at.checked_add_signed(Duration::days(SEARCH_DAYS))?;
    let mut candidate = at;
    while candidate <= last {
        // Nothing before the latest of the next openings can be open in all zones.
        let openings: Option<Vec<_>> = calendars
            .iter()
            .map(|calendar| calendar.next_open(candidate))
            .collect();
        let latest = openings?.into_iter().max()?;
        if latest == candidate {
            return Some(candidate);
        }
        candidate = latest;
    }
    None
}

/// How long from `at` the window stays open in every zone; none when it is not open. It may be told shorter than it is
/// where two open stretches touch, never longer.
#[must_use]
pub fn open_for(at: DateTime<Utc>, zones: &[Tz], window: &SendWindow) -> Option<TimeDelta> {
    calendars(zones, window)
        .iter()
        .map(|calendar| calendar.closes_at(at).map(|closes| closes - at))
        .collect::<Option<Vec<_>>>()?
        .into_iter()
        .min()
}

/// The window as a calendar in each zone.
fn calendars(zones: &[Tz], window: &SendWindow) -> Vec<Calendar> {
    let zones = if zones.is_empty() {
        us_zones()
    } else {
        zones.to_vec()
    };
    zones
        .into_iter()
        .map(|zone| Calendar {
            zone,
            hours: window.hours.clone().into(),
        })
        .collect()
}
