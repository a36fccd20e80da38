use super::*;
use serde_json::json;

fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a date of the calendar")
}

#[test]
fn a_split_shift_and_its_holidays_survive_the_way_through_json() {
    let stored = json!({
        "weekly": { "monday": ["08:00-12:00", "13:00-17:00"], "saturday": ["09:00-24:00"] },
        "holidays": [
            { "date": "2026-12-24", "name": "Christmas Eve", "hours": ["08:00-12:00"] },
            { "date": "2026-12-25", "name": "Christmas Day" }
        ]
    });
    let hours: Hours = serde_json::from_value(stored.clone()).expect("the documented shape");

    assert_eq!(hours.weekly().monday.ranges().len(), 2);
    assert_eq!(hours.weekly().saturday.ranges()[0].end_minute(), MINUTES_PER_DAY);
    assert!(hours.weekly().tuesday.is_closed());
    let again = serde_json::to_value(&hours).expect("hours are always JSON");
    assert_eq!(again["holidays"], stored["holidays"]);
    assert_eq!(again["weekly"]["monday"], stored["weekly"]["monday"]);
    assert_eq!(
        serde_json::from_value::<Hours>(again).expect("its own output"),
        hours
    );
}

#[test]
fn a_holiday_replaces_the_hours_of_its_weekday() {
    let weekly = WeeklyHours::always();
    let short: DayHours = serde_json::from_value(json!(["08:00-12:00"])).expect("one range");
    let hours = Hours::new(
        weekly,
        vec![
            Holiday {
                date: date(2026, 12, 25),
                name: "Christmas Day".to_owned(),
                hours: DayHours::closed(),
            },
            Holiday {
                date: date(2026, 12, 24),
                name: "Christmas Eve".to_owned(),
                hours: short.clone(),
            },
        ],
    )
    .expect("two different dates");

    assert_eq!(hours.on(date(2026, 12, 24)), &short);
    assert!(hours.on(date(2026, 12, 25)).is_closed());
    assert_eq!(hours.on(date(2026, 12, 26)), &DayHours::all_day());
    assert_eq!(
        hours.holidays()[0].date,
        date(2026, 12, 24),
        "dates are kept in order"
    );
}

#[test]
fn ranges_that_overlap_are_refused_and_ranges_that_touch_are_not() {
    let overlapping = serde_json::from_value::<DayHours>(json!(["10:00-14:00", "08:00-12:00"]));
    assert!(
        overlapping
            .expect_err("they share two hours")
            .to_string()
            .contains("overlap")
    );

    let touching = serde_json::from_value::<DayHours>(json!(["12:00-13:00", "08:00-12:00"]));
    let starts: Vec<u16> = touching
        .expect("they share nothing")
        .ranges()
        .iter()
        .map(|range| range.start_minute())
        .collect();
    assert_eq!(starts, [480, 720]);
}

#[test]
fn a_range_is_refused_unless_it_is_a_forward_span_of_one_day() {
    for wrong in [
        "",
        "-",
        "08:00",
        "8-12",
        "08:00-08:00",
        "22:00-06:00",
        "08:00-24:01",
        "08:60-09:00",
        "25:00-26:00",
        "+8:00-09:00",
        "08:0-09:00",
        "008:00-09:00",
        "08:00-09:00-10:00",
        "99999999:00-09:00",
        "०८:००-१२:००",
    ] {
        assert!(wrong.parse::<OpenRange>().is_err(), "{wrong:?} must be refused");
    }
    for right in ["00:00-24:00", "23:59-24:00", "8:00-12:00", " 08:00 - 12:00 "] {
        assert!(right.parse::<OpenRange>().is_ok(), "{right:?} must be accepted");
    }
    assert_eq!(
        "8:05-24:00".parse::<OpenRange>().expect("a range").to_string(),
        "08:05-24:00"
    );
}

#[test]
fn stored_hours_with_a_mistake_do_not_load() {
    for wrong in [
        json!({ "weekly": { "Monday": ["08:00-12:00"] } }),
        json!({ "weekly": { "monday": "08:00-12:00" } }),
        json!({ "weekly": {}, "holiday": [] }),
        json!({ "holidays": [{ "date": "2026-12-25", "name": " " }] }),
        json!({ "holidays": [{ "date": "2026-12-25", "name": "a" }, { "date": "2026-12-25", "name": "b" }] }),
    ] {
        assert!(
            serde_json::from_value::<Hours>(wrong.clone()).is_err(),
            "{wrong} must be refused"
        );
    }
}

#[test]
fn too_many_ranges_or_holidays_are_refused() {
    let range = |start: u16| OpenRange::new(start, start + 1).expect("one minute");
    let many = |count: u16| DayHours::new((0..count).map(|index| range(index * 2)).collect());
    assert!(many(12).is_ok());
    assert!(many(13).is_err());

    let first = date(2026, 1, 1);
    let holidays = |count: u64| {
        let listed = (0..count)
            .map(|day| Holiday {
                date: first + chrono::Days::new(day),
                name: "Closed".to_owned(),
                hours: DayHours::closed(),
            })
            .collect();
        Hours::new(WeeklyHours::default(), listed)
    };
    assert!(holidays(1_000).is_ok());
    assert!(holidays(1_001).is_err());
}
