//! The plain-text part, derived from the filled frame: the words in their order, addresses in angle brackets behind them, which
//! RFC 3986, Appendix C, recommends: what follows a link is then never read as a part of it.

use htmlparser::{ElementEnd, Token, Tokenizer};

/// Elements whose words are not part of the mail's text.
const UNSEEN: [&str; 4] = ["mj-head", "mj-style", "style", "mj-attributes"];
/// Elements that stand on lines of their own, with an empty line before.
const BLOCKS: [&str; 15] = [
    "p",
    "ul",
    "ol",
    "mj-text",
    "mj-button",
    "mj-section",
    "mj-table",
    "table",
    "div",
    "h1",
    "h2",
    "h3",
    "h4",
    "mj-divider",
    "mj-wrapper",
];
/// Elements that begin a new line.
const LINES: [&str; 3] = ["li", "tr", "br"];

/// The text of filled MJML. Marks for Liquid pass through.
pub(super) fn text(mjml: &str) -> String {
    let mut writer = Writer::default();
    let mut tag = String::new();
    let mut address = None;
    for token in Tokenizer::from(mjml).map_while(Result::ok) {
        match token {
            Token::ElementStart { local, .. } => {
                tag = local.as_str().to_ascii_lowercase();
                address = None;
            }
            Token::Attribute { local, value, .. } if local.as_str() == "href" => {
                address = value.map(|value| unescape(value.as_str()));
            }
            Token::ElementEnd { end, .. } => match end {
                ElementEnd::Open if matches!(tag.as_str(), "br" | "hr" | "img") => writer.alone(&tag),
                ElementEnd::Open => writer.begin(&tag, address.take()),
                ElementEnd::Empty => writer.alone(&tag),
                ElementEnd::Close(_, local) => writer.end(&local.as_str().to_ascii_lowercase()),
            },
            Token::Text { text } => writer.words(text.as_str()),
            _ => {}
        }
    }
    tidy(&writer.text)
}

/// Without blanks at the ends of lines and more than one empty line in a row.
pub(super) fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.trim().lines() {
        let line = line.trim_end();
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty < 2 {
            tidied.push_str(line);
            tidied.push('\n');
        }
    }
    tidied.truncate(tidied.trim_end().len());
    tidied
}

#[derive(Default)]
struct Writer {
    text: String,
    /// How deep the reading is in what is not seen.
    unseen: usize,
    /// Links that are open: where their words begin, and their address.
    links: Vec<(usize, Option<String>)>,
}

impl Writer {
    fn begin(&mut self, tag: &str, address: Option<String>) {
        if self.unseen > 0 || UNSEEN.contains(&tag) {
            self.unseen += 1;
            return;
        }
        self.break_before(tag);
        if tag == "li" {
            self.text.push_str("- ");
        }
        if matches!(tag, "a" | "mj-button") {
            self.links.push((self.text.len(), address));
        }
    }

    fn alone(&mut self, tag: &str) {
        if self.unseen == 0 {
            self.break_before(tag);
        }
    }

    fn end(&mut self, tag: &str) {
        if self.unseen > 0 {
            self.unseen -= 1;
            return;
        }
        if matches!(tag, "a" | "mj-button")
            && let Some((from, address)) = self.links.pop()
        {
            let words = self.text[from..].trim().to_owned();
            let address = address.unwrap_or_default();
            let says_it =
                address.starts_with("tel:") || address.ends_with(words.as_str()) || address.is_empty();
            if !says_it || words.is_empty() {
                self.text.push_str(&format!(" <{address}>"));
            }
        }
        if BLOCKS.contains(&tag) {
            self.break_before(tag);
        } else if matches!(tag, "td" | "th") {
            self.text.push(' ');
        }
    }

    fn break_before(&mut self, tag: &str) {
        if BLOCKS.contains(&tag) {
            self.lines(2);
        } else if LINES.contains(&tag) {
            self.lines(1);
        }
    }

    /// Ends the line, with at least so many line ends behind it.
    fn lines(&mut self, wanted: usize) {
        while self.text.ends_with(' ') {
            self.text.pop();
        }
        let there = self.text.len() - self.text.trim_end_matches('\n').len();
        if !self.text.is_empty() {
            self.text
                .extend(std::iter::repeat_n('\n', wanted.saturating_sub(there)));
        }
    }

    fn words(&mut self, source: &str) {
        if self.unseen > 0 {
            return;
        }
        let source = unescape(source);
        for c in source.chars() {
            if !c.is_whitespace() {
                self.text.push(c);
            } else if !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
                self.text.push(' ');
            }
        }
    }
}

/// The few entities that frames use.
pub(super) fn unescape(text: &str) -> String {
    let named = [
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&middot;", "·"),
        ("&copy;", "©"),
        ("&ndash;", "–"),
        ("&mdash;", "—"),
        ("&zwnj;", ""),
        ("&amp;", "&"),
    ];
    named.iter().fold(text.to_owned(), |text, (entity, plain)| {
        text.replace(entity, plain)
    })
}
