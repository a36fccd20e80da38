//! Quiet hours: at which local times a contact may be written to.
//!
//! 47 CFR 64.1200(c)(1) forbids telephone solicitation before 08:00 and after 21:00 at the called party's location, and
//! several states are stricter. Leadward keeps one window for all marketing, whatever the medium, and keeps it in
//! **every** zone the contact may be in (see [`crate::contact::zones`]): the place is often known only by its state.
//!
//! Windows are data with a named source, because the law changes and the lists of state rules disagree. A window holds
//! at the moment of sending, not only at planning, so the gate asks again.

use chrono::{DateTime, Duration, NaiveDate, Utc, Weekday};
use chrono_tz::Tz;
use entity::business_calendar::hours::{DayHours, OpenRange, WeeklyHours};
use serde::{Deserialize, Serialize};

use crate::{contact::zones::us_zones, sla::calendar::Calendar};

#[cfg(test)]
mod tests;

/// How many days ahead an allowed time is looked for. A window that repeats weekly shows itself within one week;
/// the rest is room for a clock change or a day line between zones.
pub const SEARCH_DAYS: i64 = 35;

/// The local hours in which a contact may be written to, and where that rule comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendWindow {
    /// Where the rule holds, such as `US` or `US-FL`.
    pub jurisdiction: String,
    /// The allowed local time, `[start, end)`: a window that ends at 20:00 does not allow 20:00:00.
    pub hours: WeeklyHours,
    /// The text or decision the window was taken from.
    pub source: String,
    /// When a person last held the window against its source.
    pub reviewed_on: NaiveDate,
}

impl SendWindow {
    /// The default for marketing: 09:00 to 20:00, Monday to Saturday. It lies inside the federal 08:00 to 21:00 and
    /// inside the stricter evenings of most states.
    #[must_use]
    pub fn marketing() -> Self {
        use Weekday::{Fri, Mon, Sat, Thu, Tue, Wed};
        let nine_to_eight = OpenRange::new(9 * 60, 20 * 60).expect("09:00 is before 20:00");
        let hours = DayHours::new(vec![nine_to_eight]).expect("one range cannot overlap");
        Self {
            jurisdiction: "US".to_owned(),
            hours: WeeklyHours::on_days(&[Mon, Tue, Wed, Thu, Fri, Sat], &hours),
            source: "House policy, stricter than 47 CFR 64.1200(c)(1), which allows 08:00 to 21:00"
                .to_owned(),
            reviewed_on: NaiveDate::from_ymd_opt(2026, 11, 23).expect("a date of the calendar"),
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
