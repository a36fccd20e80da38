//! How hard a text is to read.
//!
//! English by the Flesch-Kincaid grade, Spanish by the scale of Fernández Huerta. Health texts for everybody should be
//! read with six to eight years of school (AMA; NIH `MedlinePlus`), so ten and more are pointed out.

use super::super::finding::{Finding, Place, Severity};
use super::super::tokens::{Break, tokens};

/// Fewest words of a part that are judged: a line says too little about a text.
const MIN_WORDS: usize = 30;
/// Hardest grade that is not pointed out.
const MAX_GRADE: f64 = 9.9;
/// Lowest ease of a Spanish text that is not pointed out: "somewhat difficult" begins below.
const MIN_EASE_ES: f64 = 55.0;
/// Longest sentence that is not pointed out, in words.
const MAX_SENTENCE_WORDS: usize = 35;

/// Long sentences, and whole parts that are hard to read.
#[expect(
    clippy::cast_precision_loss,
    reason = "texts have far fewer words than a float can count"
)]
pub(super) fn findings(place: &Place<'_>, shown: &str, language: &str) -> Vec<Finding> {
    let base = language.split(['-', '_']).next().unwrap_or_default();
    if !matches!(base, "en" | "es") {
        return Vec::new();
    }
    let tokens = tokens(shown);
    let mut findings = Vec::new();
    let mut sentences = 0_usize;
    let mut from = 0;
    for at in 1..=tokens.len() {
        if tokens
            .get(at)
            .is_some_and(|token| token.break_before != Break::Sentence)
        {
            continue;
        }
        sentences += 1;
        if at - from > MAX_SENTENCE_WORDS {
            let bytes = tokens[from].at.start..tokens[at - 1].at.end;
            let advice = "This sentence is long. Say it in two.";
            findings.push(place.finding("reading-level", Severity::Warning, bytes, advice));
        }
        from = at;
    }
    if tokens.len() < MIN_WORDS {
        return findings;
    }
    let syllables: usize = tokens.iter().map(|token| syllables(&token.folded, base)).sum();
    let per_sentence = tokens.len() as f64 / sentences as f64;
    let per_word = syllables as f64 / tokens.len() as f64;
    let is_hard = match base {
        "es" => 206.84 - 60.0 * per_word - 1.02 * per_sentence < MIN_EASE_ES,
        _ => 0.39 * per_sentence + 11.8 * per_word - 15.59 > MAX_GRADE,
    };
    if is_hard {
        let advice = "This is hard to read. Use shorter words and shorter sentences.";
        findings.push(place.finding("reading-level", Severity::Warning, place.whole(), advice));
    }
    findings
}

/// How many syllables a word has, by its groups of vowels.
fn syllables(word: &str, language: &str) -> usize {
    let is_vowel = |c: char| matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y');
    let mut groups = 0;
    let mut last: Option<char> = None;
    for c in word.chars() {
        let begins = match (language, last) {
            _ if !is_vowel(c) => false,
            // Two strong vowels are two syllables in Spanish.
            ("es", Some(before)) => !is_vowel(before) || ("aeo".contains(before) && "aeo".contains(c)),
            (_, Some(before)) => !is_vowel(before),
            (_, None) => true,
        };
        groups += usize::from(begins);
        last = Some(c);
    }
    let is_silent = language == "en" && groups > 1 && word.ends_with('e') && !word.ends_with("le");
    (groups - usize::from(is_silent)).max(1)
}
