//! Who may read the outbox.

use std::net::IpAddr;

use domain::error::Error;
use domain::viewer::{Scope, Viewer};
use entity::enums::Role;
use entity::id::TokenId;
use poem::http::header;
use poem::{Request, Response};
use url::{Host, Url};
use uuid::Uuid;

use crate::pages;
use crate::state::Api;
use crate::tongue::Tongue;
use crate::viewer::{Caller, Credentials, Denied};

/// Headers that a proxy adds.
const OF_PROXIES: [&str; 5] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-real-ip",
    "via",
];

/// Who reads, or the answer that there is nothing to read.
pub(super) async fn viewer(api: &Api, req: &Request) -> Result<Viewer, Box<Response>> {
    let site = &api.hospital.site;
    if !api.settings.mail_captured {
        return Err(Box::new(pages::not_found(site, Tongue::English)));
    }
    match Caller::of(api, &Credentials::of_headers(req.headers())).await {
        Ok(caller) if caller.viewer.scope() == Scope::All => return Ok(caller.viewer),
        Ok(caller) if caller.viewer == Viewer::Public => {}
        Err(Denied::Fault(error @ Error::Fault(_))) => {
            return Err(Box::new(pages::fault(
                site,
                Tongue::English,
                "the outbox",
                &error,
            )));
        }
        // Whoever says who it is, is judged by that, wherever it sits.
        Ok(_) | Err(_) => return Err(Box::new(pages::not_found(site, Tongue::English))),
    }
    let at_the_machine = !api.settings.trust_proxy
        && is_loopback_url(&site.public_url)
        && req
            .remote_addr()
            .as_socket_addr()
            .is_some_and(|peer| peer.ip().to_canonical().is_loopback())
        && asked_for_loopback(req);
    if at_the_machine {
        Ok(OPERATOR)
    } else {
        Err(Box::new(pages::not_found(site, Tongue::English)))
    }
}

/// Whoever sits at the machine can read the database as well, so this viewer sees all of it. The id belongs to no token
/// and is never written down: reading changes nothing.
const OPERATOR: Viewer = Viewer::Token {
    id: TokenId(Uuid::nil()),
    role: Role::Admin,
};

/// Whether the browser asked for this machine by a loopback name, with no proxy in between.
fn asked_for_loopback(req: &Request) -> bool {
    let host = req
        .header(header::HOST)
        .map(str::to_owned)
        .or_else(|| req.uri().authority().map(ToString::to_string));
    let proxied = OF_PROXIES.iter().any(|name| req.headers().contains_key(*name));
    !proxied && host.is_some_and(|host| is_loopback_url(&format!("http://{host}")))
}

fn is_loopback_url(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    match url.host() {
        // The name is reserved for this (RFC 6761, section 6.3).
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(host: &str, more: &[(&str, &str)]) -> bool {
        let mut req = Request::builder().header("host", host);
        for (name, value) in more {
            req = req.header(*name, *value);
        }
        asked_for_loopback(&req.finish())
    }

    #[test]
    fn the_machine_itself_is_known_by_its_loopback_names() {
        for host in [
            "127.0.0.1:8080",
            "localhost",
            "[::1]:8080",
            "127.8.0.1",
            "LOCALHOST:1",
        ] {
            assert!(asked(host, &[]), "{host}");
        }
    }

    #[test]
    fn a_name_that_another_site_lets_point_here_does_not_open_it() {
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "192.0.2.1",
            "",
            "@localhost@x",
        ] {
            assert!(!asked(host, &[]), "{host}");
        }
    }

    #[test]
    fn behind_a_proxy_everybody_seems_to_sit_at_the_machine_so_nobody_does() {
        assert!(!asked("127.0.0.1:8080", &[("x-forwarded-for", "203.0.113.9")]));
        assert!(!asked("127.0.0.1:8080", &[("via", "1.1 proxy")]));
    }
}
