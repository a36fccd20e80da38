//! The page on which people set what they hear of: `/p/{token}`.
//!
//! Looking changes nothing, because mail scanners follow links before people do. A POST saves the whole page or nothing.
//! The token in the address is the credential, so there is no cookie, and nothing that another site could ride on.

mod page;

use std::sync::Arc;

use domain::error::{Code, Error, Refusal};
use domain::preference::{self, Sent};
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Endpoint, EndpointExt, Request, Response, get, handler};

use self::page::News;
use crate::forms::posted::{self, Limits, Unreadable};
use crate::limit::{Client, Limiter};
use crate::pages;
use crate::state::Api;
use crate::tongue::Tongue;

/// Largest body of a post in bytes; a page with a hundred service lines has less than half.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// The name of the button that takes everything back.
const EVERYTHING: &str = "everything";

/// The routes of `/p/:token`.
pub(crate) fn routes(limiter: Arc<Limiter>) -> impl Endpoint<Output: 'static> + use<> {
    get(show).post(take).data(limiter)
}

#[handler]
async fn show(Data(api): Data<&Api>, Path(token): Path<String>, asked: Tongue) -> Response {
    let response = match preference::look(&api.hospital, &token, asked.tag()).await {
        Ok(shown) => page::page(api, &token, &shown, News::None),
        Err(error) => pages::failed(&api.hospital.site, asked, "the preference page", &error),
    };
    pages::unindexed(response)
}

#[handler]
async fn take(
    Data(api): Data<&Api>,
    Data(limiter): Data<&Arc<Limiter>>,
    Path(token): Path<String>,
    asked: Tongue,
    req: &Request,
    body: Body,
) -> Response {
    let (outcome, response) = taken(api, limiter, &token, asked, req, body).await;
    metrics::counter!("leadward_preference_posts_total", "outcome" => outcome).increment(1);
    pages::unindexed(response)
}

async fn taken(
    api: &Api,
    limiter: &Limiter,
    token: &str,
    asked: Tongue,
    req: &Request,
    body: Body,
) -> (&'static str, Response) {
    let site = &api.hospital.site;
    let limits = Limits {
        max_bytes: MAX_BODY_BYTES,
        ..Limits::of(&api.settings)
    };
    let pairs = match posted::pairs(req, body, limits).await {
        Ok(pairs) => pairs,
        Err(Unreadable::TooLarge) => return ("unreadable", pages::too_large(site, asked)),
        Err(Unreadable::TooSlow) => return ("unreadable", pages::too_slow(site, asked)),
        Err(Unreadable::Malformed | Unreadable::UnknownType) => {
            return ("unreadable", pages::unreadable(site, asked));
        }
    };
    // Nobody is made to wait for leaving.
    if pairs
        .iter()
        .any(|(name, value)| name == EVERYTHING && value == "1")
    {
        return match preference::stop_everything(&api.hospital, token, asked.tag()).await {
            Ok(done) => {
                let saved = api.pass_on(done);
                ("stopped", page::page(api, token, &saved.shown, News::Stopped))
            }
            Err(error) => failed(api, asked, &error),
        };
    }
    if let Err(wait_secs) = limiter.check(Client::of(req, api.settings.trust_proxy)) {
        return ("limited", pages::wait(site, asked, wait_secs));
    }
    save(api, token, asked, pairs).await
}

async fn save(
    api: &Api,
    token: &str,
    asked: Tongue,
    pairs: Vec<(String, String)>,
) -> (&'static str, Response) {
    let (sent, wrong) = read(pairs);
    let outcome = if wrong.is_empty() {
        preference::save(&api.hospital, token, asked.tag(), &sent).await
    } else {
        Err(Error::Refused(wrong))
    };
    let refusals = match outcome {
        Ok(done) => {
            let saved = api.pass_on(done);
            let (outcome, news) = if saved.changed {
                ("saved", News::Saved)
            } else {
                ("unchanged", News::Unchanged)
            };
            return (outcome, page::page(api, token, &saved.shown, news));
        }
        Err(Error::Refused(refusals)) => refusals,
        Err(error) => return failed(api, asked, &error),
    };
    // What holds now stands below the news, whatever the refused page said.
    match preference::look(&api.hospital, token, asked.tag()).await {
        Ok(shown)
            if refusals
                .iter()
                .any(|refusal| refusal.code == Code::VersionConflict) =>
        {
            ("stale", page::page(api, token, &shown, News::Stale))
        }
        Ok(shown) => {
            let news = News::Wrong {
                sent: &sent,
                refusals: &refusals,
            };
            ("refused", page::page(api, token, &shown, news))
        }
        Err(error) => failed(api, asked, &error),
    }
}

fn failed(api: &Api, asked: Tongue, error: &Error) -> (&'static str, Response) {
    let outcome = match error {
        Error::Missing { .. } => "unknown",
        Error::Refused(_) | Error::Fault(_) => "failed",
    };
    let response = pages::failed(&api.hospital.site, asked, "a preference page", error);
    (outcome, response)
}

/// Sorts what a browser sent, and what is wrong with its form.
fn read(pairs: Vec<(String, String)>) -> (Sent, Vec<Refusal>) {
    let mut sent = Sent::default();
    let mut version = None;
    let mut wrong = Vec::new();
    for (name, value) in pairs {
        let once = match name.as_str() {
            "allow" => {
                sent.allow.push(value);
                continue;
            }
            "lines" => {
                sent.lines.push(value);
                continue;
            }
            "version" => &mut version,
            "language" => &mut sent.language,
            "pause" => &mut sent.pause,
            "often" => &mut sent.often,
            _ => {
                // The name is the sender's own text and is not repeated in the page.
                wrong.push(Refusal::new(
                    Code::UnknownField,
                    "",
                    "This page has no such field.",
                ));
                continue;
            }
        };
        if once.replace(value).is_some() {
            wrong.push(Refusal::new(
                Code::Invalid,
                &name,
                "This was sent more than once.",
            ));
        }
    }
    sent.version = version.unwrap_or_default();
    wrong.dedup();
    (sent, wrong)
}

/// How a page is answered.
const fn status(news: &News<'_>) -> StatusCode {
    match news {
        News::Stale => StatusCode::CONFLICT,
        News::Wrong { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        News::None | News::Saved | News::Unchanged | News::Stopped => StatusCode::OK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn boxes_may_come_many_times_and_the_rest_once() {
        let (sent, wrong) = read(pairs(&[
            ("version", "v"),
            ("allow", "EMAIL.MARKETING"),
            ("allow", "PHONE.REMINDER"),
            ("often", "2"),
            ("pause", ""),
        ]));
        assert_eq!(wrong, []);
        assert_eq!(sent.allow, ["EMAIL.MARKETING", "PHONE.REMINDER"]);
        assert_eq!(
            (sent.often.as_deref(), sent.pause.as_deref()),
            (Some("2"), Some(""))
        );
        assert_eq!(sent.language, None);
    }

    #[test]
    fn what_the_page_does_not_have_is_refused_without_being_repeated() {
        let (_, wrong) = read(pairs(&[("often", "2"), ("often", "4"), ("admin", "yes")]));
        let told: Vec<_> = wrong
            .iter()
            .map(|refusal| (refusal.code, refusal.field.join(".")))
            .collect();
        assert_eq!(
            told,
            [
                (Code::Invalid, "often".to_owned()),
                (Code::UnknownField, String::new())
            ]
        );
    }
}
