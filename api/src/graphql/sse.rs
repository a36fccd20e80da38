//! Subscriptions by server-sent events, in the mode of distinct connections: `next` for each result, `complete` at the end.
//! <https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::once;
use poem::web::sse::{Event, SSE};
use poem::{IntoResponse, Response};

use super::ask::Ask;
use super::http::{Body, Door, Prepared};
use super::run;

/// How often a comment is sent, so that proxies do not take a quiet stream for a dead one.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Answers with a stream. Queries and mutations are streams of one result.
pub(super) fn respond(door: &Door, prepared: Prepared, ask: Arc<Ask>) -> Response {
    let results = run::stream(&door.schema, Arc::clone(&ask), prepared.kind, prepared.operation);
    let next = results
        .map(move |answer| Event::message(Body::of(&answer, ask.was_executed()).text()).event_type("next"));
    // A line without text: browsers drop an event that has no data line at all.
    let complete = once(async { Event::message("\n").event_type("complete") });
    SSE::new(next.chain(complete))
        .keep_alive(KEEP_ALIVE)
        .into_response()
}
