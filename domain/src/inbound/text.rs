//! Reading of texts that anybody may have written: cutting, unfolding, folding to plain letters, and finding addresses and
//! codes in them. Nothing here can fail.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longest address (RFC 5321, 4.5.3.1: 64 octets, the sign, 255 octets).
const ADDRESS_MAX: usize = 320;
/// Addresses taken out of one text.
const ADDRESSES_MAX: usize = 100;

/// The first `max` bytes, or a little less where a letter would be cut.
pub(super) fn cut(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let end = (0..=max).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..end]
}

/// A header's value on one line.
pub(super) fn unfold(value: &str) -> String {
    let mut line = String::with_capacity(value.len());
    for part in value.split(['\r', '\n']) {
        let part = part.trim();
        if !part.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(part);
        }
    }
    line
}

/// A text in small plain letters: without accents, with one blank where there was any space, with straight quotes.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut blank = true;
    for letter in text.nfkd().filter(|letter| !is_combining_mark(*letter)) {
        for letter in letter.to_lowercase() {
            match letter {
                letter if letter.is_whitespace() => {
                    if !blank {
                        plain.push(' ');
                    }
                    blank = true;
                    continue;
                }
                '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{b4}' | '`' => plain.push('\''),
                '\u{201c}' | '\u{201d}' | '\u{ab}' | '\u{bb}' => plain.push('"'),
                'ß' => plain.push_str("ss"),
                'ø' => plain.push('o'),
                'ł' => plain.push('l'),
                letter if letter.is_control() => continue,
                letter => plain.push(letter),
            }
            blank = false;
        }
    }
    plain
}

/// Words that are looked for, in plain letters.
pub(super) struct Words(LazyLock<Vec<String>>);

impl Words {
    /// These words, as people write them.
    pub(super) const fn new(words: fn() -> Vec<String>) -> Self {
        Self(LazyLock::new(words))
    }

    /// Whether a plain text has one of them in it.
    pub(super) fn within(&self, plain: &str) -> bool {
        self.0.iter().any(|word| plain.contains(word.as_str()))
    }

    /// Whether a plain text begins with one of them.
    pub(super) fn begin(&self, plain: &str) -> bool {
        self.0.iter().any(|word| plain.starts_with(word.as_str()))
    }
}

/// A list of words as a static, folded when it is first asked.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident = [$($word:literal),+ $(,)?]) => {
        $(#[$doc])*
        static $name: $crate::inbound::text::Words = $crate::inbound::text::Words::new(|| {
            [$($word),+].into_iter().map($crate::inbound::text::plain).collect()
        });
    };
}
pub(super) use words;

/// The addresses in a text, each once, in order.
pub(super) fn addresses(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let bytes = text.as_bytes();
    for (at, _) in text.match_indices('@') {
        if found.len() == ADDRESSES_MAX {
            break;
        }
        let start = bytes[..at]
            .iter()
            .rposition(|byte| !is_local(*byte))
            .map_or(0, |before| before + 1);
        let end = bytes[at + 1..]
            .iter()
            .position(|byte| !is_domain(*byte))
            .map_or(bytes.len(), |after| at + 1 + after);
        // Every byte between is ASCII, so these are boundaries of letters.
        let local = text[start..at].trim_start_matches(['.', '=', '/', '\'', '-']);
        let domain = text[at + 1..end].trim_end_matches(['.', '-', '_']);
        let address = format!("{local}@{domain}");
        let whole = !local.is_empty()
            && domain.contains('.')
            && !domain.starts_with(['.', '-'])
            && !domain.contains("..")
            && address.len() <= ADDRESS_MAX;
        if whole && !found.iter().any(|known| known.eq_ignore_ascii_case(&address)) {
            found.push(address);
        }
    }
    found
}

const fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'.' | b'_' | b'+' | b'-' | b'=' | b'/' | b'\'' | b'!' | b'#' | b'$' | b'%' | b'&' | b'*' | b'~'
        )
}

const fn is_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

