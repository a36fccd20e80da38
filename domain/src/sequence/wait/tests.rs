use chrono::Timelike;
use chrono_tz::America::{New_York, Sao_Paulo};
use chrono_tz::Pacific::Apia;
use chrono_tz::TZ_VARIANTS;
use proptest::prelude::*;

use super::*;

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn the_next_such_time_is_later_today_or_tomorrow() {
    // 09:00 in New York is 14:00 in UTC in winter.
    assert_eq!(
        wait_until(utc("2026-11-23T13:59:59Z"), New_York, None, 540),
        utc("2026-11-23T14:00:00Z")
    );
    assert_eq!(
        wait_until(utc("2026-11-23T14:00:00Z"), New_York, None, 540),
        utc("2026-11-24T14:00:00Z")
    );
}

#[test]
fn a_weekday_that_is_today_and_past_comes_in_a_week() {
    // The 23rd is a Monday.
    let after = wait_until(utc("2026-11-23T15:00:00Z"), New_York, Some(Weekday::Monday), 540);
    assert_eq!(after, utc("2026-11-30T14:00:00Z"));
}

#[test]
fn a_time_in_a_gap_is_taken_right_after_it() {
    // On 2027-03-14 clocks in New York go from 02:00 to 03:00.
    assert_eq!(
        wait_until(utc("2027-03-14T05:00:00Z"), New_York, None, 150),
        utc("2027-03-14T07:00:00Z")
    );
    // In São Paulo midnight itself was skipped on 2018-11-04.
    assert_eq!(
        wait_until(utc("2018-11-04T02:00:00Z"), Sao_Paulo, None, 0),
        utc("2018-11-04T03:00:00Z")
    );
}

#[test]
fn a_time_that_comes_twice_counts_the_first_time() {
    // On 2026-11-01 clocks in New York show 01:30 at 05:30 and at 06:30 UTC.
    assert_eq!(
        wait_until(utc("2026-11-01T04:00:00Z"), New_York, None, 90),
        utc("2026-11-01T05:30:00Z")
    );
    assert_eq!(
        wait_until(utc("2026-11-01T05:30:00Z"), New_York, None, 90),
        utc("2026-11-01T06:30:00Z")
    );
    assert_eq!(
        wait_until(utc("2026-11-01T06:30:00Z"), New_York, None, 90),
        utc("2026-11-02T06:30:00Z")
    );
}

#[test]
fn a_date_that_a_zone_skipped_is_passed_over() {
    // Samoa had no 2011-12-30, a Friday.
    let at = wait_until(utc("2011-12-29T12:00:00Z"), Apia, Some(Weekday::Friday), 540);
    assert_eq!(at.with_timezone(&Apia).date_naive().to_string(), "2012-01-06");
}

proptest! {
    #[test]
    fn the_time_is_later_soon_and_right_on_the_wall(
        secs in 0_i64..4_000_000_000,
        zone in prop::sample::select(TZ_VARIANTS.as_slice()),
        weekday in prop::option::of(prop::sample::select(Weekday::ALL)),
        minute in 0_u16..1440,
    ) {
        let now = DateTime::from_timestamp(secs, 0).unwrap();
        let at = wait_until(now, zone, weekday, minute);
        let local = at.with_timezone(&zone);
        prop_assert!(at > now);
        prop_assert!(at - now < TimeDelta::days(SEARCH_DAYS.try_into().unwrap()));
        prop_assert!(weekday.is_none_or(|wanted| local.weekday() == day(wanted)));
        let wanted = local.date_naive().and_time(NaiveTime::MIN) + TimeDelta::minutes(minute.into());
        if instants(zone, wanted).is_empty() {
            // Nothing between the wanted time and the one taken exists.
            let before = at - TimeDelta::minutes(1);
            prop_assert!(before.with_timezone(&zone).naive_local() < wanted);
        } else {
            prop_assert_eq!(u32::from(minute), local.hour() * 60 + local.minute());
            prop_assert_eq!(local.second(), 0);
        }
    }

    #[test]
    fn waiting_for_any_day_is_never_longer_than_waiting_for_one(
        secs in 1_500_000_000_i64..2_500_000_000,
        zone in prop::sample::select(TZ_VARIANTS.as_slice()),
        weekday in prop::sample::select(Weekday::ALL),
        minute in 0_u16..1440,
    ) {
        let now = DateTime::from_timestamp(secs, 0).unwrap();
        prop_assert!(wait_until(now, zone, None, minute) <= wait_until(now, zone, Some(weekday), minute));
    }
}
