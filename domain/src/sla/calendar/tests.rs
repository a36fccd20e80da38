use std::ops::Range;

use chrono::{Datelike, Days, NaiveDate, Timelike, Weekday};
use chrono_tz::{America, Europe, Pacific, TZ_VARIANTS};
use entity::business_calendar::hours::{DayHours, Holiday, OpenRange, WeeklyHours};
use proptest::prelude::*;

use super::*;

// --- What is tested against: the same rule, counted minute by minute from raw numbers. ---

/// Opening hours as plain numbers, from which both the calendar and the slow count are made.
#[derive(Clone, Debug)]
pub(in crate::sla) struct Plan {
    zone: Tz,
    /// Minutes of the day, Monday first.
    week: [Vec<Range<u16>>; 7],
    holidays: Vec<(NaiveDate, Vec<Range<u16>>)>,
}

impl Plan {
    pub(in crate::sla) fn calendar(&self) -> Calendar {
        let day = |ranges: &Vec<Range<u16>>| {
            DayHours::new(
                ranges
                    .iter()
                    .map(|range| OpenRange::new(range.start, range.end).expect("forward"))
                    .collect(),
            )
            .expect("no overlap")
        };
        let mut weekly = WeeklyHours::default();
        for (number, ranges) in self.week.iter().enumerate() {
            *weekly.day_mut(Weekday::try_from(u8::try_from(number).expect("0..7")).expect("0..7")) =
                day(ranges);
        }
        let holidays = self
            .holidays
            .iter()
            .map(|(date, ranges)| Holiday {
                date: *date,
                name: "Holiday".to_owned(),
                hours: day(ranges),
            })
            .collect();
        Calendar {
            zone: self.zone,
            hours: Hours::new(weekly, holidays).expect("different dates"),
        }
    }

    pub(in crate::sla) fn open_at(&self, at: DateTime<Utc>) -> bool {
        let local = at.with_timezone(&self.zone);
        let today = local.date_naive();
        let ranges = match self.holidays.iter().find(|(date, _)| *date == today) {
            Some((_, ranges)) => ranges,
            None => &self.week[usize::try_from(local.weekday().num_days_from_monday()).expect("0..7")],
        };
        let minute = u16::try_from(local.hour() * 60 + local.minute()).expect("a minute of the day");
        ranges.iter().any(|range| range.contains(&minute))
    }

    /// The instant at which `minutes` open minutes have passed, or `None` if that is not within `limit` minutes.
    fn add_minutes_slowly(&self, from: DateTime<Utc>, minutes: i64, limit: i64) -> Option<DateTime<Utc>> {
        let mut left = minutes;
        let mut at = from;
        while left > 0 {
            if at - from >= TimeDelta::minutes(limit) {
                return None;
            }
            if self.open_at(at) {
                left -= 1;
            }
            at += TimeDelta::minutes(1);
        }
        Some(at)
    }

    fn count_open_minutes(&self, from: DateTime<Utc>, minutes: i64) -> i64 {
        let open = (0..minutes)
            .filter(|minute| self.open_at(from + TimeDelta::minutes(*minute)))
            .count();
        i64::try_from(open).expect("a small count")
    }
}

// --- Random zones, hours, holidays and starts, half of them close to a change of clocks. ---

fn any_day() -> impl Strategy<Value = Vec<Range<u16>>> {
    proptest::collection::btree_set(0_u16..=1440, 0..=6).prop_map(|cuts| {
        let cuts: Vec<u16> = cuts.into_iter().collect();
        cuts.chunks_exact(2).map(|pair| pair[0]..pair[1]).collect()
    })
}

/// The start of a UTC day on which the zone's offset changes, if there is one in that year.
fn day_of_change(zone: Tz, year: i32, which: usize) -> Option<DateTime<Utc>> {
    let first = NaiveDate::from_ymd_opt(year, 1, 1)
        .expect("a first of January")
        .and_time(NaiveTime::MIN);
    let changes: Vec<NaiveDateTime> = (0..365)
        .map(|day| first + TimeDelta::days(day))
        .filter(|midnight| offset(zone, *midnight) != offset(zone, *midnight + TimeDelta::days(1)))
        .collect();
    changes.get(which % changes.len().max(1)).map(|at| at.and_utc())
}

