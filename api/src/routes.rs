//! Every address of the API in one place.

use std::fmt;
use std::sync::Arc;

use poem::http::Method;
use poem::{Endpoint, EndpointExt, Request, Response, Route, get};

use crate::front::{Front, Squeezed};
use crate::graphql::http::Door;
use crate::graphql::ws::Sockets;
use crate::limit::Limiter;
use crate::pages::{LOOK, PAGE, allows};
use crate::state::Api;
use crate::{
    calendar, clicks, console_assets, cors, forms, graphql, health, hooks, opt_in, outbox, pages,
    preferences, unsubscribe,
};

/// The id of a request: in the log, in internal errors and in the response's `x-request-id`.
#[derive(Clone, Debug)]
pub struct RequestId(pub(crate) Arc<str>);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// All routes of an installation.
pub fn routes(api: Api) -> impl Endpoint<Output = Response> {
    let limiter = Arc::new(Limiter::new(api.settings.form_posts_per_minute));
    let door = Door::new(api.clone(), graphql::schema(&api.settings), Arc::clone(&limiter));
    let routes = Route::new()
        .at("/", get(pages::home))
        .at("/graphql", cors::Shared::new(&api, door.clone()))
        .at("/graphql/ws", Sockets(door))
        .nest("/f", forms::routes(Arc::clone(&limiter)))
        .at(
            "/r/:token",
            allows(PAGE, forms::later::routes(Arc::clone(&limiter))),
        )
        .at("/p/:token", allows(PAGE, preferences::routes(limiter)))
        .at("/u/:token", allows(PAGE, unsubscribe::routes()))
        .at("/c/:token", allows(PAGE, opt_in::routes()))
        .at("/g/:token", allows(LOOK, clicks::routes()))
        .at("/calendar/:file", allows(LOOK, calendar::routes()))
        .at("/hooks/mail/:provider", allows("POST", hooks::routes()))
        .nest("/outbox", outbox::routes())
        .at("/assets/site.css", get(pages::site_css))
        .at("/assets/icon.svg", get(pages::icon))
        .at("/assets/console/:file", get(console_assets::asset));
    let routes = with_health(routes).data(api.clone()).map_to_response();
    Front::new(api, Squeezed::new(routes))
}

/// What a worker of its own serves: whether it is well, and what it has measured.
pub fn health_only(api: Api) -> impl Endpoint<Output = Response> {
    let routes = with_health(Route::new()).data(api.clone()).map_to_response();
    Front::new(api, routes)
}

fn with_health(routes: Route) -> Route {
    routes
        .at("/healthz", get(health::alive))
        .at("/readyz", get(health::ready))
        .at("/metrics", get(health::metrics))
}

/// Whether a request is for a stream, which must reach the client event by event.
pub(crate) fn wants_stream(req: &Request) -> bool {
    let accept = req.header("accept").unwrap_or_default();
    req.header("upgrade").is_some() || (req.method() != Method::HEAD && accept.contains("text/event-stream"))
}
