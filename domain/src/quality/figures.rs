//! What a sample says: how many points work earned, and how far two reviewers agree.

use entity::audit_rubric::Criterion;
use entity::quality_review::Scores;

use super::agreement::{Agreement, agreement};

/// What a sample says by one criterion.
#[derive(Clone, Debug, PartialEq)]
pub struct CriterionFigures {
    /// The criterion.
    pub criterion: Criterion,
    /// The mean share of its points that reviews gave, from 0 to 1; none when there is no review.
    pub mean_share: Option<f64>,
    /// How far the first and the second reviews agree.
    pub agreement: Agreement,
}

/// What a sample says, from the pieces of work whose reviews are complete.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Pieces of work whose reviews are complete.
    pub reviewed: usize,
    /// By each criterion, in the order of the rubric.
    pub criteria: Vec<CriterionFigures>,
}

/// The figures of these pieces of work. Each has all its reviews, the first one first.
#[must_use]
pub fn figures(criteria: &[Criterion], reviewed: &[Vec<&Scores>]) -> Figures {
    let by = |criterion: &Criterion| {
        let points = |scores: &Scores| {
            let mut all = scores.0.iter();
            let found = all.find(|score| score.criterion == criterion.key);
            found.map_or(0, |score| score.points)
        };
        let given: Vec<i32> = reviewed.iter().flatten().map(|scores| points(scores)).collect();
        let pairs: Vec<(i32, i32)> = reviewed
            .iter()
            .filter_map(|reviews| match reviews.as_slice() {
                [first, second, ..] => Some((points(first), points(second))),
                _ => None,
            })
            .collect();
        let sum: i64 = given.iter().copied().map(i64::from).sum();
        let most = f64::from(criterion.points) * given.len() as f64;
        CriterionFigures {
            criterion: criterion.clone(),
            mean_share: (!given.is_empty()).then(|| sum as f64 / most),
            agreement: agreement(&pairs),
        }
    };
    Figures {
        reviewed: reviewed.len(),
        criteria: criteria.iter().map(by).collect(),
    }
}

#[cfg(test)]
mod tests {
    use entity::quality_review::Score;

    use super::*;

    fn criterion(key: &str, points: i32) -> Criterion {
        Criterion {
            key: key.to_owned(),
            text: key.to_owned(),
            points,
        }
    }

    fn scores(note: i32, timing: i32) -> Scores {
        let score = |criterion: &str, points| Score {
            criterion: criterion.to_owned(),
            points,
        };
        Scores(vec![score("note", note), score("timing", timing)])
    }

    #[test]
    fn shares_are_of_all_reviews_and_agreement_of_those_that_come_in_pairs() {
        let criteria = [criterion("note", 4), criterion("timing", 2)];
        let (once, first, second) = (scores(4, 0), scores(2, 1), scores(3, 1));
        let found = figures(&criteria, &[vec![&once], vec![&first, &second]]);
        assert_eq!(found.reviewed, 2);
        let [note, timing] = found.criteria.as_slice() else {
            panic!("there are two criteria")
        };
        assert_eq!(note.mean_share, Some(0.75));
        assert_eq!((note.agreement.pairs, note.agreement.exact), (1, Some(0.0)));
        assert_eq!(note.agreement.weighted_kappa, Some(0.0), "one pair that differs");
        assert_eq!(timing.mean_share, Some(2.0 / 6.0));
        assert_eq!(timing.agreement.exact, Some(1.0));
        assert_eq!(timing.agreement.weighted_kappa, None, "nothing differs");
    }

    #[test]
    fn a_sample_that_nobody_has_reviewed_says_nothing() {
        let found = figures(&[criterion("note", 4)], &[]);
        assert_eq!((found.reviewed, found.criteria[0].mean_share), (0, None));
        assert_eq!(found.criteria[0].agreement.pairs, 0);
    }
}
