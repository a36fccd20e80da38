//! What every page shares: the frame around it, its headers, its style sheet, and the pages that say no.
//!
//! The pages work without scripts and load nothing from elsewhere, and their Content-Security-Policy holds them to it.
//! None of them may be kept by a cache: a form carries its visitor's campaign and, after an error, what was typed.

use std::sync::LazyLock;

use askama::Template;
use domain::error::{Chain, Error};
use domain::hospital::Site;
use poem::error::{MethodNotAllowedError, ResponseError};
use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem::web::Data;
use poem::{Endpoint, EndpointExt, Request, Response, handler};
use sha2::{Digest, Sha256};

use crate::phrases::{Phrases, fill};
use crate::state::Api;
use crate::tongue::Tongue;

const SITE_CSS: &str = include_str!("../assets/site.css");
const ICON: &str = include_str!("../assets/icon.svg");
/// Methods of a page that can only be looked at.
pub(crate) const LOOK: &str = "GET, HEAD";
/// Methods of a page with a button.
pub(crate) const PAGE: &str = "GET, HEAD, POST";
/// Hexadecimal digits of the hash that names a version of the style sheet.
const VERSION_CHARS: usize = 12;

static CSS_VERSION: LazyLock<String> = LazyLock::new(|| {
    hex::encode(Sha256::digest(SITE_CSS))
        .split_at(VERSION_CHARS)
        .0
        .to_owned()
});
static CSS_PATH: LazyLock<String> = LazyLock::new(|| format!("/assets/site.css?v={}", *CSS_VERSION));

/// Parts of the frame that differ from page to page.
#[derive(Clone, Debug)]
pub(crate) struct Frame<'a> {
    /// BCP 47 tag of the page.
    pub lang: &'a str,
    /// Name of the hospital.
    pub hospital: &'a str,
    /// The hospital's postal address.
    pub address: &'a str,
    /// Where the style sheet lies.
    pub css: &'static str,
    /// The link past the header.
    pub skip: &'a str,
    /// Whether search engines are to leave the page out.
    pub noindex: bool,
}

impl<'a> Frame<'a> {
    /// The frame of a page that search engines leave out.
    pub fn of(site: &'a Site, tongue: Tongue) -> Self {
        Self {
            lang: tongue.tag(),
            hospital: &site.name,
            address: &site.postal_address,
            css: &CSS_PATH,
            skip: Phrases::of(tongue).skip,
            noindex: true,
        }
    }
}

/// Which pages of other sites may show a page in a frame.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Framed<'a> {
    /// None.
    Never,
    /// Those of these origins, so that a hospital's site can embed a form.
    By(&'a [String]),
}

/// Answers with a page.
pub(crate) fn page(status: StatusCode, template: &impl Template, framed: Framed<'_>) -> Response {
    match template.render() {
        Ok(html) => html_response(status, html, framed),
        Err(error) => {
            tracing::error!(error = %Chain(&error), "a page could not be rendered");
            Response::builder()
                .status(StatusCode::INTERNAL_SERVER_ERROR)
                .body("Something went wrong on our side.")
        }
    }
}

fn html_response(status: StatusCode, html: String, framed: Framed<'_>) -> Response {
    let mut response = Response::builder()
        .status(status)
        .content_type("text/html; charset=utf-8")
        .body(html);
    guard(&mut response, framed);
    response
}

