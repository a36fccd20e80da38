use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn contact(number: u128) -> ContactId {
    ContactId(Uuid::from_u128(number))
}

fn sequence(number: u128) -> SequenceId {
    SequenceId(Uuid::from_u128(number))
}

fn ways(weights: &[u32]) -> Vec<Way> {
    let way = |(place, weight): (usize, &u32)| Way {
        weight: *weight,
        then: place.to_string(),
    };
    weights.iter().enumerate().map(way).collect()
}

#[test]
fn the_draw_is_what_it_has_always_been() {
    // SHA-256 of `seed`, 0, `spring`, 0 and sixteen bytes of the contact: a release that draws otherwise would send people
    // who stand before a split another way.
    let drawn = draw(Some("spring"), sequence(1), "ab", contact(7));
    let mut text = b"seed\0spring\0".to_vec();
    text.extend(Uuid::from_u128(7).as_bytes());
    let digest = Sha256::digest(&text);
    assert_eq!(drawn.to_be_bytes(), digest[..8]);
}

#[test]
fn weights_are_kept_among_many_contacts() {
    let ways = ways(&[50, 30, 20]);
    let mut counts = [0_u32; 3];
    for number in 0..20_000 {
        let drawn = draw(None, sequence(1), "ab", contact(number));
        let place: usize = way(&ways, drawn).unwrap().parse().unwrap();
        counts[place] += 1;
    }
    // Four standard deviations of 20,000 draws are under 1.5 points.
    for (count, weight) in counts.iter().zip([50.0, 30.0, 20.0]) {
        let percent = f64::from(*count) / 200.0;
        assert!((percent - weight).abs() < 1.5, "{counts:?}");
    }
}

#[test]
fn splits_of_one_seed_divide_alike_and_others_on_their_own() {
    let same = |left: u64, right: u64| way(&ways(&[1, 1]), left) == way(&ways(&[1, 1]), right);
    let seeded = |number, step| draw(Some("s"), sequence(number), step, contact(5));
    assert_eq!(seeded(1, "a"), seeded(2, "b"));
    let agree = (0..2_000)
        .filter(|number| {
            let one = draw(None, sequence(1), "a", contact(*number));
            let other = draw(None, sequence(1), "b", contact(*number));
            same(one, other)
        })
        .count();
    assert!(
        (850..1150).contains(&agree),
        "two splits agree by chance only: {agree}"
    );
}

#[test]
fn the_ends_of_the_range_fall_into_the_first_and_the_last_way() {
    assert_eq!(way(&ways(&[1, 1]), 0), Some("0"));
    assert_eq!(way(&ways(&[1, 1]), u64::MAX), Some("1"));
    assert_eq!(way(&ways(&[]), 7), None);
    assert_eq!(way(&ways(&[0, 0]), 7), None);
}

proptest! {
    #[test]
    fn every_draw_has_a_way_with_a_weight(drawn: u64, weights in prop::collection::vec(0_u32..1000, 1..10)) {
        let ways = ways(&weights);
        let found = way(&ways, drawn).map(|key| weights[key.parse::<usize>().unwrap()]);
        prop_assert_eq!(found.is_some(), weights.iter().any(|weight| *weight > 0));
        prop_assert!(found.is_none_or(|weight| weight > 0));
    }
}