fn any_start(zone: Tz) -> impl Strategy<Value = DateTime<Utc>> {
    (
        2000_i32..2037,
        0_usize..4,
        -2880_i64..2880,
        any::<bool>(),
        0_i64..525_600,
    )
        .prop_map(move |(year, which, minutes, near_change, minute_of_year)| {
            let first = Utc
                .with_ymd_and_hms(year, 1, 1, 0, 0, 0)
                .single()
                .expect("a first of January");
            match day_of_change(zone, year, which).filter(|_| near_change) {
                Some(day) => day + TimeDelta::minutes(minutes),
                None => first + TimeDelta::minutes(minute_of_year),
            }
        })
}

pub(in crate::sla) fn any_plan_and_start() -> impl Strategy<Value = (Plan, DateTime<Utc>)> {
    proptest::sample::select(&TZ_VARIANTS[..]).prop_flat_map(|zone| {
        let week = proptest::array::uniform7(any_day());
        let holidays = proptest::collection::btree_map(0_u64..9, any_day(), 0..3);
        (week, holidays, any_start(zone)).prop_map(move |(week, holidays, start)| {
            let eve = start.date_naive() - Days::new(1);
            let holidays = holidays
                .into_iter()
                .map(|(days, ranges)| (eve + Days::new(days), ranges))
                .collect();
            (Plan { zone, week, holidays }, start)
        })
    })
}

/// The slow count looks this far ahead.
const LIMIT_MINUTES: i64 = 10 * 1440;

proptest! {
    #[test]
    fn adding_business_time_agrees_with_counting_minutes(
        (plan, start) in any_plan_and_start(),
        minutes in 0_i64..3_000,
    ) {
        let fast = plan.calendar().add_business(start, TimeDelta::minutes(minutes));
        match plan.add_minutes_slowly(start, minutes, LIMIT_MINUTES) {
            Some(slow) => prop_assert_eq!(fast, Some(slow)),
            None => prop_assert!(fast.is_none_or(|at| at - start > TimeDelta::minutes(LIMIT_MINUTES))),
        }
    }

    #[test]
    fn business_time_between_agrees_with_counting_minutes(
        (plan, start) in any_plan_and_start(),
        minutes in 0_i64..LIMIT_MINUTES,
    ) {
        let fast = plan.calendar().business_between(start, start + TimeDelta::minutes(minutes));
        prop_assert_eq!(fast, TimeDelta::minutes(plan.count_open_minutes(start, minutes)));
    }

    #[test]
    fn the_next_opening_is_open_and_nothing_before_it_is(
        (plan, start) in any_plan_and_start(),
    ) {
        let calendar = plan.calendar();
        prop_assert_eq!(calendar.is_open(start), plan.open_at(start));
        match calendar.next_open(start) {
            Some(open) => {
                prop_assert!(open >= start && plan.open_at(open));
                prop_assert_eq!(plan.count_open_minutes(start, (open - start).num_minutes().min(LIMIT_MINUTES)), 0);
            }
            None => prop_assert_eq!(plan.count_open_minutes(start, LIMIT_MINUTES), 0),
        }
    }

    #[test]
    fn counting_the_time_that_was_added_gives_it_back(
        (plan, start) in any_plan_and_start(),
        start_us in 0_i64..60_000_000,
        amount_us in 1_i64..400_000_000_000,
    ) {
        let (calendar, start) = (plan.calendar(), start + TimeDelta::microseconds(start_us));
        let amount = TimeDelta::microseconds(amount_us);
        if let Some(end) = calendar.add_business(start, amount) {
            prop_assert_eq!(calendar.business_between(start, end), amount);
            // The last moment that was counted is open, so the result is open itself or is a closing time.
            prop_assert!(calendar.is_open(end - TimeDelta::microseconds(1)));
        }
    }

    #[test]
    fn adding_in_two_parts_is_adding_the_sum(
        (plan, start) in any_plan_and_start(),
        first_us in 0_i64..200_000_000_000,
        second_us in 0_i64..200_000_000_000,
    ) {
        let calendar = plan.calendar();
        let (first, second) = (TimeDelta::microseconds(first_us), TimeDelta::microseconds(second_us));
        // Where the sum is within the horizon, so are both parts; the second part may also reach beyond it.
        if let Some(at_once) = calendar.add_business(start, first + second) {
            let in_parts = calendar.add_business(start, first).and_then(|at| calendar.add_business(at, second));
            prop_assert_eq!(in_parts, Some(at_once));
        }
    }

    #[test]
    fn more_time_or_a_later_start_never_ends_earlier(
        (plan, start) in any_plan_and_start(),
        amount_us in 0_i64..200_000_000_000,
        more_us in 0_i64..200_000_000_000,
        later_us in 0_i64..200_000_000_000,
    ) {
        let calendar = plan.calendar();
        let (amount, more) = (TimeDelta::microseconds(amount_us), TimeDelta::microseconds(more_us));
        let later = start + TimeDelta::microseconds(later_us);
        let end = calendar.add_business(start, amount);
        if let (Some(end), Some(longer)) = (end, calendar.add_business(start, amount + more)) {
            prop_assert!(end <= longer);
        }
        if let (Some(end), Some(started_later)) = (end, calendar.add_business(later, amount)) {
            prop_assert!(end <= started_later);
        }
    }

    #[test]
    fn business_time_adds_up_over_neighboring_periods(
        (plan, start) in any_plan_and_start(),
        first_us in 0_i64..900_000_000_000,
        second_us in 0_i64..900_000_000_000,
    ) {
        let calendar = plan.calendar();
        let middle = start + TimeDelta::microseconds(first_us);
        let end = middle + TimeDelta::microseconds(second_us);
        prop_assert_eq!(
            calendar.business_between(start, middle) + calendar.business_between(middle, end),
            calendar.business_between(start, end)
        );
        prop_assert_eq!(calendar.business_between(end, start), TimeDelta::zero());
    }

    #[test]
    fn hours_survive_the_way_through_json((plan, _) in any_plan_and_start()) {
        let hours = plan.calendar().hours;
        let text = serde_json::to_string(&hours).expect("hours are always JSON");
        prop_assert_eq!(serde_json::from_str::<Hours>(&text).expect("its own output"), hours);
    }
}

