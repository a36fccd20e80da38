//! The way through an opaque link of a mail: `/g/{token}`.
//!
//! It leads on for everybody and at once, scanners included, and for as long as the mail is kept. What is written down of
//! it, and only while its reader allows that, is the link, the time, and how the request says that it was made; neither
//! an address nor the name of a browser is kept. That it could not be written down keeps nobody from going on.

use std::sync::Arc;

use domain::error::Chain;
use domain::outreach::click;
use entity::link_visit::VisitWay;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::web::{Data, Path};
use poem::{Endpoint, EndpointExt, Request, Response, get, handler};

use crate::limit::{Client, Limiter};
use crate::pages::{self, Framed};
use crate::state::Api;
use crate::tongue::Tongue;

/// Visits of one address in a minute that are written down. A house behind one address may read its mail at once; what is
/// beyond that is led on and leaves no trace.
const RECORDED_PER_MINUTE: u32 = 600;

/// Headers by which browsers and proxies say that nobody asked for the page yet.
const PREFETCHING: [&str; 4] = ["sec-purpose", "purpose", "x-purpose", "x-moz"];

/// Words by which programs name themselves, in lower case. Not the bare "bot": it is in the name of a telephone.
const PROGRAMS: [&str; 20] = [
    "bot/",
    "bot-",
    "bot;",
    "crawler",
    "spider",
    "scanner",
    "preview",
    "headless",
    "curl/",
    "wget/",
    "python",
    "java/",
    "go-http-client",
    "libwww",
    "barracuda",
    "proofpoint",
    "mimecast",
    "ciscosecure",
    "safelinks",
    "msoffice",
];

/// The routes of `/g/:token`.
pub(crate) fn routes() -> impl Endpoint<Output: 'static> + use<> {
    // Said for itself, or a HEAD would look like a GET.
    get(go).head(go).data(Arc::new(Limiter::new(RECORDED_PER_MINUTE)))
}

#[handler]
async fn go(
    Data(api): Data<&Api>,
    Data(limiter): Data<&Arc<Limiter>>,
    Path(token): Path<String>,
    asked: Tongue,
    req: &Request,
) -> Response {
    let response = match click::look_up(&api.hospital, &token).await {
        Ok(followed) => {
            if limiter.check(Client::of(req, api.settings.trust_proxy)).is_ok() {
                record(api, &followed, way(req)).await;
            }
            redirect(&followed.target)
        }
        Err(error) => pages::failed(&api.hospital.site, asked, "a link of a mail", &error),
    };
    pages::unindexed(response)
}

async fn record(api: &Api, followed: &click::Followed, way: VisitWay) {
    if let Err(error) = click::record(&api.hospital, followed, way).await {
        tracing::error!(error = %Chain(&error), "something could not be written down");
    }
}

/// Leads on. The address of the mail's link goes to nobody, and no cache keeps where it led.
fn redirect(target: &str) -> Response {
    let mut response = Response::builder().status(StatusCode::FOUND).finish();
    // Nothing else is found in a text, see the domain.
    if let Ok(target) = HeaderValue::from_str(target) {
        response.headers_mut().insert(header::LOCATION, target);
    }
    pages::guard(&mut response, Framed::Never);
    response
}

/// How a request says that it was made.
fn way(req: &Request) -> VisitWay {
    let header = |name: &str| req.header(name).unwrap_or_default().to_ascii_lowercase();
    let browser = header("user-agent");
    let fetches_ahead = |name: &&str| {
        let value = header(name);
        ["prefetch", "prerender", "preview"]
            .iter()
            .any(|word| value.contains(word))
    };
    if req.method() == Method::HEAD {
        VisitWay::Head
    } else if PREFETCHING.iter().any(fetches_ahead) {
        VisitWay::Prefetch
    } else if PROGRAMS.iter().any(|word| browser.contains(word)) {
        VisitWay::Program
    } else if header("sec-fetch-mode") == "navigate" && header("sec-fetch-dest") == "document" {
        VisitWay::Navigated
    } else {
        VisitWay::NotNavigated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAVIGATES: [(&str, &str); 2] = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];

    fn said(headers: &[(&str, &str)]) -> VisitWay {
        let mut req = Request::builder();
        for (name, value) in headers {
            req = req.header(*name, *value);
        }
        way(&req.finish())
    }

    fn with(more: (&'static str, &'static str)) -> VisitWay {
        said(&[NAVIGATES[0], NAVIGATES[1], more])
    }

    #[test]
    fn a_browser_that_goes_to_a_page_is_known_by_what_no_script_can_send() {
        let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15 Version/18.2 Safari/604.1";
        assert_eq!(with(("user-agent", iphone)), VisitWay::Navigated);
        assert_eq!(with(("sec-fetch-user", "?1")), VisitWay::Navigated);
        let telephone =
            "Mozilla/5.0 (Linux; Android 13; CUBOT NOTE 50 Build/TP1A) Chrome/131.0.0.0 Mobile Safari/537.36";
        assert_eq!(with(("user-agent", telephone)), VisitWay::Navigated);
        assert_eq!(said(&[("user-agent", iphone)]), VisitWay::NotNavigated);
        assert_eq!(
            said(&[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")]),
            VisitWay::NotNavigated
        );
    }

    #[test]
    fn a_program_that_says_so_is_one_whatever_else_it_sends() {
        for (name, value) in [
            ("sec-purpose", "prefetch;prerender"),
            ("Purpose", "prefetch"),
            ("x-moz", "prefetch"),
        ] {
            assert_eq!(with((name, value)), VisitWay::Prefetch, "{name}");
        }
        for browser in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Slackbot-LinkExpanding 1.0",
            "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/131.0.0.0 Safari/537.36",
            "python-requests/2.32",
            "Microsoft Office/16.0 (MSOffice 16)",
        ] {
            assert_eq!(with(("user-agent", browser)), VisitWay::Program, "{browser}");
        }
        let head = Request::builder()
            .method(Method::HEAD)
            .header("sec-fetch-mode", "navigate");
        assert_eq!(way(&head.finish()), VisitWay::Head);
    }
}
