//! The link that confirms a consent: `/c/{token}`.
//!
//! Looking never confirms, because mail scanners follow links before people do; the button does. The page speaks the
//! contact's language and shows the very texts that are confirmed.

use askama::Template;
use domain::consent::opt_in::{self, LinkShows, State};
use domain::hospital::Site;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, RouteMethod, get, handler};

use crate::forms::posted::{self, Limits, Unreadable};
use crate::pages::{self, Frame, Framed};
use crate::state::Api;
use crate::tongue::Tongue;

/// Largest body of a confirmation in bytes; the real one has nine.
const MAX_BODY_BYTES: usize = 8 * 1024;

/// The routes of `/c/:token`.
pub fn routes() -> RouteMethod {
    get(show).post(confirm)
}

/// The words of the page in one language.
struct Words {
    ask: &'static str,
    ask_intro: &'static str,
    button: &'static str,
    not_you: &'static str,
    given: &'static str,
    given_text: &'static str,
    over: &'static str,
    over_text: &'static str,
}

const ENGLISH: Words = Words {
    ask: "Confirm your choice",
    ask_intro: "You agreed to this on a form. Press the button to confirm it.",
    button: "Yes, I agree",
    not_you: "If this was not you, close this page. You get no more mail about it.",
    given: "Thank you, it is confirmed",
    given_text: "You can take it back at any time, by the link in every mail.",
    over: "This link has ended",
    over_text: "It was not confirmed in time, or was taken back. Nothing is sent to you on it. To agree, fill in the form \
                again.",
};

const SPANISH: Words = Words {
    ask: "Confirme su elección",
    ask_intro: "Usted aceptó esto en un formulario. Pulse el botón para confirmarlo.",
    button: "Sí, acepto",
    not_you: "Si no fue usted, cierre esta página. No recibirá más correos sobre esto.",
    given: "Gracias, está confirmado",
    given_text: "Puede retirarlo en cualquier momento con el enlace de cada correo.",
    over: "Este enlace ha terminado",
    over_text: "No se confirmó a tiempo o se retiró. No se le envía nada por ello. Para aceptar, rellene de nuevo el \
                formulario.",
};

#[derive(Template)]
#[template(path = "opt_in.html")]
struct OptInPage<'a> {
    frame: Frame<'a>,
    words: &'static Words,
    texts: &'a [String],
    token: &'a str,
    state: State,
}

#[handler]
async fn show(Data(api): Data<&Api>, Path(token): Path<String>, req: &Request) -> Response {
    let site = &api.hospital.site;
    let asked = Tongue::asked_by(req);
    let response = match opt_in::look_up(&api.hospital, &token).await {
        Ok(shows) => shown(site, &token, &shows),
        Err(error) => pages::failed(site, asked, "the page that confirms a consent", &error),
    };
    pages::unindexed(response)
}

#[handler]
async fn confirm(Data(api): Data<&Api>, Path(token): Path<String>, req: &Request, body: Body) -> Response {
    pages::unindexed(confirmed(api, &token, req, body).await)
}

async fn confirmed(api: &Api, token: &str, req: &Request, body: Body) -> Response {
    let site = &api.hospital.site;
    let asked = Tongue::asked_by(req);
    let limits = Limits {
        max_bytes: MAX_BODY_BYTES,
        ..Limits::of(&api.settings)
    };
    let says_yes = match posted::pairs(req, body, limits).await {
        Ok(pairs) => pairs
            .iter()
            .any(|(name, value)| name == "confirm" && value == "1"),
        Err(Unreadable::TooLarge) => return pages::too_large(site, asked),
        Err(Unreadable::TooSlow) => return pages::too_slow(site, asked),
        Err(Unreadable::Malformed | Unreadable::UnknownType) => false,
    };
    if !says_yes {
        return pages::unreadable(site, asked);
    }
    match opt_in::confirm(&api.hospital, token).await {
        Ok(done) => {
            let confirmed = api.pass_on(done);
            let outcome = match (confirmed.now, confirmed.shows.state) {
                (true, _) => "stored",
                (false, State::Given) => "repeated",
                (false, _) => "over",
            };
            metrics::counter!("leadward_opt_ins_total", "outcome" => outcome).increment(1);
            shown(site, token, &confirmed.shows)
        }
        Err(error) => pages::failed(site, asked, "a confirmation of consent", &error),
    }
}

fn shown(site: &Site, token: &str, shows: &LinkShows) -> Response {
    let tongue = Tongue::of(&shows.language);
    let words = match tongue {
        Tongue::English => &ENGLISH,
        Tongue::Spanish => &SPANISH,
    };
    let page = OptInPage {
        frame: Frame::of(site, tongue),
        words,
        texts: &shows.texts,
        token,
        state: shows.state,
    };
    pages::page(StatusCode::OK, &page, Framed::Never)
}
