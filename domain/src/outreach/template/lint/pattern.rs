//! The patterns of the word lists.
//!
//! A pattern is words with blanks between them. `stem*` is any word that begins so, `_end` any that ends so, `_`
//! any at all, `a|b` one or the other, `@set` a word of
//! a named set, `?x` may be missing, `~3` up to three words of any kind, `~3!set` up to three words that are not in a set,
//! `^` the beginning of a clause, `$` its end. A pattern never reaches across the end of a sentence.

use std::collections::BTreeMap;

use super::super::tokens::{Break, Token};

/// Named sets of words.
pub(super) type Sets = BTreeMap<String, Vec<String>>;

/// One step of a pattern.
#[derive(Clone, Debug)]
enum Step {
    Word(Vec<String>),
    Optional(Vec<String>),
    Gap(usize, Vec<String>),
    Begin,
    End,
}

/// A pattern, ready to be looked for.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Vec<Step>);

impl Pattern {
    pub(super) fn parse(text: &str, sets: &Sets) -> Self {
        let steps = text.split_whitespace().map(|word| match word.split_at(1) {
            ("^", "") => Step::Begin,
            ("$", "") => Step::End,
            ("?", rest) => Step::Optional(words(rest, sets)),
            ("~", rest) => {
                let (count, not) = rest.split_once('!').unwrap_or((rest, ""));
                let not = if not.is_empty() {
                    Vec::new()
                } else {
                    words(&format!("@{not}"), sets)
                };
                Step::Gap(count.parse().unwrap_or(0), not)
            }
            _ => Step::Word(words(word, sets)),
        });
        Self(steps.collect())
    }

    /// The token after the longest match that begins at a token.
    pub(super) fn end_of_match(&self, tokens: &[Token], start: usize) -> Option<usize> {
        follow(&self.0, tokens, start, start)
    }
}

fn words(text: &str, sets: &Sets) -> Vec<String> {
    text.split('|')
        .flat_map(|word| match word.strip_prefix('@') {
            Some(set) => sets.get(set).cloned().unwrap_or_default(),
            None => vec![word.to_owned()],
        })
        .collect()
}

/// Whether a word is one of these.
fn is_one_of(words: &[String], word: &str) -> bool {
    words.iter().any(
        |listed| match (listed.strip_prefix('_'), listed.strip_suffix('*')) {
            (Some(ending), _) => word.ends_with(ending),
            (None, Some(stem)) => word.starts_with(stem),
            (None, None) => word == listed,
        },
    )
}

/// The token at a place, unless a sentence ended before it.
fn next(tokens: &[Token], start: usize, at: usize) -> Option<&Token> {
    tokens
        .get(at)
        .filter(|token| at == start || token.break_before < Break::Sentence)
}

fn follow(steps: &[Step], tokens: &[Token], start: usize, at: usize) -> Option<usize> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(at);
    };
    match step {
        Step::Word(words) => {
            next(tokens, start, at).filter(|token| is_one_of(words, &token.folded))?;
            follow(rest, tokens, start, at + 1)
        }
        Step::Optional(words) => {
            let with = next(tokens, start, at)
                .filter(|token| is_one_of(words, &token.folded))
                .and_then(|_| follow(rest, tokens, start, at + 1));
            with.or_else(|| follow(rest, tokens, start, at))
        }
        Step::Gap(count, not) => {
            let mut best = None;
            for over in 0..=*count {
                if let Some(end) = follow(rest, tokens, start, at + over) {
                    best = best.max(Some(end));
                    // The nearest word is meant, not one beyond it.
                    break;
                }
                if next(tokens, start, at + over).is_none_or(|token| is_one_of(not, &token.folded)) {
                    break;
                }
            }
            best
        }
        Step::Begin => (at == 0 || tokens.get(at)?.break_before > Break::None)
            .then_some(at)
            .and_then(|at| follow(rest, tokens, start, at)),
        Step::End => tokens
            .get(at)
            .is_none_or(|token| token.break_before > Break::None)
            .then_some(at)
            .and_then(|at| follow(rest, tokens, start, at)),
    }
}
