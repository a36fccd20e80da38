//! Chance that can be repeated.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Throws of one lead. Each lead has its own, so that what happens to one does not move all that come after it.
pub(super) struct Chance(StdRng);

impl Chance {
    pub(super) fn new(seed: u64, number: u64) -> Self {
        // The factor spreads neighboring numbers (Knuth, The Art of Computer Programming, 6.4).
        Self(StdRng::seed_from_u64(
            seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        ))
    }

    /// From 0 to 1.
    pub(super) fn unit(&mut self) -> f64 {
        self.0.random_range(0.0..1.0)
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.0.random_range(0..u64::MAX)
    }

    pub(super) fn yes(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    pub(super) fn percent(&mut self, percent: f64) -> bool {
        self.yes(percent / 100.0)
    }

    /// A whole number, both ends included.
    pub(super) fn between(&mut self, least: i64, most: i64) -> i64 {
        self.0.random_range(least..=most.max(least))
    }

    /// One of some, all alike. There must be one.
    pub(super) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.0.random_range(0..of.len())]
    }

    /// The place of one of some, by weight.
    pub(super) fn weighted(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let mut left = self.unit() * weights.clone().sum::<f64>();
        for (place, weight) in weights.clone().enumerate() {
            left -= weight;
            if left < 0.0 {
                return place;
            }
        }
        weights.count().saturating_sub(1)
    }

    /// One of some names, by weight.
    pub(super) fn named<'a>(&mut self, of: &'a BTreeMap<String, f64>) -> Option<&'a str> {
        let place = self.weighted(of.values().copied());
        of.keys().nth(place).map(String::as_str)
    }
}
