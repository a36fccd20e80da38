//! How far two reviewers agree.

/// How far the first and the second reviews of the same work agree about one criterion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Pieces of work that two people have reviewed.
    pub pairs: usize,
    /// The share of these for which both gave the same points; none when there are none.
    pub exact: Option<f64>,
    /// Cohen's kappa with quadratic weights: 1 is perfect, 0 is what chance would do; none when it is not defined.
    pub weighted_kappa: Option<f64>,
}

/// The agreement of these pairs of points.
#[must_use]
pub fn agreement(pairs: &[(i32, i32)]) -> Agreement {
    let same = pairs.iter().filter(|(one, other)| one == other).count();
    Agreement {
        pairs: pairs.len(),
        exact: (!pairs.is_empty()).then(|| same as f64 / pairs.len() as f64),
        weighted_kappa: weighted_kappa(pairs),
    }
}

/// Cohen's weighted kappa (Psychological Bulletin 70, 1968): one minus the disagreement that is observed over the one that
/// chance would give, where a disagreement of `d` points weighs `d²`.
///
/// With these weights neither needs a table: over all pairs of a first and a second review, the mean of `(x - y)²` follows
/// from sums. So it does not matter how many points could have been given. It is not defined when chance would give no
/// disagreement: when both gave the same points throughout.
fn weighted_kappa(pairs: &[(i32, i32)]) -> Option<f64> {
    let points = || pairs.iter().map(|(x, y)| (i64::from(*x), i64::from(*y)));
    let n = points().map(|_| 1_i64).sum::<i64>();
    let observed: i64 = points().map(|(x, y)| (x - y).pow(2)).sum();
    let squares: i64 = points().map(|(x, y)| x * x + y * y).sum();
    let (x, y) = points().fold((0, 0), |(sum_x, sum_y), (x, y)| (sum_x + x, sum_y + y));
    // n² times the mean by chance; the observed sum times n is n² times the mean that is observed.
    let by_chance = n * squares - 2 * x * y;
    (by_chance > 0).then(|| 1.0 - (n * observed) as f64 / by_chance as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The pairs of a table of counts, the first review's points in rows and the second's in columns.
    fn of_table<const N: usize>(table: [[usize; N]; N]) -> Vec<(i32, i32)> {
        let mut pairs = Vec::new();
        for (x, row) in (0..).zip(table) {
            for (y, count) in (0..).zip(row) {
                pairs.extend(std::iter::repeat_n((x, y), count));
            }
        }
        pairs
    }

    fn kappa(pairs: &[(i32, i32)]) -> f64 {
        agreement(pairs).weighted_kappa.expect("it is defined")
    }

    /// As the definition has it: by the table, its margins, and weights from 0 to 1.
    fn by_definition(pairs: &[(i32, i32)], most: i32) -> Option<f64> {
        let share = |test: &dyn Fn(i32, i32) -> bool| {
            pairs.iter().filter(|(x, y)| test(*x, *y)).count() as f64 / pairs.len() as f64
        };
        let (mut observed, mut by_chance) = (0.0, 0.0);
        for i in 0..=most {
            for j in 0..=most {
                let weight = f64::from(i - j).powi(2) / f64::from(most).powi(2);
                observed += weight * share(&|x, y| x == i && y == j);
                by_chance += weight * share(&|x, _| x == i) * share(&|_, y| y == j);
            }
        }
        (by_chance > 1e-12).then(|| 1.0 - observed / by_chance)
    }

    #[test]
    fn couples_who_were_asked_the_same_agree_as_was_published() {
        // Hout, Duncan and Sobel 1987, after Agresti, Categorical Data Analysis: 91 couples, four answers.
        let couples = of_table([[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]]);
        let found = agreement(&couples);
        assert_eq!(found.pairs, 91);
        assert!((found.exact.unwrap() - 33.0 / 91.0).abs() < 1e-12);
        assert!((kappa(&couples) - 0.3320).abs() < 5e-5, "{found:?}");
    }

    #[test]
    fn raters_of_anxiety_agree_as_was_published() {
        // The example of kappa2 in the R package irr: 20 people, two raters, squared weights.
        let one = [3, 3, 3, 4, 5, 5, 2, 3, 5, 2, 2, 6, 1, 5, 2, 2, 1, 2, 4, 3];
        let other = [3, 6, 4, 6, 2, 4, 2, 4, 3, 3, 2, 3, 3, 3, 2, 2, 1, 3, 3, 4];
        let pairs: Vec<(i32, i32)> = one.into_iter().zip(other).collect();
        assert!((kappa(&pairs) - 0.297).abs() < 5e-4, "{}", kappa(&pairs));
    }

    #[test]
    fn a_small_example_is_what_a_hand_computes() {
        // Observed: (0 + 1 + 4 + 0) / 4 = 1.25. By chance, over the 16 combinations: 28 / 16 = 1.75.
        let pairs = [(0, 0), (1, 2), (2, 0), (2, 2)];
        assert!((kappa(&pairs) - (1.0 - 1.25 / 1.75)).abs() < 1e-12);
        assert_eq!(agreement(&pairs).exact, Some(0.5));
    }

    #[test]
    fn it_is_not_defined_for_nothing_and_for_what_never_differs() {
        let nothing = Agreement {
            pairs: 0,
            exact: None,
            weighted_kappa: None,
        };
        assert_eq!(agreement(&[]), nothing);
        let always = agreement(&[(3, 3), (3, 3)]);
        assert_eq!((always.exact, always.weighted_kappa), (Some(1.0), None));
        // Chance would do the same here, which is no agreement.
        assert_eq!(agreement(&[(3, 2), (3, 2)]).weighted_kappa, Some(0.0));
    }

    proptest! {
        #[test]
        fn perfect_agreement_is_one(points in prop::collection::vec(0..=10_i32, 2..50)) {
            prop_assume!(points.iter().any(|one| *one != points[0]));
            let pairs: Vec<(i32, i32)> = points.iter().map(|one| (*one, *one)).collect();
            prop_assert_eq!(agreement(&pairs).weighted_kappa, Some(1.0));
            prop_assert_eq!(agreement(&pairs).exact, Some(1.0));
        }

        #[test]
        fn it_does_not_matter_which_reviewer_is_the_first(pairs in prop::collection::vec((0..=10_i32, 0..=10_i32), 0..50)) {
            let turned: Vec<(i32, i32)> = pairs.iter().map(|(x, y)| (*y, *x)).collect();
            prop_assert_eq!(agreement(&pairs), agreement(&turned));
        }

        #[test]
        fn it_is_what_the_definition_says(pairs in prop::collection::vec((0..=10_i32, 0..=10_i32), 1..50)) {
            match (agreement(&pairs).weighted_kappa, by_definition(&pairs, 10)) {
                (Some(found), Some(expected)) => prop_assert!((found - expected).abs() < 1e-9, "{} {}", found, expected),
                (found, expected) => prop_assert_eq!(found, expected),
            }
        }

        #[test]
        fn it_lies_between_minus_one_and_one(pairs in prop::collection::vec((0..=10_i32, 0..=10_i32), 1..50)) {
            if let Some(found) = agreement(&pairs).weighted_kappa {
                prop_assert!((-1.0..=1.0).contains(&found), "{}", found);
            }
        }
    }
}
