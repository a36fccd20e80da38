use sequence_version::Action;

use super::*;

fn step(key: &str, action: Action) -> Step {
    Step {
        key: key.to_owned(),
        action,
    }
}

fn wait(key: &str, secs: i64) -> Step {
    step(key, Action::Wait { secs })
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()))
        .collect()
}

#[test]
fn a_step_leads_to_its_namesake_and_goes_on_when_it_says_the_same() {
    let old = Steps(vec![wait("a", 60), wait("b", 60)]);
    let new = Steps(vec![wait("b", 90), wait("a", 60)]);
    let to = |key: &str| target(key, &old, &new, &map(&[]));
    assert_eq!(to("a"), Ok(("a".to_owned(), TakeOver::GoesOn)));
    assert_eq!(to("b"), Ok(("b".to_owned(), TakeOver::Begins)));
}

#[test]
fn a_step_that_is_gone_needs_the_map_and_the_map_a_step_that_is_there() {
    let (old, new) = (Steps(vec![wait("a", 60)]), Steps(vec![wait("b", 60)]));
    let to = |pairs| target("a", &old, &new, &map(pairs));
    assert_eq!(to(&[]), Err(Obstacle::NoTarget));
    assert_eq!(to(&[("a", "gone")]), Err(Obstacle::UnknownTarget));
    assert_eq!(to(&[("a", "b")]), Ok(("b".to_owned(), TakeOver::Begins)));
}

#[test]
fn a_wait_for_something_goes_on_when_only_its_ways_changed() {
    let wait = |timeout_secs, then: &str| {
        let action = Action::WaitFor {
            event: sequence_version::Awaited::FormAnswered,
            stage: None,
            outcome: None,
            timeout_secs,
            then: then.to_owned(),
            otherwise: then.to_owned(),
        };
        Steps(vec![step("a", action)])
    };
    let how = |new: &Steps| target("a", &wait(60, "x"), new, &map(&[])).map(|(_, how)| how);
    assert_eq!(how(&wait(60, "y")), Ok(TakeOver::GoesOn));
    assert_eq!(how(&wait(61, "x")), Ok(TakeOver::Begins));
}
