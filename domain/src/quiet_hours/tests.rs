use chrono::{Datelike, TimeZone, Timelike, Weekday};
use chrono_tz::{America, Asia, Pacific, TZ_VARIANTS};
use proptest::prelude::*;

use super::*;

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn next(at: &str, zones: &[Tz]) -> DateTime<Utc> {
    next_allowed(utc(at), zones, &SendWindow::marketing()).expect("these zones have a common time")
}

#[test]
fn the_window_opens_at_nine_and_is_over_at_eight_sharp() {
    let zone = [America::New_York];
    // A Friday in July, four hours behind UTC.
    assert_eq!(next("2026-07-10T12:59:59Z", &zone), utc("2026-07-10T13:00:00Z"));
    assert_eq!(next("2026-07-10T13:00:00Z", &zone), utc("2026-07-10T13:00:00Z"));
    assert_eq!(
        next("2026-07-10T23:59:59.999999Z", &zone),
        utc("2026-07-10T23:59:59.999999Z")
    );
    assert_eq!(next("2026-07-11T00:00:00Z", &zone), utc("2026-07-11T13:00:00Z"));
    assert!(!is_allowed(
        utc("2026-07-11T00:00:00Z"),
        &zone,
        &SendWindow::marketing()
    ));
}

#[test]
fn sunday_waits_for_monday() {
    assert_eq!(
        next("2026-07-12T16:00:00Z", &[America::New_York]),
        utc("2026-07-13T13:00:00Z")
    );
    assert_eq!(
        next("2026-07-12T00:00:00Z", &[America::New_York]),
        utc("2026-07-13T13:00:00Z")
    );
}

#[test]
fn a_contact_in_one_of_two_zones_is_written_to_when_both_allow_it() {
    let florida = [America::New_York, America::Chicago];
    // 09:00 in Chicago, then 20:00 in New York.
    assert_eq!(
        next("2026-07-10T13:30:00Z", &florida),
        utc("2026-07-10T14:00:00Z")
    );
    assert_eq!(
        next("2026-07-10T23:59:00Z", &florida),
        utc("2026-07-10T23:59:00Z")
    );
    assert_eq!(
        next("2026-07-11T00:00:00Z", &florida),
        utc("2026-07-11T14:00:00Z")
    );
}

#[test]
fn arizona_and_hawaii_keep_their_hours_all_year() {
    for (zone, opens) in [(America::Phoenix, "16:00"), (Pacific::Honolulu, "19:00")] {
        for day in ["2026-01-14", "2026-03-09", "2026-07-15", "2026-11-02"] {
            assert_eq!(
                next(&format!("{day}T08:30:00Z"), &[zone]),
                utc(&format!("{day}T{opens}:00Z")),
                "{zone} on {day}"
            );
        }
    }
}

#[test]
fn the_morning_after_the_clocks_change_starts_at_nine_by_the_new_clock() {
    let zone = [America::New_York];
    // Saturday evening before the change on Sunday 2026-03-08, and before the one on 2026-11-01.
    assert_eq!(next("2026-03-08T02:00:00Z", &zone), utc("2026-03-09T13:00:00Z"));
    assert_eq!(next("2026-11-01T01:00:00Z", &zone), utc("2026-11-02T14:00:00Z"));
}

#[test]
fn an_unknown_place_needs_every_zone_of_the_country() {
    let window = SendWindow::marketing();
    let at = next_allowed(utc("2026-07-08T04:00:00Z"), &[], &window).expect("there is a common hour");
    for zone in [
        America::New_York,
        America::Los_Angeles,
        Pacific::Honolulu,
        America::Adak,
        Pacific::Guam,
    ] {
        assert!(is_allowed(at, &[zone], &window), "{zone} at {at}");
    }
}

#[test]
fn zones_without_a_common_time_end_the_search() {
    let window = SendWindow::marketing();
    // Half a day apart, eleven hours of window: never both.
    assert_eq!(
        next_allowed(
            utc("2026-07-08T04:00:00Z"),
            &[America::New_York, Asia::Bangkok, Pacific::Apia],
            &window
        ),
        None
    );
    let closed = SendWindow {
        hours: WeeklyHours::default(),
        ..window
    };
    assert_eq!(
        next_allowed(utc("2026-07-08T04:00:00Z"), &[America::New_York], &closed),
        None
    );
    assert_eq!(
        next_allowed(DateTime::<Utc>::MAX_UTC, &[America::New_York], &closed),
        None
    );
}

/// The default window read straight off the wall clock.
fn by_the_wall_clock(at: DateTime<Utc>, zones: &[Tz]) -> bool {
    zones.iter().all(|zone| {
        let local = at.with_timezone(zone);
        local.weekday() != Weekday::Sun && (9..20).contains(&local.hour())
    })
}

proptest! {
    #[test]
    fn the_answer_is_the_first_time_that_every_wall_clock_allows(
        zones in proptest::collection::vec(proptest::sample::select(&TZ_VARIANTS[..]), 1..4),
        second in 946_684_800_i64..2_114_380_800,
    ) {
        let at = Utc.timestamp_opt(second, 0).single().expect("a second of this century");
        let window = SendWindow::marketing();
        prop_assert_eq!(is_allowed(at, &zones, &window), by_the_wall_clock(at, &zones));

        // Every offset of this century is a multiple of a quarter of an hour, so the window opens only on those.
        let grid = (0..8 * 96).map(|step| Utc.timestamp_opt((second / 900 + 1 + step) * 900, 0).single().expect("in range"));
        let slow = std::iter::once(at).chain(grid).find(|at| by_the_wall_clock(*at, &zones));
        match (next_allowed(at, &zones, &window), slow) {
            (Some(fast), Some(slow)) => prop_assert_eq!(fast, slow),
            (None, None) => {}
            (Some(fast), None) => prop_assert!(fast > at + Duration::days(8)),
            (None, Some(slow)) => prop_assert!(false, "missed {}", slow),
        }
    }
}
