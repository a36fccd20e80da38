//! The language of templates: Liquid with `if`, `unless` and `case`, the `default` filter, and the variables of a mail.
//!
//! The scanner reads what stands between the braces before Liquid does. It finds names that are not known in branches
//! that no test run would take, and it bounds the depth, because Liquid reads nested blocks by recursion.

use std::collections::BTreeSet;

use liquid_lib::stdlib;

/// The variables, by name.
pub(super) const VARIABLES: [&str; 11] = [
    "appointment_at",
    "facility_name",
    "facility_phone",
    "family_name",
    "given_name",
    "hospital_name",
    "postal_address",
    "preferences_url",
    "service_line_name",
    "team_name",
    "unsubscribe_url",
];

/// Deepest nesting of blocks.
const MAX_DEPTH: usize = 8;

/// Words of tags, and words that stand beside variables in them.
const OPENING: [&str; 3] = ["if", "unless", "case"];
const CLOSING: [&str; 3] = ["endif", "endunless", "endcase"];
const BETWEEN: [&str; 3] = ["elsif", "else", "when"];
const BESIDE: [&str; 9] = [
    "and", "or", "contains", "true", "false", "nil", "null", "empty", "blank",
];

/// What is wrong with a template's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// A brace is opened and not closed, or a quote.
    Unclosed,
    /// A tag that is not in the language.
    Tag,
    /// A filter that is not in the language.
    Filter,
    /// A variable that does not exist.
    Variable,
    /// Blocks are nested too deep.
    Depth,
}

/// A parser for this language and nothing else.
pub(super) fn parser() -> liquid::Parser {
    liquid::ParserBuilder::new()
        .block(stdlib::IfBlock)
        .block(stdlib::UnlessBlock)
        .block(stdlib::CaseBlock)
        .filter(stdlib::Default)
        .build()
        .expect("without partial templates there is nothing that can fail to compile")
}

/// The variables that a source names, or the first thing that is wrong with it.
pub(super) fn scan(source: &str) -> Result<BTreeSet<&'static str>, Wrong> {
    let mut named = BTreeSet::new();
    let mut depth = 0_usize;
    let mut rest = source;
    while let Some(at) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
        let is_tag = rest[at..].starts_with("{%");
        let inside = &rest[at + 2..];
        let end = end_of(inside, if is_tag { "%}" } else { "}}" }).ok_or(Wrong::Unclosed)?;
        let words = words(&inside[..end])?;
        let words = if is_tag {
            after_tag(&words, &mut depth)?
        } else {
            &words
        };
        collect(words, &mut named)?;
        rest = &inside[end + 2..];
    }
    Ok(named)
}

/// Where the braces close: the first time outside of a quote.
fn end_of(inside: &str, closing: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in inside.char_indices() {
        match quote {
            None if inside[at..].starts_with(closing) => return Some(at),
            None if matches!(c, '"' | '\'') => quote = Some(c),
            Some(open) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

/// A word between braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word<'a> {
    /// A variable, operator or tag.
    Name(&'a str),
    /// The bar before a filter.
    Bar,
}

/// Names and bars, in order; quoted texts, numbers and punctuation are passed over.
fn words(inside: &str) -> Result<Vec<Word<'_>>, Wrong> {
    let mut words = Vec::new();
    let mut rest = inside;
    while let Some(c) = rest.chars().next() {
        let len = match c {
            '"' | '\'' => rest[1..].find(c).ok_or(Wrong::Unclosed)? + 2,
            c if c.is_alphabetic() || c == '_' => {
                // A dot is part of the name, so that a path into a variable is an unknown name.
                let len = rest
                    .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '[')))
                    .unwrap_or(rest.len());
                words.push(Word::Name(rest[..len].trim_end_matches('-')));
                len
            }
            '|' => {
                words.push(Word::Bar);
                1
            }
            c => c.len_utf8(),
        };
        rest = &rest[len..];
    }
    Ok(words)
}

/// Takes the tag's own word off and keeps count of the depth.
fn after_tag<'w, 'a>(words: &'w [Word<'a>], depth: &mut usize) -> Result<&'w [Word<'a>], Wrong> {
    let Some((Word::Name(tag), after)) = words.split_first() else {
        return Err(Wrong::Tag);
    };
    if OPENING.contains(tag) {
        *depth += 1;
    } else if CLOSING.contains(tag) {
        *depth = depth.saturating_sub(1);
    } else if !BETWEEN.contains(tag) {
        return Err(Wrong::Tag);
    }
    if *depth > MAX_DEPTH {
        Err(Wrong::Depth)
    } else {
        Ok(after)
    }
}

fn collect(words: &[Word<'_>], named: &mut BTreeSet<&'static str>) -> Result<(), Wrong> {
    let mut after_bar = false;
    for word in words {
        match word {
            Word::Bar => after_bar = true,
            Word::Name(name) if after_bar => {
                after_bar = false;
                if *name != "default" {
                    return Err(Wrong::Filter);
                }
            }
            Word::Name(name) if BESIDE.contains(name) => {}
            Word::Name(name) => {
                let known = VARIABLES
                    .iter()
                    .find(|variable| *variable == name)
                    .ok_or(Wrong::Variable)?;
                named.insert(known);
            }
        }
    }
    Ok(())
}