/// Sets the headers that keep a page to itself.
pub(crate) fn guard(response: &mut Response, framed: Framed<'_>) {
    let ancestors = match framed {
        Framed::Never => "'none'".to_owned(),
        Framed::By(origins) => std::iter::once("'self'")
            .chain(origins.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join(" "),
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors {ancestors}"
    );
    let headers = response.headers_mut();
    match HeaderValue::from_str(&policy) {
        Ok(policy) => drop(headers.insert(header::CONTENT_SECURITY_POLICY, policy)),
        Err(_) => tracing::error!("an origin in the settings cannot stand in a header"),
    }
    if matches!(framed, Framed::Never) {
        set(response, header::X_FRAME_OPTIONS, "DENY");
    }
    set(response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // A page's address may name a service line, which is nobody's business.
    set(response, header::REFERRER_POLICY, "no-referrer");
    set(response, header::CACHE_CONTROL, "no-store");
}

/// Sets one header.
pub(crate) fn set(response: &mut Response, name: HeaderName, value: &'static str) {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    frame: Frame<'a>,
    heading: &'a str,
    text: &'a str,
    way_on: Option<(&'a str, &'a str)>,
}

/// A page that says what went wrong and how to go on.
pub(crate) fn problem(
    site: &Site,
    tongue: Tongue,
    status: StatusCode,
    heading: &str,
    text: &str,
) -> Response {
    let way_on = ("/", Phrases::of(tongue).first_page);
    news(site, tongue, status, [heading, text], way_on)
}

/// A page that says what has come of something, and where to go from there: an address and its words.
pub(crate) fn news(
    site: &Site,
    tongue: Tongue,
    status: StatusCode,
    [heading, text]: [&str; 2],
    way_on: (&str, &str),
) -> Response {
    page(
        status,
        &ProblemPage {
            frame: Frame::of(site, tongue),
            heading,
            text,
            way_on: Some(way_on),
        },
        Framed::Never,
    )
}

/// The page for an address that leads nowhere, or to what the caller may not see: the same answer.
pub fn not_found(site: &Site, tongue: Tongue) -> Response {
    let say = Phrases::of(tongue);
    problem(
        site,
        tongue,
        StatusCode::NOT_FOUND,
        say.not_found,
        say.not_found_why,
    )
}

/// The page for a request that is too large.
pub fn too_large(site: &Site, tongue: Tongue) -> Response {
    let say = Phrases::of(tongue);
    let status = StatusCode::PAYLOAD_TOO_LARGE;
    problem(site, tongue, status, say.too_large, say.too_large_why)
}

/// The page for a request that did not arrive in time.
pub fn too_slow(site: &Site, tongue: Tongue) -> Response {
    let say = Phrases::of(tongue);
    problem(
        site,
        tongue,
        StatusCode::REQUEST_TIMEOUT,
        say.too_slow,
        say.too_slow_why,
    )
}

/// The page for a request that cannot be read.
pub fn unreadable(site: &Site, tongue: Tongue) -> Response {
    let say = Phrases::of(tongue);
    problem(
        site,
        tongue,
        StatusCode::BAD_REQUEST,
        say.unreadable,
        say.unreadable_why,
    )
}

/// The page for a client that has posted too often.
pub(crate) fn wait(site: &Site, tongue: Tongue, wait_secs: u64) -> Response {
    let say = Phrases::of(tongue);
    let text = fill(say.wait_why, &[&wait_secs.to_string()]);
    let mut response = problem(site, tongue, StatusCode::TOO_MANY_REQUESTS, say.wait, &text);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(wait_secs));
    response
}

/// The page for a fault on our side, and the log line of its cause. `what` names what failed, for the log.
pub fn fault(site: &Site, tongue: Tongue, what: &'static str, error: &Error) -> Response {
    tracing::error!(what, error = %Chain(error), "a page failed");
    let say = Phrases::of(tongue);
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    problem(site, tongue, status, say.fault, say.fault_why)
}

/// The page for an operation that failed with no field to point at.
pub(crate) fn failed(site: &Site, tongue: Tongue, what: &'static str, error: &Error) -> Response {
    match error {
        Error::Missing { .. } => not_found(site, tongue),
        Error::Refused(_) => unreadable(site, tongue),
        Error::Fault(_) => fault(site, tongue, what, error),
    }
}

/// Answers a method that an address does not know with those that it knows (RFC 9110, section 15.5.6).
pub(crate) fn allows<E: Endpoint<Output: 'static> + 'static>(
    methods: &'static str,
    endpoint: E,
) -> impl Endpoint<Output: 'static> + 'static {
    endpoint.catch_error(move |error: MethodNotAllowedError| async move {
        let mut response = error.as_response();
        set(&mut response, header::ALLOW, methods);
        set(&mut response, header::CACHE_CONTROL, "no-store");
        response
    })
}

/// Tells search engines to leave out what only the holder of a link may see.
pub(crate) fn unindexed(mut response: Response) -> Response {
    set(&mut response, HeaderName::from_static("x-robots-tag"), "noindex");
    response
}

struct FormLink<'a> {
    slug: &'a str,
    title: &'a str,
    intro: &'a str,
    language: &'a str,
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage<'a> {
    frame: Frame<'a>,
    forms: Vec<FormLink<'a>>,
    mail_captured: bool,
}

