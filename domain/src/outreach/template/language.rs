//! The language of templates: Liquid with `if`, `unless` and `case`, the `default` filter, and the fields of a mail.
//!
//! The scanner reads what stands between the braces before Liquid does. It finds names that are not known in branches
//! that no test run would take, and it bounds the depth, because Liquid reads nested blocks by recursion. It also tells
//! where everything stands, so that a finding can point at it.

use std::collections::BTreeSet;
use std::ops::Range;

use liquid_lib::stdlib;

use super::catalog::{Field, field};

/// Deepest nesting of blocks.
const MAX_DEPTH: usize = 8;

/// Words of tags, and words that stand beside fields in them.
const OPENING: [&str; 3] = ["if", "unless", "case"];
const CLOSING: [&str; 3] = ["endif", "endunless", "endcase"];
const BETWEEN: [&str; 3] = ["elsif", "else", "when"];
const BESIDE: [&str; 9] = [
    "and", "or", "contains", "true", "false", "nil", "null", "empty", "blank",
];
/// Places of a layout that the words of a body fill, beside its slots.
const PLACES: [&str; 2] = ["preheader", "language"];

/// What is wrong with a template's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// A brace is opened and not closed, or a quote.
    Unclosed,
    /// A tag that is not in the language.
    Tag,
    /// A filter that is not in the language.
    Filter,
    /// A field that does not exist.
    Field,
    /// An output that names no field.
    Literal,
    /// Blocks are nested too deep, or not closed in their order.
    Depth,
}

impl Wrong {
    /// What to do about it.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::Unclosed => "A brace or a quote is opened here and not closed.",
            Self::Tag => "Only if, unless and case can be used here.",
            Self::Filter => "Only the filter default can be used here.",
            Self::Field => {
                "This name is not known. The fields of a mail are listed by the query templateFields."
            }
            Self::Literal => "This names no field. Write the words themselves.",
            Self::Depth => "Every if, unless and case is closed in its turn, at most eight deep.",
        }
    }
}

/// What stands at a place of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// Words.
    Text,
    /// `{{ … }}`, filled in from the facts of a mail.
    Output,
    /// `{% … %}` that opens a block.
    Open,
    /// `{% … %}` within a block.
    Between,
    /// `{% … %}` that closes a block.
    Close,
    /// `{{ slot.name }}`, `{{ preheader }}` or `{{ language }}` of a layout, filled in when the version is written.
    Place(&'a str),
}

/// A stretch of a source. All pieces together are the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// What it is.
    pub(super) kind: Kind<'a>,
    /// Where it stands, in bytes.
    pub(super) at: Range<usize>,
    /// The fields that it names.
    pub(super) fields: BTreeSet<Field>,
}

/// What is wrong, and where, in bytes.
pub(super) type WrongAt = (Wrong, Range<usize>);

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

/// The pieces of a source, or the first thing that is wrong with it.
pub(super) fn scan(source: &str) -> Result<Vec<Piece<'_>>, WrongAt> {
    read(source, false)
}

/// The same for a layout, which has places.
pub(super) fn scan_layout(source: &str) -> Result<Vec<Piece<'_>>, WrongAt> {
    read(source, true)
}

fn read(source: &str, has_places: bool) -> Result<Vec<Piece<'_>>, WrongAt> {
    let mut pieces = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    let mut from = 0;
    while let Some(found) = source[from..]
        .find("{{")
        .into_iter()
        .chain(source[from..].find("{%"))
        .min()
    {
        let start = from + found;
        if start > from {
            pieces.push(text(from..start));
        }
        let is_tag = source[start..].starts_with("{%");
        let inside = &source[start + 2..];
        let length =
            end_of(inside, if is_tag { "%}" } else { "}}" }).ok_or((Wrong::Unclosed, start..start + 2))?;
        let at = start..start + 2 + length + 2;
        let piece = piece(&inside[..length], is_tag, has_places, at.clone(), &mut open);
        pieces.push(piece.map_err(|wrong| (wrong, at.clone()))?);
        from = at.end;
    }
    if !open.is_empty() {
        return Err((Wrong::Depth, source.len()..source.len()));
    }
    if from < source.len() {
        pieces.push(text(from..source.len()));
    }
    Ok(pieces)
}

fn text(at: Range<usize>) -> Piece<'static> {
    Piece {
        kind: Kind::Text,
        at,
        fields: BTreeSet::new(),
    }
}

fn piece<'a>(
    inside: &'a str,
    is_tag: bool,
    has_places: bool,
    at: Range<usize>,
    open: &mut Vec<&'a str>,
) -> Result<Piece<'a>, Wrong> {
    let trimmed = inside.trim_matches('-').trim();
    if has_places && !is_tag && (PLACES.contains(&trimmed) || trimmed.starts_with("slot.")) {
        return Ok(Piece {
            kind: Kind::Place(trimmed),
            at,
            fields: BTreeSet::new(),
        });
    }
    let words = words(inside)?;
    let (kind, words) = if is_tag {
        after_tag(&words, open)?
    } else {
        (Kind::Output, &words[..])
    };
    let fields = collect(words)?;
    if kind == Kind::Output && fields.is_empty() {
        return Err(Wrong::Literal);
    }
    Ok(Piece { kind, at, fields })
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
    /// A field, operator or tag.
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
                // A dot is part of the name, so that a path into a field is an unknown name.
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

/// Takes the tag's own word off, and sees to it that blocks close in their order.
fn after_tag<'w, 'a>(
    words: &'w [Word<'a>],
    open: &mut Vec<&'a str>,
) -> Result<(Kind<'a>, &'w [Word<'a>]), Wrong> {
    let Some((Word::Name(tag), after)) = words.split_first() else {
        return Err(Wrong::Tag);
    };
    let kind = if OPENING.contains(tag) {
        open.push(tag);
        Kind::Open
    } else if CLOSING.contains(tag) {
        if open.pop() != tag.strip_prefix("end") {
            return Err(Wrong::Depth);
        }
        Kind::Close
    } else if BETWEEN.contains(tag) {
        if open.is_empty() {
            return Err(Wrong::Depth);
        }
        Kind::Between
    } else {
        return Err(Wrong::Tag);
    };
    if open.len() > MAX_DEPTH {
        return Err(Wrong::Depth);
    }
    Ok((kind, after))
}

fn collect(words: &[Word<'_>]) -> Result<BTreeSet<Field>, Wrong> {
    let mut named = BTreeSet::new();
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
                named.insert(field(name).ok_or(Wrong::Field)?);
            }
        }
    }
    Ok(named)
}
