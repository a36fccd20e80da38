//! GraphQL over HTTP: one address for queries, mutations, subscriptions by server-sent events, and the explorer.
//!
//! Status codes are those that the public audit of the GraphQL-over-HTTP draft checks: a request that could not be executed
//! has no `data` entry, and is 400 for clients that accept `application/graphql-response+json` and 200 for those that know
//! only `application/json`, where a status belongs to the transport.

mod accept;
mod documents;
pub(super) mod params;

use std::sync::Arc;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType,
};
use async_graphql::{Request as Operation, Response as Answer, ServerError};
use domain::error::Chain;
use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, Request, Response};
use serde::Serialize;

use self::accept::Media;
use self::documents::Documents;
use self::params::Params;
use super::ask::Ask;
use super::errors::{
    BAD_REQUEST, FORBIDDEN, IDEMPOTENCY_CONFLICT, IDEMPOTENCY_RUNNING, INTERNAL_SERVER_ERROR, NOT_FOUND,
    OPERATION_RESOLUTION_FAILURE, UNAUTHENTICATED, request_error,
};
use super::idempotency::{self, Stopped};
use super::{Schema, limits, run, sse};
use crate::console_assets;
use crate::forms::posted::Limits;
use crate::limit::{Limiter, Posts};
use crate::routes::RequestId;
use crate::state::Api;
use crate::viewer::{Caller, Credentials, Denied};

/// The door at `/graphql`.
#[derive(Clone)]
pub struct Door {
    pub(super) api: Api,
    pub(super) schema: Schema,
    limiter: Arc<Limiter>,
    documents: Documents,
}

/// A request that is not executed: the status, and why.
pub(super) struct Refused {
    status: StatusCode,
    /// Whether the status is the same for every media type: true for what is wrong with the request, false for what is
    /// wrong with the document.
    always: bool,
    error: Box<ServerError>,
    headers: Vec<(header::HeaderName, HeaderValue)>,
}

impl Refused {
    fn request(status: StatusCode, code: &str, message: &str) -> Self {
        Self {
            status,
            always: true,
            error: Box::new(request_error(code, message)),
            headers: Vec::new(),
        }
    }

    pub(super) fn document(error: ServerError) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            always: false,
            error: Box::new(error),
            headers: Vec::new(),
        }
    }

    /// A fault of the infrastructure, which the log tells more of.
    fn fault(request_id: &str) -> Self {
        let message = "Something went wrong on our side.";
        let mut refused = Self::request(StatusCode::INTERNAL_SERVER_ERROR, INTERNAL_SERVER_ERROR, message);
        refused
            .error
            .extensions
            .get_or_insert_default()
            .set("requestId", request_id);
        refused
    }

    fn with(mut self, name: header::HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    /// The error as a client of any transport is told.
    pub(super) fn into_error(self) -> ServerError {
        *self.error
    }
}

impl Door {
    /// The door of an installation.
    pub(crate) fn new(api: Api, schema: Schema, limiter: Arc<Limiter>) -> Self {
        Self {
            api,
            schema,
            limiter,
            documents: Documents::default(),
        }
    }

    async fn answer(&self, req: Request) -> Response {
        let accept = header_text(req.headers(), &header::ACCEPT);
        let is_get = req.method() == Method::GET;
        if !is_get && req.method() != Method::POST {
            let refused = Refused::request(StatusCode::METHOD_NOT_ALLOWED, BAD_REQUEST, "Use POST or GET.");
            return respond_refused(refused.with(header::ALLOW, "GET, POST"), Media::Json);
        }
        if is_get && accept::prefers_html(accept) && !params::has_query(&req) {
            return console_assets::graphiql_page(&req);
        }
        let Some(media) = accept::negotiate(accept) else {
            let message = "Accept application/graphql-response+json, application/json or text/event-stream.";
            return respond_refused(
                Refused::request(StatusCode::NOT_ACCEPTABLE, BAD_REQUEST, message),
                Media::Json,
            );
        };
        match self.execute(req, media).await {
            Ok(response) => response,
            Err(refused) => respond_refused(refused, media),
        }
    }

