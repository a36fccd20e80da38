//! The points of a review, read against the rubric.

use entity::audit_rubric::Criterion;
use entity::quality_review::{Score, Scores};

use crate::error::{Code, Refusal};

/// The points for every criterion, in the order of the rubric.
///
/// # Errors
/// Every refusal at once, with the place at which the points were given.
pub fn read(criteria: &[Criterion], given: Vec<Score>) -> Result<Scores, Vec<Refusal>> {
    let mut refusals = Vec::new();
    if given.len() > criteria.len() {
        let message = "Give points for each criterion once.";
        return Err(vec![Refusal::new(Code::TooLarge, "scores", message)]);
    }
    let mut found: Vec<Option<Score>> = vec![None; criteria.len()];
    for (at, score) in given.into_iter().enumerate() {
        let mut refuse = |code, part: &str, message: String| {
            refusals.push(Refusal::new(code, &format!("scores.{at}.{part}"), message));
        };
        let known = criteria.iter().position(|one| one.key == score.criterion);
        match known {
            None => refuse(
                Code::NotFound,
                "criterion",
                "The rubric has no such criterion.".to_owned(),
            ),
            Some(place) if found[place].is_some() => refuse(
                Code::AlreadyExists,
                "criterion",
                "This criterion has points already.".to_owned(),
            ),
            Some(place) => {
                let most = criteria[place].points;
                if !(0..=most).contains(&score.points) {
                    refuse(Code::Invalid, "points", format!("Give 0 to {most} points."));
                }
                found[place] = Some(score);
            }
        }
    }
    if found.iter().any(Option::is_none) {
        let message = "Give points for every criterion.";
        refusals.push(Refusal::new(Code::Required, "scores", message));
    }
    if refusals.is_empty() {
        Ok(Scores(found.into_iter().flatten().collect()))
    } else {
        Err(refusals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn criteria() -> Vec<Criterion> {
        [("note", 4), ("timing", 3)]
            .into_iter()
            .map(|(key, points)| Criterion {
                key: key.to_owned(),
                text: key.to_owned(),
                points,
            })
            .collect()
    }

    fn given(scores: &[(&str, i32)]) -> Vec<Score> {
        scores
            .iter()
            .map(|(criterion, points)| Score {
                criterion: (*criterion).to_owned(),
                points: *points,
            })
            .collect()
    }

    fn refused(scores: &[(&str, i32)]) -> Vec<String> {
        let refusals = read(&criteria(), given(scores)).unwrap_err();
        refusals
            .iter()
            .map(|refusal| format!("{} {}", refusal.code.as_str(), refusal.field.join(".")))
            .collect()
    }

    #[test]
    fn points_stand_in_the_order_of_the_rubric() {
        let read = read(&criteria(), given(&[("timing", 0), ("note", 4)]));
        assert_eq!(read, Ok(Scores(given(&[("note", 4), ("timing", 0)]))));
    }

    #[test]
    fn every_criterion_has_points_within_its_range_once() {
        assert_eq!(refused(&[]), ["REQUIRED scores"]);
        assert_eq!(refused(&[("note", 4)]), ["REQUIRED scores"]);
        assert_eq!(
            refused(&[("note", 5), ("timing", -1)]),
            ["INVALID scores.0.points", "INVALID scores.1.points"]
        );
        assert_eq!(
            refused(&[("note", 1), ("note", 1)]),
            ["ALREADY_EXISTS scores.1.criterion", "REQUIRED scores"]
        );
        assert_eq!(
            refused(&[("note", 1), ("tone", 1)]),
            ["NOT_FOUND scores.1.criterion", "REQUIRED scores"]
        );
        let many = vec![("note", 1); 3];
        assert_eq!(refused(&many), ["TOO_LARGE scores"]);
    }
}
