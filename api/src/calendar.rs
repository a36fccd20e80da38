//! `/calendar/{secret}.ics`: a person's follow-ups as an iCalendar (RFC 5545) that calendar programs subscribe to.
//!
//! The secret in the address is the credential. What is served names nobody and no lead; who wants to know more opens the
//! work list, which asks for a sign-in.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::error::Error;
use domain::follow_up::feed::{self, Entry};
use domain::hospital::Site;
use entity::follow_up::FollowUpKind;
use icalendar::{Calendar, Class, Component, Event, EventLike};
use poem::http::{HeaderValue, StatusCode, header};
use poem::web::{Data, Path};
use poem::{Endpoint, EndpointExt, Request, Response, get, handler};
use sha2::{Digest, Sha256};

use crate::limit::{Client, Limiter};
use crate::pages;
use crate::state::Api;
use crate::tongue::Tongue;

/// How often one address may ask in a minute: programs ask every quarter of an hour, and many share an office's address.
const READS_PER_MINUTE: u32 = 120;
/// How long a follow-up takes in the calendar.
const SHOWN_AS: TimeDelta = TimeDelta::minutes(15);
/// How often programs are asked to look again (RFC 7986, 5.7).
const LOOK_AGAIN: &str = "PT15M";

/// The route of `/calendar/:file`.
pub(crate) fn routes() -> impl Endpoint<Output: 'static> + use<> {
    get(show).data(Arc::new(Limiter::new(READS_PER_MINUTE)))
}

#[handler]
async fn show(
    Data(api): Data<&Api>,
    Data(limiter): Data<&Arc<Limiter>>,
    Path(file): Path<String>,
    tongue: Tongue,
    req: &Request,
) -> Response {
    let site = &api.hospital.site;
    let response = match limiter.check(Client::of(req, api.settings.trust_proxy)) {
        Err(wait_secs) => pages::wait(site, tongue, wait_secs),
        Ok(()) => match file.strip_suffix(".ics") {
            None => pages::not_found(site, tongue),
            Some(secret) => match feed::read(&api.hospital, secret).await {
                Ok(entries) => answer(req, &calendar(site, &entries)),
                Err(error @ (Error::Missing { .. } | Error::Refused(_))) => {
                    pages::failed(site, tongue, "a calendar feed", &error)
                }
                Err(error) => pages::fault(site, tongue, "a calendar feed", &error),
            },
        },
    };
    pages::unindexed(response)
}

/// The calendar, unless the program has it already.
fn answer(req: &Request, calendar: &str) -> Response {
    let tag = format!("\"{}\"", hex::encode(Sha256::digest(calendar)));
    let known = req.header(header::IF_NONE_MATCH).unwrap_or_default();
    let is_known = known
        .split(',')
        .any(|known| known.trim().trim_start_matches("W/") == tag);
    let mut response = if is_known {
        Response::builder().status(StatusCode::NOT_MODIFIED).finish()
    } else {
        Response::builder()
            .content_type("text/calendar; charset=utf-8")
            .body(calendar.to_owned())
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    pages::set(&mut response, header::CACHE_CONTROL, "private, no-cache");
    response
}

fn calendar(site: &Site, entries: &[Entry]) -> String {
    let mut calendar = Calendar::empty();
    for (name, value) in [
        ("VERSION", "2.0"),
        ("PRODID", "-//Leadward//Follow-ups//EN"),
        ("CALSCALE", "GREGORIAN"),
        ("NAME", "Follow-ups"),
        // What programs read that do not know NAME.
        ("X-WR-CALNAME", "Follow-ups"),
    ] {
        calendar.append_property((name, value));
    }
    calendar.append_property(
        icalendar::Property::new("REFRESH-INTERVAL", LOOK_AGAIN)
            .add_parameter("VALUE", "DURATION")
            .done(),
    );
    for entry in entries {
        calendar.push(event(site, entry));
    }
    calendar.to_string()
}

fn event(site: &Site, entry: &Entry) -> Event {
    let summary = if entry.urgent {
        format!("Urgent: {}", label(entry.kind))
    } else {
        label(entry.kind).to_owned()
    };
    Event::new()
        .uid(&entry.id.to_string())
        // No program is told when it changed; the sequence tells that it did.
        .timestamp(entry.created_at)
        .sequence(u32::try_from(entry.version - 1).unwrap_or_default())
        .starts(entry.due_at)
        .ends(entry.due_at + SHOWN_AS)
        .summary(&summary)
        .class(Class::Private)
        .url(&site.public_url)
        // Work that is due does not make anybody busy.
        .add_property("TRANSP", "TRANSPARENT")
        .done()
}

/// What kind of work it is, in words.
const fn label(kind: FollowUpKind) -> &'static str {
    match kind {
        FollowUpKind::FirstContact => "First contact",
        FollowUpKind::NextAttempt => "Next attempt",
        FollowUpKind::Callback => "Call back",
        FollowUpKind::Sequence => "Follow-up",
        FollowUpKind::Reply => "Read a reply",
        FollowUpKind::ByHand => "Follow-up",
    }
}
