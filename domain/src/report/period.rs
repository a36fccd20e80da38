//! Local days: where they start, and how a period is cut into days, weeks and months.

use std::ops::Range;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

use super::Filter;
use crate::playbook::Playbook;

/// How long the pieces of a series are, on the local calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grain {
    /// From midnight to midnight, which is 23 or 25 hours when clocks change.
    Day,
    /// From Monday to Monday (ISO 8601).
    Week,
    /// From the first to the first.
    Month,
}

impl Grain {
    /// The first day of the piece that `date` lies in.
    fn first_day(self, date: NaiveDate) -> NaiveDate {
        match self {
            Self::Day => date,
            Self::Week => date.week(Weekday::Mon).checked_first_day().unwrap_or(date),
            Self::Month => date.with_day(1).unwrap_or(date),
        }
    }

    /// The first day of the piece after the one that starts on `first`; none at the end of the calendar.
    fn next(self, first: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => first.succ_opt(),
            Self::Week => first.checked_add_days(Days::new(7)),
            Self::Month => first.checked_add_months(Months::new(1)),
        }
    }
}

/// The zone whose days a filter is read in: that of the facility if there is one, else that of the hospital, which is
/// its first facility's.
pub(super) fn zone(playbook: &Playbook, filter: &Filter) -> Tz {
    match filter.facility_ids.as_slice() {
        [one] if playbook.facilities.contains_key(one) => playbook.zone(Some(*one)),
        _ => hospital_zone(playbook),
    }
}

/// The zone that the hospital's own days are reckoned in: that of its first facility, UTC if it has none.
pub fn hospital_zone(playbook: &Playbook) -> Tz {
    playbook.zone(playbook.facilities.keys().min().copied())
}

/// The first instant of a local date. Where midnight is skipped by a change of clocks, that is the first instant
/// after the gap; of a midnight that comes twice, it is the first.
pub(crate) fn day_start(zone: Tz, date: NaiveDate) -> DateTime<Utc> {
    let midnight = date.and_time(NaiveTime::MIN);
    // A gap may be as long as a day: Samoa had no 2011-12-30.
    (0..=96)
        .filter_map(|quarter| midnight.checked_add_signed(TimeDelta::minutes(15 * quarter)))
        .find_map(|local| zone.from_local_datetime(&local).earliest())
        .map_or_else(|| midnight.and_utc(), |at| at.to_utc())
}

