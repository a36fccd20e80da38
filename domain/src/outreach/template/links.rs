//! The links of a mail that lead away from it: to find them, and to let opaque ones stand in their place.
//!
//! A link is known by its target and not by its place. So the one in the HTML part and the one in the plain text, in any
//! language, are the same link, and one that was mailed is found again however this module comes to read templates.

use std::ops::Range;

use entity::template_version;

use super::language::{Kind, Piece, scan};
use super::{plain, urls};
use crate::link::Secrets;

/// Longest target that an opaque link stands for, in bytes.
const MAX_TARGET_BYTES: usize = 2_000;

/// A link in a source.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    /// Where its address stands, in bytes.
    at: Range<usize>,
    /// Where it leads.
    target: String,
    /// Whether its words are an address. Such words must tell the truth, so the link stays as it is.
    shows_address: bool,
}

/// A part of a mail in which variables stand where links stood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Opened {
    /// The source, with variables called [`variable`].
    pub(super) source: String,
    /// What each variable stands for, in order, each target once.
    pub(super) targets: Vec<String>,
}

/// The name of a variable. No template can name it: it is not in the catalog.
pub(super) fn variable(number: usize) -> String {
    format!("link_{number}")
}

/// The HTML part with variables for its links.
pub(super) fn open_html(source: &str) -> Opened {
    let links = in_html(source).into_iter().filter(|link| !link.shows_address);
    opened(source, links)
}

/// The plain-text part with variables for its links.
pub(super) fn open_text(source: &str) -> Opened {
    opened(source, in_text(source).into_iter())
}

fn opened(source: &str, links: impl Iterator<Item = Found>) -> Opened {
    let mut opened = Opened::default();
    let mut from = 0;
    for link in links {
        let known = opened.targets.iter().position(|target| *target == link.target);
        let number = known.unwrap_or_else(|| {
            opened.targets.push(link.target);
            opened.targets.len() - 1
        });
        opened.source.push_str(&source[from..link.at.start]);
        opened.source.push_str(&format!("{{{{ {} }}}}", variable(number)));
        from = link.at.end;
    }
    opened.source.push_str(&source[from..]);
    opened
}

/// Where a link of a version leads, in whatever language it stands; none if the version has no such link.
#[must_use]
pub fn target(version: &template_version::Model, secrets: &Secrets, mark: i32) -> Option<String> {
    let bodies = version.bodies.0.iter();
    bodies
        .flat_map(|body| in_html(&body.html).into_iter().chain(in_text(&body.text)))
        .map(|link| link.target)
        .find(|target| secrets.link_mark(target) == mark)
}

/// The links of an HTML part, in order.
fn in_html(source: &str) -> Vec<Found> {
    let pieces = scan(source).unwrap_or_default();
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = source[from..].find("<a").map(|at| from + at) {
        from = start + 2;
        let Some(length) = tag_length(&source[from..]) else {
            break;
        };
        let tag = from..from + length;
        from = tag.end;
        let Some(address) = address(&source[tag.clone()]) else {
            continue;
        };
        let at = tag.start + address.start..tag.start + address.end;
        let words = source[tag.end..].split("</a").next().unwrap_or_default();
        found.extend(link(source, &pieces, at, plain::unescape, shows_address(words)));
    }
    found
}

/// The links of a plain-text part, in order.
fn in_text(source: &str) -> Vec<Found> {
    let pieces = scan(source).unwrap_or_default();
    urls::find(source, &pieces)
        .into_iter()
        .filter_map(|at| link(source, &pieces, at, str::to_owned, false))
        .collect()
}

