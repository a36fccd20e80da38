//! A layout: the MJML frame of a template, read once with the places in it that slots fill.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use htmlparser::{ElementEnd, Token, Tokenizer};

use super::catalog::Field;
use super::finding::{Finding, Part, Place};
use super::language::{Kind, Piece, scan_layout};
use super::private::PrivateWords;
use super::shield::{Shield, TAKEN, is_taken};
use super::urls::{self, conditions_at};
use super::words::Room;

/// Elements of MJML that layouts may use. Not among them is what fetches files (`mj-include`, `mj-font`, `mj-social` with
/// its icons) or needs a program in the mail (`mj-carousel`, `mj-accordion`).
const MJML: [&str; 23] = [
    "mjml",
    "mj-head",
    "mj-body",
    "mj-title",
    "mj-preview",
    "mj-attributes",
    "mj-all",
    "mj-class",
    "mj-breakpoint",
    "mj-style",
    "mj-wrapper",
    "mj-section",
    "mj-group",
    "mj-column",
    "mj-text",
    "mj-button",
    "mj-image",
    "mj-divider",
    "mj-spacer",
    "mj-table",
    "mj-raw",
    "mj-hero",
    "mj-html-attributes",
];
/// Elements of HTML that may stand within them.
const HTML: [&str; 27] = [
    "p", "br", "strong", "b", "em", "i", "u", "a", "span", "div", "ul", "ol", "li", "table", "thead",
    "tbody", "tr", "th", "td", "h1", "h2", "h3", "h4", "hr", "img", "small", "center",
];
/// Attributes that hold an address.
const ADDRESSES: [&str; 4] = ["href", "src", "background-url", "background"];
/// Attributes that hold words.
const WORDS: [&str; 3] = ["alt", "title", "lang"];

/// Where a place stands in the frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Use {
    /// How much markup there is room for.
    pub(super) room: Room,
    /// Whether what fills it is an address.
    pub(super) is_url: bool,
    /// Fields on which it depends whether the place is shown.
    pub(super) conditions: BTreeSet<Field>,
}

/// A layout that can be filled.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    source: &'a str,
    pieces: Vec<Piece<'a>>,
    /// The uses of each place, in the order in which they stand.
    uses: BTreeMap<&'a str, Vec<Use>>,
    /// Images without a text, in bytes of the source.
    pub(super) images_without_alt: Vec<Range<usize>>,
    /// Addresses, in bytes of the source.
    pub(super) urls: Vec<Range<usize>>,
    /// Whether the mail says in which language it is.
    pub(super) has_language: bool,
}

impl<'a> Frame<'a> {
    /// Reads a layout, or tells everything that is wrong with it.
    pub(super) fn read(source: &'a str, private: &PrivateWords) -> Result<Self, Vec<Finding>> {
        let place = Place {
            part: Part::Layout,
            language: None,
            source,
        };
        if is_taken(source) {
            return Err(vec![place.refused("characters", 0..0, TAKEN)]);
        }
        let pieces =
            scan_layout(source).map_err(|(wrong, at)| vec![place.refused("liquid", at, wrong.advice())])?;
        let mut reader = Reader {
            place: &place,
            private,
            pieces: &pieces,
            open: Vec::new(),
            image: None,
            uses: BTreeMap::new(),
            images_without_alt: Vec::new(),
            urls: Vec::new(),
            has_language: false,
            findings: Vec::new(),
        };
        reader.read(&blanked(source, &pieces));
        let Reader {
            uses,
            images_without_alt,
            urls,
            has_language,
            findings,
            ..
        } = reader;
        if !findings.is_empty() {
            return Err(findings);
        }
        Ok(Self {
            source,
            uses,
            images_without_alt,
            urls,
            has_language,
            pieces,
        })
    }

    /// The slots, by name.
    pub(super) fn slots(&self) -> impl Iterator<Item = (&'a str, &[Use])> {
        self.uses
            .iter()
            .filter_map(|(name, uses)| Some((name.strip_prefix("slot.")?, uses.as_slice())))
    }

