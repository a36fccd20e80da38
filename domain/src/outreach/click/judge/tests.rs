use proptest::prelude::*;

use super::*;

fn secs(secs: i64) -> DateTime<Utc> {
    DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(secs)
}

fn visit(link: i32, at: i64, way: VisitWay) -> Visit {
    Visit {
        link,
        at: secs(at),
        way,
    }
}

/// What is said of each visit, given that the mail server took the mail at the beginning of time.
fn judged(all: &[Visit]) -> Vec<(ClickVerdict, ClickReason)> {
    let judge = |visit: &Visit| judge(*visit, all, Some(secs(0)));
    all.iter().map(judge).collect()
}

fn verdicts(all: &[Visit]) -> Vec<ClickVerdict> {
    judged(all).into_iter().map(|(verdict, _)| verdict).collect()
}

use ClickVerdict::{Human, Scanner, Unclear};
use VisitWay::{Head, Navigated, NotNavigated, Prefetch, Program};

#[test]
fn one_browser_that_goes_to_one_page_in_its_time_is_a_person() {
    assert_eq!(
        judged(&[visit(1, 3_600, Navigated)]),
        [(Human, ClickReason::Navigated)]
    );
}

#[test]
fn a_double_click_is_one_person_and_two_links_a_while_apart_are_one_too() {
    let all = [
        visit(1, 3_600, Navigated),
        visit(1, 3_601, Navigated),
        visit(2, 3_640, Navigated),
    ];
    assert_eq!(verdicts(&all), [Human, Human, Human]);
}

#[test]
fn a_request_that_says_it_is_made_by_a_program_is() {
    for way in [Head, Prefetch, Program] {
        assert_eq!(
            judged(&[visit(1, 3_600, way)]),
            [(Scanner, ClickReason::SaidSo)],
            "{way}"
        );
    }
}

#[test]
fn nobody_has_read_a_mail_that_has_just_gone_out() {
    assert_eq!(
        judged(&[visit(1, 59, Navigated)]),
        [(Scanner, ClickReason::TooSoon)]
    );
    assert_eq!(verdicts(&[visit(1, 60, Navigated)]), [Human]);
    let not_out = judge(visit(1, 3_600, Navigated), &[], None);
    assert_eq!(not_out, (Scanner, ClickReason::TooSoon));
}

#[test]
fn several_links_within_seconds_are_a_scanner_however_well_it_is_disguised() {
    let all = [
        visit(1, 3_600, Navigated),
        visit(2, 3_610, Navigated),
        visit(3, 3_621, Navigated),
    ];
    assert_eq!(
        judged(&all),
        [
            (Scanner, ClickReason::SeveralLinks),
            (Scanner, ClickReason::SeveralLinks),
            (Human, ClickReason::Navigated)
        ]
    );
}

#[test]
fn what_says_nothing_of_itself_is_in_doubt() {
    assert_eq!(
        judged(&[visit(1, 3_600, NotNavigated)]),
        [(Unclear, ClickReason::NotNavigated)]
    );
}

#[test]
fn a_click_beside_a_scanner_is_in_doubt_and_one_a_day_later_is_not() {
    let all = [
        visit(1, 3_600, Head),
        visit(1, 3_602, Navigated),
        visit(1, 90_000, Navigated),
    ];
    assert_eq!(
        judged(&all),
        [
            (Scanner, ClickReason::SaidSo),
            (Unclear, ClickReason::BesideAScanner),
            (Human, ClickReason::Navigated)
        ]
    );
}

fn any_visit() -> impl Strategy<Value = Visit> {
    let way = prop::sample::select(VisitWay::ALL);
    (0..4_i32, 0..200_i64, way).prop_map(|(link, at, way)| visit(link, at, way))
}

/// How far from a person.
const fn doubt(verdict: ClickVerdict) -> u8 {
    match verdict {
        Human => 0,
        Unclear => 1,
        Scanner => 2,
    }
}

proptest! {
    #[test]
    fn the_order_in_which_visits_are_told_does_not_matter(
        all in prop::collection::vec(any_visit(), 1..12),
        shift in 0..12_usize,
    ) {
        let mut turned = all.clone();
        let by = shift % all.len();
        turned.rotate_left(by);
        turned.reverse();
        for one in &all {
            prop_assert_eq!(judge(*one, &all, Some(secs(0))), judge(*one, &turned, Some(secs(0))));
        }
    }

    #[test]
    fn more_evidence_never_makes_a_person_of_a_scanner(
        all in prop::collection::vec(any_visit(), 1..12),
        more in prop::collection::vec(any_visit(), 1..12),
    ) {
        let known: Vec<Visit> = all.iter().chain(&more).copied().collect();
        for one in &all {
            let (before, _) = judge(*one, &all, Some(secs(0)));
            let (after, _) = judge(*one, &known, Some(secs(0)));
            prop_assert!(doubt(after) >= doubt(before));
        }
    }

    #[test]
    fn a_verdict_is_final_when_it_is_given(
        all in prop::collection::vec(any_visit(), 1..12),
        later in prop::collection::vec((0..4_i32, prop::sample::select(VisitWay::ALL)), 1..12),
    ) {
        for one in &all {
            let after = one.at + SETTLED;
            let later = later.iter().map(|(link, way)| Visit { link: *link, at: after, way: *way });
            let known: Vec<Visit> = all.iter().copied().chain(later).collect();
            prop_assert_eq!(judge(*one, &all, Some(secs(0))), judge(*one, &known, Some(secs(0))));
        }
    }

    #[test]
    fn a_person_is_alone_goes_to_a_page_and_has_had_the_time_to_read(
        all in prop::collection::vec(any_visit(), 1..12),
    ) {
        for one in &all {
            if judge(*one, &all, Some(secs(0))).0 == Human {
                prop_assert_eq!(one.way, Navigated);
                prop_assert!(one.at >= secs(0) + TOO_SOON);
                let near = |other: &&Visit| (other.at - one.at).abs() <= TOGETHER;
                prop_assert!(all.iter().filter(near).all(|other| other.link == one.link && !is_of_a_program(other.way)));
            }
        }
    }
}