    async fn execute(&self, req: Request, media: Media) -> Result<Response, Refused> {
        let shown = Credentials::of_headers(req.headers());
        let request_id = req
            .data::<RequestId>()
            .map(ToString::to_string)
            .unwrap_or_default();
        let idempotency_key = req.header("idempotency-key").map(str::to_owned);
        let is_get = req.method() == Method::GET;
        let posts = self.posts(&req);
        let params = params::read(req, Limits::of(&self.api.settings)).await?;
        let caller = self.caller(&shown, &request_id).await?;
        let ask = Arc::new(Ask::new(
            self.api.clone(),
            caller,
            posts,
            request_id,
            idempotency_key,
        ));
        let prepared = self.prepare(params, &ask).await?;
        if is_get && prepared.kind == OperationType::Mutation {
            let message = "A mutation is sent by POST.";
            let refused = Refused::request(StatusCode::METHOD_NOT_ALLOWED, BAD_REQUEST, message);
            return Err(refused.with(header::ALLOW, "POST"));
        }
        if media == Media::EventStream
            && prepared.kind == OperationType::Mutation
            && ask.idempotency_key.is_some()
        {
            // A stream is not kept, and a key that is passed over in silence would be worse than none.
            let message = "A mutation with an Idempotency-Key is answered as JSON; accept that.";
            return Err(Refused::request(StatusCode::NOT_ACCEPTABLE, BAD_REQUEST, message));
        }
        if media == Media::EventStream {
            return Ok(sse::respond(self, prepared, ask));
        }
        if prepared.kind == OperationType::Subscription {
            let message = "Subscribe over the WebSocket at /graphql/ws, or accept text/event-stream.";
            return Err(Refused::document(request_error(BAD_REQUEST, message)));
        }
        let keep = prepared.keep.clone();
        let answer = match prepared.kind {
            OperationType::Mutation => {
                let done = idempotency::execute(&self.schema, &ask, prepared.operation).await;
                done.map_err(|why| stopped(&why, &ask.request_id))?
            }
            _ => run::execute(&self.schema, &ask, prepared.operation).await,
        };
        if let (Some(keep), true) = (keep, ask.was_executed()) {
            self.documents.keep(keep);
        }
        Ok(respond(&answer, ask.was_executed(), media))
    }

    /// The count of posts that a request is held against.
    pub(super) fn posts(&self, req: &Request) -> Posts {
        Posts::of(&self.limiter, req, self.api.settings.trust_proxy)
    }

    /// Who asks, by what was shown.
    async fn caller(&self, shown: &Credentials, request_id: &str) -> Result<Caller, Refused> {
        Caller::of(&self.api, shown).await.map_err(|denied| match denied {
            Denied::WrongToken => {
                let message = "The token is unknown, has expired, or was taken back.";
                Refused::request(StatusCode::UNAUTHORIZED, UNAUTHENTICATED, message)
                    .with(header::WWW_AUTHENTICATE, "Bearer")
            }
            Denied::WrongCsrf => {
                let message = "The CSRF token is not the one of this session. Read viewer.csrfToken again.";
                Refused::request(StatusCode::FORBIDDEN, FORBIDDEN, message)
            }
            Denied::Fault(error) => {
                tracing::error!(request_id, error = %Chain(&error), "nobody could be identified");
                Refused::fault(request_id)
            }
        })
    }

    /// Reads the document, picks the operation and checks it, so far as that can be done before execution.
    pub(super) async fn prepare(&self, params: Params, ask: &Arc<Ask>) -> Result<Prepared, Refused> {
        let found = self.documents.read(&params)?;
        let variables = params.variables.unwrap_or_default();
        let (name, operation) = pick(&found.document, params.operation_name.as_deref())?;
        let kind = operation.ty;
        let depth_max = self.api.settings.query_depth_max;
        limits::check(&found.document, operation, &variables, depth_max).map_err(Refused::document)?;
        if kind == OperationType::Mutation && !ask.caller.may_change {
            let message = "Send the session's CSRF token, viewer.csrfToken, as the header X-CSRF-Token.";
            return Err(Refused::request(StatusCode::FORBIDDEN, FORBIDDEN, message));
        }
        let mut request = Operation::new(found.text)
            .variables(variables)
            .data(Arc::clone(ask));
        if let Some(name) = name {
            request = request.operation_name(name);
        }
        request.set_parsed_query(found.document);
        Ok(Prepared {
            kind,
            operation: request,
            keep: found.keep,
        })
    }
}

