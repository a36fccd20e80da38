//! What every request passes first: an id, a limit, headers that keep pages to themselves, one line in the log and one
//! count in the metrics. The line names the route's pattern and never the address, which may hold a token.

use std::sync::Arc;
use std::time::Instant;

use domain::id::new_id;
use entity::id::TypedId;
use poem::error::{NotFoundError, ParsePathError};
use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem::middleware::{Compression, CompressionEndpoint};
use poem::web::CompressionLevel;
use poem::{Endpoint, Middleware, PathPattern, Request, Response};
use uuid::Uuid;

use crate::pages;
use crate::routes::{RequestId, wants_stream};
use crate::state::Api;
use crate::tongue::Tongue;

/// The header of the request's id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id of a request that is taken over from the client or the proxy.
const ID_MAX: usize = 128;

/// The outermost layer.
pub(crate) struct Front<E> {
    api: Api,
    inner: E,
}

impl<E> Front<E> {
    pub(crate) const fn new(api: Api, inner: E) -> Self {
        Self { api, inner }
    }
}

/// The id of a request that came without one.
#[derive(Clone, Copy)]
struct NewRequestId(Uuid);

impl TypedId for NewRequestId {
    const PREFIX: &'static str = "req";

    fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    fn uuid(self) -> Uuid {
        self.0
    }
}

impl<E: Endpoint<Output = Response>> Front<E> {
    fn request_id(&self, req: &Request) -> RequestId {
        let sent = req.header(&REQUEST_ID).filter(|id| is_well_formed(id));
        let id = sent.map_or_else(
            || {
                new_id::<NewRequestId>(self.api.hospital.now())
                    .0
                    .simple()
                    .to_string()
            },
            str::to_owned,
        );
        RequestId(Arc::from(id))
    }

    async fn answer(&self, req: Request) -> Response {
        let tongue = Tongue::asked_by(&req);
        match self.inner.call(req).await {
            Ok(response) => response,
            // An address with bytes that are no text leads nowhere either.
            Err(error) if error.is::<NotFoundError>() || error.is::<ParsePathError>() => {
                let pattern = error.data::<PathPattern>().cloned();
                let mut response = pages::not_found(&self.api.hospital.site, tongue);
                if let Some(pattern) = pattern {
                    response.extensions_mut().insert(pattern);
                }
                response
            }
            Err(error) => error.into_response(),
        }
    }
}

impl<E: Endpoint<Output = Response>> Endpoint for Front<E> {
    type Output = Response;

    async fn call(&self, mut req: Request) -> poem::Result<Response> {
        let began = Instant::now();
        let id = self.request_id(&req);
        let method = req.method().clone();
        req.extensions_mut().insert(id.clone());
        let mut response = self.answer(req).await;
        let route = response
            .extensions()
            .get::<PathPattern>()
            .map_or_else(|| "none".to_owned(), |p| p.0.to_string());
        let status = response.status().as_u16();
        let took = began.elapsed();
        metrics::counter!("leadward_http_requests_total", "route" => route.clone(), "status" => status.to_string())
            .increment(1);
        metrics::histogram!("leadward_http_request_seconds", "route" => route.clone())
            .record(took.as_secs_f64());
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(request_id = %id, %method, route, status, ms, "answered a request");
        if let Ok(id) = HeaderValue::from_str(&id.0) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        self.guard(&mut response);
        Ok(response)
    }
}

impl<E> Front<E> {
    /// Headers for whatever has not set its own.
    fn guard(&self, response: &mut Response) {
        let defaults = [
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
            (
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
            ),
        ];
        for (name, value) in defaults {
            response
                .headers_mut()
                .entry(name)
                .or_insert(HeaderValue::from_static(value));
        }
        if self.api.settings.secure_cookies {
            let year = HeaderValue::from_static("max-age=31536000");
            response
                .headers_mut()
                .entry(header::STRICT_TRANSPORT_SECURITY)
                .or_insert(year);
        }
    }
}

/// Whether an id may stand in the log: short, and without anything that could be taken for something else.
fn is_well_formed(id: &str) -> bool {
    (8..=ID_MAX).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// Compresses answers, but never a stream.
pub(crate) struct Squeezed<E: Endpoint> {
    plain: Arc<E>,
    squeezed: CompressionEndpoint<Arc<E>>,
}

impl<E: Endpoint> Squeezed<E> {
    pub(crate) fn new(inner: E) -> Self {
        let plain = Arc::new(inner);
        let squeezed = Compression::new()
            .with_quality(CompressionLevel::Fastest)
            .transform(Arc::clone(&plain));
        Self { plain, squeezed }
    }
}

impl<E: Endpoint<Output = Response>> Endpoint for Squeezed<E> {
    type Output = Response;

    async fn call(&self, req: Request) -> poem::Result<Response> {
        if wants_stream(&req) {
            return self.plain.call(req).await;
        }
        let mut response = self.squeezed.call(req).await?;
        if response.status() == StatusCode::NOT_MODIFIED {
            response.headers_mut().remove(header::CONTENT_ENCODING);
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_from_outside_is_taken_only_if_it_cannot_mislead() {
        assert!(is_well_formed("0190c5e2-1b7d-7c3e-9a55-5f0c2f7e8d11"));
        assert!(!is_well_formed("short"));
        assert!(!is_well_formed("id with spaces"));
        assert!(!is_well_formed("line\nbreak-12345"));
        assert!(!is_well_formed(&"a".repeat(200)));
    }
}
