//! Reads a captured mail back.

use async_graphql::SimpleObject;
use mail_parser::MessageParser;

/// A mail as it would have gone out.
#[derive(SimpleObject)]
pub struct MessageContent {
    /// The subject line.
    subject: String,
    /// The HTML part.
    html: Option<String>,
    /// The plain-text part.
    text: Option<String>,
    /// Every header, in order.
    headers: Vec<Header>,
}

/// A header of a mail.
#[derive(SimpleObject)]
pub struct Header {
    /// Its name.
    name: String,
    /// Its value, on one line.
    value: String,
}

/// Reads a mail in the format of RFC 5322; none when it is no mail.
pub(super) fn read(raw: &[u8]) -> Option<MessageContent> {
    let mail = MessageParser::default().parse(raw)?;
    let unfold = |value: &str| value.split_whitespace().collect::<Vec<_>>().join(" ");
    let headers = mail.headers_raw().map(|(name, value)| Header {
        name: name.to_owned(),
        value: unfold(value),
    });
    // A mail without a part of its own is given one made from the other; only what was really sent is shown.
    let html = mail.html_part(0).filter(|part| part.is_text_html());
    let text = mail
        .text_part(0)
        .filter(|part| part.is_text() && !part.is_text_html());
    Some(MessageContent {
        subject: mail.subject().unwrap_or_default().to_owned(),
        html: html.and_then(|part| part.text_contents()).map(str::to_owned),
        text: text.and_then(|part| part.text_contents()).map(str::to_owned),
        headers: headers.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_and_every_header_are_read() {
        let raw = b"From: Hospital <mail@hospital.example>\r\nSubject: We have your\r\n request\r\nMessage-ID: <1@h>\r\n\
            MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\
            Content-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n--b\r\n\
            Content-Type: text/html; charset=utf-8\r\n\r\n<p>Hello</p>\r\n--b--\r\n";
        let mail = read(raw).unwrap();
        assert_eq!(mail.subject, "We have your request");
        assert_eq!(mail.text.as_deref().map(str::trim), Some("Hello"));
        assert_eq!(mail.html.as_deref().map(str::trim), Some("<p>Hello</p>"));
        let header = mail
            .headers
            .iter()
            .find(|header| header.name == "Subject")
            .unwrap();
        assert_eq!(header.value, "We have your request");
    }

    #[test]
    fn a_mail_of_text_alone_shows_no_html() {
        let mail = read(b"Subject: s\r\nContent-Type: text/plain\r\n\r\nHello\r\n").unwrap();
        assert_eq!(
            (mail.html, mail.text.as_deref().map(str::trim)),
            (None, Some("Hello"))
        );
    }
}
