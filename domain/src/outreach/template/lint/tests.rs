//! The copy rules against labelled lines: every violation found at its place, nothing clean blocked.

use super::super::finding::{Part, Place, Severity};
use super::rules;

/// `language|rule|words of the violation|line`; a clean line has neither rule nor words.
fn lines(file: &str) -> Vec<(String, String, String, String)> {
    file.lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|line| {
            let mut parts = line.splitn(4, '|').map(|part| part.trim().to_owned());
            let mut next = || parts.next().expect("four columns");
            (next(), next(), next(), next())
        })
        .collect()
}

fn found(language: &str, line: &str) -> Vec<(&'static str, String)> {
    let place = Place {
        part: Part::Subject,
        language: Some(language),
        source: line,
    };
    rules::findings(&place, line, language)
        .into_iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| {
            let words = line.chars().skip(finding.start).take(finding.end - finding.start);
            (finding.rule, words.collect())
        })
        .collect()
}

/// What a file's lines say against what is found; `is_at` compares the words found with those labelled.
fn judge(file: &str, is_at: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for (language, rule, words, line) in lines(file) {
        let found = found(&language, &line);
        let right = match rule.as_str() {
            "" => found.is_empty(),
            _ => found.len() == 1 && found[0].0 == rule && is_at(&found[0].1, &words),
        };
        if !right {
            wrong.push(format!("{line}\n   wanted {rule} «{words}», found {found:?}"));
        }
    }
    wrong
}

#[test]
fn every_labelled_violation_is_found_at_its_words_and_nothing_clean_is_blocked() {
    let file = include_str!("tests/labelled.txt");
    assert!(lines(file).len() >= 100);
    let wrong = judge(file, |found, words| found == words);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn lines_that_the_rules_were_not_made_for_are_judged_right_and_at_their_place() {
    let file = include_str!("tests/unseen.txt");
    assert!(lines(file).len() >= 60);
    let wrong = judge(file, |found, words| {
        let (found, words) = (found.to_lowercase(), words.to_lowercase());
        found.contains(&words) || words.contains(&found)
    });
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn lines_of_reviewers_are_found_and_nothing_clean_is_blocked() {
    let mut wrong = Vec::new();
    for (language, rule, words, line) in lines(include_str!("tests/reviewers.txt")) {
        let found = found(&language, &line);
        let right = match rule.as_str() {
            "" => found.is_empty(),
            _ => found.contains(&(rule_named(&rule), words.clone())),
        };
        if !right {
            wrong.push(format!("{line}\n   wanted {rule} «{words}», found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn rule_named(name: &str) -> &'static str {
    ["guarantee", "superlative", "fear"]
        .into_iter()
        .find(|rule| *rule == name)
        .expect("a rule of the word lists")
}
