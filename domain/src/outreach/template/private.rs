//! Words that tell a health interest. They may stand in the body of a mail, but not in a subject, a preheader or an
//! address: those are read on locked screens and kept by machines on the way.
//!
//! The list is that of the hospital's own directory (service lines, their slugs and all that people call them), and the
//! common names of conditions and procedures in `private_words.json`.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::finding::{Finding, Place};
use super::tokens::{Token, tokens};
use crate::playbook::Playbook;

/// Shortest word that is looked for within the words of an address, in letters: `/cardiologyclinic`.
const MIN_LETTERS_WITHIN: usize = 6;

/// The list that comes with Leadward.
#[derive(Deserialize)]
struct Listed {
    conditions: Vec<String>,
    procedures: Vec<String>,
    services: Vec<String>,
}

static COMMON: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
    let listed: Listed = serde_json::from_str(include_str!("private_words.json"))
        .expect("the list in the program is well-formed");
    [listed.conditions, listed.procedures, listed.services]
        .concat()
        .iter()
        .map(|phrase| phrase.split_whitespace().map(str::to_owned).collect())
        .collect()
});

/// The words, as phrases.
#[derive(Clone, Debug)]
pub struct PrivateWords {
    phrases: HashSet<Vec<String>>,
}

impl PrivateWords {
    /// The words of a hospital.
    #[must_use]
    pub fn of(playbook: &Playbook) -> Self {
        Self::named(playbook.line_by_name.keys().map(String::as_str))
    }

    /// The words of a directory with these names and aliases of services.
    pub fn named<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let own = names.into_iter().map(|name| {
            tokens(name)
                .into_iter()
                .map(|token| token.folded)
                .collect::<Vec<_>>()
        });
        let phrases = COMMON
            .iter()
            .cloned()
            .chain(own)
            .filter(|phrase| !phrase.is_empty())
            .collect();
        Self { phrases }
    }

    /// Where the words stand in a text, in bytes.
    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let tokens = tokens(text);
        let mut found: Vec<Range<usize>> = Vec::new();
        for at in 0..tokens.len() {
            let longest = self
                .phrases
                .iter()
                .filter(|phrase| begins(&tokens[at..], phrase))
                .map(Vec::len)
                .max();
            if let Some(len) = longest {
                let range = tokens[at].at.start..tokens[at + len - 1].at.end;
                if found.last().is_none_or(|last| last.end <= range.start) {
                    found.push(range);
                }
            }
        }
        found
    }

    /// A finding for each place in a part where they may not stand.
    pub(super) fn findings(&self, place: &Place<'_>, within: Range<usize>) -> Vec<Finding> {
        self.find(&place.source[within.clone()])
            .into_iter()
            .map(|at| {
                let advice = "This names a service, a condition or a procedure. Whoever sees the screen would read it: say it in \
                              the body of the mail.";
                place.refused("private-word", within.start + at.start..within.start + at.end, advice)
            })
            .collect()
    }

    /// Whether an address has one of them.
    pub(super) fn is_in_url(&self, url: &str) -> bool {
        // Some servers decode twice, and so does whoever wants a word not to be seen here.
        let once = percent_decode_str(url).decode_utf8_lossy();
        let decoded = percent_decode_str(&once).decode_utf8_lossy();
        if !self.find(&decoded).is_empty() {
            return true;
        }
        let words: Vec<String> = tokens(&decoded).into_iter().map(|token| token.folded).collect();
        self.phrases
            .iter()
            .map(|phrase| phrase.concat())
            .filter(|phrase| phrase.trim_end_matches('*').len() >= MIN_LETTERS_WITHIN)
            .any(|phrase| {
                words
                    .iter()
                    .any(|word| word.contains(phrase.trim_end_matches('*')))
            })
    }
}

fn begins(tokens: &[Token], phrase: &[String]) -> bool {
    tokens.len() >= phrase.len()
        && phrase
            .iter()
            .zip(tokens)
            .all(|(word, token)| is_word(word, &token.folded))
}

/// Whether a word is the listed one, in the singular or the plural, or of its family when it ends in a star.
fn is_word(listed: &str, word: &str) -> bool {
    match listed.strip_suffix('*') {
        Some(stem) => word.starts_with(stem),
        None => word
            .strip_prefix(listed)
            .is_some_and(|ending| matches!(ending, "" | "s" | "es")),
    }
}
