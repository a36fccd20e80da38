//! A mail, opened: its headers, its texts and the mails that it encloses, all bounded.
//!
//! Whatever bytes come in, something comes out: a mail without structure is a mail with one text. `mail-parser` does the
//! MIME; this bounds what it is given and keeps what the rules look at.

use std::panic::catch_unwind;

use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::{Encoding, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::text::{cut, unfold};

/// Bytes of a mail that are looked at. A notice of failure stands at the beginning; what follows is what it encloses.
pub const EXAMINED_MAX: usize = 1 << 20;

/// Parts of a mail that are looked at.
const PARTS_MAX: usize = 200;
/// Bytes of one text that are looked at.
const TEXT_MAX: usize = 64 << 10;
/// Headers of one mail that are looked at.
const HEADERS_MAX: usize = 500;
/// Enclosed mails within enclosed mails that are opened.
const DEPTH_MAX: usize = 4;
/// Enclosed mails that may be announced. A mail that announces thousands, each within the other, is read as plain text:
/// the parser would build as many and overflow the stack when they go.
const ENCLOSED_MAX: usize = 40;

/// A mail.
#[derive(Debug, Default)]
pub(super) struct Mail {
    headers: Vec<(String, String)>,
    /// The subject, decoded.
    pub(super) subject: String,
    /// Display name and address of `From`.
    pub(super) from: Sender,
    /// Its leaves, in order.
    pub(super) parts: Vec<Part>,
    /// What a person wrote or reads first: the texts, as plain text or else as HTML.
    pub(super) body: Vec<Part>,
    /// Mails within it, or their headers.
    pub(super) enclosed: Vec<Mail>,
}

/// Who a mail says it comes from.
#[derive(Clone, Debug, Default)]
pub(super) struct Sender {
    pub(super) name: String,
    pub(super) address: String,
}

/// A leaf of a mail.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Its media type in lower case, such as `message/delivery-status`.
    pub(super) media: String,
    /// Its content, decoded.
    pub(super) text: String,
}

impl Mail {
    /// Opens a mail; `None` when there is nothing that could be a header.
    pub(super) fn open(raw: &[u8]) -> Option<Self> {
        let raw = &raw[..raw.len().min(EXAMINED_MAX)];
        let raw = without_envelope(raw);
        if announced(raw) > ENCLOSED_MAX {
            return Self::flat(raw);
        }
        // The parser's own checks, which debug builds have, fail on some mails that are torn apart; such a mail is read as
        // one text, like any whose structure is lost.
        let Ok(parsed) = catch_unwind(|| MessageParser::default().parse(raw)) else {
            return Self::flat(raw);
        };
        let mut mail = Self::of(&parsed?, 0);
        if mail.parts.is_empty() && mail.enclosed.is_empty() {
            mail.parts.extend(rest(raw));
        }
        if mail.body.is_empty() {
            let texts = mail.parts.iter().filter(|part| part.media.starts_with("text/"));
            mail.body = texts.cloned().collect();
        }
        Some(mail)
    }

    /// A mail whose structure is not looked at.
    fn flat(raw: &[u8]) -> Option<Self> {
        let message = MessageParser::default().parse_headers(raw)?;
        let mut mail = Self::of(&message, DEPTH_MAX);
        mail.parts = rest(raw).into_iter().collect();
        mail.body.clone_from(&mail.parts);
        Some(mail)
    }

    fn of(message: &Message<'_>, depth: usize) -> Self {
        let mut mail = Self {
            headers: headers(message),
            subject: subject(message),
            ..Self::default()
        };
        mail.from = mail.sender(message);
        for part in message.parts.iter().take(PARTS_MAX) {
            mail.add(part, message, depth);
        }
        for id in message.text_body.iter().take(PARTS_MAX) {
            let part = usize::try_from(*id).ok().and_then(|at| message.parts.get(at));
            mail.body.extend(part.and_then(|part| leaf(part, message)));
        }
        mail
    }

