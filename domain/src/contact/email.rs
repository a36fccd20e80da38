//! Email addresses, read once at the door.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::invalid::Invalid;

/// The longest address that fits in an SMTP path, in bytes (RFC 5321 section 4.5.3.1.3, less the angle brackets).
pub const MAX_EMAIL_BYTES: usize = 254;

const NOT_AN_ADDRESS: Invalid = Invalid {
    message: std::borrow::Cow::Borrowed("Enter an email address like name@example.org."),
};

/// An email address that a mail can be sent to: `local@domain` and nothing around it.
///
/// The local part is kept as it was typed, because the receiving server may tell capitals apart. The domain is lower
/// case and in its ASCII form (`xn--…`), so that one domain has one spelling and any server can be asked for it.
/// There is no `Display`, and `Debug` hides the address: it must not slip into a log.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads an address as a person types it, with blanks around it.
    ///
    /// Stricter than RFC 5322, to keep out what is never a person's mailbox: no display name, no quoted local part,
    /// no IP address in place of a domain, no domain without a dot. Letters beyond ASCII are fine.
    ///
    /// # Errors
    /// A message that says how an address looks.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Invalid::new("Enter an email address."));
        }
        // Checked before any work is done on it, and again below: a domain may grow in its ASCII form.
        if text.len() > MAX_EMAIL_BYTES {
            return Err(too_long());
        }
        let composed: String = text.nfc().collect();
        let options = email_address::Options::default()
            .with_required_tld()
            .without_domain_literal()
            .without_display_text();
        email_address::EmailAddress::parse_with_options(&composed, options).map_err(|_| NOT_AN_ADDRESS)?;
        let (local, domain) = composed.rsplit_once('@').ok_or(NOT_AN_ADDRESS)?;
        if local.contains(|c: char| c == '"' || c.is_whitespace() || c.is_control()) {
            return Err(NOT_AN_ADDRESS);
        }
        let address = format!("{local}@{}", ascii_domain(domain)?);
        if address.len() > MAX_EMAIL_BYTES {
            return Err(too_long());
        }
        Ok(Self(address))
    }

    /// The address to send to.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address for comparing: two contacts whose addresses differ in capitals only are one mailbox in practice.
    #[must_use]
    pub fn normalized(&self) -> String {
        self.0.to_lowercase()
    }

    /// The part after the `@`, lower case, in ASCII.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

fn too_long() -> Invalid {
    Invalid::new(format!(
        "An email address has at most {MAX_EMAIL_BYTES} characters."
    ))
}

/// The one spelling of a domain: lower case, in ASCII, a host name and not an IP address.
fn ascii_domain(domain: &str) -> Result<String, Invalid> {
    // The URL parser would decode percent signs; none belongs in a domain.
    if domain.contains('%') {
        return Err(NOT_AN_ADDRESS);
    }
    let Ok(url::Host::Domain(ascii)) = url::Host::parse(domain) else {
        return Err(NOT_AN_ADDRESS);
    };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let is_host_name = ascii.contains('.') && ascii.split('.').all(is_label);
    if is_host_name {
        Ok(ascii)
    } else {
        Err(NOT_AN_ADDRESS)
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> String {
        EmailAddress::parse(text)
            .expect("a good address")
            .as_str()
            .to_owned()
    }

    #[test]
    fn an_address_keeps_its_local_part_and_lowers_its_domain() {
        assert_eq!(
            parsed("  Pat.Doe+News@Example.ORG \n"),
            "Pat.Doe+News@example.org"
        );
        let address = EmailAddress::parse("Pat.Doe@Example.ORG").expect("a good address");
        assert_eq!(address.normalized(), "pat.doe@example.org");
        assert_eq!(address.domain(), "example.org");
    }

    #[test]
    fn letters_beyond_ascii_are_welcome_and_have_one_spelling() {
        assert_eq!(parsed("josé@müller.example"), "josé@xn--mller-kva.example");
        assert_eq!(
            parsed("jose\u{301}@mu\u{308}ller.example"),
            parsed("josé@müller.example")
        );
        assert_eq!(parsed("用户@例子.example"), "用户@xn--fsqu00a.example");
    }

    #[test]
    fn what_is_not_one_plain_address_is_refused() {
        for wrong in [
            "",
            "   ",
            "pat",
            "pat@",
            "@example.org",
            "pat@example",
            "pat@@example.org",
            "pat doe@example.org",
            "pat@exa mple.org",
            "Pat Doe <pat@example.org>",
            "<pat@example.org>",
            "\"pat doe\"@example.org",
            "\"pat\"@example.org",
            "pat@[127.0.0.1]",
            "pat@127.0.0.1",
            "pat@0x7f.1",
            "pat@[IPv6:::1]",
            "pat@example.org,kim@example.org",
            "pat@example.org;kim@example.org",
            "pat@example.org\r\nBcc: kim@example.org",
            "pa\0t@example.org",
            "pat\u{202e}@example.org",
            "pat\u{200b}@example.org",
            "pat@exam%70le.org",
            "pat@exam_ple.org",
            "pat@-example.org",
            "pat@example.org.",
            "pat@.example.org",
            "pat@example..org",
            ".pat@example.org",
            "pat..doe@example.org",
            "mailto:pat@example.org",
        ] {
            assert!(EmailAddress::parse(wrong).is_err(), "{wrong:?} must be refused");
        }
    }

    #[test]
    fn an_address_is_refused_one_byte_beyond_the_limit() {
        let label = "d".repeat(61);
        let longest = format!("{}@{label}.{label}.{label}.org", "p".repeat(64));
        assert_eq!(longest.len(), MAX_EMAIL_BYTES);
        assert!(EmailAddress::parse(&longest).is_ok());
        assert!(
            EmailAddress::parse(&format!("{longest}x"))
                .expect_err("255 bytes")
                .message
                .contains("254")
        );
        // Short enough as typed, too long once the domain is in ASCII.
        let grows = format!("pat@{}.example", vec!["ü"; 40].join("."));
        assert!(grows.len() <= MAX_EMAIL_BYTES);
        assert!(
            EmailAddress::parse(&grows)
                .expect_err("over 300 bytes")
                .message
                .contains("254")
        );
    }

    #[test]
    fn neither_a_log_nor_an_error_shows_the_address() {
        let address = EmailAddress::parse("pat@example.org").expect("a good address");
        assert_eq!(format!("{address:?}"), "EmailAddress(hidden)");
        let refused = EmailAddress::parse("secret-pat@nowhere").expect_err("no dot");
        assert!(!refused.to_string().contains("secret-pat"));
    }

    #[test]
    fn json_is_checked_like_typing() {
        let read: EmailAddress = serde_json::from_str("\"Pat@Example.org\"").expect("a good address");
        assert_eq!(
            serde_json::to_string(&read).expect("a string"),
            "\"Pat@example.org\""
        );
        assert!(serde_json::from_str::<EmailAddress>("\"pat\"").is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_typed_an_accepted_address_is_plain_and_reads_the_same_again(
            text in prop_oneof!["\\PC{0,40}", "[a-zA-Z0-9.+ü@<>\" -]{0,30}@[a-zA-Z0-9.ü-]{0,30}"],
        ) {
            if let Ok(address) = EmailAddress::parse(&text) {
                prop_assert!(address.as_str().len() <= MAX_EMAIL_BYTES);
                prop_assert!(!address.as_str().contains(|c: char| c.is_control() || c.is_whitespace() || "<>\",;".contains(c)));
                prop_assert!(address.domain().is_ascii());
                prop_assert_eq!(EmailAddress::parse(address.as_str()), Ok(address));
            }
        }
    }
}