/// A link at a place, if it leads to a page and no part of its address is Liquid.
fn link(
    source: &str,
    pieces: &[Piece<'_>],
    at: Range<usize>,
    read: impl Fn(&str) -> String,
    shows_address: bool,
) -> Option<Found> {
    let is_liquid =
        |piece: &Piece<'_>| piece.kind != Kind::Text && piece.at.start < at.end && piece.at.end > at.start;
    if pieces.iter().any(is_liquid) {
        return None;
    }
    let target = read(&source[at.clone()]);
    let lower = target.to_ascii_lowercase();
    let leads_away = lower.starts_with("https://") || lower.starts_with("http://");
    // What cannot stand in a header as it is would not be the same address behind a redirect.
    let fits = target.len() <= MAX_TARGET_BYTES && target.bytes().all(|byte| byte.is_ascii_graphic());
    (leads_away && fits).then_some(Found {
        at,
        target,
        shows_address,
    })
}

/// How long a tag is, from behind its name to its end.
fn tag_length(rest: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at + 1),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

/// Where the value of `href` stands in a tag that begins behind its name.
fn address(tag: &str) -> Option<Range<usize>> {
    // Another element whose name only begins with the same letter has no blank here.
    if !tag.starts_with(|c: char| c.is_ascii_whitespace()) {
        return None;
    }
    let name = tag
        .match_indices("href=")
        .find(|(at, _)| *at > 0 && tag[..*at].ends_with(|c: char| c.is_ascii_whitespace()))?;
    let value = name.0 + name.1.len();
    let quote = tag[value..].chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let start = value + 1;
    let length = tag[start..].find(quote)?;
    Some(start..start + length)
}

/// Whether the words between a link's tags are an address.
fn shows_address(words: &str) -> bool {
    let mut text = String::new();
    let mut in_tag = false;
    for c in words.chars() {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            c if !in_tag => text.push(c),
            _ => {}
        }
    }
    let text = text.trim().to_ascii_lowercase();
    ["http://", "https://", "www."]
        .iter()
        .any(|beginning| text.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "https://hospital.example/visit?a=1&b=2";

    #[test]
    fn links_to_pages_are_found_and_nothing_else() {
        let html = "<a href=\"{{ unsubscribe_url }}\">Out</a> <a style=\"x\" href='https://hospital.example/one'>One</a> \
                    <a href=\"tel:{{ facility_phone }}\">Call</a> <a href=\"mailto:care@hospital.example\">Write</a> \
                    <area href=\"https://hospital.example/area\"> <img src=\"https://hospital.example/logo.png\"> \
                    <a data-href=\"https://hospital.example/data\">None</a> \
                    <a href=\"https://hospital.example/visit?a=1&amp;b=2\">Two</a>";
        let opened = open_html(html);
        assert_eq!(opened.targets, ["https://hospital.example/one", PAGE]);
        assert!(opened.source.contains("href='{{ link_0 }}'>One"));
        assert!(opened.source.contains("href=\"{{ link_1 }}\">Two"));
        assert!(
            opened.source.contains("href=\"{{ unsubscribe_url }}\"") && opened.source.contains("logo.png")
        );
        let text = "Out <{{ unsubscribe_url }}>\nTwo <https://hospital.example/visit?a=1&b=2>, or \
                    https://hospital.example/one. {{ given_name | default: \"https://hospital.example/no\" }}";
        let opened = open_text(text);
        assert_eq!(opened.targets, [PAGE, "https://hospital.example/one"]);
        assert!(
            opened
                .source
                .contains("Two <{{ link_0 }}>, or {{ link_1 }}. {{ given_name")
        );
    }

    #[test]
    fn a_link_whose_words_are_an_address_keeps_it() {
        let html = "<a href=\"https://hospital.example/a\"><b>https://hospital.example/a</b></a>";
        assert_eq!(open_html(html).source, html);
        assert_eq!(in_html(html).len(), 1, "it is found for its twin in the text");
    }

    #[test]
    fn a_target_twice_is_one_link() {
        let opened = open_text("https://h.example/a https://h.example/b https://h.example/a");
        assert_eq!(opened.source, "{{ link_0 }} {{ link_1 }} {{ link_0 }}");
    }

    #[test]
    fn what_cannot_stand_in_a_header_stays_as_it_is() {
        let far = format!("https://h.example/{}", "a".repeat(MAX_TARGET_BYTES));
        for text in ["https://h.example/niño", far.as_str()] {
            assert_eq!(open_text(text).source, text);
        }
    }

    #[test]
    fn markup_that_breaks_off_is_left_alone() {
        for html in [
            "<a href=\"https://h.example",
            "<a",
            "<a href=>x</a>",
            "<a href=\"https://h.example/ñ",
        ] {
            assert_eq!(open_html(html).source, html);
        }
    }
}