    fn add(&mut self, part: &MessagePart<'_>, message: &Message<'_>, depth: usize) {
        match &part.body {
            PartType::Message(enclosed) if depth < DEPTH_MAX => {
                self.enclosed.push(Self::of(enclosed, depth + 1));
            }
            PartType::Message(_) | PartType::Multipart(_) | PartType::InlineBinary(_) => {}
            PartType::Text(_) | PartType::Html(_) | PartType::Binary(_) => {
                let Some(leaf) = leaf(part, message) else { return };
                let headers_only = [
                    "text/rfc822-headers",
                    "message/rfc822-headers",
                    "message/global-headers",
                ];
                let a_mail = ["message/rfc822", "message/global"];
                if headers_only.contains(&leaf.media.as_str()) || a_mail.contains(&leaf.media.as_str()) {
                    self.enclosed.extend(headers_of(&leaf.text));
                }
                self.parts.push(leaf);
            }
        }
    }

    fn sender(&self, message: &Message<'_>) -> Sender {
        let first = message.from().and_then(|from| from.first());
        let mut sender = Sender {
            name: first.and_then(|from| from.name()).unwrap_or_default().to_owned(),
            address: first
                .and_then(|from| from.address())
                .unwrap_or_default()
                .trim()
                .to_owned(),
        };
        if !sender.address.contains('@') {
            let raw = self.header("from").unwrap_or_default();
            let found = super::text::addresses(raw).into_iter().next();
            if let Some(found) = found {
                sender.address = found;
            } else if sender.name.is_empty() {
                raw.clone_into(&mut sender.name);
            }
        }
        sender
    }

    /// The first header of a name, unfolded and not decoded.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All headers of a name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether it has this header with this word in it, in any case.
    pub(super) fn says(&self, name: &str, word: &str) -> bool {
        self.all(name)
            .any(|value| value.to_ascii_lowercase().contains(word))
    }

    /// The first leaf of one of these media types.
    pub(super) fn parts_of<'m>(&'m self, media: &'m [&'m str]) -> impl Iterator<Item = &'m Part> {
        self.parts
            .iter()
            .filter(move |part| media.contains(&part.media.as_str()))
    }

    /// Its own media type, in lower case.
    pub(super) fn media(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    }

    /// The return path, without its brackets; `Some("")` for the null one.
    pub(super) fn return_path(&self) -> Option<&str> {
        let value = self.header("return-path")?.trim();
        Some(value.trim_matches(['<', '>']).trim())
    }
}

/// A line that mailboxes put before the headers (`From pat@… Mon Nov 23 …`) is none of them.
fn without_envelope(raw: &[u8]) -> &[u8] {
    let raw = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    let raw = raw.trim_ascii_start();
    if !raw.starts_with(b"From ") && !raw.starts_with(b">From ") {
        return raw;
    }
    let end = raw
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(raw.len(), |at| at + 1);
    &raw[end..]
}

/// How many enclosed mails are announced.
fn announced(raw: &[u8]) -> usize {
    let mut count = 0;
    for at in 0..raw.len() {
        let rest = &raw[at..];
        let is = |word: &[u8]| {
            rest.get(..word.len())
                .is_some_and(|own| own.eq_ignore_ascii_case(word))
        };
        if (rest[0] | 0x20) == b'm'
            && (is(b"message/rfc822") || is(b"message/global") || is(b"multipart/digest"))
        {
            count += 1;
        }
    }
    count
}

fn headers(message: &Message<'_>) -> Vec<(String, String)> {
    let value = |from: u32, to: u32| {
        let bytes = message
            .raw_message
            .get(from as usize..to as usize)
            .unwrap_or_default();
        unfold(&String::from_utf8_lossy(&bytes[..bytes.len().min(TEXT_MAX)]))
    };
    let headers = message.headers().iter().take(HEADERS_MAX);
    headers
        .map(|header| {
            (
                header.name.as_str().to_owned(),
                value(header.offset_start, header.offset_end),
            )
        })
        .collect()
}

