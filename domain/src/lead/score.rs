//! The score: points from rules, each with its reason.

use entity::enums::ScoreGrade;
use entity::lead::{ScoreReason, ScoreReasons};
use entity::scoring_rule;

use crate::condition::{self, Facts};

/// A score with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// Sum of the points, 0 to 100.
    pub points: i32,
    /// The grade of the points.
    pub grade: ScoreGrade,
    /// Every rule that gave or took points.
    pub reasons: ScoreReasons,
}

/// Scores a lead. Rules add up; the sum is kept within 0 and 100.
pub fn score(rules: &[scoring_rule::Model], facts: &Facts<'_>) -> Score {
    let reasons: Vec<ScoreReason> = rules
        .iter()
        .filter(|rule| condition::holds(&rule.condition, facts))
        .map(|rule| ScoreReason {
            rule: rule.name.clone(),
            points: rule.points,
            text: rule.text.clone(),
        })
        .collect();
    let points = reasons
        .iter()
        .map(|reason| i64::from(reason.points))
        .sum::<i64>()
        .clamp(0, 100) as i32;
    Score {
        points,
        grade: grade(points),
        reasons: ScoreReasons(reasons),
    }
}

/// The grade of a number of points.
pub const fn grade(points: i32) -> ScoreGrade {
    match points {
        70.. => ScoreGrade::A,
        50.. => ScoreGrade::B,
        30.. => ScoreGrade::C,
        _ => ScoreGrade::D,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades_change_at_their_thresholds() {
        let grades = [0, 29, 30, 49, 50, 69, 70, 100].map(grade);
        use ScoreGrade::{A, B, C, D};
        assert_eq!(grades, [D, D, C, C, B, B, A, A]);
    }
}