    /// Whether it shows the preheader.
    pub(super) fn has_preheader(&self) -> bool {
        self.uses.contains_key("preheader")
    }

    /// The frame with every place filled by `fill`, and its own Liquid behind the shield.
    pub(super) fn filled(
        &self,
        shield: &mut Shield<'a>,
        mut fill: impl FnMut(&'a str, Room, &mut Shield<'a>) -> String,
    ) -> String {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let mut filled = String::with_capacity(self.source.len());
        for piece in &self.pieces {
            match piece.kind {
                Kind::Text => filled.push_str(&self.source[piece.at.clone()]),
                Kind::Place(name) => {
                    let nth = seen.entry(name).or_default();
                    let room = self
                        .uses
                        .get(name)
                        .and_then(|uses| uses.get(*nth))
                        .map_or(Room::Plain, |place| place.room);
                    *nth += 1;
                    filled.push_str(&fill(name, room, shield));
                }
                _ => filled.push_str(&shield.hide(self.source, piece)),
            }
        }
        filled
    }
}

/// The source with every piece of Liquid as as many letters, so that markup can be read and every byte keeps its place.
fn blanked(source: &str, pieces: &[Piece<'_>]) -> String {
    pieces
        .iter()
        .map(|piece| match piece.kind {
            Kind::Text => source[piece.at.clone()].to_owned(),
            _ => "x".repeat(piece.at.len()),
        })
        .collect()
}

struct Reader<'r, 'a> {
    place: &'r Place<'a>,
    private: &'r PrivateWords,
    pieces: &'r [Piece<'a>],
    open: Vec<String>,
    /// The image whose attributes are being read, and whether it has a text.
    image: Option<(Range<usize>, bool)>,
    uses: BTreeMap<&'a str, Vec<Use>>,
    images_without_alt: Vec<Range<usize>>,
    urls: Vec<Range<usize>>,
    has_language: bool,
    findings: Vec<Finding>,
}