/// The subject, decoded. Where it stands there in raw bytes that are no UTF-8, they are taken for those of Windows.
fn subject(message: &Message<'_>) -> String {
    let decoded = message.subject().unwrap_or_default();
    let raw = message
        .headers()
        .iter()
        .find(|header| header.name.as_str().eq_ignore_ascii_case("subject"));
    let raw = raw.and_then(|raw| {
        message
            .raw_message
            .get(raw.offset_start as usize..raw.offset_end as usize)
    });
    let broken = decoded.contains('\u{fffd}') && raw.is_some_and(|raw| std::str::from_utf8(raw).is_err());
    let text = if broken {
        unfold(&western(raw.unwrap_or_default()))
    } else {
        decoded.to_owned()
    };
    cut(&text, 1_000).to_owned()
}

/// A text whose character set was not told or was a lie, as far as its bytes tell.
fn retold(text: &str, part: &MessagePart<'_>, message: &Message<'_>) -> String {
    let told = cut(text, TEXT_MAX);
    let raw = message
        .raw_message
        .get(part.offset_body as usize..part.offset_end as usize)
        .unwrap_or_default();
    let raw = &raw[..raw.len().min(TEXT_MAX)];
    if part.encoding != Encoding::None {
        return told.to_owned();
    }
    if told.contains("\u{1b}$") {
        return charset_decoder(b"iso-2022-jp").map_or_else(|| told.to_owned(), |decode| decode(raw));
    }
    if told.contains('\u{fffd}') && std::str::from_utf8(raw).is_err() {
        return western(raw);
    }
    told.to_owned()
}

/// Bytes read as the character set of Windows for Western Europe, which most that say nothing are in.
fn western(bytes: &[u8]) -> String {
    charset_decoder(b"windows-1252").map_or_else(
        || String::from_utf8_lossy(bytes).into_owned(),
        |decode| decode(bytes),
    )
}

fn leaf(part: &MessagePart<'_>, message: &Message<'_>) -> Option<Part> {
    let (text, otherwise) = match &part.body {
        PartType::Text(text) => (retold(text, part, message), "text/plain"),
        PartType::Html(html) => (retold(html, part, message), "text/html"),
        PartType::Binary(bytes) => (
            String::from_utf8_lossy(&bytes[..bytes.len().min(TEXT_MAX)]).into_owned(),
            "",
        ),
        _ => return None,
    };
    let media = part.content_type().map_or_else(
        || otherwise.to_owned(),
        |of| format!("{}/{}", of.ctype(), of.subtype().unwrap_or_default()).to_ascii_lowercase(),
    );
    // Pictures and the like say nothing.
    let told = ["text/", "message/", "multipart/"]
        .iter()
        .any(|kind| media.starts_with(kind));
    (told || media == "application/octet-stream" || media.is_empty() || !otherwise.is_empty())
        .then_some(Part { media, text })
}

/// The mail that a text is, as far as its headers go; the rest of it stays a text.
fn headers_of(text: &str) -> Option<Mail> {
    let message = MessageParser::default().parse_headers(text.as_bytes())?;
    Some(Mail::of(&message, DEPTH_MAX))
}

/// What follows the headers, as it is.
fn rest(raw: &[u8]) -> Option<Part> {
    let end = [&b"\r\n\r\n"[..], b"\n\n"]
        .iter()
        .filter_map(|gap| Some(raw.windows(gap.len()).position(|own| own == *gap)? + gap.len()))
        .min()?;
    let bytes = &raw[end..raw.len().min(end + TEXT_MAX)];
    Some(Part {
        media: "text/plain".to_owned(),
        text: String::from_utf8_lossy(bytes).into_owned(),
    })
}
