//! Names of people: reading them at the door, and telling whether two may be one person.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::invalid::Invalid;

#[cfg(test)]
mod tests;

/// The longest given or family name, in characters.
pub const MAX_NAME_CHARS: usize = 100;

/// A given or a family name, in any script. `Debug` hides it: it must not slip into a log.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PersonName(String);

impl PersonName {
    /// Reads a name as a person types it; blanks around it go, and blanks inside it become one.
    ///
    /// # Errors
    /// When it is empty, too long, has no letter, has control or invisible characters, or carries a web address,
    /// as form spam does to have it mailed out in a greeting.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Invalid::new("Enter a name."));
        }
        if text.chars().any(|c| c.is_control() || is_invisible(c)) {
            return Err(Invalid::new("A name must be one line of plain text."));
        }
        // A cheap look first, so that a huge text is not copied.
        if text.chars().nth(MAX_NAME_CHARS * 4).is_some() {
            return Err(too_long());
        }
        let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.chars().count() > MAX_NAME_CHARS {
            return Err(too_long());
        }
        if looks_like_a_link(&name) {
            return Err(Invalid::new("A name must not contain a web or email address."));
        }
        if !name.chars().any(char::is_alphabetic) {
            return Err(Invalid::new("A name needs at least one letter."));
        }
        Ok(Self(name))
    }

    /// The name to show.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn too_long() -> Invalid {
    Invalid::new(format!("A name has at most {MAX_NAME_CHARS} characters."))
}

/// Characters that change how the text around them is shown without being seen. The joiners U+200C and U+200D are not
/// among them: Persian and Indic names are spelled with them.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}'
    )
}

/// Whether mail programs would turn a part of the text into a link, or markup would.
fn looks_like_a_link(text: &str) -> bool {
    /// Endings seen in spam; a name with a dot in it, such as `J.R.`, ends in none of them.
    const ENDINGS: [&str; 16] = [
        "com", "net", "org", "info", "biz", "ru", "cn", "io", "xyz", "top", "site", "online", "shop", "club",
        "ly", "app",
    ];
    let text = text.to_lowercase();
    if text.contains("://") || text.contains("www.") || text.contains(['<', '>', '@']) {
        return true;
    }
    text.split_whitespace().any(|word| {
        let host = word
            .split(['/', '?', '#', ':'])
            .next()
            .unwrap_or(word)
            .trim_end_matches(['.', ',', '!', ')']);
        host.rsplit_once('.')
            .is_some_and(|(before, ending)| !before.is_empty() && ENDINGS.contains(&ending))
    })
}

impl TryFrom<String> for PersonName {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<PersonName> for String {
    fn from(name: PersonName) -> Self {
        name.0
    }
}

impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonName(hidden)")
    }
}

/// A person's name in its two parts, either of which may be empty when it is not known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FullName<'a> {
    /// Given and middle names.
    pub given: &'a str,
    /// Family name.
    pub family: &'a str,
}

/// Whether two names, found on the same email address or phone, can be taken for one person without asking.
///
/// Capitals, accents and punctuation do not matter. Beyond that they agree when
/// - family names are the same, and given names are the same or one is the initial of the other (`J.`, `John`); a
///   middle initial may be missing on one side, a middle *name* may not; or
/// - given and family name have changed places; or
/// - one side has the whole name in one field, and the words are the same, in either order.
///
/// Everything else is for a person to judge, above all what tells parent and child apart: `Jr.`, another given name,
/// a nickname. A single word never agrees with anything. The relation is symmetric.
#[must_use]
pub fn names_agree(a: FullName<'_>, b: FullName<'_>) -> bool {
    let (a, b) = (Words::of(a), Words::of(b));
    if a.family.is_empty() || b.family.is_empty() || a.given.is_empty() || b.given.is_empty() {
        return whole_names_agree(&a.all(), &b.all());
    }
    let same = |x: &[String], y: &[String]| x.concat() == y.concat();
    let in_order =
        same(&a.family, &b.family) && (same(&a.given, &b.given) || given_names_agree(&a.given, &b.given));
    let swapped = same(&a.family, &b.given) && same(&a.given, &b.family);
    in_order || swapped
}

/// The words of a name, in the form in which they are compared.
struct Words {
    given: Vec<String>,
    family: Vec<String>,
}

impl Words {
    fn of(name: FullName<'_>) -> Self {
        Self {
            given: words(name.given),
            family: words(name.family),
        }
    }

    fn all(&self) -> Vec<&str> {
        self.given
            .iter()
            .chain(&self.family)
            .map(String::as_str)
            .collect()
    }
}

fn whole_names_agree(a: &[&str], b: &[&str]) -> bool {
    a.len() >= 2 && b.len() >= 2 && (a == b || family_first(a) == b || a == family_first(b))
}

/// The words with the last one moved to the front.
fn family_first<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let mut words = words.to_vec();
    words.rotate_right(1);
    words
}

/// Given names word by word: each pair is the same or an initial, and what one side has more is initials only.
fn given_names_agree(a: &[String], b: &[String]) -> bool {
    let (shorter, longer) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    shorter
        .iter()
        .zip(longer)
        .all(|(x, y)| x == y || initial_of(x, y) || initial_of(y, x))
        && longer[shorter.len()..].iter().all(|word| is_initial(word))
}

/// One letter of a script with capitals. A single Chinese character is a name, not an initial.
fn is_initial(word: &str) -> bool {
    let mut letters = word.chars();
    matches!((letters.next(), letters.next()), (Some(letter), None) if letter.is_lowercase())
}

fn initial_of(initial: &str, word: &str) -> bool {
    is_initial(initial) && word.starts_with(initial)
}

/// Splits a name into words without capitals, accents and punctuation. Apostrophes join (`O'Brien` is `obrien`), all
/// other punctuation separates (`Smith-Jones` is two words).
fn words(name: &str) -> Vec<String> {
    let plain: String = name
        .nfkd()
        .filter(|c| !is_combining_mark(*c) && !is_apostrophe(*c) && !is_joiner(*c))
        .flat_map(char::to_lowercase)
        // Some capitals lower into a letter and a mark.
        .filter(|c| !is_combining_mark(*c))
        .fold(String::with_capacity(name.len()), |mut text, c| {
            match without_stroke(c) {
                Some(letters) => text.push_str(letters),
                None => text.push(c),
            }
            text
        });
    plain
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn is_apostrophe(c: char) -> bool {
    matches!(
        c,
        '\'' | '`' | '´' | '\u{2018}' | '\u{2019}' | '\u{02BB}' | '\u{02BC}' | '\u{02B9}' | '\u{2032}'
    )
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

/// Latin letters that carry no removable accent but are typed without one on other keyboards.
const fn without_stroke(c: char) -> Option<&'static str> {
    Some(match c {
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ŧ' => "t",
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        _ => return None,
    })
}
