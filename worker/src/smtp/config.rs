//! The relay's address and manners, read from `SMTP_URL`.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use percent_encoding::percent_decode_str;
use url::Url;

/// How the connection to the relay is kept private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// No encryption (`?tls=none`; the default for a loopback host).
    None,
    /// STARTTLS when the relay offers it, in the clear when it does not (`?tls=opportunistic`). A certificate that is
    /// offered must still be valid, and a password is never sent in the clear to another machine.
    Opportunistic,
    /// STARTTLS or no mail at all (`?tls=required`; the default for any other host).
    Required,
    /// TLS from the first byte (`smtps://`, RFC 8314).
    Implicit,
}

/// How long each part of a send may take.
///
/// RFC 5321 section 4.5.3.2 wants five minutes for the greeting, `MAIL` and `RCPT`, two for `DATA` and ten for the
/// answer to the final dot. The first ones are shorter here: cutting them short is safe, because nothing was accepted
/// yet and the mail is tried again. The last one keeps the standard's figure: cutting it short makes an unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmtpTimeouts {
    /// Waiting for a free connection of the pool. 30 s.
    pub wait: Duration,
    /// Name lookup, TCP, TLS, greeting and sign-in together. 30 s, `?connect_secs=`.
    pub connect: Duration,
    /// One command and its answer. 60 s, `?command_secs=`.
    pub command: Duration,
    /// Handing over the message and waiting for the answer to its final dot. 600 s, `?final_secs=`.
    pub final_reply: Duration,
}

impl Default for SmtpTimeouts {
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(30),
            connect: Duration::from_secs(30),
            command: Duration::from_secs(60),
            final_reply: Duration::from_secs(600),
        }
    }
}

impl SmtpTimeouts {
    /// The longest a send to one recipient can take, a replaced connection included.
    ///
    /// A lease on a message should outlive this, or the message may be judged lost while it is still on its way.
    #[must_use]
    pub fn longest_send(&self) -> Duration {
        self.wait + self.connect * 2 + self.command * 5 + self.final_reply
    }
}

/// Everything needed to reach the relay. `Debug` leaves the password out.
#[derive(Clone)]
pub struct SmtpConfig {
    /// Host name or address, without brackets.
    pub host: String,
    /// TCP port: 465 for `smtps`, 587 when STARTTLS is required, else 25.
    pub port: u16,
    /// How the connection is kept private.
    pub security: Security,
    /// User and password, for AUTH PLAIN or LOGIN, whichever the relay offers.
    pub credentials: Option<Credentials>,
    /// PEM file of certificate authorities to trust *instead of* the public ones (`?ca=/path`), for a relay inside
    /// the hospital.
    pub ca: Option<PathBuf>,
    /// The name given in `EHLO` (`?hello=`); the machine's host name when absent.
    pub hello: Option<String>,
    /// Time limits.
    pub timeouts: SmtpTimeouts,
    /// Connections held at most. 8.
    pub connections: usize,
    /// Mails sent over one connection before it is closed. 500; relays commonly stop at 100 to 1,000, and one that
    /// stops earlier only costs a reconnect.
    pub mails_per_connection: u32,
    /// Age at which a connection is closed. 10 minutes, so that a relay's changed address is noticed.
    pub max_age: Duration,
    /// Idle time after which a connection is asked whether it is alive before it is used. 10 s.
    pub probe_after_idle: Duration,
}

impl fmt::Debug for SmtpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpConfig")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .field("credentials", &self.credentials.as_ref().map(|_| "[redacted]"))
            .field("ca", &self.ca)
            .field("timeouts", &self.timeouts)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

