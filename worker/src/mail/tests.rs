//! What is written is read back by another library.

use chrono::TimeZone;
use mail_parser::{HeaderName, MessageParser};

use super::*;

fn site(mail_from: &str, public_url: &str) -> Site {
    Site {
        public_url: public_url.to_owned(),
        mail_from: mail_from.to_owned(),
        postal_address: "1 River St, Springfield, IL 62701".to_owned(),
        name: "Riverside Health".to_owned(),
    }
}

fn letterhead() -> Letterhead {
    Letterhead::new(&site(
        "Riverside Health <care@riverside.example>",
        "https://leads.riverside.example",
    ))
    .unwrap()
}

fn parts<'a>() -> Parts<'a> {
    Parts {
        to_name: "Pat Rivera",
        to_address: "pat@example.net",
        subject: "We have your request".to_owned(),
        text: "Hello Pat,\nwe will call you.\n".to_owned(),
        html: "<p>Hello Pat,<br>we will call you.</p>".to_owned(),
        message_id: "msg_01jd8x3k5v9w2m7q4r6t8y0abc@riverside.example",
        unsubscribe_url: Some(
            "https://leads.riverside.example/u/0123456789abcdefghijklmnopqrstuvwxyzABCDEFG",
        ),
        automatic: false,
        date: Utc.with_ymd_and_hms(2026, 11, 23, 15, 4, 5).unwrap(),
    }
}

fn raw_header(raw: &[u8], name: &str) -> Vec<String> {
    let text = String::from_utf8(raw.to_vec()).unwrap();
    let head = text.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
    let prefix = format!("{}:", name.to_lowercase());
    head.lines()
        .filter(|line| line.to_lowercase().starts_with(&prefix))
        .map(|line| line[prefix.len()..].trim().to_owned())
        .collect()
}

#[test]
fn a_mail_reads_back_as_it_was_meant() {
    let mail = letterhead().write(parts()).unwrap();
    let read = MessageParser::default().parse(&mail.raw).unwrap();
    assert_eq!(read.subject(), Some("We have your request"));
    assert_eq!(
        read.message_id(),
        Some("msg_01jd8x3k5v9w2m7q4r6t8y0abc@riverside.example")
    );
    let from = read.from().unwrap().first().unwrap();
    assert_eq!(
        (from.name(), from.address()),
        (Some("Riverside Health"), Some("care@riverside.example"))
    );
    let to = read.to().unwrap().first().unwrap();
    assert_eq!(
        (to.name(), to.address()),
        (Some("Pat Rivera"), Some("pat@example.net"))
    );
    assert_eq!(read.date().unwrap().to_rfc3339(), "2026-11-23T15:04:05Z");
    assert!(read.body_text(0).unwrap().contains("we will call you."));
    assert!(read.body_html(0).unwrap().contains("<p>Hello Pat,"));
    let content_type = read
        .header(HeaderName::ContentType)
        .unwrap()
        .as_content_type()
        .unwrap();
    assert_eq!(
        (content_type.ctype(), content_type.subtype()),
        ("multipart", Some("alternative"))
    );
}

#[test]
fn one_click_unsubscribe_has_exactly_the_two_headers_of_rfc_8058() {
    let mail = letterhead().write(parts()).unwrap();
    let url = "<https://leads.riverside.example/u/0123456789abcdefghijklmnopqrstuvwxyzABCDEFG>";
    assert_eq!(raw_header(&mail.raw, "List-Unsubscribe"), [url]);
    assert_eq!(
        raw_header(&mail.raw, "List-Unsubscribe-Post"),
        ["List-Unsubscribe=One-Click"]
    );
    assert!(raw_header(&mail.raw, "Auto-Submitted").is_empty());
}

#[test]
fn mail_of_no_list_has_no_way_to_leave_one() {
    let mail = letterhead()
        .write(Parts {
            unsubscribe_url: None,
            automatic: true,
            ..parts()
        })
        .unwrap();
    assert!(raw_header(&mail.raw, "List-Unsubscribe").is_empty());
    assert!(raw_header(&mail.raw, "List-Unsubscribe-Post").is_empty());
    assert_eq!(raw_header(&mail.raw, "Auto-Submitted"), ["auto-generated"]);
}

#[test]
fn nothing_that_a_person_typed_can_begin_a_header() {
    let mail = letterhead()
        .write(Parts {
            to_name: "Pat\r\nBcc: everybody@example.net\r\n",
            subject: "Hello\r\n\r\nBcc: everybody@example.net".to_owned(),
            ..parts()
        })
        .unwrap();
    let read = MessageParser::default().parse(&mail.raw).unwrap();
    assert!(read.bcc().is_none(), "a header was smuggled in");
    assert_eq!(read.subject(), Some("Hello Bcc: everybody@example.net"));
    assert_eq!(read.to().unwrap().iter().count(), 1);
}

#[test]
fn names_of_any_script_and_with_signs_survive() {
    for name in [
        "Łucja Żółć-O'Brien",
        "Zoë \"Z\" Smith, Jr.",
        "山田 太郎",
        "Pat <pat@evil.example>",
    ] {
        let mail = letterhead()
            .write(Parts {
                to_name: name,
                ..parts()
            })
            .unwrap();
        assert!(mail.raw.is_ascii(), "{name}");
        let read = MessageParser::default().parse(&mail.raw).unwrap();
        let to: Vec<_> = read.to().unwrap().iter().collect();
        assert_eq!(to.len(), 1, "{name}");
        assert_eq!(
            (to[0].name(), to[0].address()),
            (Some(name), Some("pat@example.net"))
        );
    }
}

#[test]
fn a_text_that_looks_encoded_is_shown_as_it_was_typed() {
    let long = format!("Zoë =?utf-8?b?{}?= Smith", "QUJD".repeat(20));
    for text in ["=?utf-8?q?You=20won?=", "=?x", "Dr. =?utf-8?B?WW91?= Who", &long] {
        let mail = letterhead()
            .write(Parts {
                to_name: text,
                subject: text.to_owned(),
                ..parts()
            })
            .unwrap();
        let read = MessageParser::default().parse(&mail.raw).unwrap();
        let to = read.to().unwrap().first().unwrap();
        assert_eq!(
            (read.subject(), to.name(), to.address()),
            (Some(text), Some(text), Some("pat@example.net"))
        );
        assert!(!raw_header(&mail.raw, "Subject")[0].contains(text));
    }
}

#[test]
fn a_second_try_gives_the_same_bytes() {
    let letterhead = letterhead();
    assert_eq!(
        letterhead.write(parts()).unwrap().raw,
        letterhead.write(parts()).unwrap().raw
    );
}

#[test]
fn a_contact_without_a_name_is_written_by_address_alone() {
    let mail = letterhead()
        .write(Parts {
            to_name: " ",
            ..parts()
        })
        .unwrap();
    assert_eq!(raw_header(&mail.raw, "To"), ["pat@example.net"]);
}

#[test]
fn an_address_that_no_envelope_takes_is_a_fault_of_the_address() {
    let bad = letterhead().write(Parts {
        to_address: "pat@example.net, sam@example.net",
        ..parts()
    });
    assert_eq!(bad.err(), Some(BadAddress));
}

#[test]
fn a_wrong_sender_or_public_address_is_found_at_the_start() {
    assert!(Letterhead::new(&site("not a sender", "https://leads.riverside.example")).is_err());
    assert!(
        Letterhead::new(&site(
            "care@riverside.example",
            "https://leads.example/\r\nBcc: x"
        ))
        .is_err()
    );
}
