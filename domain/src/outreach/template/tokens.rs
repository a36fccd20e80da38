//! A text as words that can be compared: lower case, without accents, with where each one stands.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A word, or a mark that ends a clause or a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// The word without accents, in lower case.
    pub(super) folded: String,
    /// Where it stands, in bytes.
    pub(super) at: Range<usize>,
    /// What stands between it and the word before: a comma or a dash ends a clause, a full stop a sentence.
    pub(super) break_before: Break,
}

/// What separates a word from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Break {
    /// Nothing but blanks, hyphens or quotes.
    None,
    /// A comma, a colon or a bracket.
    Clause,
    /// The end of a sentence or a line.
    Sentence,
}

/// The words of a text.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    let mut pause = Break::None;
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if is_part(text, at, c) {
            start = start.or(Some(at));
            continue;
        }
        if let Some(from) = start.take() {
            found.push(Token {
                folded: fold(&text[from..at]),
                at: from..at,
                break_before: pause,
            });
            pause = Break::None;
        }
        let is_shortened = c == '.' && found.last().is_some_and(|word| shortens(word, &text[at + 1..]));
        if !is_shortened {
            pause = pause.max(separates(c, text[at..].chars().nth(1)));
        }
    }
    found
}

/// Whether a character belongs to a word. Apostrophes within a word do.
fn is_part(text: &str, at: usize, c: char) -> bool {
    let within = |c: char| c.is_alphanumeric();
    within(c)
        || is_combining_mark(c)
        || is_invisible(c)
        || c == '%'
        || (c == '#'
            && text[at..]
                .chars()
                .nth(1)
                .is_some_and(|next| next.is_ascii_digit()))
        || (matches!(c, '\'' | '’')
            && text[..at].chars().next_back().is_some_and(within)
            && text[at..].chars().nth(1).is_some_and(within))
}

/// Whether the full stop after a word belongs to it, as in "Dr. Lee" or "No. 1".
fn shortens(word: &Token, rest: &str) -> bool {
    match word.folded.as_str() {
        "dr" | "dra" | "mr" | "mrs" | "ms" | "sr" | "sra" | "st" | "vs" => true,
        "no" | "num" => rest.trim_start().starts_with(|c: char| c.is_ascii_digit()),
        _ => false,
    }
}

fn separates(c: char, next: Option<char>) -> Break {
    match c {
        '.' | '!' | '?' | '¡' | '¿' if next.is_none_or(|next| !next.is_alphanumeric()) => Break::Sentence,
        '¡' | '¿' | '\n' | '|' => Break::Sentence,
        ',' | ';' | ':' | '(' | ')' | '–' | '—' => Break::Clause,
        _ => Break::None,
    }
}

/// Lower case, compatibility forms as plain letters, accents and invisible characters dropped, one kind of apostrophe.
fn fold(word: &str) -> String {
    word.nfkd()
        .filter(|c| !is_combining_mark(*c) && !is_invisible(*c))
        .map(|c| if c == '’' { '\'' } else { c })
        .flat_map(char::to_lowercase)
        .collect()
}

/// Characters that nobody sees: soft hyphens, joiners, direction marks.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}
