use chrono::{DateTime, Utc};
use entity::id::SendWindowId;
use uuid::Uuid;

use super::*;

fn row(
    jurisdiction: &str,
    version: i32,
    day: sequence_version::Weekday,
    from: i32,
    to: i32,
) -> send_window::Model {
    send_window::Model {
        id: SendWindowId(Uuid::nil()),
        jurisdiction: jurisdiction.to_owned(),
        version,
        weekday: day,
        start_minute: from * 60,
        end_minute: to * 60,
        source: "A statute".to_owned(),
        reviewed_on: NaiveDate::from_ymd_opt(2026, 11, 24).unwrap(),
        created_at: DateTime::<Utc>::UNIX_EPOCH,
    }
}

fn on(window: &SendWindow, day: Weekday) -> Vec<String> {
    let ranges = window.hours.day(day).ranges();
    ranges.iter().map(ToString::to_string).collect()
}

#[test]
fn the_stricter_of_house_and_state_holds_on_each_weekday() {
    let windows = SendWindows::default();
    assert_eq!(on(windows.of(Some("NY")), Weekday::Tue), ["09:00-20:00"]);
    assert_eq!(on(windows.of(Some("ri")), Weekday::Tue), ["09:00-18:00"]);
    assert_eq!(on(windows.of(Some("TX")), Weekday::Sun), Vec::<String>::new());
    assert_eq!(windows.of(Some("FL")).version, "HOUSE.0 US.0 US-FL.0");
    assert_eq!(windows.of(Some("NY")).version, "HOUSE.0 US.0");
}

#[test]
fn an_unknown_place_has_only_what_every_jurisdiction_allows() {
    let windows = SendWindows::default();
    for place in [None, Some("Ontario"), Some("AE")] {
        let window = windows.of(place);
        assert_eq!(on(window, Weekday::Tue), ["09:00-18:00"], "{place:?}");
        assert!(window.version.contains("US-TX.0") && window.version.contains("US-RI.0"));
    }
}

#[test]
fn the_newest_version_of_the_rows_replaces_what_the_program_brings() {
    use sequence_version::Weekday::{Monday, Sunday};
    let rows = [
        row("HOUSE", 1, Monday, 10, 12),
        row("HOUSE", 2, Monday, 9, 11),
        row("HOUSE", 2, Monday, 13, 22),
        row("HOUSE", 2, Sunday, 10, 16),
        row("US-NY", 1, Monday, 14, 18),
    ];
    let windows = SendWindows::new(&rows);
    let vermont = windows.of(Some("VT"));
    assert_eq!(on(vermont, Weekday::Mon), ["09:00-11:00", "13:00-21:00"]);
    assert_eq!(
        on(vermont, Weekday::Sun),
        ["10:00-16:00"],
        "the house writes on Sundays now"
    );
    assert_eq!(on(vermont, Weekday::Tue), Vec::<String>::new());
    assert_eq!(on(windows.of(Some("NY")), Weekday::Mon), ["14:00-18:00"]);
    assert_eq!(windows.of(Some("NY")).version, "HOUSE.2 US.0 US-NY.1");
}

#[test]
fn rows_that_overlap_close_the_day() {
    use sequence_version::Weekday::Monday;
    let windows = SendWindows::new(&[row("HOUSE", 1, Monday, 9, 12), row("HOUSE", 1, Monday, 11, 13)]);
    assert_eq!(on(windows.of(Some("VT")), Weekday::Mon), Vec::<String>::new());
}
