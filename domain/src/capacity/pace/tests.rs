use proptest::prelude::*;

use super::*;

/// A Monday.
fn monday() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 2).unwrap()
}

fn day(after: i64) -> NaiveDate {
    monday() + TimeDelta::days(after)
}

fn week(number: i64, open_slots: u32) -> Week {
    Week {
        monday: day(7 * number),
        open_slots,
        wait_days: None,
    }
}

const POLICY: Policy = Policy {
    weeks: 4,
    mails_per_visit: 7,
    max_wait_days: None,
    min_open_slots: None,
};

fn of(today: NaiveDate, said: &[Week], policy: &Policy, demand_micro: i64) -> Pace {
    pace(&ahead(today, said, policy.weeks), policy, demand_micro)
}

#[test]
fn forty_slots_a_week_at_seven_mails_a_visit_are_forty_mails_a_day_and_ten_a_quarter_of_it() {
    for after in 0..7 {
        let rate = |slots| of(day(after), &[week(0, slots)], &POLICY, 0).rate_micro;
        assert_eq!((rate(40), rate(10)), (40 * MICRO, 10 * MICRO), "on day {after}");
    }
}

#[test]
fn the_visits_that_are_coming_anyway_are_taken_off() {
    let said = [week(0, 40), week(1, 30)];
    // (70 − 14) × 7 ÷ 14 days.
    assert_eq!(of(monday(), &said, &POLICY, 14 * MICRO).rate_micro, 28 * MICRO);
    let pace = of(monday(), &said, &POLICY, 71 * MICRO);
    assert_eq!((pace.rate_micro, pace.stopped), (0, None));
}

#[test]
fn weeks_that_nobody_spoke_of_neither_add_slots_nor_days() {
    let said = [week(0, 40), week(3, 20)];
    // (40 + 20) × 7 ÷ 14 days; the fifth week is not looked at.
    assert_eq!(of(monday(), &said, &POLICY, 0).rate_micro, 30 * MICRO);
    assert_eq!(
        of(monday(), &[week(0, 40), week(4, 900)], &POLICY, 0).rate_micro,
        40 * MICRO
    );
}

#[test]
fn what_was_said_last_holds_while_nobody_says_anything_else() {
    let said = [week(-9, 900), week(-3, 10)];
    for after in [0, 3, 6] {
        assert_eq!(of(day(after), &said, &POLICY, 0).rate_micro, 10 * MICRO);
    }
    assert_eq!(
        of(monday(), &[], &POLICY, 0),
        Pace {
            rate_micro: 0,
            stopped: None
        }
    );
}

#[test]
fn the_nearest_week_stops_promotion_by_the_line_s_own_limits() {
    let policy = Policy {
        max_wait_days: Some(21),
        min_open_slots: Some(5),
        ..POLICY
    };
    let waits = |wait_days, open_slots| {
        let nearest = Week {
            wait_days,
            ..week(0, open_slots)
        };
        of(monday(), &[week(1, 500), nearest], &policy, 0).stopped
    };
    assert_eq!(waits(Some(21), 5), None);
    assert_eq!(waits(None, 5), None);
    assert_eq!(waits(Some(22), 5), Some(PaceStop::LongWait));
    assert_eq!(waits(Some(21), 4), Some(PaceStop::FewSlots));
    let nearest = Week {
        wait_days: Some(99),
        ..week(0, 500)
    };
    assert_eq!(of(monday(), &[nearest], &policy, 0).rate_micro, 0);
}

#[test]
fn a_share_below_one_is_one_every_few_days() {
    let days: Vec<i64> = (0..12).map(|after| allowance(MICRO / 4, day(after))).collect();
    assert_eq!(days.iter().sum::<i64>(), 3);
    let at: Vec<usize> = (0..12).filter(|after| days[*after] == 1).collect();
    assert!(at.windows(2).all(|two| two[1] - two[0] == 4), "{days:?}");
}

