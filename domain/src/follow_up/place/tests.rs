use chrono::TimeZone;
use proptest::prelude::*;

use super::*;

fn at(minute: i64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 23, 9, 0, 0).unwrap() + TimeDelta::minutes(minute)
}

fn first_contact() -> Facts {
    Facts {
        kind: FollowUpKind::FirstContact,
        urgent: false,
        snoozed: false,
        score: 60,
        soon_at: at(50),
        due_at: at(60),
    }
}

fn rank_at(facts: &Facts, minute: i64) -> Rank {
    place(facts, at(minute)).rank
}

#[test]
fn the_first_attempt_can_be_made_at_once_and_moves_up_as_its_time_comes() {
    let facts = first_contact();
    let expected = Place {
        rank: Rank::Open,
        weight: -60,
        moves_at: Some(at(50)),
    };
    assert_eq!(place(&facts, at(0)), expected);
    let soon = Place {
        rank: Rank::DueSoon,
        weight: 0,
        moves_at: Some(at(60)),
    };
    assert_eq!(place(&facts, at(50)), soon, "at the very instant");
    let late = Place {
        rank: Rank::Late,
        weight: 0,
        moves_at: None,
    };
    assert_eq!(place(&facts, at(60)), late);
}

#[test]
fn what_has_its_time_waits_until_it_is_due_soon_urgent_or_not() {
    for kind in [FollowUpKind::Callback, FollowUpKind::NextAttempt] {
        let facts = Facts {
            kind,
            ..first_contact()
        };
        assert_eq!(rank_at(&facts, 49), Rank::NotYet, "{kind}");
        assert_eq!(rank_at(&facts, 50), Rank::DueSoon, "{kind}");
        let urgent = Facts {
            urgent: true,
            ..facts
        };
        assert_eq!(rank_at(&urgent, 49), Rank::NotYet, "nobody is called too early");
        assert_eq!(rank_at(&urgent, 50), Rank::Urgent);
    }
    for kind in [FollowUpKind::Reply, FollowUpKind::Sequence] {
        let facts = Facts {
            kind,
            ..first_contact()
        };
        assert_eq!(rank_at(&facts, 0), Rank::Open, "{kind}");
        let put_off = Facts {
            snoozed: true,
            ..facts
        };
        assert_eq!(rank_at(&put_off, 0), Rank::NotYet, "{kind}");
    }
}

#[test]
fn urgent_goes_first_before_what_is_late() {
    let facts = Facts {
        urgent: true,
        ..first_contact()
    };
    for minute in [0, 50, 60, 600] {
        assert_eq!(rank_at(&facts, minute), Rank::Urgent);
    }
    assert!(Rank::Urgent < Rank::Late && Rank::Late < Rank::DueSoon);
    assert!(Rank::DueSoon < Rank::Open && Rank::Open < Rank::NotYet);
    assert_eq!(
        (Rank::Urgent as i32, Rank::NotYet as i32),
        (0, 4),
        "the table checks this range"
    );
}

#[test]
fn every_place_says_why() {
    let told = |facts: &Facts, minute| {
        let told = explain(facts, at(minute));
        (told.reasons, told.says)
    };
    let facts = first_contact();
    assert_eq!(
        told(&facts, 0),
        (vec![Reason::Score], "Score 60, due in 60 min.".to_owned())
    );
    assert_eq!(
        told(&facts, 55),
        (vec![Reason::DueSoon], "Due in 5 min.".to_owned())
    );
    assert_eq!(
        told(&facts, 95),
        (vec![Reason::Late], "Late by 35 min.".to_owned())
    );
    let urgent = Facts {
        urgent: true,
        ..facts
    };
    assert_eq!(
        told(&urgent, 0),
        (vec![Reason::Urgent], "Urgent, due in 60 min.".to_owned())
    );
    assert_eq!(
        told(&urgent, 60),
        (
            vec![Reason::Urgent, Reason::Late],
            "Urgent, late by less than a minute.".to_owned()
        )
    );
    let callback = Facts {
        kind: FollowUpKind::Callback,
        ..facts
    };
    assert_eq!(
        told(&callback, -250),
        (vec![Reason::NotYet], "Its time comes in 5 hours.".to_owned())
    );
    assert_eq!(span(TimeDelta::days(3)), "3 days");
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let kinds = proptest::sample::select(FollowUpKind::ALL);
    (
        kinds,
        any::<bool>(),
        any::<bool>(),
        0..=100_i32,
        0..300_i64,
        0..100_i64,
    )
        .prop_map(|(kind, urgent, snoozed, score, due, before)| Facts {
            kind,
            urgent,
            snoozed,
            score,
            soon_at: soon_at(at(due), before),
            due_at: at(due),
        })
}

proptest! {
    #[test]
    fn whenever_the_sweep_comes_and_however_often_it_leads_to_the_place_of_the_latest_moment(
        facts in any_facts(),
        opened in 0..300_i64,
        // Clocks of several workers need not agree.
        sweeps in proptest::collection::vec(0..400_i64, 0..12),
    ) {
        let mut stored = place(&facts, at(opened));
        for minute in &sweeps {
            if stored.moves_at.is_some_and(|moves_at| moves_at <= at(*minute)) {
                // The sweep knows the score only as far as the place tells it.
                stored = place(&Facts { score: -stored.weight, ..facts }, at(*minute));
            }
        }
        let latest = sweeps.into_iter().chain([opened]).max().unwrap_or(opened);
        prop_assert_eq!(stored, place(&facts, at(latest)));
    }

    #[test]
    fn only_open_work_has_a_weight_and_it_is_the_score(facts in any_facts(), minute in 0..400_i64) {
        let place = place(&facts, at(minute));
        prop_assert_eq!(place.weight, if place.rank == Rank::Open { -facts.score } else { 0 });
        prop_assert!(place.moves_at.is_none_or(|moves_at| moves_at > at(minute)));
        prop_assert_eq!(place.moves_at.is_none(), at(minute) >= facts.due_at);
    }
}
