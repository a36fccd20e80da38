//! Phone numbers, read once at the door.

use std::fmt;

use phonenumber::{Mode, country};
use serde::{Deserialize, Serialize};

use super::invalid::Invalid;

/// The longest text that is looked at as a phone number, in bytes.
const MAX_TYPED_BYTES: usize = 64;

/// A phone number in E.164: `+`, the country code and the number, at most 15 digits.
///
/// Whether a number of the United States is a mobile or a landline cannot be told from its digits, so nothing here
/// says it can be texted. There is no `Display`, and `Debug` hides the number: it must not slip into a log.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads a number as a person types it. Without a country code it is one of the United States.
    ///
    /// An extension (`x 12`) is understood and left out: E.164 has no place for it.
    ///
    /// # Errors
    /// A message that says how a number looks, when no such number can exist by the numbering plan of its country.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Invalid::new("Enter a phone number."));
        }
        let refused =
            || Invalid::new("Enter a phone number with its area code, like (202) 555-0143 or +12025550143.");
        if text.len() > MAX_TYPED_BYTES {
            return Err(refused());
        }
        let number = phonenumber::parse(Some(country::US), text).map_err(|_| refused())?;
        // Parsing accepts `123`; only the numbering plan knows that nobody can have it.
        if !phonenumber::is_valid(&number) {
            return Err(refused());
        }
        let e164 = number.format().mode(Mode::E164).to_string();
        is_e164(&e164).then_some(Self(e164)).ok_or_else(refused)
    }

    /// The number in E.164, such as `+12025550143`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A stored number as a mail shows it, such as `+1-202-555-0143`: the separated form of a global number that can also
/// follow `tel:` (RFC 3966, section 5.1.1). What cannot be read stays as it is.
#[must_use]
pub fn readable(number: &str) -> String {
    let Ok(parsed) = phonenumber::parse(None, number) else {
        return number.to_owned();
    };
    let uri = parsed.format().mode(Mode::Rfc3966).to_string();
    let shown = uri.strip_prefix("tel:").unwrap_or(&uri);
    shown.split(';').next().unwrap_or(shown).to_owned()
}

fn is_e164(text: &str) -> bool {
    text.strip_prefix('+')
        .is_some_and(|digits| (3..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()))
}

impl TryFrom<String> for PhoneNumber {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<PhoneNumber> for String {
    fn from(number: PhoneNumber) -> Self {
        number.0
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_number_has_one_spelling() {
        for typed in [
            "(202) 555-0143",
            "202-555-0143",
            "202.555.0143",
            "2025550143",
            " 1 202 555 0143 ",
            "+1 202 555 0143",
            "+1 (202) 555-0143 x12",
            "tel:+1-202-555-0143",
        ] {
            assert_eq!(
                PhoneNumber::parse(typed).expect(typed).as_str(),
                "+12025550143",
                "{typed}"
            );
        }
    }

    #[test]
    fn a_number_of_another_country_needs_its_code() {
        assert_eq!(
            PhoneNumber::parse("+44 20 7946 0958").expect("London").as_str(),
            "+442079460958"
        );
        assert!(PhoneNumber::parse("020 7946 0958").is_err());
    }

    #[test]
    fn a_mail_shows_a_number_with_separators_and_what_is_none_as_it_is() {
        assert_eq!(readable("+12025550143"), "+1-202-555-0143");
        assert_eq!(readable("+442079460958"), "+44-20-7946-0958");
        assert_eq!(readable("ask at the desk"), "ask at the desk");
        assert_eq!(readable(""), "");
    }

    #[test]
    fn what_nobody_can_be_called_on_is_refused() {
        for wrong in [
            "",
            "  ",
            "123",
            "911",
            "555-0143",
            "(999) 999-9999",
            "000-000-0000",
            "1234567890",
            "202-155-0143",
            "+1",
            "+999 1234567",
            "call me",
            "pat@example.org",
            "202-555-0143 or 202-555-0144",
        ] {
            assert!(PhoneNumber::parse(wrong).is_err(), "{wrong:?} must be refused");
        }
        assert!(PhoneNumber::parse(&"2025550143".repeat(20)).is_err());
    }

    #[test]
    fn neither_a_log_nor_an_error_shows_the_number() {
        let number = PhoneNumber::parse("(202) 555-0143").expect("a good number");
        assert_eq!(format!("{number:?}"), "PhoneNumber(hidden)");
        let refused = PhoneNumber::parse("98765").expect_err("too short");
        assert!(!refused.to_string().contains("98765"));
    }

    #[test]
    fn json_is_checked_like_typing() {
        let read: PhoneNumber = serde_json::from_str("\"(202) 555-0143\"").expect("a good number");
        assert_eq!(
            serde_json::to_string(&read).expect("a string"),
            "\"+12025550143\""
        );
        assert!(serde_json::from_str::<PhoneNumber>("\"123\"").is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_typed_an_accepted_number_is_e164_and_reads_the_same_again(
            text in prop_oneof!["\\PC{0,40}", "\\+?[0-9()x. -]{3,20}", "[2-9][0-9]{2}[2-9][0-9]{6}"],
        ) {
            if let Ok(number) = PhoneNumber::parse(&text) {
                prop_assert!(is_e164(number.as_str()));
                prop_assert_eq!(PhoneNumber::parse(number.as_str()), Ok(number));
            }
        }
    }
}
