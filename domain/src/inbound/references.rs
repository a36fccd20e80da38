//! Which message of ours a mail is about: by the `Message-ID`s, return paths and tokens in it.

use entity::inbound_mail::InboundKind;

use super::mail::{EXAMINED_MAX, Mail};
use super::notice;
use super::reading::Reading;
use super::text::cut;
use crate::link::UNSUBSCRIBE_TOKEN_CHARS;
use crate::outreach::verp::{self, LOCAL_PART_OCTETS};

/// Longest `Message-ID` that is looked at.
const ID_MAX: usize = 250;

/// Adds what a mail names to its reading, the likeliest first.
pub(super) fn collect(mail: &Mail, raw: &[u8], reading: &mut Reading) {
    let about_a_mail = matches!(reading.kind, InboundKind::Bounce | InboundKind::Complaint)
        || (reading.kind == InboundKind::Other && !mail.enclosed.is_empty());
    if about_a_mail {
        let original = notice::original(mail);
        for enclosed in mail.enclosed.iter().chain(&original) {
            of_enclosed(enclosed, 0, reading);
        }
        for part in &mail.parts {
            for line in part.text.lines().filter(|line| is_id_field(line)) {
                reading.add_message_id(line.split_once(':').map_or("", |(_, value)| value));
            }
        }
    }
    for name in ["in-reply-to", "x-original-message-id", "original-message-id"] {
        mail.all(name).for_each(|value| reading.add_message_id(value));
    }
    // The last reference is the mail that is answered.
    for value in mail.all("references") {
        let ids: Vec<String> = message_ids(value).collect();
        ids.iter().rev().for_each(|id| reading.add_message_id(id));
    }
    for name in [
        "to",
        "delivered-to",
        "x-original-to",
        "envelope-to",
        "x-envelope-to",
        "original-recipient",
        "cc",
    ] {
        mail.all(name).for_each(|value| reading.add_return_path(value));
    }
    let text = String::from_utf8_lossy(&raw[..raw.len().min(EXAMINED_MAX)]);
    reading.add_return_path(&text);
    for part in &mail.parts {
        reading.add_return_path(&part.text);
        own_ids(&part.text).for_each(|id| reading.add_message_id(&id));
    }
    own_ids(&text).for_each(|id| reading.add_message_id(&id));
    // What has the form of our own ids is about a message of ours.
    reading.message_ids.sort_by_key(|id| own_ids(id).next().is_none());
    let to = ["to", "delivered-to", "x-original-to"]
        .iter()
        .flat_map(|name| mail.all(name));
    reading.tokens = std::iter::once(mail.subject.as_str())
        .chain(to)
        .flat_map(tokens)
        .take(5)
        .collect();
}

fn of_enclosed(mail: &Mail, depth: usize, reading: &mut Reading) {
    // Where a report was passed on, what the report encloses is the message.
    if depth < 3 {
        mail.enclosed
            .iter()
            .for_each(|inner| of_enclosed(inner, depth + 1, reading));
    }
    for name in ["message-id", "x-original-message-id"] {
        mail.all(name).for_each(|value| reading.add_message_id(value));
    }
    mail.all("return-path")
        .for_each(|value| reading.add_return_path(value));
}

fn is_id_field(line: &str) -> bool {
    let name = line
        .trim_start_matches(['>', ' ', '|'])
        .split(':')
        .next()
        .unwrap_or_default()
        .trim();
    ["message-id", "original-message-id", "x-original-message-id"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// The ids in a field: what stands in angle brackets, or the whole if nothing does.
pub(super) fn message_ids(field: &str) -> impl Iterator<Item = String> {
    let field = cut(field, 8_000);
    let bracketed = field.contains('<');
    let parts: Vec<&str> = if bracketed {
        field
            .split('<')
            .skip(1)
            .map(|part| part.split('>').next().unwrap_or_default())
            .collect()
    } else {
        field.split_whitespace().collect()
    };
    parts.into_iter().filter_map(|part| {
        let id: String = part
            .chars()
            .filter(|letter| !letter.is_whitespace() && !letter.is_control())
            .collect();
        (id.contains('@') && id.len() <= ID_MAX && !id.contains([':', ','])).then_some(id)
    })
}

/// The ids of our own form anywhere in a text: `msg_` and 26 letters, and a domain.
fn own_ids(text: &str) -> impl Iterator<Item = String> {
    text.match_indices("msg_").take(50).filter_map(|(at, _)| {
        let rest = &text[at..];
        let end = rest
            .find(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '_' | '@' | '.' | '-')))
            .unwrap_or(rest.len());
        let (id, domain) = rest[..end].split_once('@')?;
        let whole = id.len() == 30 && !domain.is_empty() && domain.len() <= 200;
        whole.then(|| format!("{id}@{}", domain.trim_end_matches(['.', '-'])))
    })
}

/// What has the shape of the local part of a return path, anywhere in a text.
pub(super) fn return_paths(text: &str) -> impl Iterator<Item = String> {
    let bytes = text.as_bytes();
    (0..bytes.len().saturating_sub(LOCAL_PART_OCTETS - 1)).filter_map(move |at| {
        if (bytes[at] | 0x20) != b'b' || bytes[at + 1] != b'+' {
            return None;
        }
        let path = text.get(at..at + LOCAL_PART_OCTETS)?;
        verp::claimed(path).map(|_| path.to_ascii_lowercase())
    })
}

/// What has the shape of an unsubscribe token in a text.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_')))
        .filter(|word| word.len() == UNSUBSCRIBE_TOKEN_CHARS)
        .map(str::to_owned)
}