/// `GET /`: the forms that can be filled in, and the ways in for staff.
#[handler]
pub async fn home(Data(api): Data<&Api>) -> Response {
    let site = &api.hospital.site;
    let playbook = match api.hospital.playbook().await {
        Ok(playbook) => playbook,
        Err(error) => return fault(site, Tongue::English, "the first page", &error),
    };
    let mut forms: Vec<FormLink<'_>> = playbook
        .forms
        .values()
        .map(|form| FormLink {
            slug: &form.slug,
            title: &form.title,
            intro: form.intro.lines().next().unwrap_or_default(),
            language: &form.language,
        })
        .collect();
    forms.sort_by_key(|form| (form.title, form.slug));
    let frame = Frame {
        noindex: false,
        ..Frame::of(site, Tongue::English)
    };
    page(
        StatusCode::OK,
        &HomePage {
            frame,
            forms,
            mail_captured: api.settings.mail_captured,
        },
        Framed::Never,
    )
}

/// `GET /assets/site.css`: the style sheet. Pages ask for it by its hash and browsers keep that for good; without the
/// hash it is checked again each time.
#[handler]
pub fn site_css(req: &Request) -> Response {
    let cache = if names_version(req) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    asset(req, "text/css; charset=utf-8", SITE_CSS, &CSS_VERSION, cache)
}

fn names_version(req: &Request) -> bool {
    req.uri().query().and_then(|query| query.strip_prefix("v=")) == Some(CSS_VERSION.as_str())
}

/// `GET /assets/icon.svg`: the icon of the pages.
#[handler]
pub fn icon(req: &Request) -> Response {
    asset(req, "image/svg+xml", ICON, "1", "public, max-age=86400")
}

/// A file, or the news that the browser has it already.
fn asset(
    req: &Request,
    content_type: &str,
    body: &'static str,
    version: &str,
    cache: &'static str,
) -> Response {
    let etag = format!("\"{version}\"");
    let known = req
        .header(header::IF_NONE_MATCH)
        .is_some_and(|sent| sent.contains(&etag));
    let mut response = if known {
        Response::builder().status(StatusCode::NOT_MODIFIED).finish()
    } else {
        Response::builder().content_type(content_type).body(body)
    };
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    set(&mut response, header::CACHE_CONTROL, cache);
    set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

/// Text of several paragraphs, cut at empty lines.
pub(crate) fn paragraphs(text: &str) -> Vec<&str> {
    text.split("\n\n")
        .map(str::trim)
        .filter(|paragraph| !paragraph.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(framed: Framed<'_>) -> String {
        let response = html_response(StatusCode::OK, String::new(), framed);
        response.headers()[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap()
            .to_owned()
    }

    #[test]
    fn a_page_runs_no_script_and_is_framed_only_by_those_named() {
        assert!(policy(Framed::Never).starts_with("default-src 'none'; style-src 'self';"));
        assert!(policy(Framed::Never).ends_with("frame-ancestors 'none'"));
        let origins = ["https://www.example.org".to_owned()];
        assert!(policy(Framed::By(&origins)).ends_with("frame-ancestors 'self' https://www.example.org"));
    }

    #[test]
    fn the_style_sheet_is_kept_for_good_only_under_its_own_hash() {
        let ask = |uri: &str| names_version(&Request::builder().uri_str(uri).finish());
        assert!(ask(&CSS_PATH));
        assert!(!ask("/assets/site.css?v=000000000000"));
        assert!(!ask("/assets/site.css"));
    }

    #[test]
    fn paragraphs_are_cut_at_empty_lines() {
        assert_eq!(paragraphs("one\ntwo\n\n\n three "), ["one\ntwo", "three"]);
    }
}
