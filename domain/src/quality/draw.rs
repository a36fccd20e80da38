//! What a sample is made of.
//!
//! Nothing is thrown: the order follows from the seed and the ids, so whoever has the seed can draw the same again.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The first `size` of the population, ordered by the SHA-256 of the seed and the id.
///
/// The order in which the population is given does not matter, and a smaller sample is the beginning of a larger one.
#[must_use]
pub fn draw<T>(seed: i64, population: Vec<(Uuid, T)>, size: usize) -> Vec<T> {
    let mut placed: Vec<([u8; 32], Uuid, T)> = population
        .into_iter()
        .map(|(id, work)| (mark(seed, id), id, work))
        .collect();
    placed.sort_unstable_by_key(|a| (a.0, a.1));
    placed.into_iter().take(size).map(|(_, _, work)| work).collect()
}

/// Both have a fixed length, so no two pairs of seed and id read alike.
fn mark(seed: i64, id: Uuid) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(seed.to_be_bytes());
    hash.update(id.as_bytes());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(seed: i64, ids: &[u128], size: usize) -> Vec<u128> {
        let population = ids.iter().map(|id| (Uuid::from_u128(*id), *id)).collect();
        draw(seed, population, size)
    }

    #[test]
    fn a_sample_is_the_same_on_every_machine_and_in_every_version() {
        // The first bytes of SHA-256(8 bytes of the seed ‖ 16 bytes of the id), as other programs compute them.
        let known = [
            (1, "1d2f1b9b"),
            (2, "c7dfc54b"),
            (3, "658192fc"),
            (4, "d5f8e4f7"),
            (5, "3a04f0e7"),
        ];
        for (id, begins) in known {
            assert_eq!(&hex::encode(mark(7, Uuid::from_u128(id)))[..8], begins, "{id}");
        }
        assert_eq!(drawn(7, &[1, 2, 3, 4, 5], 3), [1, 5, 3]);
    }

    #[test]
    fn another_seed_draws_another_sample() {
        let ids: Vec<u128> = (0..1_000).collect();
        let (one, other) = (drawn(1, &ids, 50), drawn(2, &ids, 50));
        let common = one.iter().filter(|id| other.contains(id)).count();
        assert!(common < 15, "{common} of 50, where 2.5 are to be expected");
    }

    #[test]
    fn everybody_is_drawn_equally_often() {
        let ids: Vec<u128> = (0..20).collect();
        let mut times = [0_usize; 20];
        for seed in 0..4_000 {
            for id in drawn(seed, &ids, 5) {
                times[usize::try_from(id).unwrap()] += 1;
            }
        }
        // 1,000 each, give or take five standard deviations.
        assert!(times.iter().all(|n| (860..1_140).contains(n)), "{times:?}");
    }

    proptest! {
        #[test]
        fn the_order_of_the_rows_does_not_matter(
            seed in any::<i64>(),
            (rows, shuffled) in prop::collection::hash_set(any::<u128>(), 0..60)
                .prop_map(|ids| ids.into_iter().collect::<Vec<_>>())
                .prop_flat_map(|ids| (Just(ids.clone()), Just(ids).prop_shuffle())),
            size in 0..70_usize,
        ) {
            prop_assert_eq!(drawn(seed, &rows, size), drawn(seed, &shuffled, size));
        }

        #[test]
        fn a_smaller_sample_is_the_beginning_of_a_larger_one(
            seed in any::<i64>(),
            ids in prop::collection::hash_set(any::<u128>(), 0..60),
            smaller in 0..70_usize,
            more in 0..70_usize,
        ) {
            let ids: Vec<u128> = ids.into_iter().collect();
            let (small, large) = (drawn(seed, &ids, smaller), drawn(seed, &ids, smaller + more));
            prop_assert_eq!(small.len(), smaller.min(ids.len()));
            prop_assert!(large.starts_with(&small));
        }

        #[test]
        fn what_comes_to_the_population_pushes_out_and_changes_no_order(
            seed in any::<i64>(),
            ids in prop::collection::hash_set(any::<u128>(), 1..60),
            size in 1..30_usize,
        ) {
            let ids: Vec<u128> = ids.into_iter().collect();
            let before = drawn(seed, &ids[1..], size);
            let after = drawn(seed, &ids, size);
            let kept: Vec<u128> = after.into_iter().filter(|id| *id != ids[0]).collect();
            prop_assert!(before.starts_with(&kept));
        }
    }
}