/// Why a mutation under a key is not executed.
fn stopped(why: &Stopped, request_id: &str) -> Refused {
    match why {
        Stopped::WrongKey => {
            let message = "An Idempotency-Key is 1 to 255 printable characters, bare or in quotes.";
            Refused::request(StatusCode::BAD_REQUEST, BAD_REQUEST, message)
        }
        Stopped::Conflict => {
            let message = "Another request came with this Idempotency-Key; choose a new one.";
            Refused::request(StatusCode::UNPROCESSABLE_ENTITY, IDEMPOTENCY_CONFLICT, message)
        }
        Stopped::Running => {
            let message = "The same request is being carried out right now; ask again in a moment.";
            Refused::request(StatusCode::CONFLICT, IDEMPOTENCY_RUNNING, message)
                .with(header::RETRY_AFTER, "1")
        }
        Stopped::Erased => {
            let message =
                "This was carried out before; its answer was erased with the person that it told of.";
            Refused::request(StatusCode::GONE, NOT_FOUND, message)
        }
        Stopped::Fault(error) => {
            tracing::error!(request_id, error = %Chain(error), "a mutation could not be held against its key");
            Refused::fault(request_id)
        }
    }
}

/// An operation that may run.
pub(super) struct Prepared {
    /// Query, mutation or subscription.
    pub(super) kind: OperationType,
    /// What the engine is given.
    pub(super) operation: Operation,
    keep: Option<documents::Keep>,
}

/// The operation that is meant.
fn pick<'a>(
    document: &'a ExecutableDocument,
    wanted: Option<&str>,
) -> Result<(Option<String>, &'a OperationDefinition), Refused> {
    let failed = |message: String| Refused::document(request_error(OPERATION_RESOLUTION_FAILURE, message));
    match (&document.operations, wanted) {
        (DocumentOperations::Single(operation), None) => Ok((None, &operation.node)),
        (DocumentOperations::Single(_), Some(_)) => {
            Err(failed("The document has no operation of this name.".into()))
        }
        (DocumentOperations::Multiple(operations), Some(name)) => operations
            .get(name)
            .map(|operation| (Some(name.to_owned()), &operation.node))
            .ok_or_else(|| failed("The document has no operation of this name.".into())),
        (DocumentOperations::Multiple(operations), None) => match operations.iter().next() {
            Some((name, operation)) if operations.len() == 1 => Ok((Some(name.to_string()), &operation.node)),
            _ => Err(failed(
                "The document has several operations: name one in operationName.".into(),
            )),
        },
    }
}

impl Endpoint for Door {
    type Output = Response;

    async fn call(&self, req: Request) -> poem::Result<Response> {
        Ok(self.answer(req).await)
    }
}

fn header_text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// A response in the form of the specification: no `data` entry when nothing was executed.
#[derive(Serialize)]
pub(super) struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a async_graphql::Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    extensions: &'a std::collections::BTreeMap<String, async_graphql::Value>,
}

impl<'a> Body<'a> {
    /// The body of an answer.
    pub(super) fn of(answer: &'a Answer, executed: bool) -> Self {
        Self {
            data: executed.then_some(&answer.data),
            errors: &answer.errors,
            extensions: &answer.extensions,
        }
    }

    /// The body as text.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).expect("names, texts and numbers can always be written")
    }
}

fn respond(answer: &Answer, executed: bool, media: Media) -> Response {
    let status = if executed || media == Media::Json {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    let mut response = with_body(status, media, Body::of(answer, executed).text());
    for (name, value) in &answer.http_headers {
        response.headers_mut().append(name, value.clone());
    }
    response
}

fn respond_refused(refused: Refused, media: Media) -> Response {
    let status = if refused.always || media != Media::Json {
        refused.status
    } else {
        StatusCode::OK
    };
    let answer = Answer::from_errors(vec![*refused.error]);
    let mut response = with_body(status, media, Body::of(&answer, false).text());
    for (name, value) in refused.headers {
        response.headers_mut().insert(name, value);
    }
    response
}

fn with_body(status: StatusCode, media: Media, body: String) -> Response {
    Response::builder()
        .status(status)
        .content_type(media.content_type())
        // Answers hold people's data and depend on who asks.
        .header(header::CACHE_CONTROL, "private, no-store")
        .header(header::VARY, "Accept")
        .body(body)
}