/// The local days that belong to `[from, to)`: those that start in it. So a day belongs to exactly one of two periods
/// that touch, wherever they touch.
pub(super) fn days(zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> Range<NaiveDate> {
    let first_not_before = |at: DateTime<Utc>| {
        let date = at.with_timezone(&zone).date_naive();
        if day_start(zone, date) < at {
            date.succ_opt().unwrap_or(date)
        } else {
            date
        }
    };
    first_not_before(from)..first_not_before(to)
}

/// `[from, to)` cut where local days, weeks or months start; the first and the last piece may be shorter. `None` if
/// there are more than `max` pieces.
pub(super) fn cut(
    zone: Tz,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    grain: Grain,
    max: usize,
) -> Option<Vec<Range<DateTime<Utc>>>> {
    let mut first_day = grain.first_day(from.with_timezone(&zone).date_naive());
    let mut pieces = Vec::new();
    let mut start = from;
    while start < to {
        let next = grain.next(first_day);
        let end = next.map_or(to, |day| day_start(zone, day)).min(to);
        // A date that a zone skipped is no piece.
        if start < end {
            if pieces.len() == max {
                return None;
            }
            pieces.push(start..end);
            start = end;
        }
        first_day = next?;
    }
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn hours(pieces: &[Range<DateTime<Utc>>]) -> Vec<i64> {
        pieces
            .iter()
            .map(|piece| (piece.end - piece.start).num_hours())
            .collect()
    }

    #[test]
    fn days_are_as_long_as_the_wall_clock_makes_them() {
        let zone = chrono_tz::America::New_York;
        let spring = cut(
            zone,
            at("2026-03-07T05:00:00Z"),
            at("2026-03-10T04:00:00Z"),
            Grain::Day,
            9,
        )
        .unwrap();
        assert_eq!(hours(&spring), [24, 23, 24]);
        let autumn = cut(
            zone,
            at("2026-10-31T04:00:00Z"),
            at("2026-11-03T05:00:00Z"),
            Grain::Day,
            9,
        )
        .unwrap();
        assert_eq!(hours(&autumn), [24, 25, 24]);
    }

    #[test]
    fn weeks_start_on_monday_and_months_on_the_first() {
        let zone = chrono_tz::America::Chicago;
        let (from, to) = (at("2026-11-18T12:00:00Z"), at("2026-12-02T00:00:00Z"));
        let weeks = cut(zone, from, to, Grain::Week, 9).unwrap();
        let starts: Vec<_> = weeks.iter().map(|piece| piece.start).collect();
        assert_eq!(
            starts,
            [from, at("2026-11-23T06:00:00Z"), at("2026-11-30T06:00:00Z")]
        );
        let months = cut(zone, from, to, Grain::Month, 9).unwrap();
        assert_eq!(
            months,
            [from..at("2026-12-01T06:00:00Z"), at("2026-12-01T06:00:00Z")..to]
        );
    }

    #[test]
    fn a_midnight_or_a_date_that_was_skipped_is_bridged() {
        // Beirut's clocks go from 00:00 to 01:00.
        let beirut = NaiveDate::from_ymd_opt(2026, 3, 29).unwrap();
        assert_eq!(
            day_start(chrono_tz::Asia::Beirut, beirut),
            at("2026-03-28T22:00:00Z")
        );
        let samoa = cut(
            chrono_tz::Pacific::Apia,
            at("2011-12-29T10:00:00Z"),
            at("2012-01-01T10:00:00Z"),
            Grain::Day,
            9,
        );
        assert_eq!(
            hours(&samoa.unwrap()),
            [24, 24, 24],
            "the 29th, the 31st and the 1st"
        );
    }

    #[test]
    fn too_many_pieces_are_refused() {
        let (from, to) = (at("2026-01-01T00:00:00Z"), at("2026-01-11T00:00:00Z"));
        assert!(cut(Tz::UTC, from, to, Grain::Day, 10).is_some());
        assert!(cut(Tz::UTC, from, to, Grain::Day, 9).is_none());
    }

    proptest! {
        #[test]
        fn pieces_cover_the_period_without_gap_or_overlap(
            zone in prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
            from in 1_500_000_000_i64..1_900_000_000,
            length in 1_i64..40_000_000,
            grain in prop::sample::select(vec![Grain::Day, Grain::Week, Grain::Month]),
        ) {
            let (from, to) = (
                DateTime::from_timestamp(from, 0).unwrap(),
                DateTime::from_timestamp(from + length, 0).unwrap(),
            );
            let pieces = cut(zone, from, to, grain, 1_000).unwrap();
            prop_assert_eq!(pieces[0].start, from);
            prop_assert_eq!(pieces[pieces.len() - 1].end, to);
            prop_assert!(pieces.windows(2).all(|pair| pair[0].end == pair[1].start));
            prop_assert!(pieces.iter().all(|piece| piece.start < piece.end));
            for piece in &pieces[1..] {
                let local = piece.start.with_timezone(&zone).date_naive();
                prop_assert_eq!(day_start(zone, local), piece.start);
                prop_assert_eq!(grain.first_day(local), local);
            }
        }

        #[test]
        fn a_day_belongs_to_one_of_two_periods_that_touch(
            zone in prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
            from in 1_500_000_000_i64..1_900_000_000,
            first in 1_i64..10_000_000,
            second in 1_i64..10_000_000,
        ) {
            let at = |secs| DateTime::from_timestamp(secs, 0).unwrap();
            let (a, b, c) = (at(from), at(from + first), at(from + first + second));
            let (before, after, both) = (days(zone, a, b), days(zone, b, c), days(zone, a, c));
            prop_assert_eq!(before.end, after.start);
            prop_assert_eq!((before.start, after.end), (both.start, both.end));
        }
    }
}