/// The enhanced status codes (RFC 3463) of failures in a text, in order. What looks like an address of the network, a
/// date or a version is none.
pub(super) fn enhanced_codes(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let mut codes = Vec::new();
    let mut at = 0;
    while at < bytes.len() && codes.len() < 20 {
        let starts = matches!(bytes[at], b'4' | b'5')
            && bytes.get(at + 1) == Some(&b'.')
            && (at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'.'));
        if !starts {
            at += 1;
            continue;
        }
        let end = bytes[at..]
            .iter()
            .position(|byte| !(byte.is_ascii_digit() || *byte == b'.'))
            .map_or(bytes.len(), |after| at + after);
        let code = text[at..end].trim_end_matches('.');
        if let Some(code) = enhanced_code(code) {
            codes.push(code);
        }
        at = end;
    }
    codes
}

/// One enhanced status code of a failure or a delay, in its usual spelling.
pub(super) fn enhanced_code(text: &str) -> Option<String> {
    let mut numbers = text.split('.');
    let class = numbers.next()?;
    let mut part = |most: u16| {
        let digits = numbers.next().filter(|digits| (1..=3).contains(&digits.len()))?;
        digits.parse::<u16>().ok().filter(|number| *number <= most)
    };
    let (subject, detail) = (part(7)?, part(999)?);
    let known = matches!(class, "2" | "4" | "5") && numbers.next().is_none();
    known.then(|| format!("{class}.{subject}.{detail}"))
}

/// The first reply code of a failure (RFC 5321) in a text.
pub(super) fn reply_code(text: &str) -> Option<u16> {
    const KNOWN: &[u16] = &[
        421, 441, 450, 451, 452, 454, 455, 471, 500, 501, 502, 503, 504, 510, 511, 512, 513, 517, 521, 523,
        525, 530, 533, 534, 535, 538, 540, 541, 542, 543, 544, 546, 547, 548, 549, 550, 551, 552, 553, 554,
        555, 556, 557, 571,
    ];
    let bytes = text.as_bytes();
    (0..bytes.len().saturating_sub(2)).find_map(|at| {
        let alone = (at == 0
            || !(bytes[at - 1].is_ascii_alphanumeric()
                || matches!(bytes[at - 1], b'.' | b'-' | b':' | b'/')
                    && bytes.get(at.wrapping_sub(2)).is_some_and(u8::is_ascii_digit)))
            && bytes.get(at + 3).is_none_or(|next| {
                matches!(
                    next,
                    b' ' | b'-' | b'\r' | b'\n' | b'#' | b'_' | b',' | b';' | b')'
                )
            });
        let digits = &bytes[at..at + 3];
        let code = alone
            .then_some(digits)
            .filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        let code = code
            .iter()
            .fold(0_u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
        KNOWN.contains(&code).then_some(code)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_wherever_they_stand() {
        let text = "To: Pat <pat@example.net>, \"lee\" <lee.o'hara+x@sub.example.org>; mailto:kim@example.com. Not a@b or @c.d";
        assert_eq!(
            addresses(text),
            [
                "pat@example.net",
                "lee.o'hara+x@sub.example.org",
                "kim@example.com"
            ]
        );
    }

    #[test]
    fn enhanced_codes_are_told_from_versions_dates_and_network_addresses() {
        let text = "550-5.1.1 <p@x.org> (#5.7.1) 5.9.1.1 v4.94.2 4.12.2026 5.0.2195 1.5.1.1 said: 452 4.2.2.";
        assert_eq!(enhanced_codes(text), ["5.1.1", "5.7.1", "4.2.2"]);
    }

    #[test]
    fn reply_codes_are_told_from_other_numbers() {
        assert_eq!(reply_code("host mx[192.0.2.1] said: 550 No such user"), Some(550));
        assert_eq!(reply_code("smtp;554 rejected"), Some(554));
        assert_eq!(reply_code("room 5501, 12:450, 55 mails, 599 pages"), None);
        assert_eq!(reply_code("550"), Some(550));
    }

    #[test]
    fn plain_letters_have_no_accents_and_one_blank() {
        assert_eq!(
            plain("Réponse  \r\n AUTOMATIQUE\u{a0}– „Größe“"),
            "reponse automatique – „grosse\""
        );
    }
}
