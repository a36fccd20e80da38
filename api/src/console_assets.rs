//! The built web console, inside the binary: the GraphQL explorer and its scripts.
//!
//! The folder may be absent when this crate is built, so that the server can be built without Node; the page then says
//! how to build it.

use askama::Template;
use domain::hospital::Site;
use poem::http::{HeaderValue, StatusCode, header};
use poem::web::Path;
use poem::{Request, Response, handler};
use rust_embed::RustEmbed;

use crate::pages::{self, Frame, Framed};
use crate::state::Api;
use crate::tongue::Tongue;

/// What the explorer's page may do: run its own scripts, and ask its own server.
const CONSOLE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; font-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

#[derive(RustEmbed)]
#[folder = "../console/dist"]
#[allow_missing = true]
struct Dist;

/// `GET /assets/console/{file}`. Every file carries its hash in its name, so it never changes.
#[handler]
pub fn asset(Path(file): Path<String>) -> Response {
    let Some(found) = Dist::get(&format!("assets/{file}")) else {
        return Response::builder()
            .status(StatusCode::NOT_FOUND)
            .content_type("text/plain")
            .body("Not found\n");
    };
    let content_type = found.metadata.mimetype().to_owned();
    let mut response = Response::builder()
        .content_type(content_type)
        .body(found.data.into_owned());
    pages::set(
        &mut response,
        header::CACHE_CONTROL,
        "public, max-age=31536000, immutable",
    );
    pages::set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

#[derive(Template)]
#[template(path = "console_missing.html")]
struct MissingPage<'a> {
    frame: Frame<'a>,
}

/// The GraphQL explorer, for a browser that opens `GET /graphql`.
pub fn graphiql_page(req: &Request) -> Response {
    let Some(found) = Dist::get("graphiql/index.html") else {
        return missing(req);
    };
    let mut response = Response::builder()
        .content_type("text/html; charset=utf-8")
        .body(found.data.into_owned());
    pages::guard(&mut response, Framed::Never);
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(CONSOLE_POLICY),
    );
    response
}

fn missing(req: &Request) -> Response {
    let site = req.data::<Api>().map(|api| api.hospital.site.clone());
    let nameless = Site {
        public_url: String::new(),
        mail_from: String::new(),
        postal_address: String::new(),
        name: "Leadward".to_owned(),
    };
    let frame = Frame::of(site.as_deref().unwrap_or(&nameless), Tongue::English);
    pages::page(StatusCode::OK, &MissingPage { frame }, Framed::Never)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_explorer_or_the_page_in_its_place_may_not_load_from_elsewhere() {
        let response = graphiql_page(&Request::default());
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(!policy.contains("http") && !policy.contains("unsafe"), "{policy}");
    }
}
