//! When a wait for a local weekday and time is over.

use chrono::{
    DateTime, Datelike, Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;
use entity::sequence_version::Weekday;

#[cfg(test)]
mod tests;

/// Days that are looked at. A weekday comes within 7; the second week is for a date that a zone skipped.
const SEARCH_DAYS: u64 = 15;

/// The next instant, strictly after `now`, at which clocks in `zone` show `minute_of_day`, on `weekday` if one is named.
///
/// A time that a clock change skips is taken at the first minute after the gap, on the same day. A time that comes twice
/// counts the first time, and the second time only for somebody who has just missed the first.
#[must_use]
pub fn wait_until(
    now: DateTime<Utc>,
    zone: Tz,
    weekday: Option<Weekday>,
    minute_of_day: u16,
) -> DateTime<Utc> {
    let today = now.with_timezone(&zone).date_naive();
    (0..SEARCH_DAYS)
        .filter_map(|days| today.checked_add_days(Days::new(days)))
        .filter(|date| weekday.is_none_or(|wanted| date.weekday() == day(wanted)))
        .find_map(|date| on_date(now, zone, date, minute_of_day))
        // Reached only at the end of the calendar; a week later is as good as any time there.
        .unwrap_or(now + TimeDelta::days(7))
}

/// The instant at which clocks in `zone` first show `local`; when a clock change skips it, the first minute after the gap.
#[must_use]
pub fn instant_of(zone: Tz, local: NaiveDateTime) -> Option<DateTime<Utc>> {
    // The longest gap that a zone ever had is a day.
    (0..=24 * 60).find_map(|minutes| {
        instants(zone, local.checked_add_signed(TimeDelta::minutes(minutes))?)
            .into_iter()
            .next()
    })
}

/// The instant on this local date, if there is one after `now`.
fn on_date(now: DateTime<Utc>, zone: Tz, date: NaiveDate, minute_of_day: u16) -> Option<DateTime<Utc>> {
    let wanted = date.and_time(NaiveTime::MIN) + TimeDelta::minutes(minute_of_day.into());
    let mut local = wanted;
    while local.date() == date {
        let instants = instants(zone, local);
        if !instants.is_empty() {
            return instants.into_iter().find(|at| *at > now);
        }
        local += TimeDelta::minutes(1);
    }
    None
}

/// The instants at which clocks show `local`: none in a gap, two in a fold, in order.
fn instants(zone: Tz, local: NaiveDateTime) -> Vec<DateTime<Utc>> {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::None => Vec::new(),
        MappedLocalTime::Single(at) => vec![at.to_utc()],
        MappedLocalTime::Ambiguous(first, second) => {
            let (first, second) = (first.to_utc(), second.to_utc());
            vec![first.min(second), first.max(second)]
        }
    }
}

const fn day(weekday: Weekday) -> chrono::Weekday {
    match weekday {
        Weekday::Monday => chrono::Weekday::Mon,
        Weekday::Tuesday => chrono::Weekday::Tue,
        Weekday::Wednesday => chrono::Weekday::Wed,
        Weekday::Thursday => chrono::Weekday::Thu,
        Weekday::Friday => chrono::Weekday::Fri,
        Weekday::Saturday => chrono::Weekday::Sat,
        Weekday::Sunday => chrono::Weekday::Sun,
    }
}
