//! `leadward check`: which settings are missing or unsafe.

use crate::settings::Settings;

/// A setting that should be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The environment variable.
    pub setting: &'static str,
    /// What is wrong and what to do, as a sentence.
    pub advice: String,
}

/// Everything that is missing or unsafe for a hospital that serves real people.
pub fn findings(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |setting, wrong: bool, advice: &str| {
        if wrong {
            findings.push(Finding {
                setting,
                advice: advice.to_owned(),
            });
        }
    };
    let local = is_local(&settings.public_url);
    add(
        "DATABASE_URL",
        settings.embedded(),
        "Set it to PostgreSQL: SQLite serves one process on one machine.",
    );
    add(
        "REDIS_URL",
        settings.redis_url.is_none(),
        "Set it: without it only one process can run, and live updates stay inside it.",
    );
    add(
        "SMTP_URL",
        settings.captures_mail(),
        "Set it: without it mails are captured and nobody receives them.",
    );
    add(
        "SMTP_URL",
        settings
            .smtp_url
            .as_deref()
            .is_some_and(|url| url.contains("tls=none") && !is_local(url)),
        "It sends mails in the clear; let the server offer STARTTLS and drop tls=none.",
    );
    add(
        "DKIM_DOMAIN",
        !settings.captures_mail() && settings.dkim_domain.is_none(),
        "Set it with DKIM_SELECTOR and DKIM_KEY_FILE: mailbox providers refuse bulk mail that is not signed.",
    );
    add(
        "DKIM_DOMAIN",
        settings
            .dkim_domain
            .as_deref()
            .is_some_and(|domain| !signs_for(domain, &settings.mail_from)),
        "It must be the domain of MAIL_FROM or one above it, or signatures say nothing about the sender (DMARC).",
    );
    add(
        "PUBLIC_URL",
        local,
        "Set it to the address that patients reach; links in mails begin with it.",
    );
    add(
        "PUBLIC_URL",
        !local && !settings.public_url.starts_with("https://"),
        "Use https: one-click unsubscribe (RFC 8058) demands it, and cookies are only safe with it.",
    );
    let key = settings.secret_key.as_deref();
    add(
        "SECRET_KEY",
        key.is_none(),
        "Set it to 64 hexadecimal digits, for example from `openssl rand -hex 32`.",
    );
    add(
        "SECRET_KEY",
        key.is_some_and(|key| parse_key(key).is_none()),
        "It must be 64 hexadecimal digits that are not all the same.",
    );
    add(
        "MAIL_FROM",
        settings.mail_from.contains(".example"),
        "Set it to an address of your own domain.",
    );
    add(
        "MAIL_FROM",
        !settings.mail_from.contains('@') || settings.mail_from.chars().any(char::is_control),
        "It must be an address such as `Riverbend Health <care@example.org>`.",
    );
    add(
        "POSTAL_ADDRESS",
        settings.postal_address.contains("River Road") || settings.postal_address.trim().len() < 10,
        "Set it to your postal address: every promotional mail must show it (16 CFR 316.5).",
    );
    add(
        "SEND_LEASE_SECS",
        settings.send_lease_secs < 30,
        "Give the mail server at least 30 seconds, or mails will count as unknown that went out well.",
    );
    findings
}

/// Whether signatures of a domain speak for a sender.
fn signs_for(domain: &str, mail_from: &str) -> bool {
    let sender = mail_from.rsplit('@').next().unwrap_or_default();
    let sender = format!(".{}", sender.trim_end_matches('>').to_ascii_lowercase());
    sender.ends_with(&format!(".{}", domain.to_ascii_lowercase()))
}

/// The key, if `text` is one.
pub fn parse_key(text: &str) -> Option<[u8; 32]> {
    let bytes: [u8; 32] = hex::decode(text.trim()).ok()?.try_into().ok()?;
    bytes.iter().any(|byte| *byte != bytes[0]).then_some(bytes)
}

/// Whether a URL leads to this machine.
fn is_local(url: &str) -> bool {
    let host = url::Url::parse(url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned));
    host.is_some_and(|host| matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]"))
}
