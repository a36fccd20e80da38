//! A mail read back for people: its headers, its text and its HTML.

use mail_parser::{Addr, Address, HeaderName, HeaderValue, Message, MessageParser};

/// Headers that are shown, in this order.
const SHOWN: [&str; 8] = [
    "From",
    "To",
    "Reply-To",
    "Date",
    "Message-ID",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Auto-Submitted",
];

/// Headers whose names of people are decoded.
const PEOPLE: [&str; 3] = ["From", "To", "Reply-To"];

/// A mail.
pub(super) struct Letter {
    /// The decoded subject.
    pub subject: String,
    /// Headers worth showing.
    pub facts: Vec<(String, String)>,
    /// The text part.
    pub text: String,
    /// The HTML part, if there is one.
    pub html: Option<String>,
}

impl Letter {
    /// Reads a mail. What cannot be read is shown as it is.
    pub fn read(raw: &[u8]) -> Self {
        let Some(message) = MessageParser::default().parse(raw) else {
            let text = String::from_utf8_lossy(raw).into_owned();
            return Self {
                subject: "(unreadable)".to_owned(),
                facts: Vec::new(),
                text,
                html: None,
            };
        };
        // The parser would make HTML of a text and text of an HTML; only parts that are there are shown.
        let html_at = message
            .html_body
            .first()
            .filter(|at| message.part(**at).is_some_and(|part| part.is_text_html()));
        let text_at = message
            .text_body
            .first()
            .filter(|at| message.part(**at).is_some_and(|part| !part.is_text_html()));
        let html = html_at
            .and_then(|at| message.part(*at)?.text_contents())
            .map(str::to_owned);
        let text = text_at
            .and_then(|at| message.part(*at)?.text_contents())
            .unwrap_or_default()
            .to_owned();
        Self {
            subject: message.subject().unwrap_or("(no subject)").to_owned(),
            facts: SHOWN.iter().filter_map(|name| fact(&message, name)).collect(),
            text,
            html,
        }
    }
}

fn fact(message: &Message<'_>, name: &str) -> Option<(String, String)> {
    let header = HeaderName::parse(name)?;
    let value = match message.header(header.clone())? {
        HeaderValue::Address(address) if PEOPLE.contains(&name) => written(address),
        _ => message
            .header_raw(header)?
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
    };
    Some((name.to_owned(), value))
}

/// Addresses with their decoded names.
fn written(address: &Address<'_>) -> String {
    let one = |address: &Addr<'_>| match (address.name(), address.address()) {
        (Some(name), Some(mailbox)) => format!("{name} <{mailbox}>"),
        (name, mailbox) => name.or(mailbox).unwrap_or_default().to_owned(),
    };
    address.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The piece.
    pub text: String,
    /// Whether it is an address to go to.
    pub is_link: bool,
}

/// Cuts a text into its web addresses and what stands between them.
pub(super) fn with_links(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = ["https://", "http://"]
        .iter()
        .filter_map(|scheme| rest.find(scheme))
        .min()
    {
        let (before, from) = rest.split_at(start);
        let end = from
            .find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"'))
            .unwrap_or(from.len());
        // A sentence's own punctuation is not part of the address.
        let link = from[..end].trim_end_matches(['.', ',', ';', ':', ')', '!', '?']);
        parts.push(Part {
            text: before.to_owned(),
            is_link: false,
        });
        parts.push(Part {
            text: link.to_owned(),
            is_link: true,
        });
        rest = &from[link.len()..];
    }
    parts.push(Part {
        text: rest.to_owned(),
        is_link: false,
    });
    parts.retain(|part| !part.text.is_empty());
    parts
}

/// The HTML with its links opening beside the page: inside the frame, nothing but the mail is ever shown.
pub(super) fn opening_links_apart(html: &str) -> String {
    const BASE: &str = "<base target=\"_blank\">";
    let folded = html.to_ascii_lowercase();
    // Not before the doctype, without which browsers fall back to the layout of another age.
    let tag_end = ["<head", "<html", "<!doctype"].iter().find_map(|tag| {
        let start = folded.find(tag)?;
        folded[start..].find('>').map(|end| start + end + 1)
    });
    let (before, after) = html.split_at(tag_end.unwrap_or(0));
    format!("{before}{BASE}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "From: Care <care@example.org>\r\nTo: =?utf-8?Q?Ana_Mu=C3=B1oz?= <ana@example.org>\r\n\
        Subject: =?utf-8?Q?Gracias=2C_Ana_=C3=B1?=\r\nMessage-ID: <m1@example.org>\r\nMIME-Version: 1.0\r\n\
        List-Unsubscribe:\r\n <https://care.example.org/u/abc>\r\n\
        Content-Type: multipart/alternative; boundary=\"b\"\r\n\r\n\
        --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello Ana\r\n\
        --b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Hello Ana</p>\r\n--b--\r\n";

    #[test]
    fn a_mail_is_read_back_with_both_parts() {
        let letter = Letter::read(MAIL.as_bytes());
        assert_eq!(letter.subject, "Gracias, Ana ñ");
        assert_eq!(letter.text.trim(), "Hello Ana");
        assert_eq!(letter.html.as_deref().map(str::trim), Some("<p>Hello Ana</p>"));
        let fact = |name: &str| {
            letter
                .facts
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(fact("List-Unsubscribe"), Some("<https://care.example.org/u/abc>"));
        assert_eq!(fact("To"), Some("Ana Muñoz <ana@example.org>"));
        assert_eq!(fact("Auto-Submitted"), None);
    }

    #[test]
    fn a_mail_of_text_alone_shows_no_html() {
        let letter = Letter::read(b"Subject: x\r\nContent-Type: text/plain\r\n\r\nOnly text\r\n");
        assert_eq!((letter.text.trim(), letter.html), ("Only text", None));
    }

    #[test]
    fn addresses_in_a_text_can_be_followed() {
        let parts = with_links("See https://a.example/x?y=1, or write.\nhttp://b.example/.");
        let links: Vec<_> = parts
            .iter()
            .filter(|part| part.is_link)
            .map(|part| part.text.as_str())
            .collect();
        assert_eq!(links, ["https://a.example/x?y=1", "http://b.example/"]);
        let whole: String = parts.iter().map(|part| part.text.as_str()).collect();
        assert_eq!(
            whole,
            "See https://a.example/x?y=1, or write.\nhttp://b.example/."
        );
        assert_eq!(with_links(""), []);
    }

    #[test]
    fn links_of_a_mail_open_beside_the_page() {
        let html = "<html><HEAD><title>x</title></HEAD></html>";
        assert_eq!(
            opening_links_apart(html),
            "<html><HEAD><base target=\"_blank\"><title>x</title></HEAD></html>"
        );
        let headless = "<!doctype html>\n<html lang=\"en\"><body>";
        assert_eq!(
            opening_links_apart(headless),
            "<!doctype html>\n<html lang=\"en\"><base target=\"_blank\"><body>"
        );
        assert!(opening_links_apart("<p>").starts_with("<base"));
    }
}
