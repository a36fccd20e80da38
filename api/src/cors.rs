//! Which pages of other sites may call GraphQL from a browser: those of the origins in the settings, and no others.

use std::sync::Arc;

use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, Request, Response};

use crate::state::{Api, ApiSettings};

/// Headers that a page may send.
const HEADERS: &str = "accept, authorization, content-type, idempotency-key, x-csrf-token, x-request-id";

/// An endpoint that is shared with the origins in the settings.
pub(crate) struct Shared<E> {
    settings: Arc<ApiSettings>,
    inner: E,
}

impl<E> Shared<E> {
    pub(crate) fn new(api: &Api, inner: E) -> Self {
        Self {
            settings: Arc::clone(&api.settings),
            inner,
        }
    }
}

impl<E: Endpoint<Output = Response>> Endpoint for Shared<E> {
    type Output = Response;

    async fn call(&self, req: Request) -> poem::Result<Response> {
        let origin = req
            .header(header::ORIGIN)
            .filter(|origin| is_known(&self.settings, origin))
            .map(str::to_owned);
        let asks_first =
            req.method() == Method::OPTIONS && req.header(header::ACCESS_CONTROL_REQUEST_METHOD).is_some();
        let mut response = if asks_first {
            may_send(origin.is_some())
        } else {
            self.inner.call(req).await?
        };
        if self.settings.cors_origins.is_empty() {
            return Ok(response);
        }
        let headers = response.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = origin.and_then(|origin| HeaderValue::from_str(&origin).ok()) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            );
            headers.insert(
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("x-request-id"),
            );
        }
        Ok(response)
    }
}

fn is_known(settings: &ApiSettings, origin: &str) -> bool {
    settings.cors_origins.iter().any(|known| known == origin)
}

/// Answers a browser that asks before it sends.
fn may_send(known: bool) -> Response {
    if !known {
        return Response::builder()
            .status(StatusCode::FORBIDDEN)
            .body("This page may not call.\n");
    }
    Response::builder()
        .status(StatusCode::NO_CONTENT)
        .header(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST")
        .header(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS)
        .header(header::ACCESS_CONTROL_MAX_AGE, "600")
        .finish()
}