// --- Named cases. ---

fn day(ranges: &[&str]) -> DayHours {
    DayHours::new(
        ranges
            .iter()
            .map(|range| range.parse().expect("a range"))
            .collect(),
    )
    .expect("no overlap")
}

fn every_day(zone: Tz, ranges: &[&str]) -> Calendar {
    let mut weekly = WeeklyHours::always();
    for weekday in 0..7 {
        *weekly.day_mut(Weekday::try_from(weekday).expect("0..7")) = day(ranges);
    }
    Calendar {
        zone,
        hours: weekly.into(),
    }
}

fn office(zone: Tz) -> Calendar {
    use Weekday::{Fri, Mon, Thu, Tue, Wed};
    let weekly = WeeklyHours::on_days(&[Mon, Tue, Wed, Thu, Fri], &day(&["08:00-12:00", "13:00-17:00"]));
    Calendar {
        zone,
        hours: weekly.into(),
    }
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn hours(count: i64) -> TimeDelta {
    TimeDelta::hours(count)
}

#[test]
fn lunch_nights_and_weekends_do_not_count() {
    let calendar = office(America::New_York);
    // Friday 11:30 in New York: half an hour before lunch, four in the afternoon, the rest on Monday.
    let friday = utc("2026-07-10T15:30:00Z");
    assert_eq!(
        calendar.add_business(friday, hours(1)),
        Some(utc("2026-07-10T17:30:00Z"))
    );
    assert_eq!(
        calendar.add_business(friday, hours(5)),
        Some(utc("2026-07-13T12:30:00Z"))
    );
    assert_eq!(
        calendar.business_between(friday, utc("2026-07-13T12:30:00Z")),
        hours(5)
    );
}

#[test]
fn an_amount_that_ends_at_closing_time_is_due_at_closing_time() {
    let calendar = office(America::New_York);
    let friday = utc("2026-07-10T15:30:00Z");
    let closing = utc("2026-07-10T21:00:00Z");
    assert_eq!(
        calendar.add_business(friday, TimeDelta::minutes(270)),
        Some(closing)
    );
    assert!(!calendar.is_open(closing));
    assert_eq!(
        calendar.add_business(friday, TimeDelta::minutes(270) + TimeDelta::microseconds(1)),
        Some(utc("2026-07-13T12:00:00.000001Z"))
    );
}

#[test]
fn no_time_to_add_is_due_at_once_even_when_closed() {
    let sunday = utc("2026-07-12T12:00:00Z");
    let calendar = office(America::Chicago);
    assert_eq!(calendar.add_business(sunday, TimeDelta::zero()), Some(sunday));
    assert_eq!(calendar.add_business(sunday, hours(-3)), Some(sunday));
}

#[test]
fn a_holiday_is_skipped_and_a_short_day_is_short() {
    let mut calendar = office(America::New_York);
    let listed = vec![
        Holiday {
            date: NaiveDate::from_ymd_opt(2026, 12, 24).expect("a date"),
            name: "Christmas Eve".to_owned(),
            hours: day(&["08:00-12:00"]),
        },
        Holiday {
            date: NaiveDate::from_ymd_opt(2026, 12, 25).expect("a date"),
            name: "Christmas Day".to_owned(),
            hours: DayHours::closed(),
        },
    ];
    calendar.hours = Hours::new(calendar.hours.weekly().clone(), listed).expect("two dates");
    // Thursday the 24th at 11:00: one hour left, then nothing before Monday the 28th at 08:00.
    let eve = utc("2026-12-24T16:00:00Z");
    assert_eq!(
        calendar.add_business(eve, hours(2)),
        Some(utc("2026-12-28T14:00:00Z"))
    );
    assert_eq!(
        calendar.next_open(utc("2026-12-24T17:00:00Z")),
        Some(utc("2026-12-28T13:00:00Z"))
    );
}

#[test]
fn a_range_over_the_spring_gap_is_shorter() {
    let calendar = every_day(America::New_York, &["01:00-04:00"]);
    // 2026-03-08: 02:00 to 03:00 does not exist.
    let (start, end) = (utc("2026-03-08T05:00:00Z"), utc("2026-03-09T04:00:00Z"));
    assert_eq!(calendar.business_between(start, end), hours(2));
    assert_eq!(
        calendar.add_business(start, hours(2)),
        Some(utc("2026-03-08T08:00:00Z"))
    );
}

#[test]
fn a_range_inside_the_spring_gap_never_opens_that_day() {
    let calendar = every_day(America::New_York, &["02:00-03:00"]);
    assert_eq!(
        calendar.next_open(utc("2026-03-08T05:00:00Z")),
        Some(utc("2026-03-09T06:00:00Z"))
    );
}

#[test]
fn a_range_over_the_autumn_fold_is_longer() {
    let calendar = every_day(America::New_York, &["00:00-03:00"]);
    // 2026-11-01: 01:00 to 02:00 happens twice.
    assert_eq!(
        calendar.business_between(utc("2026-11-01T04:00:00Z"), utc("2026-11-02T05:00:00Z")),
        hours(4)
    );
}

#[test]
fn a_range_inside_the_autumn_fold_opens_twice() {
    let calendar = every_day(America::New_York, &["01:00-01:30"]);
    let first = utc("2026-11-01T05:00:00Z");
    assert_eq!(calendar.next_open(first), Some(first));
    assert_eq!(
        calendar.next_open(utc("2026-11-01T05:30:00Z")),
        Some(utc("2026-11-01T06:00:00Z"))
    );
    assert_eq!(
        calendar.business_between(first, utc("2026-11-01T12:00:00Z")),
        hours(1)
    );
}

#[test]
fn half_hour_changes_and_zones_without_any_are_right() {
    // Lord Howe Island moves by half an hour: 02:00 to 02:30 is skipped on 2026-10-04.
    let lord_howe = every_day(chrono_tz::Australia::Lord_Howe, &["01:00-03:00"]);
    assert_eq!(
        lord_howe.business_between(utc("2026-10-03T13:00:00Z"), utc("2026-10-04T12:00:00Z")),
        TimeDelta::minutes(90)
    );
    for zone in [America::Phoenix, Pacific::Honolulu] {
        let year = (utc("2026-01-01T12:00:00Z"), utc("2027-01-01T12:00:00Z"));
        assert_eq!(
            every_day(zone, &["01:00-04:00"]).business_between(year.0, year.1),
            hours(3 * 365)
        );
    }
}

#[test]
fn a_date_that_a_zone_skipped_has_no_business_time() {
    // Samoa crossed the date line: the 30th of December 2011 did not happen there.
    let calendar = every_day(Pacific::Apia, &["09:00-17:00"]);
    let closing_on_the_29th = utc("2011-12-30T03:00:00Z");
    assert!(calendar.is_open(closing_on_the_29th - hours(1)));
    assert_eq!(
        calendar.next_open(closing_on_the_29th),
        Some(utc("2011-12-30T19:00:00Z"))
    );
}

#[test]
fn a_night_shift_runs_through_midnight() {
    let calendar = every_day(Europe::Berlin, &["00:00-06:00", "22:00-24:00"]);
    let evening = utc("2026-07-10T21:00:00Z");
    assert_eq!(
        calendar.add_business(evening, hours(2)),
        Some(utc("2026-07-10T23:00:00Z"))
    );
    assert_eq!(
        calendar.add_business(evening, hours(7)),
        Some(utc("2026-07-11T04:00:00Z"))
    );
}

#[test]
fn a_facility_that_is_always_open_counts_every_moment() {
    let calendar = Calendar {
        zone: America::New_York,
        hours: WeeklyHours::always().into(),
    };
    let start = utc("2026-03-01T00:00:00Z");
    assert_eq!(
        calendar.add_business(start, TimeDelta::days(399)),
        Some(start + TimeDelta::days(399))
    );
    assert_eq!(
        calendar.business_between(start, start + TimeDelta::days(1000)),
        TimeDelta::days(1000)
    );
}

#[test]
fn a_calendar_that_never_opens_ends_the_search() {
    let never = Calendar {
        zone: America::Denver,
        hours: Hours::default(),
    };
    let now = utc("2026-07-10T15:30:00Z");
    assert_eq!(never.add_business(now, hours(1)), None);
    assert_eq!(never.next_open(now), None);
    assert_eq!(
        never.business_between(now, now + TimeDelta::days(800)),
        TimeDelta::zero()
    );
    // More than the horizon holds is not found either.
    assert_eq!(
        office(America::Denver).add_business(now, TimeDelta::days(401)),
        None
    );
    assert_eq!(office(America::Denver).add_business(now, TimeDelta::MAX), None);
}

#[test]
fn a_calendar_that_opens_once_a_year_is_found_open() {
    let screening_day = Holiday {
        date: NaiveDate::from_ymd_opt(2027, 7, 9).expect("a date"),
        name: "Screening day".to_owned(),
        hours: day(&["09:00-12:00"]),
    };
    let hours = Hours::new(WeeklyHours::default(), vec![screening_day]).expect("one date");
    let calendar = Calendar {
        zone: America::Denver,
        hours,
    };
    assert_eq!(
        calendar.next_open(utc("2026-07-10T15:30:00Z")),
        Some(utc("2027-07-09T15:00:00Z"))
    );
}

#[test]
fn the_ends_of_time_are_answered_without_a_panic() {
    for zone in [Pacific::Kiritimati, Pacific::Pago_Pago] {
        let calendar = Calendar {
            zone,
            hours: WeeklyHours::always().into(),
        };
        for edge in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            let _ = calendar.is_open(edge);
            let _ = calendar.next_open(edge);
            let _ = calendar.add_business(edge, hours(1));
            let _ = calendar.business_between(edge, edge);
        }
    }
}

#[test]
fn no_zone_changes_its_offset_and_back_within_one_step() {
    let sample = TimeDelta::hours(6);
    for zone in TZ_VARIANTS {
        let mut at = utc("2020-01-01T00:00:00Z").naive_utc();
        let end = utc("2032-01-01T00:00:00Z").naive_utc();
        let mut current = offset(zone, at);
        let mut last_change: Option<NaiveDateTime> = None;
        while at < end {
            at += sample;
            let now = offset(zone, at);
            if now != current {
                assert!(
                    last_change.is_none_or(|last| at - last > STEP + sample),
                    "{zone} at {at}"
                );
                (current, last_change) = (now, Some(at));
            }
        }
    }
}