/// Why `SMTP_URL` cannot be used. Never holds the URL, which may bear a password.
#[derive(Debug, thiserror::Error)]
pub enum SmtpConfigError {
    /// It is no URL at all.
    #[error("SMTP_URL is not a URL: {0}")]
    NotAUrl(url::ParseError),
    /// It is a URL of something else.
    #[error("SMTP_URL must begin with smtp:// or smtps://")]
    Scheme,
    /// There is no host in it, or none that a certificate could name.
    #[error("SMTP_URL names no usable host")]
    Host,
    /// It has a path, which SMTP does not know.
    #[error("SMTP_URL must not have a path")]
    Path,
    /// Only one of user and password is there, or one is not UTF-8 once percent-decoded.
    #[error("SMTP_URL needs both user and password, percent-encoded, or neither")]
    Credentials,
    /// An option has a value it cannot have.
    #[error("SMTP_URL option `{0}` must be {1}")]
    Option(&'static str, &'static str),
    /// An option nobody knows, most likely misspelled.
    #[error(
        "SMTP_URL has an unknown option; known are tls, ca, hello, connect_secs, command_secs, final_secs"
    )]
    UnknownOption,
    /// The file of certificate authorities is missing, unreadable or empty.
    #[error("the certificate authorities in `{path}` cannot be used: {reason}")]
    Authorities {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl FromStr for SmtpConfig {
    type Err = SmtpConfigError;

    /// Reads `smtp://[user:password@]host[:port][?tls=required|opportunistic|none&…]` or `smtps://…`.
    fn from_str(text: &str) -> Result<Self, SmtpConfigError> {
        let url = Url::parse(text).map_err(SmtpConfigError::NotAUrl)?;
        let implicit = match url.scheme() {
            "smtp" => false,
            "smtps" => true,
            _ => return Err(SmtpConfigError::Scheme),
        };
        let host = url
            .host_str()
            .ok_or(SmtpConfigError::Host)?
            .trim_matches(['[', ']'])
            .to_owned();
        if host.is_empty() {
            return Err(SmtpConfigError::Host);
        }
        if !matches!(url.path(), "" | "/") {
            return Err(SmtpConfigError::Path);
        }
        let options = Options::read(&url)?;
        let security = match (implicit, options.security) {
            (true, None | Some(Security::Required)) => Security::Implicit,
            (true, Some(_)) => {
                return Err(SmtpConfigError::Option(
                    "tls",
                    "left out, or required, with smtps://",
                ));
            }
            (false, Some(security)) => security,
            (false, None) if is_loopback(&host) => Security::None,
            (false, None) => Security::Required,
        };
        let usual_port = match security {
            Security::Implicit => 465,
            Security::Required => 587,
            Security::None | Security::Opportunistic => 25,
        };
        Ok(Self {
            port: url.port().unwrap_or(usual_port),
            host,
            security,
            credentials: credentials(&url)?,
            ca: options.ca,
            hello: options.hello,
            timeouts: options.timeouts,
            connections: 8,
            mails_per_connection: 500,
            max_age: Duration::from_secs(600),
            probe_after_idle: Duration::from_secs(10),
        })
    }
}

impl SmtpConfig {
    /// Whether the relay runs on this machine, where nobody else can listen in.
    #[must_use]
    pub fn is_local(&self) -> bool {
        is_loopback(&self.host)
    }
}

/// The query of the URL.
#[derive(Default)]
struct Options {
    security: Option<Security>,
    ca: Option<PathBuf>,
    hello: Option<String>,
    timeouts: SmtpTimeouts,
}

impl Options {
    fn read(url: &Url) -> Result<Self, SmtpConfigError> {
        let mut options = Self::default();
        for (key, value) in url.query_pairs() {
            match &*key {
                "tls" => {
                    options.security = Some(match &*value {
                        "required" => Security::Required,
                        "opportunistic" => Security::Opportunistic,
                        "none" => Security::None,
                        _ => return Err(SmtpConfigError::Option("tls", "required, opportunistic or none")),
                    });
                }
                "ca" if !value.is_empty() => options.ca = Some(Path::new(&*value).to_owned()),
                "ca" => return Err(SmtpConfigError::Option("ca", "the path of a PEM file")),
                "hello" if is_host_name(&value) => options.hello = Some(value.into_owned()),
                "hello" => return Err(SmtpConfigError::Option("hello", "a host name")),
                "connect_secs" => options.timeouts.connect = secs("connect_secs", &value)?,
                "command_secs" => options.timeouts.command = secs("command_secs", &value)?,
                "final_secs" => options.timeouts.final_reply = secs("final_secs", &value)?,
                _ => return Err(SmtpConfigError::UnknownOption),
            }
        }
        Ok(options)
    }
}

fn secs(option: &'static str, value: &str) -> Result<Duration, SmtpConfigError> {
    match value.parse::<u64>() {
        Ok(secs @ 1..=3600) => Ok(Duration::from_secs(secs)),
        _ => Err(SmtpConfigError::Option(option, "whole seconds from 1 to 3600")),
    }
}

fn credentials(url: &Url) -> Result<Option<Credentials>, SmtpConfigError> {
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => Err(SmtpConfigError::Credentials),
        (user, Some(password)) => {
            let plain = |part| match percent_decode_str(part).decode_utf8() {
                // NUL separates the parts of AUTH PLAIN, so it can be in neither.
                Ok(text) if !text.contains('\0') => Ok(text.into_owned()),
                _ => Err(SmtpConfigError::Credentials),
            };
            Ok(Some(Credentials::new(plain(user)?, plain(password)?)))
        }
    }
}

/// The name goes onto the wire as it is, so nothing that could end a line may be in it.
fn is_host_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 255
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-[]:".contains(&b))
}

fn is_loopback(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests;
