//! Which mailbox provider an address is with. Figures and limits are kept by provider, so they say nothing about the few
//! people of a small domain, and there are few of them.

/// What stands for every domain that is no well-known provider's.
pub const OTHER: &str = "other";

/// Providers of many people's mailboxes: the name by which figures know them, and their domains.
const PROVIDERS: &[(&str, &[&str])] = &[
    ("gmail.com", &["gmail.com", "googlemail.com"]),
    (
        "yahoo.com",
        &[
            "yahoo.com",
            "ymail.com",
            "rocketmail.com",
            "aol.com",
            "verizon.net",
            "att.net",
        ],
    ),
    (
        "outlook.com",
        &["outlook.com", "hotmail.com", "live.com", "msn.com"],
    ),
    ("icloud.com", &["icloud.com", "me.com", "mac.com"]),
    ("comcast.net", &["comcast.net", "xfinity.com"]),
    ("proton.me", &["proton.me", "protonmail.com", "pm.me"]),
];

/// The provider of an address, by its best known domain; [`OTHER`] for all others and for what is no address.
#[must_use]
pub fn provider_of(address: &str) -> &'static str {
    let domain = domain_of(address);
    PROVIDERS
        .iter()
        .find(|(_, domains)| domains.contains(&domain.as_str()))
        .map_or(OTHER, |(name, _)| *name)
}

/// The domain of an address in lower case; empty for what is no address.
#[must_use]
pub fn domain_of(address: &str) -> String {
    address
        .rsplit_once('@')
        .map_or_else(String::new, |(_, domain)| domain.trim().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_known_by_all_its_domains_and_everybody_else_is_other() {
        assert_eq!(provider_of("pat@GoogleMail.com"), "gmail.com");
        assert_eq!(provider_of("pat@aol.com"), "yahoo.com");
        assert_eq!(provider_of("\"a@gmail.com\"@smith.example"), OTHER);
        assert_eq!(provider_of("notgmail.com"), OTHER);
        assert_eq!(provider_of("pat@notgmail.com"), OTHER);
    }
}
