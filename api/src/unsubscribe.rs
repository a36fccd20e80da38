//! The link in every promotional mail: `/u/{token}`.
//!
//! Looking never unsubscribes, because mail scanners follow links before people do. A POST does, at once: RFC 8058 lets
//! mail programs send it without cookies, origin or context, so the token in the address is all that is asked for, and
//! the answer is never a redirect.

use askama::Template;
use domain::consent::{self, Method};
use domain::error::Error;
use domain::hospital::Site;
use entity::enums::Purpose;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, RouteMethod, get, handler};

use crate::forms::posted::{self, Limits, Unreadable};
use crate::pages::{self, Frame, Framed};
use crate::phrases::{Phrases, fill};
use crate::state::Api;
use crate::tongue::Tongue;

/// Largest body of an unsubscription in bytes; the real ones have about a hundred.
const MAX_BODY_BYTES: usize = 8 * 1024;

/// The routes of `/u/:token`.
pub fn routes() -> RouteMethod {
    get(show).post(take_back)
}

#[derive(Template)]
#[template(path = "unsubscribe.html")]
struct UnsubscribePage<'a> {
    frame: Frame<'a>,
    say: &'static Phrases,
    text: String,
    token: &'a str,
    done: bool,
}

#[handler]
async fn show(Data(api): Data<&Api>, Path(token): Path<String>, asked: Tongue) -> Response {
    let site = &api.hospital.site;
    let response = match consent::look_up(&api.hospital, &token).await {
        Ok(link) => {
            let tongue = Tongue::spoken(&link.language).unwrap_or(asked);
            shown(site, tongue, &token, link.purpose, !link.subscribed)
        }
        Err(error) => pages::failed(site, asked, "the unsubscribe page", &error),
    };
    pages::unindexed(response)
}

#[handler]
async fn take_back(Data(api): Data<&Api>, Path(token): Path<String>, req: &Request, body: Body) -> Response {
    pages::unindexed(taken_back(api, &token, req, body).await)
}

async fn taken_back(api: &Api, token: &str, req: &Request, body: Body) -> Response {
    let site = &api.hospital.site;
    let asked = Tongue::asked_by(req);
    let limits = Limits {
        max_bytes: MAX_BODY_BYTES,
        ..Limits::of(&api.settings)
    };
    let method = match posted::pairs(req, body, limits).await {
        Ok(pairs) => method(&pairs),
        Err(Unreadable::TooLarge) => return pages::too_large(site, asked),
        Err(Unreadable::TooSlow) => return pages::too_slow(site, asked),
        Err(Unreadable::Malformed | Unreadable::UnknownType) => None,
    };
    let Some(method) = method else {
        return pages::unreadable(site, asked);
    };
    match consent::unsubscribe(&api.hospital, token, method).await {
        Ok(done) => {
            let unsubscribed = api.pass_on(done);
            count(
                method,
                if unsubscribed.already {
                    "repeated"
                } else {
                    "stored"
                },
            );
            match method {
                Method::OneClick => short("You are unsubscribed.\n"),
                Method::UnsubscribePage => {
                    let tongue = Tongue::spoken(&unsubscribed.language).unwrap_or(asked);
                    shown(site, tongue, token, unsubscribed.purpose, true)
                }
            }
        }
        Err(error) => {
            count(
                method,
                if matches!(error, Error::Missing { .. }) {
                    "unknown"
                } else {
                    "failed"
                },
            );
            pages::failed(site, asked, "an unsubscription", &error)
        }
    }
}

/// How the link was used; none when the body says neither.
fn method(pairs: &[(String, String)]) -> Option<Method> {
    let says = |name: &str, value: &str| {
        pairs
            .iter()
            .any(|(n, v)| n.eq_ignore_ascii_case(name) && v.trim() == value)
    };
    if says("List-Unsubscribe", "One-Click") {
        Some(Method::OneClick)
    } else if says("confirm", "1") {
        Some(Method::UnsubscribePage)
    } else {
        None
    }
}

fn count(method: Method, outcome: &'static str) {
    let method = match method {
        Method::OneClick => "one_click",
        Method::UnsubscribePage => "page",
    };
    metrics::counter!("leadward_unsubscribes_total", "method" => method, "outcome" => outcome).increment(1);
}

fn shown(site: &Site, tongue: Tongue, token: &str, purpose: Purpose, done: bool) -> Response {
    let say = Phrases::of(tongue);
    let text = if done {
        say.unsubscribed_now
    } else {
        say.unsubscribe_stops
    };
    let page = UnsubscribePage {
        frame: Frame::of(site, tongue),
        say,
        text: fill(text, &[&site.name, about(say, purpose)]),
        token,
        done,
    };
    pages::page(StatusCode::OK, &page, Framed::Never)
}

/// What the mails are about, without naming a service.
const fn about(say: &'static Phrases, purpose: Purpose) -> &'static str {
    match purpose {
        // No mail is sent for tracking, so none carries a link that takes it back.
        Purpose::Marketing | Purpose::Tracking => say.about_marketing,
        Purpose::CareCoordination => say.about_care,
        Purpose::Reminder => say.about_reminder,
        Purpose::Research => say.about_research,
    }
}

/// The short answer for a mail program, which shows it to nobody.
fn short(text: &'static str) -> Response {
    let mut response = Response::builder()
        .content_type("text/plain; charset=utf-8")
        .body(text);
    pages::guard(&mut response, Framed::Never);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        max_bytes: MAX_BODY_BYTES,
        secs: 30,
    };

    async fn said(content_type: Option<&str>, body: &str) -> Option<Method> {
        let mut req = Request::builder();
        if let Some(content_type) = content_type {
            req = req.content_type(content_type);
        }
        let pairs = posted::pairs(&req.finish(), body.to_owned().into(), LIMITS)
            .await
            .unwrap_or_default();
        method(&pairs)
    }

    const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

    #[tokio::test]
    async fn a_mail_program_may_use_either_encoding() {
        assert_eq!(
            said(FORM, "List-Unsubscribe=One-Click").await,
            Some(Method::OneClick)
        );
        let multipart =
            "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
        assert_eq!(
            said(Some("multipart/form-data; boundary=b"), multipart).await,
            Some(Method::OneClick)
        );
    }

    #[tokio::test]
    async fn the_page_has_its_own_button() {
        assert_eq!(said(FORM, "confirm=1").await, Some(Method::UnsubscribePage));
    }

    #[tokio::test]
    async fn a_body_that_says_nothing_unsubscribes_nobody() {
        assert_eq!(said(FORM, "").await, None);
        assert_eq!(said(FORM, "List-Unsubscribe=Maybe").await, None);
        assert_eq!(said(FORM, "confirm=0").await, None);
        assert_eq!(said(Some("application/json"), "{\"confirm\":1}").await, None);
        assert_eq!(
            said(Some("multipart/form-data; boundary=b"), "--b\r\nbroken").await,
            None
        );
        assert_eq!(said(None, "").await, None);
    }

    #[tokio::test]
    async fn a_body_beyond_the_limit_is_not_read() {
        let body = "a".repeat(MAX_BODY_BYTES + 1);
        let req = Request::builder()
            .content_type("application/x-www-form-urlencoded")
            .finish();
        assert!(matches!(
            posted::pairs(&req, body.into(), LIMITS).await,
            Err(Unreadable::TooLarge)
        ));
    }
}
