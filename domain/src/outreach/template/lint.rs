//! Looks at the copy of a template before a reviewer does.
//!
//! Claims, comparisons and fear are found by the word lists of `lint/copy_rules.json`; besides them, what a mail must have
//! whatever it says. Pure and fast; nothing is fetched.

mod pattern;
mod reading;
mod rules;
mod structure;
#[cfg(test)]
mod tests;

use entity::enums::Purpose;
use entity::template_version;

use super::compile::{Content, Draft, Words, compile};
use super::finding::{Finding, Part, Place};
use super::language::{Kind, Piece, scan, scan_layout};
use super::private::PrivateWords;
use super::urls;

/// Everything that there is to say about a draft: why it could not be kept, and what the copy rules find.
#[must_use]
pub fn examine(draft: &Draft, purpose: Purpose, private: &PrivateWords) -> Vec<Finding> {
    let (mut findings, content) = match compile(draft, private) {
        Ok(content) => (Vec::new(), Some(content)),
        Err(findings) => (findings, None),
    };
    findings.extend(copy(draft));
    if let Some(content) = content {
        findings.extend(structure::check(&content, purpose));
    }
    sorted(findings)
}

/// What the rules find in a version that was kept.
#[must_use]
pub fn lint(version: &template_version::Model, purpose: Purpose) -> Vec<Finding> {
    let content = Content {
        default_language: version.default_language.clone(),
        layout: version.layout.clone(),
        bodies: version.bodies.clone(),
        sha256: version.content_sha256.clone(),
    };
    lint_content(&content, purpose)
}

/// What the rules find in content that can be kept.
#[must_use]
pub fn lint_content(content: &Content, purpose: Purpose) -> Vec<Finding> {
    let mut findings = copy(&content.draft());
    findings.extend(structure::check(content, purpose));
    sorted(findings)
}

fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| {
        (&a.language, &a.part, a.start, a.end, a.rule).cmp(&(&b.language, &b.part, b.start, b.end, b.rule))
    });
    findings.dedup();
    findings
}

/// The findings of the word lists, in every part of every language.
fn copy(draft: &Draft) -> Vec<Finding> {
    let layout = Place {
        part: Part::Layout,
        language: None,
        source: &draft.layout,
    };
    let mut findings = Vec::new();
    if let Ok(pieces) = scan_layout(&draft.layout) {
        let shown = structure::shown(&draft.layout, &pieces);
        for language in draft.words.iter().map(|words| words.language.as_str()) {
            findings.extend(rules::findings(&layout, &shown, language));
        }
    }
    for words in &draft.words {
        for place in parts(words) {
            let pieces = scan(place.source).unwrap_or_default();
            let shown = visible(place.source, &pieces);
            findings.extend(rules::findings(&place, &shown, &words.language));
            if !matches!(place.part, Part::Subject | Part::Preheader) {
                findings.extend(reading::findings(&place, &shown, &words.language));
            }
            findings.extend(structure::links(&place, &pieces));
            findings.extend(structure::bare_fields(&place, &pieces));
        }
    }
    findings
}

/// The parts of one language that people write.
fn parts(words: &Words) -> Vec<Place<'_>> {
    let place = |part, source| Place {
        part,
        language: Some(words.language.as_str()),
        source,
    };
    let mut parts = vec![
        place(Part::Subject, words.subject.as_str()),
        place(Part::Preheader, &words.preheader),
    ];
    parts.extend(
        words
            .slots
            .iter()
            .map(|(name, source)| place(Part::Slot(name.clone()), source.as_str())),
    );
    parts.extend(words.text.iter().map(|text| place(Part::Text, text.as_str())));
    parts
}

/// The source with everything blank that no reader sees: Liquid but for its quoted words, and the addresses of links.
/// Every byte keeps its place.
fn visible(source: &str, pieces: &[Piece<'_>]) -> String {
    let addresses = urls::find(source, pieces);
    let mut shown = String::with_capacity(source.len());
    let mut quote = None;
    for (at, c) in source.char_indices() {
        let in_liquid = pieces
            .iter()
            .find(|piece| piece.at.contains(&at))
            .is_some_and(|piece| piece.kind != Kind::Text);
        let hidden = addresses.iter().any(|range| range.contains(&at))
            || in_liquid && {
                match quote {
                    Some(open) if c == open => quote = None,
                    None if matches!(c, '"' | '\'') => quote = Some(c),
                    _ => {}
                }
                quote.is_none() || quote == Some(c)
            };
        if hidden {
            shown.extend(std::iter::repeat_n(' ', c.len_utf8()));
        } else {
            shown.push(c);
        }
    }
    shown
}
