//! Addresses in templates: where they stand, and what they may not say.

use std::collections::BTreeSet;
use std::ops::Range;

use super::catalog::Field;
use super::finding::{Finding, Place};
use super::language::{Kind, Piece};
use super::private::PrivateWords;

/// How addresses begin in running text.
const BEGINNINGS: [&str; 5] = ["https://", "http://", "www.", "mailto:", "tel:"];
/// Schemes that a mail may point at.
const SCHEMES: [&str; 4] = ["https:", "http:", "mailto:", "tel:"];

/// The addresses in words: those of links and those that stand by themselves, in bytes.
pub(super) fn find(source: &str, pieces: &[Piece<'_>]) -> Vec<Range<usize>> {
    let lower = source.to_ascii_lowercase();
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while at < source.len() {
        let in_link = source[..at].ends_with("](");
        let begins = in_link
            || BEGINNINGS
                .iter()
                .any(|beginning| lower[at..].starts_with(beginning));
        let end = if begins {
            end_of(source, pieces, at, in_link)
        } else {
            at
        };
        if end > at {
            found.push(at..end);
            at = end;
        } else {
            at += source[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    found
}

/// Where an address ends: at a blank, a bracket or a quote, but never within Liquid.
fn end_of(source: &str, pieces: &[Piece<'_>], start: usize, in_link: bool) -> usize {
    let mut at = start;
    while let Some(c) = source[at..].chars().next() {
        if let Some(piece) = pieces
            .iter()
            .find(|piece| piece.kind != Kind::Text && piece.at.start == at)
        {
            at = piece.at.end;
            continue;
        }
        let ends = match in_link {
            true => matches!(c, ')' | '\n'),
            false => c.is_whitespace() || matches!(c, ')' | '<' | '>' | '"' | '\'' | ']' | '*'),
        };
        if ends {
            break;
        }
        at += c.len_utf8();
    }
    if in_link {
        at
    } else {
        start
            + source[start..at]
                .trim_end_matches(['.', ',', ';', ':', '!', '?'])
                .len()
    }
}

/// The fields on which it depends whether a place is shown.
pub(super) fn conditions_at(pieces: &[Piece<'_>], byte: usize) -> BTreeSet<Field> {
    let mut open: Vec<BTreeSet<Field>> = Vec::new();
    for piece in pieces.iter().take_while(|piece| piece.at.start < byte) {
        match piece.kind {
            Kind::Open => open.push(piece.fields.clone()),
            // A later branch is taken because an earlier one was not.
            Kind::Between => open
                .last_mut()
                .into_iter()
                .for_each(|top| top.extend(&piece.fields)),
            Kind::Close => drop(open.pop()),
            _ => {}
        }
    }
    open.into_iter().flatten().collect()
}

/// What an address says that it must not: a field, something chosen by a field, or a word of a service or a condition.
pub(super) fn check(
    place: &Place<'_>,
    pieces: &[Piece<'_>],
    url: Range<usize>,
    outer: &BTreeSet<Field>,
    private: &PrivateWords,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let within = pieces
        .iter()
        .filter(|piece| piece.kind != Kind::Text && piece.at.start < url.end && piece.at.end > url.start);
    for piece in within {
        if !may_stand(place.source, piece, &url) {
            let advice = "No field and no condition may stand in an address. Only {{ unsubscribe_url }}, {{ preferences_url }} \
                          and {{ finish_url }} can be all of it, and {{ facility_phone }} can follow tel:.";
            findings.push(place.refused("private-field", piece.at.clone(), advice));
        }
    }
    let chosen_by = conditions_at(pieces, url.start);
    if let Some(field) = chosen_by.union(outer).find(|field| field.hides_from_urls()) {
        let advice = format!(
            "Which address is shown may not depend on {}: the address would tell it. Put the link outside of the condition.",
            field.name()
        );
        findings.push(place.refused("private-field", url.clone(), advice));
    }
    let text = place.source[url.clone()].trim();
    let has_scheme = text
        .split(['/', '?', '#'])
        .next()
        .is_some_and(|head| head.contains(':'));
    let lower = text.to_ascii_lowercase();
    if has_scheme && !text.starts_with("{{") && !SCHEMES.iter().any(|scheme| lower.starts_with(scheme)) {
        findings.push(place.refused(
            "link",
            url.clone(),
            "A mail may link to https, mailto and tel addresses.",
        ));
    }
    if private.is_in_url(text) {
        let advice = "An address must not name a service, a condition or a procedure: browsers, proxies and link checkers \
                      keep it. Link to a page with a neutral address.";
        findings.push(place.refused("private-word", url, advice));
    }
    findings
}

fn may_stand(source: &str, piece: &Piece<'_>, url: &Range<usize>) -> bool {
    if matches!(piece.kind, Kind::Place(_)) {
        return piece.at == *url;
    }
    let before = source[url.start..piece.at.start.max(url.start)].trim();
    let after = source[piece.at.end.min(url.end)..url.end].trim();
    let field = piece
        .fields
        .first()
        .filter(|field| piece.fields.len() == 1 && field.places().url);
    piece.kind == Kind::Output
        && after.is_empty()
        && match field {
            Some(Field::FacilityPhone) => before.eq_ignore_ascii_case("tel:"),
            Some(_) => before.is_empty() && !source[piece.at.clone()].contains('|'),
            None => false,
        }
}