#[test]
fn places_follow_each_other_and_end_where_nothing_can_be_told() {
    let mut places = Places::after(2 * MICRO, monday(), Some(monday()), 1);
    let days: Vec<_> = (0..4).map(|_| places.take().unwrap()).collect();
    assert_eq!(days, [day(0), day(1), day(1), day(2)]);
    assert_eq!(Places::after(0, monday(), Some(monday()), 0).take(), None);
    let mut slow = Places::after(1, monday(), Some(monday()), 0);
    assert_eq!((slow.take(), slow.day), (None, None));
    let mut late = Places::after(MICRO, day(3), Some(day(1)), 1);
    assert_eq!(late.take(), Some(day(3)));
}

proptest! {
    #[test]
    fn over_any_days_as_many_go_as_the_pace_says(
        rate in 0_i64..400 * MICRO, first in 0_i64..4_000, days in 1_i64..200,
    ) {
        let sum: i64 = (0..days).map(|after| allowance(rate, day(first + after))).sum();
        prop_assert_eq!(sum, allowance_of(rate, day(first), days));
        let exact = i128::from(rate) * i128::from(days);
        prop_assert!((i128::from(sum) * i128::from(MICRO) - exact).abs() < i128::from(MICRO));
    }

    #[test]
    fn no_day_holds_more_places_than_may_go_and_none_is_passed_over(
        rate in 1_i64..20 * MICRO, start in 0_i64..9, used in 0_i64..30, count in 1_usize..60,
    ) {
        let (today, first) = (monday(), day(start));
        let mut places = Places::after(rate, today, Some(first), used);
        let mut on: std::collections::BTreeMap<NaiveDate, i64> = std::collections::BTreeMap::new();
        let mut last = first;
        for _ in 0..count {
            let Some(at) = places.take() else { break };
            prop_assert!(at >= last);
            last = at;
            *on.entry(at).or_default() += 1;
        }
        for (at, taken) in &on {
            let before = if *at == first { used } else { 0 };
            prop_assert!(before + taken <= allowance(rate, *at));
            // Every day before the last is full.
            prop_assert!(*at == last || before + taken == allowance(rate, *at));
        }
        let mut at = first;
        while at < last {
            let before = if at == first { used } else { 0 };
            prop_assert!(before + on.get(&at).copied().unwrap_or(0) >= allowance(rate, at));
            at += TimeDelta::days(1);
        }
    }

    #[test]
    fn more_slots_never_slow_down_and_more_demand_never_speeds_up(
        slots in prop::collection::vec(0_u32..200, 1..6), more in 0_u32..50, demand in 0_i64..300 * MICRO,
        extra in 0_i64..50 * MICRO, after in 0_i64..7, mails in 1_u32..60,
    ) {
        let policy = Policy { mails_per_visit: mails, weeks: 6, ..POLICY };
        let said = |more: u32| -> Vec<Week> {
            (0..).zip(&slots).map(|(number, slots)| week(number, slots + more)).collect()
        };
        let rate = |more, demand| of(day(after), &said(more), &policy, demand).rate_micro;
        prop_assert!(rate(more, demand) >= rate(0, demand));
        prop_assert!(rate(0, demand + extra) <= rate(0, demand));
        prop_assert!(rate(0, demand) >= 0);
    }

    #[test]
    fn a_cut_to_a_quarter_is_a_quarter_of_the_mails(
        slots in prop::collection::vec(0_u32..100, 1..4), after in 0_i64..7, mails in 1_u32..60,
    ) {
        let policy = Policy { mails_per_visit: mails, ..POLICY };
        let said = |times: u32| -> Vec<Week> {
            (0..).zip(&slots).map(|(number, slots)| week(number, slots * times)).collect()
        };
        let rate = |times| of(day(after), &said(times), &policy, 0).rate_micro;
        // Each is rounded to a millionth.
        prop_assert!((rate(4) - 4 * rate(1)).abs() <= 4);
    }
}
