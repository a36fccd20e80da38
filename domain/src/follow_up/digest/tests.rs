use chrono::{Datelike, Timelike, Weekday};
use chrono_tz::America::New_York;
use chrono_tz::TZ_VARIANTS;
use entity::business_calendar::hours::{DayHours, Hours, WeeklyHours};
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn always(zone: Tz) -> Week {
    Week {
        zone,
        calendars: vec![Calendar::always_open(zone)],
    }
}

/// The days of an office: Monday to Friday.
fn office() -> Week {
    let days = [
        Weekday::Mon,
        Weekday::Tue,
        Weekday::Wed,
        Weekday::Thu,
        Weekday::Fri,
    ];
    let hours: Hours = WeeklyHours::on_days(&days, &DayHours::all_day()).into();
    Week {
        zone: New_York,
        calendars: vec![Calendar::new(New_York, hours)],
    }
}

#[test]
fn the_next_morning_is_half_past_seven_on_the_next_day_that_is_open() {
    let friday = at("2026-11-27T12:30:00Z");
    assert_eq!(office().today(friday), Some(friday), "7:30 in New York");
    assert_eq!(office().next(friday - TimeDelta::seconds(1)), friday);
    let monday = at("2026-11-30T12:30:00Z");
    assert_eq!(office().next(friday), monday);
    assert_eq!(office().today(at("2026-11-28T12:30:00Z")), None, "a Saturday");
}

#[test]
fn who_works_at_two_places_has_the_days_of_both() {
    let mut week = office();
    week.calendars.push(Calendar::always_open(New_York));
    assert_eq!(week.next(at("2026-11-27T12:30:00Z")), at("2026-11-28T12:30:00Z"));
}

#[test]
fn a_place_that_never_opens_is_looked_at_again_after_the_search() {
    let week = Week {
        zone: New_York,
        calendars: Vec::new(),
    };
    let now = at("2026-11-27T12:30:00Z");
    assert_eq!(week.next(now), now + TimeDelta::days(HORIZON_DAYS));
}

#[test]
fn what_is_late_and_what_is_due_today_is_counted_apart_and_the_first_ten_are_named() {
    let now = at("2026-11-27T12:30:00Z");
    let about = crate::follow_up::build::About {
        lead_id: crate::id::new_id(now),
        team_id: crate::id::new_id(now),
        owner_id: None,
        urgent: false,
        score: 0,
    };
    let row = |minutes: i64| {
        crate::follow_up::build::first_contact(&about, now + TimeDelta::minutes(minutes), 10, now)
    };
    let digest = Digest::of((-3..=11).map(row).collect(), now);
    assert_eq!(
        (digest.late, digest.today, digest.lines.len()),
        (4, 11, LINES_MAX)
    );
    assert_eq!(digest.subject(), "Your follow-ups today: 4 late, 11 due");
}

proptest! {
    #[test]
    fn a_morning_comes_once_a_day_in_any_zone(zone in 0..TZ_VARIANTS.len(), secs in 0_i64..2_000_000_000) {
        let week = always(TZ_VARIANTS[zone]);
        let now = DateTime::UNIX_EPOCH + TimeDelta::seconds(secs);
        let first = week.next(now);
        prop_assert!(first > now && first <= now + TimeDelta::hours(50));
        let second = week.next(first);
        let (one, other) = (first.with_timezone(&week.zone), second.with_timezone(&week.zone));
        prop_assert!(one.date_naive() < other.date_naive(), "{} {}", one, other);
        // Clocks that change in the night move it by what they change.
        prop_assert!((4..=11).contains(&one.hour()), "{}", one);
    }
}

#[test]
fn mornings_of_an_office_are_weekdays() {
    let mut now = at("2026-11-27T12:30:00Z");
    for _ in 0..30 {
        now = office().next(now);
        let day = now.with_timezone(&New_York).weekday();
        assert!(!matches!(day, Weekday::Sat | Weekday::Sun), "{now}");
    }
}
