//! The hosted forms: `/f/{slug}` as a page that works without scripts, and as JSON for pages that bring their own.
//!
//! Both parse what was sent, call one operation and answer. The page answers with a redirect, so that reloading does
//! not send again; nothing personal ever stands in an address.

mod json;
pub(crate) mod later;
mod page;
mod phrases;
pub(crate) mod posted;
mod submit;
pub(crate) mod visit;

use std::sync::Arc;

use domain::error::{Code, Refusal};
use domain::lead::inquiry::ConsentAnswer;
use domain::playbook::Playbook;
use entity::form;
use poem::http::{HeaderValue, StatusCode, header};
use poem::web::{Data, Path};
use poem::{Body, EndpointExt, IntoEndpoint, Request, Response, Route, get, handler};

use self::later::Door;
use self::page::Typed;
use self::posted::{Limits, Unreadable};
use self::submit::Store;
use crate::limit::{Client, Limiter};
use crate::pages;
use crate::phrases::Phrases;
use crate::state::Api;
use crate::tongue::Tongue;

/// The hidden field that people never fill in and programs do.
const TRAP: &str = "homepage_url";
/// Names of the ticked consents, by the id of their wording.
const CONSENTS: &str = "consents";
/// Names of the consents that were shown.
const CONSENTS_SHOWN: &str = "consents_shown";

/// Name of the buttons that do not send the form. No field can have it: names of fields have no hyphen.
const LATER: &str = "finish-later";
/// Value of the button that saves what was typed.
const SAVE: &str = "save";
/// Value of the button that has it forgotten.
const FORGET: &str = "forget";

/// The routes below `/f`.
pub(crate) fn routes(limiter: Arc<Limiter>) -> impl IntoEndpoint<Endpoint: 'static> + use<> {
    Route::new()
        .at(
            "/:slug",
            pages::allows(
                "GET, HEAD, POST, OPTIONS",
                get(show).post(take).options(preflight),
            ),
        )
        .at("/:slug/thanks", pages::allows(pages::LOOK, get(thanks)))
        .at("/:slug/saved", pages::allows(pages::LOOK, get(saved)))
        .data(limiter)
}

/// The active form of this name.
fn find<'a>(playbook: &'a Playbook, slug: &str) -> Option<&'a form::Model> {
    playbook
        .form_by_slug
        .get(slug)
        .and_then(|id| playbook.forms.get(id))
}

fn count(outcome: &'static str) {
    metrics::counter!("leadward_form_posts_total", "outcome" => outcome).increment(1);
}

#[handler]
async fn show(Data(api): Data<&Api>, Path(slug): Path<String>, tongue: Tongue, req: &Request) -> Response {
    let mut response = match api.hospital.playbook().await {
        Err(error) => pages::fault(&api.hospital.site, tongue, "a form", &error),
        Ok(playbook) => match find(&playbook, &slug) {
            None if wants_json(req) => json::not_found(),
            None => pages::not_found(&api.hospital.site, tongue),
            Some(form) if wants_json(req) => json::config(&api.hospital.site, &playbook, form),
            Some(form) => {
                let kept = visit::kept_of_landing(req, &api.hospital.site.public_url, &form.slug);
                page::form(
                    api,
                    &playbook,
                    form,
                    StatusCode::OK,
                    &Typed {
                        kept,
                        ..Typed::default()
                    },
                    &[],
                )
            }
        },
    };
    response
        .headers_mut()
        .append(header::VARY, HeaderValue::from_static("accept"));
    shared_with(api, req.header(header::ORIGIN), response)
}

#[handler]
async fn thanks(Data(api): Data<&Api>, Path(slug): Path<String>, tongue: Tongue) -> Response {
    match api.hospital.playbook().await {
        Err(error) => pages::fault(&api.hospital.site, tongue, "a form's thanks", &error),
        Ok(playbook) => match find(&playbook, &slug) {
            None => pages::not_found(&api.hospital.site, tongue),
            Some(form) => page::thanks(api, form),
        },
    }
}

#[handler]
async fn saved(Data(api): Data<&Api>, Path(slug): Path<String>, tongue: Tongue) -> Response {
    match api.hospital.playbook().await {
        Err(error) => pages::fault(&api.hospital.site, tongue, "the page after a saved form", &error),
        Ok(playbook) => match find(&playbook, &slug).filter(|form| form.finish_later().is_some()) {
            None => pages::not_found(&api.hospital.site, tongue),
            Some(form) => page::saved(api, form),
        },
    }
}

