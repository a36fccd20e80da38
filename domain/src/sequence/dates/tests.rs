use chrono_tz::America::New_York;

use super::*;

fn rule(days: i32, minute_of_day: Option<u16>) -> DateRule {
    DateRule {
        from: DateAnchor::Appointment,
        days,
        minute_of_day,
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn days_are_days_of_the_calendar_across_a_change_of_the_clocks() {
    // Clocks go forward on 2026-03-08 in New York.
    let visit = at("2026-03-09T14:00:00Z");
    assert_eq!(
        day_of(&rule(-2, None), visit, New_York),
        Some(at("2026-03-07T15:00:00Z"))
    );
    assert_eq!(
        day_of(&rule(1, None), visit, New_York),
        Some(at("2026-03-10T14:00:00Z"))
    );
}

#[test]
fn a_time_of_day_is_local_and_one_that_is_skipped_comes_after_the_gap() {
    let visit = at("2026-03-10T14:00:00Z");
    assert_eq!(
        day_of(&rule(-1, Some(540)), visit, New_York),
        Some(at("2026-03-09T13:00:00Z"))
    );
    // 02:30 on the 8th does not exist; 03:00 does.
    assert_eq!(
        day_of(&rule(-2, Some(150)), visit, New_York),
        Some(at("2026-03-08T07:00:00Z"))
    );
}

#[test]
fn a_time_that_comes_twice_counts_the_first_time() {
    let visit = at("2026-11-02T15:00:00Z");
    // 01:30 on 2026-11-01 is first at four hours, then at five hours behind.
    assert_eq!(
        day_of(&rule(-1, Some(90)), visit, New_York),
        Some(at("2026-11-01T05:30:00Z"))
    );
}
