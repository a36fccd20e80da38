//! The words that editors write into slots, as markup.
//!
//! Editors write plain text: an empty line begins a paragraph, lines that begin with `- ` are a list, `**words**` are
//! bold and `[words](https://…)` is a link. Everything else is escaped, so that no word can become markup.

use super::escape;
use super::language::{Kind, Piece};
use super::shield::{Shield, mark_len};

/// How much markup a slot may become, by where the layout has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// Paragraphs and lists: in `mj-text`.
    Block,
    /// One line with bold and links: in a heading, a button, a cell.
    Inline,
    /// No markup at all: in an attribute.
    Plain,
}

/// Paragraph and list styles stand on the elements themselves: mail programs drop style sheets.
const PARAGRAPH: &str = "<p style=\"margin:0 0 14px\">";
const LIST: &str = "<ul style=\"margin:0 0 14px;padding-left:22px\">";

/// The words as markup for this room, with Liquid hidden behind the shield.
pub(super) fn markup<'a>(
    source: &'a str,
    pieces: &[Piece<'_>],
    room: Room,
    shield: &mut Shield<'a>,
) -> String {
    match room {
        Room::Plain => escape(&one_line(&marked(source, pieces, shield))),
        Room::Inline => inline(&one_line(&marked(source, pieces, shield))),
        Room::Block => paragraphs(source, pieces)
            .into_iter()
            .map(|paragraph| block(source, paragraph, shield))
            .collect(),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The source with marks for Liquid, in one string.
fn marked<'a>(source: &'a str, pieces: &[Piece<'_>], shield: &mut Shield<'a>) -> String {
    pieces
        .iter()
        .map(|piece| match piece.kind {
            Kind::Text => source[piece.at.clone()].to_owned(),
            _ => shield.hide(source, piece),
        })
        .collect()
}

/// The pieces of each paragraph: text is cut at empty lines.
fn paragraphs<'p>(source: &str, pieces: &[Piece<'p>]) -> Vec<Vec<Piece<'p>>> {
    let mut all = vec![Vec::new()];
    for piece in pieces {
        if piece.kind != Kind::Text {
            all.last_mut()
                .into_iter()
                .for_each(|last| last.push(piece.clone()));
            continue;
        }
        let mut from = piece.at.start;
        let mut rest = &source[piece.at.clone()];
        loop {
            let cut = empty_line(rest);
            let end = from + cut.map_or(rest.len(), |(at, _)| at);
            if end > from {
                let part = Piece {
                    at: from..end,
                    ..piece.clone()
                };
                all.last_mut()
                    .into_iter()
                    .for_each(|last| last.push(part.clone()));
            }
            let Some((at, len)) = cut else { break };
            all.push(Vec::new());
            from += at + len;
            rest = &rest[at + len..];
        }
    }
    all
}

/// Where the first empty line stands, and how long it is with its line ends.
fn empty_line(text: &str) -> Option<(usize, usize)> {
    text.match_indices('\n').find_map(|(at, _)| {
        let after = &text[at + 1..];
        let blank: usize = after
            .chars()
            .take_while(|c| c.is_whitespace())
            .map(char::len_utf8)
            .sum();
        let last_line = after[..blank].rfind('\n')?;
        Some((at, 1 + last_line + 1))
    })
}

/// One paragraph. Tags that hold all of it stand around the element, so that what is left out leaves no gap.
fn block<'a>(source: &'a str, pieces: Vec<Piece<'_>>, shield: &mut Shield<'a>) -> String {
    let has_words = pieces
        .iter()
        .any(|piece| matches!(piece.kind, Kind::Output | Kind::Text) && !is_blank(piece, source));
    if !has_words {
        return pieces
            .iter()
            .filter(|piece| piece.kind != Kind::Text)
            .map(|piece| shield.hide(source, piece))
            .collect();
    }
    let first = pieces
        .iter()
        .position(|piece| !is_blank(piece, source))
        .unwrap_or(0);
    let last = pieces
        .iter()
        .rposition(|piece| !is_blank(piece, source))
        .unwrap_or(0);
    let pieces = &pieces[first..=last];
    if holds_all(pieces) {
        let open = shield.hide(source, &pieces[0]);
        let inner = element(&marked(source, &pieces[1..pieces.len() - 1], shield));
        let close = shield.hide(source, &pieces[pieces.len() - 1]);
        return format!("{open}{inner}{close}");
    }
    element(&marked(source, pieces, shield))
}

fn is_blank(piece: &Piece<'_>, source: &str) -> bool {
    piece.kind == Kind::Text && source[piece.at.clone()].trim().is_empty()
}

/// Whether the first piece opens a block that only the last one closes, with no other branch.
fn holds_all(pieces: &[Piece<'_>]) -> bool {
    let mut depth = 0_usize;
    let ends = pieces.len().saturating_sub(1);
    if pieces.len() < 3 || pieces[0].kind != Kind::Open || pieces[ends].kind != Kind::Close {
        return false;
    }
    pieces.iter().enumerate().all(|(at, piece)| {
        match piece.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Between if depth == 1 => return false,
            _ => {}
        }
        depth > 0 || at == ends
    })
}

fn element(marked: &str) -> String {
    let lines: Vec<&str> = marked
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let items: Option<Vec<&str>> = lines.iter().map(|line| line.strip_prefix("- ")).collect();
    match items {
        Some(items) => {
            let items: String = items
                .iter()
                .map(|item| format!("<li>{}</li>", inline(item)))
                .collect();
            format!("{LIST}{items}</ul>")
        }
        None => {
            let lines: Vec<String> = lines.iter().map(|line| inline(line)).collect();
            format!("{PARAGRAPH}{}</p>", lines.join("<br />"))
        }
    }
}

/// One line with bold and links.
fn inline(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (taken, written) = bold(rest)
            .or_else(|| link(rest))
            .or_else(|| mark_len(rest).map(|len| (len, rest[..len].to_owned())))
            .unwrap_or_else(|| (c.len_utf8(), escape(&rest[..c.len_utf8()])));
        html.push_str(&written);
        rest = &rest[taken..];
    }
    html
}

fn bold(text: &str) -> Option<(usize, String)> {
    let inner = text.strip_prefix("**")?;
    let end = inner.find("**").filter(|end| *end > 0)?;
    Some((end + 4, format!("<strong>{}</strong>", inline(&inner[..end]))))
}

fn link(text: &str) -> Option<(usize, String)> {
    let (label, url) = link_parts(text)?;
    let taken = label.len() + url.len() + 4;
    let label = inline(label);
    Some((
        taken,
        format!(
            "<a href=\"{}\" style=\"color:inherit\">{label}</a>",
            escape(url.trim())
        ),
    ))
}

/// The label and the address of a link at the start of a text, `[label](address)`.
pub(super) fn link_parts(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('[')?;
    let label_end = inner.find(']')?;
    let address = inner[label_end + 1..].strip_prefix('(')?;
    let address_end = address.find(')')?;
    let label = &inner[..label_end];
    (!label.trim().is_empty() && !label.contains('[')).then_some((label, &address[..address_end]))
}