impl<'a> Reader<'_, 'a> {
    fn read(&mut self, blanked: &str) {
        let mut tag = String::new();
        for token in Tokenizer::from(blanked) {
            let token = match token {
                Ok(token) => token,
                Err(_) => {
                    let advice = "This is not well-formed MJML.";
                    self.refuse("mjml", self.place.whole(), advice);
                    return;
                }
            };
            match token {
                Token::ElementStart { local, span, .. } => {
                    tag = local.as_str().to_ascii_lowercase();
                    self.element(&tag, span.range());
                }
                Token::Attribute {
                    local, value, span, ..
                } => {
                    let value = value.map_or(span.end()..span.end(), |value| value.range());
                    self.attribute(&tag, &local.as_str().to_ascii_lowercase(), value, span.range());
                }
                Token::ElementEnd { end, .. } => self.end(end, &tag),
                Token::Text { text } => self.text(text.range()),
                Token::Comment { span, .. } => self.refuse_liquid(span.range()),
                other => {
                    let advice = "Only elements, words and comments can stand here.";
                    self.refuse("mjml", other.span().range(), advice);
                }
            }
        }
    }

    fn refuse(&mut self, rule: &'static str, at: Range<usize>, advice: &'static str) {
        self.findings.push(self.place.refused(rule, at, advice));
    }

    fn element(&mut self, tag: &str, at: Range<usize>) {
        if !MJML.contains(&tag) && !HTML.contains(&tag) {
            self.refuse("element", at.clone(), "This element cannot be used in a layout.");
        }
        if matches!(tag, "img" | "mj-image") {
            self.image = Some((at, false));
        }
    }

    fn end(&mut self, end: ElementEnd<'_>, tag: &str) {
        if !matches!(end, ElementEnd::Close(..))
            && let Some((at, has_text)) = self.image.take()
            && !has_text
        {
            self.images_without_alt.push(at);
        }
        match end {
            ElementEnd::Open if !matches!(tag, "br" | "hr" | "img") => self.open.push(tag.to_owned()),
            ElementEnd::Close(..) => {
                self.open.pop();
            }
            _ => {}
        }
    }

    fn attribute(&mut self, tag: &str, name: &str, value: Range<usize>, all: Range<usize>) {
        let source = self.place.source;
        if name.starts_with("on") || matches!(name, "srcset" | "action" | "formaction") {
            self.refuse("element", all, "This attribute cannot be used in a layout.");
            return;
        }
        if ADDRESSES.contains(&name) {
            self.urls.push(value.clone());
            self.refuse_references(value.clone());
            let none = BTreeSet::new();
            let findings = urls::check(self.place, self.pieces, value.clone(), &none, self.private);
            self.findings.extend(findings);
        } else if source[value.clone()].to_ascii_lowercase().contains("url(") {
            self.refuse(
                "link",
                value.clone(),
                "An address stands in href, src or background-url.",
            );
        }
        if name == "alt" && matches!(tag, "img" | "mj-image") && !source[value.clone()].trim().is_empty() {
            self.image = self.image.take().map(|(at, _)| (at, true));
        }
        self.has_language |= tag == "mjml" && name == "lang" && !value.is_empty();
        let has_liquid = self.within(&value).iter().any(|piece| piece.kind != Kind::Text);
        if has_liquid && !ADDRESSES.contains(&name) && !WORDS.contains(&name) {
            self.refuse_liquid(value);
            return;
        }
        self.note_places(value, Room::Plain, ADDRESSES.contains(&name));
    }

    fn text(&mut self, at: Range<usize>) {
        let room = match self.open.last().map(String::as_str) {
            Some("mj-text" | "div" | "td" | "li" | "center") => Room::Block,
            Some("mj-preview" | "mj-title") => Room::Plain,
            Some("mj-style" | "mj-attributes" | "mj-head" | "mjml") => {
                self.refuse_liquid(at);
                return;
            }
            _ => Room::Inline,
        };
        let is_head = self
            .open
            .last()
            .is_some_and(|tag| matches!(tag.as_str(), "mj-preview" | "mj-title"));
        if is_head {
            for piece in self.within(&at) {
                if let Some(field) = piece.fields.iter().find(|field| !field.places().preview) {
                    let advice = format!(
                        "{} cannot stand in a preheader: it is read on locked screens.",
                        field.name()
                    );
                    self.findings
                        .push(self.place.refused("private-field", piece.at.clone(), advice));
                }
            }
            self.refuse_references(at.clone());
            let findings = self.private.findings(self.place, at.clone());
            self.findings.extend(findings);
        }
        self.note_places(at, room, false);
    }

    /// The pieces of Liquid within a range.
    fn within(&self, range: &Range<usize>) -> Vec<Piece<'a>> {
        self.pieces
            .iter()
            .filter(|piece| {
                piece.kind != Kind::Text && piece.at.start >= range.start && piece.at.end <= range.end
            })
            .cloned()
            .collect()
    }

    /// Character references would hide words from whoever looks for private ones.
    fn refuse_references(&mut self, range: Range<usize>) {
        let source = self.place.source;
        let hidden = source[range.clone()]
            .match_indices('&')
            .map(|(at, _)| range.start + at)
            .find(|at| {
                let after = &source[at + 1..range.end];
                let end = after.find(|c: char| !c.is_ascii_alphanumeric());
                after.starts_with('#')
                    || end.is_some_and(|end| after[end..].starts_with(';') && &after[..end] != "amp")
            });
        if let Some(at) = hidden {
            let advice =
                "Write the letters themselves: &amp; is the only character reference that can stand here.";
            self.refuse("characters", at..at + 1, advice);
        }
    }

    fn refuse_liquid(&mut self, range: Range<usize>) {
        if let Some(piece) = self.within(&range).first() {
            let advice = "No field, condition or slot can stand here.";
            self.refuse("liquid", piece.at.clone(), advice);
        }
    }

    fn note_places(&mut self, range: Range<usize>, room: Room, is_url: bool) {
        for piece in self.within(&range) {
            if let Kind::Place(name) = piece.kind {
                let conditions = conditions_at(self.pieces, piece.at.start);
                self.uses.entry(name).or_default().push(Use {
                    room,
                    is_url,
                    conditions,
                });
            }
        }
    }
}
