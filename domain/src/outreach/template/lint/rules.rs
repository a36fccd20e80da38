//! The rules about claims, comparisons and fear: word lists, and where their words mean something else.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::super::finding::{Finding, Place, Severity};
use super::super::tokens::{Break, Token, tokens};
use super::pattern::{Pattern, Sets};

/// How many words before a claim a "not" may stand to deny it.
const NEGATION_REACH: usize = 4;

/// `copy_rules.json`.
#[derive(Deserialize)]
struct File {
    sets: Sets,
    rules: Vec<RuleSource>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleSource {
    rule: String,
    language: String,
    severity: String,
    advice: String,
    #[serde(rename = "source")]
    _source: String,
    /// Whether a "not" before it denies it.
    #[serde(default)]
    negatable: bool,
    /// Whether "may", "can help" and the like before it make it a possibility.
    #[serde(default)]
    softened: bool,
    /// Words that make the whole sentence mean something else.
    #[serde(default)]
    not_with: Vec<String>,
    patterns: Vec<String>,
    /// Where the same words mean something else.
    #[serde(default)]
    clean: Vec<String>,
}

struct Rule {
    name: &'static str,
    severity: Severity,
    advice: &'static str,
    negatable: bool,
    softened: bool,
    not_with: Vec<Pattern>,
    patterns: Vec<Pattern>,
    clean: Vec<Pattern>,
}

struct Rules {
    by_language: BTreeMap<String, Vec<Rule>>,
    negations: BTreeMap<String, Vec<Pattern>>,
    softeners: BTreeMap<String, Vec<Pattern>>,
}

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let file: File = serde_json::from_str(include_str!("copy_rules.json"))
        .expect("the rules in the program are well-formed");
    let parse = |all: &[String]| -> Vec<Pattern> {
        all.iter().map(|text| Pattern::parse(text, &file.sets)).collect()
    };
    let words_of = |prefix: &str| -> BTreeMap<String, Vec<Pattern>> {
        file.sets
            .iter()
            .filter_map(|(name, words)| Some((name.strip_prefix(prefix)?.to_owned(), parse(words))))
            .collect()
    };
    // What only may be a claim is no claim wherever a sterner list of the same rule knows better.
    let known_clean = |source: &RuleSource| -> Vec<Pattern> {
        file.rules
            .iter()
            .filter(|other| other.rule == source.rule && other.language == source.language)
            .filter(|other| source.severity != "ERROR" || std::ptr::eq(*other, source))
            .flat_map(|other| parse(&other.clean))
            .collect()
    };
    let mut by_language: BTreeMap<String, Vec<Rule>> = BTreeMap::new();
    for source in &file.rules {
        let rule = Rule {
            name: Box::leak(source.rule.clone().into_boxed_str()),
            severity: if source.severity == "ERROR" {
                Severity::Error
            } else {
                Severity::Warning
            },
            advice: Box::leak(source.advice.clone().into_boxed_str()),
            negatable: source.negatable,
            softened: source.softened,
            not_with: parse(&source.not_with),
            patterns: parse(&source.patterns),
            clean: known_clean(source),
        };
        by_language.entry(source.language.clone()).or_default().push(rule);
    }
    Rules {
        by_language,
        negations: words_of("negation_"),
        softeners: words_of("softener_"),
    }
});

/// What the rules of a language find in a part. `shown` is its source with what no reader sees as blanks.
pub(super) fn findings(place: &Place<'_>, shown: &str, language: &str) -> Vec<Finding> {
    let base = language
        .split(['-', '_'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let Some(rules) = RULES.by_language.get(&base) else {
        return Vec::new();
    };
    let tokens = tokens(shown);
    let denied = Around {
        negations: RULES.negations.get(&base).map_or(&[], Vec::as_slice),
        softeners: RULES.softeners.get(&base).map_or(&[], Vec::as_slice),
        tokens: &tokens,
    };
    let mut found: Vec<Finding> = Vec::new();
    for rule in rules {
        for (start, end) in spans(rule, &denied) {
            let bytes = tokens[start].at.start..tokens[end - 1].at.end;
            let finding = place.finding(rule.name, rule.severity, bytes, rule.advice);
            // Two lists of one rule may meet at one place; it is told once, as the worse.
            let beside = found.iter_mut().find(|other| {
                other.rule == finding.rule && other.start < finding.end && finding.start < other.end
            });
            match beside {
                Some(other) => {
                    other.start = other.start.min(finding.start);
                    other.end = other.end.max(finding.end);
                    other.severity = other.severity.max(finding.severity);
                }
                None => found.push(finding),
            }
        }
    }
    found
}

/// What stands around a match.
struct Around<'a> {
    negations: &'a [Pattern],
    softeners: &'a [Pattern],
    tokens: &'a [Token],
}

impl Around<'_> {
    /// Whether one of the patterns stands shortly before a token, in the same clause.
    fn stands_before(&self, patterns: &[Pattern], start: usize) -> bool {
        let from = (0..start)
            .rev()
            .take(NEGATION_REACH + 1)
            .take_while(|at| self.tokens[at + 1].break_before == Break::None)
            .last()
            .unwrap_or(start);
        (from..start).any(|at| {
            patterns.iter().any(|pattern| {
                pattern
                    .end_of_match(self.tokens, at)
                    .is_some_and(|end| end <= start)
            })
        })
    }

    /// The tokens of the sentence of a token.
    fn sentence(&self, at: usize) -> std::ops::Range<usize> {
        let start = (0..=at)
            .rev()
            .find(|at| *at == 0 || self.tokens[*at].break_before == Break::Sentence)
            .unwrap_or(0);
        let end = (at + 1..self.tokens.len())
            .find(|at| self.tokens[*at].break_before == Break::Sentence)
            .unwrap_or(self.tokens.len());
        start..end
    }
}

/// Where a rule finds something, as first and last token, the longest match of each place.
fn spans(rule: &Rule, around: &Around<'_>) -> Vec<(usize, usize)> {
    let tokens = around.tokens;
    let matches = |patterns: &[Pattern]| -> Vec<(usize, usize)> {
        (0..tokens.len())
            .filter_map(|start| {
                let end = patterns
                    .iter()
                    .filter_map(|pattern| pattern.end_of_match(tokens, start))
                    .max()?;
                (end > start).then_some((start, end))
            })
            .collect()
    };
    let clean = matches(&rule.clean);
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (start, end) in matches(&rule.patterns) {
        let is_clean = clean.iter().any(|(from, to)| *from < end && start < *to);
        let is_denied = rule.negatable && around.stands_before(around.negations, start);
        let is_soft = rule.softened && around.stands_before(around.softeners, start);
        let is_other = !rule.not_with.is_empty()
            && around.sentence(start).any(|at| {
                rule.not_with
                    .iter()
                    .any(|pattern| pattern.end_of_match(tokens, at).is_some())
            });
        if is_clean || is_denied || is_soft || is_other {
            continue;
        }
        match found.last_mut() {
            Some(last) if start < last.1 => last.1 = last.1.max(end),
            _ => found.push((start, end)),
        }
    }
    found
}