/// Tells a browser that a page of another site may post JSON here.
#[handler]
async fn preflight(Data(api): Data<&Api>, req: &Request) -> Response {
    let mut response = Response::builder().status(StatusCode::NO_CONTENT).finish();
    pages::set(&mut response, header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST");
    pages::set(
        &mut response,
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "content-type, idempotency-key",
    );
    pages::set(&mut response, header::ACCESS_CONTROL_MAX_AGE, "600");
    shared_with(api, req.header(header::ORIGIN), response)
}

/// Lets pages of the origins in the settings read the answer. No cookie is ever asked for.
fn shared_with(api: &Api, origin: Option<&str>, mut response: Response) -> Response {
    response
        .headers_mut()
        .append(header::VARY, HeaderValue::from_static("origin"));
    let known = origin.filter(|origin| api.settings.cors_origins.iter().any(|allowed| allowed == origin));
    if let Some(origin) = known.and_then(|origin| HeaderValue::from_str(origin).ok()) {
        response
            .headers_mut()
            .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        pages::set(
            &mut response,
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            "retry-after",
        );
    }
    response
}

/// Whether the client would rather have JSON than a page.
fn wants_json(req: &Request) -> bool {
    let accepts = |wanted: &str| {
        let kinds = req.header(header::ACCEPT).unwrap_or_default().split(',');
        kinds
            .filter_map(|kind| kind.split(';').next())
            .any(|kind| kind.trim().eq_ignore_ascii_case(wanted))
    };
    accepts("application/json") && !accepts("text/html")
}

#[handler]
async fn take(
    Data(api): Data<&Api>,
    Data(limiter): Data<&Arc<Limiter>>,
    Path(slug): Path<String>,
    req: &Request,
    body: Body,
) -> Response {
    let as_json = posted::media_type(req).as_deref() == Some("application/json");
    let tongue = Tongue::asked_by(req);
    let response = match limiter.check(Client::of(req, api.settings.trust_proxy)) {
        Err(wait_secs) => too_often(api, tongue, wait_secs, as_json),
        Ok(()) => match api.hospital.playbook().await {
            Err(error) if as_json => json::failed(&error),
            Err(error) => pages::fault(&api.hospital.site, tongue, "a form", &error),
            Ok(playbook) => match find(&playbook, &slug) {
                None if as_json => json::not_found(),
                None => pages::not_found(&api.hospital.site, tongue),
                Some(form) if as_json => json::submit(api, &playbook, form, req, body).await,
                Some(form) => submit_page(api, &playbook, form, req, body).await,
            },
        },
    };
    shared_with(api, req.header(header::ORIGIN), response)
}

fn too_often(api: &Api, tongue: Tongue, wait_secs: u64, as_json: bool) -> Response {
    count("limited");
    if !as_json {
        return pages::wait(&api.hospital.site, tongue, wait_secs);
    }
    let mut response = json::error(
        StatusCode::TOO_MANY_REQUESTS,
        "RATE_LIMITED",
        "There were too many posts from this address. Wait, and send it again.",
    );
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(wait_secs));
    response
}

/// A form that a browser sent.
async fn submit_page(
    api: &Api,
    playbook: &Playbook,
    form: &form::Model,
    req: &Request,
    body: Body,
) -> Response {
    let query = req.uri().query().unwrap_or_default();
    let pairs = match pairs_of(api, Tongue::of(&form.language), req, body).await {
        Ok(pairs) => pairs,
        Err(response) => return response,
    };
    let typed = typed(form, pairs, query);
    if typed.trapped {
        // The program is told that all went well, so that it does not try another way.
        count("trapped");
        return page::to_thanks(form);
    }
    let store = Store {
        api,
        playbook,
        form,
        consent_evidence: submit::evidence(api, req, submit::UNTICKED),
    };
    Door { store, kept: None }.answer(typed).await
}

/// Names and values out of the body, or the page that says why it cannot be read.
async fn pairs_of(
    api: &Api,
    tongue: Tongue,
    req: &Request,
    body: Body,
) -> Result<Vec<(String, String)>, Response> {
    let site = &api.hospital.site;
    let unreadable = match posted::pairs(req, body, Limits::of(&api.settings)).await {
        Ok(pairs) => return Ok(pairs),
        Err(unreadable) => unreadable,
    };
    count("unreadable");
    Err(match unreadable {
        Unreadable::TooLarge => pages::too_large(site, tongue),
        Unreadable::TooSlow => pages::too_slow(site, tongue),
        Unreadable::Malformed => pages::unreadable(site, tongue),
        Unreadable::UnknownType => {
            let say = Phrases::of(tongue);
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            pages::problem(site, tongue, status, say.wrong_type, say.wrong_type_why)
        }
    })
}

/// Which button of a form was pressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pressed {
    /// The one that sends it.
    #[default]
    Send,
    /// The one that saves it, to be finished later.
    Save,
    /// The one that has what was saved forgotten.
    Forget,
}

/// Sorts what a browser sent into the form's fields, consents and what was kept of the visit.
fn typed(form: &form::Model, pairs: Vec<(String, String)>, query: &str) -> Typed {
    let mut typed = Typed {
        kept: visit::kept_of_query(query),
        ..Typed::default()
    };
    let mut ticked = Vec::new();
    let mut shown = Vec::new();
    for (name, value) in pairs {
        // A field of the form's own comes first, whatever it is called.
        if form.fields.0.iter().any(|field| field.name == name) {
            typed.fields.push((name, value));
        } else if name == TRAP {
            typed.trapped |= !value.trim().is_empty();
        } else if name == CONSENTS {
            ticked.push(value);
        } else if name == CONSENTS_SHOWN {
            shown.push(value);
        } else if visit::is_kept(&name) {
            visit::keep(&mut typed.kept, name, value);
        } else if name == LATER && form.finish_later().is_some() {
            typed.pressed = match value.as_str() {
                FORGET => Pressed::Forget,
                _ => Pressed::Save,
            };
        } else {
            typed.fields.push((name, value));
        }
    }
    // A box that was shown and not ticked is a no, which is written down as well.
    let asked = shown.iter().chain(ticked.iter().filter(|id| !shown.contains(id)));
    for id in asked {
        match id.parse() {
            Ok(wording_id) => typed.consents.push(ConsentAnswer {
                wording_id,
                granted: ticked.contains(id),
            }),
            Err(_) => {
                typed.wrong.push(Refusal::new(
                    Code::NotFound,
                    CONSENTS,
                    "This consent text is not known here.",
                ));
            }
        }
    }
    typed
}

#[cfg(test)]
mod tests;
