//! Subscriptions over a WebSocket, by the protocol `graphql-transport-ws`.
//! <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>

use std::sync::Arc;
use std::time::Duration;

use async_graphql::Response as Answer;
use futures_util::stream::{BoxStream, SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use poem::http::{StatusCode, header};
use poem::web::websocket::{Message, WebSocket, WebSocketStream};
use poem::{Endpoint, FromRequest, IntoResponse, Request, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_stream::StreamMap;

use super::ask::Ask;
use super::http::{Body, Door, Prepared, params};
use super::run;
use crate::limit::Posts;
use crate::routes::RequestId;
use crate::viewer::{Caller, Credentials, Denied};

/// The only protocol that is spoken.
const PROTOCOL: &str = "graphql-transport-ws";
/// How long a client may take to introduce itself.
const INIT_WITHIN: Duration = Duration::from_secs(10);
/// How often a ping is sent, so that proxies do not take a quiet socket for a dead one.
const PING_EVERY: Duration = Duration::from_secs(25);
/// Most operations at a time on one socket.
const OPERATIONS_MAX: usize = 50;

/// Close codes of the protocol.
mod close {
    pub(super) const BAD_MESSAGE: u16 = 4400;
    pub(super) const UNAUTHORIZED: u16 = 4401;
    pub(super) const FORBIDDEN: u16 = 4403;
    pub(super) const INIT_TIMEOUT: u16 = 4408;
    pub(super) const DUPLICATE_ID: u16 = 4409;
    pub(super) const TOO_MANY_INITS: u16 = 4429;
    pub(super) const INTERNAL: u16 = 4500;
}

/// Why a socket is closed: the code and a few words.
type Closing = (u16, &'static str);

/// What a client says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    ConnectionInit {
        #[serde(default)]
        payload: Option<Value>,
    },
    Ping {},
    Pong {},
    Subscribe {
        id: String,
        payload: Value,
    },
    Complete {
        id: String,
    },
}

/// The door at `/graphql/ws`.
pub struct Sockets(pub Door);

impl Endpoint for Sockets {
    type Output = Response;

    async fn call(&self, req: Request) -> poem::Result<Response> {
        let shown = Credentials::of_headers(req.headers());
        // A browser sends cookies with a WebSocket that any page opens, so the page's origin has to be one of ours.
        if shown.has_session() && !self.is_own_page(&req) {
            return Ok(Response::builder()
                .status(StatusCode::FORBIDDEN)
                .body("This page may not connect.\n"));
        }
        let speaks = req.header(header::SEC_WEBSOCKET_PROTOCOL).unwrap_or_default();
        if !speaks.split(',').any(|protocol| protocol.trim() == PROTOCOL) {
            let body = format!("Speak {PROTOCOL}.\n");
            return Ok(Response::builder().status(StatusCode::BAD_REQUEST).body(body));
        }
        let request_id = req
            .data::<RequestId>()
            .map(ToString::to_string)
            .unwrap_or_default();
        let posts = self.0.posts(&req);
        let (req, mut body) = req.split();
        let socket = WebSocket::from_request(&req, &mut body).await?;
        let door = self.0.clone();
        let upgraded = socket.protocols([PROTOCOL]).on_upgrade(move |stream| async move {
            Connection::new(door, stream, shown, posts, request_id)
                .serve()
                .await;
        });
        Ok(upgraded.into_response())
    }
}

impl Sockets {
    fn is_own_page(&self, req: &Request) -> bool {
        let Some(origin) = req.header(header::ORIGIN) else {
            return true;
        };
        let api = &self.0.api;
        let public =
            url::Url::parse(&api.hospital.site.public_url).map(|url| url.origin().ascii_serialization());
        let host = req.header(header::HOST).unwrap_or_default();
        let same_host = url::Url::parse(origin).is_ok_and(|page| page.authority() == host);
        same_host
            || public.is_ok_and(|public| public == origin)
            || api.settings.cors_origins.iter().any(|own| own == origin)
    }
}

/// What an operation has to tell: a result, or that it is complete.
type Told = Option<Answer>;

/// One socket.
struct Connection {
    door: Door,
    sink: SplitSink<WebSocketStream, Message>,
    said: SplitStream<WebSocketStream>,
    shown: Credentials,
    posts: Posts,
    request_id: String,
    caller: Option<Caller>,
    running: StreamMap<String, BoxStream<'static, (Arc<Ask>, Told)>>,
}

impl Connection {
    fn new(
        door: Door,
        stream: WebSocketStream,
        shown: Credentials,
        posts: Posts,
        request_id: String,
    ) -> Self {
        let (sink, said) = stream.split();
        Self {
            door,
            sink,
            said,
            shown,
            posts,
            request_id,
            caller: None,
            running: StreamMap::new(),
        }
    }

    async fn serve(mut self) {
        if let Err((code, reason)) = self.converse().await {
            // Whoever does not listen any more need not hear it.
            let _ = self.sink.send(Message::close_with(code, reason)).await;
        }
        let _ = self.sink.close().await;
    }

    /// Talks until the client leaves or breaks the protocol.
    async fn converse(&mut self) -> Result<(), Closing> {
        let mut ping = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let init_until = Instant::now() + INIT_WITHIN;
        loop {
            tokio::select! {
                said = self.said.next() => {
                    let Some(Ok(message)) = said else { return Ok(()) };
                    match message {
                        Message::Text(text) => self.hear(&text).await?,
                        Message::Binary(_) => return Err((close::BAD_MESSAGE, "Send text")),
                        Message::Close(_) => return Ok(()),
                        Message::Ping(_) | Message::Pong(_) => {}
                    }
                }
                Some((id, (ask, told))) = self.running.next() => self.tell(&id, &ask, told).await?,
                _ = ping.tick() => self.send(&json!({ "type": "ping" })).await?,
                () = tokio::time::sleep_until(init_until), if self.caller.is_none() => {
                    return Err((close::INIT_TIMEOUT, "Connection initialisation timeout"));
                }
            }
        }
    }

    async fn hear(&mut self, text: &str) -> Result<(), Closing> {
        let said =
            serde_json::from_str(text).map_err(|_| (close::BAD_MESSAGE, "Not a message of the protocol"))?;
        match said {
            Said::ConnectionInit { payload } => self.init(payload.unwrap_or_default()).await,
            Said::Ping {} => self.send(&json!({ "type": "pong" })).await,
            Said::Pong {} => Ok(()),
            Said::Subscribe { id, payload } => self.subscribe(id, payload).await,
            Said::Complete { id } => {
                self.running.remove(&id);
                Ok(())
            }
        }
    }

    async fn init(&mut self, payload: Value) -> Result<(), Closing> {
        if self.caller.is_some() {
            return Err((close::TOO_MANY_INITS, "Too many initialisation requests"));
        }
        let shown = self.shown.clone().with_init(&payload);
        let caller = Caller::of(&self.door.api, &shown).await.map_err(|denied| match denied {
            Denied::WrongToken | Denied::WrongCsrf => (close::FORBIDDEN, "Forbidden"),
            Denied::Fault(error) => {
                let request_id = &self.request_id;
                tracing::error!(request_id, error = %domain::error::Chain(&error), "nobody could be identified");
                (close::INTERNAL, "Internal server error")
            }
        })?;
        self.caller = Some(caller);
        self.send(&json!({ "type": "connection_ack" })).await
    }

    async fn subscribe(&mut self, id: String, payload: Value) -> Result<(), Closing> {
        let caller = self.caller.clone().ok_or((close::UNAUTHORIZED, "Unauthorized"))?;
        if self.running.contains_key(&id) {
            return Err((close::DUPLICATE_ID, "Subscriber for this id already exists"));
        }
        if self.running.len() >= OPERATIONS_MAX {
            return Err((close::BAD_MESSAGE, "Too many operations"));
        }
        let ask = Arc::new(Ask::new(
            self.door.api.clone(),
            caller,
            self.posts.clone(),
            self.request_id.clone(),
            None,
        ));
        let prepared = match params::from_json(payload) {
            Ok(params) => self.door.prepare(params, &ask).await,
            Err(refused) => Err(refused),
        };
        match prepared {
            Ok(prepared) => {
                let Prepared { kind, operation, .. } = prepared;
                let results = run::stream(&self.door.schema, Arc::clone(&ask), kind, operation).map(Some);
                let results = results.chain(futures_util::stream::once(async { None }));
                self.running
                    .insert(id, results.map(move |told| (Arc::clone(&ask), told)).boxed());
                Ok(())
            }
            Err(refused) => {
                let errors = [refused.into_error()];
                self.send(&json!({ "id": id, "type": "error", "payload": errors }))
                    .await
            }
        }
    }

    async fn tell(&mut self, id: &str, ask: &Ask, told: Told) -> Result<(), Closing> {
        let Some(answer) = told else {
            self.running.remove(id);
            return self.send(&json!({ "id": id, "type": "complete" })).await;
        };
        if !ask.was_executed() {
            // Nothing was executed: the operation ends with its errors.
            self.running.remove(id);
            return self
                .send(&json!({ "id": id, "type": "error", "payload": answer.errors }))
                .await;
        }
        let payload = Body::of(&answer, true);
        self.send(&json!({ "id": id, "type": "next", "payload": payload }))
            .await
    }

    async fn send(&mut self, message: &Value) -> Result<(), Closing> {
        // A client that takes nothing for so long is gone.
        let sent = timeout(PING_EVERY, self.sink.send(Message::text(message.to_string()))).await;
        match sent {
            Ok(Ok(())) => Ok(()),
            _ => Err((close::INTERNAL, "The client does not take messages")),
        }
    }
}
