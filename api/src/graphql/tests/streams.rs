use std::time::Duration;

use entity::enums::Role;
use futures_util::StreamExt;
use poem::web::sse::Event;
use serde_json::{Value, json};

use super::ground::Ground;

/// Long enough for a slow machine; nothing waits that long when all is well.
const SOON: Duration = Duration::from_secs(20);

type Events = futures_util::stream::BoxStream<'static, (String, Value)>;

async fn subscribe(
    ground: &Ground,
    headers: &[(&'static str, String)],
    query: &str,
    variables: Value,
) -> Events {
    let mut request = ground.client.post("/graphql").content_type("application/json");
    request = request.header("accept", "text/event-stream");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let response = request
        .body(json!({ "query": query, "variables": variables }).to_string())
        .send()
        .await;
    response.assert_status_is_ok();
    response.assert_content_type("text/event-stream");
    let events = response.sse_stream().filter_map(|event| async {
        match event {
            Event::Message { event, data, .. } => {
                Some((event, serde_json::from_str(&data).unwrap_or(Value::Null)))
            }
            Event::Retry { .. } => None,
        }
    });
    // A stream begins to listen when it is first read.
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut events = Box::pin(events);
        while let Some(event) = events.next().await {
            if sender.send(event).is_err() {
                break;
            }
        }
    });
    tokio_stream::wrappers::UnboundedReceiverStream::new(receiver).boxed()
}

async fn next(events: &mut Events) -> Option<(String, Value)> {
    tokio::time::timeout(SOON, events.next())
        .await
        .expect("an event comes")
}

/// Waits until somebody listens, so that what is told next is heard.
async fn heard(ground: &Ground, listeners: usize) {
    tokio::time::timeout(SOON, async {
        while ground.api.signals.listeners() < listeners {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("somebody listens");
}

#[tokio::test]
async fn a_lead_of_the_own_team_is_told_and_one_of_another_team_is_not() {
    let ground = Ground::new().await;
    let cookie = (
        "cookie",
        format!("leadward_session={}", ground.sign_in("nora@example.org").await),
    );
    let query = "subscription { leadReceived { id serviceLine { name } } }";
    let mut events = subscribe(&ground, &[cookie], query, json!({})).await;
    heard(&ground, 1).await;
    ground.lead(1, "heart").await;
    let mine = ground.lead(2, "sleep study").await;
    let (kind, body) = next(&mut events).await.unwrap();
    assert_eq!(kind, "next");
    let lead = json!({ "id": mine.to_string(), "serviceLine": { "name": "Sleep medicine" } });
    assert_eq!(body, json!({ "data": { "leadReceived": lead } }));
}

#[tokio::test]
async fn a_closed_session_ends_what_it_began() {
    let ground = Ground::new().await;
    let secret = ground.sign_in("nora@example.org").await;
    let cookie = ("cookie", format!("leadward_session={secret}"));
    let mut events = subscribe(
        &ground,
        &[cookie],
        "subscription { leadReceived { id } }",
        json!({}),
    )
    .await;
    heard(&ground, 1).await;
    ground.lead(1, "sleep study").await;
    assert_eq!(next(&mut events).await.unwrap().0, "next");
    let _closed = domain::staff::session::close(&ground.api.hospital, &secret)
        .await
        .unwrap();
    ground.lead(2, "sleep study").await;
    assert_eq!(next(&mut events).await.unwrap().0, "complete");
    assert_eq!(next(&mut events).await, None);
}

#[tokio::test]
async fn follow_ups_and_dashboards_are_told_when_they_change() {
    let ground = Ground::new().await;
    let admin = (
        "authorization",
        format!("Bearer {}", ground.token(Role::Admin).await),
    );
    let work = "subscription { followUpChanged { title state } }";
    let mut work = subscribe(&ground, std::slice::from_ref(&admin), work, json!({})).await;
    let figures = "subscription ($f: DashboardFilter!) { dashboardChanged(filter: $f) { totals { leads } } }";
    let period = json!({ "f": { "from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z" } });
    let mut figures = subscribe(&ground, &[admin], figures, period).await;
    heard(&ground, 2).await;
    ground.lead(1, "sleep study").await;
    assert_eq!(
        next(&mut work).await.unwrap().1["data"]["followUpChanged"]["state"],
        "OPEN"
    );
    assert_eq!(
        next(&mut figures).await.unwrap().1["data"]["dashboardChanged"]["totals"]["leads"],
        1
    );
}

#[tokio::test]
async fn what_may_not_be_heard_is_refused_at_the_start() {
    let ground = Ground::new().await;
    let analyst = (
        "authorization",
        format!("Bearer {}", ground.token(Role::Analyst).await),
    );
    let mut events = subscribe(
        &ground,
        &[analyst],
        "subscription { leadReceived { id } }",
        json!({}),
    )
    .await;
    let (kind, body) = next(&mut events).await.unwrap();
    assert_eq!(
        (kind.as_str(), &body["errors"][0]["extensions"]["code"]),
        ("next", &json!("FORBIDDEN"))
    );
    assert_eq!(next(&mut events).await.unwrap().0, "complete");
    let mut nonsense = subscribe(&ground, &[], "{ nonsense }", json!({})).await;
    let (_, body) = next(&mut nonsense).await.unwrap();
    assert!(body.get("data").is_none() && !body["errors"].is_null());
}

mod sockets {
    use futures_util::SinkExt;
    use poem::listener::{Acceptor, Listener, TcpListener};
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::client::IntoClientRequest;
    use tokio_tungstenite::tungstenite::http::HeaderValue;

    use super::*;

    type Socket =
        tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

    /// Connects a client to the doors on a port of their own. Answers the HTTP status when it is refused.
    async fn connect(ground: &Ground, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let address = acceptor
            .local_addr()
            .into_iter()
            .find_map(|a| a.as_socket_addr().copied())
            .unwrap();
        let routes = crate::routes::routes(ground.api.clone());
        tokio::spawn(async move { poem::Server::new_with_acceptor(acceptor).run(routes).await });
        let mut request = format!("ws://{address}/graphql/ws")
            .into_client_request()
            .unwrap();
        request.headers_mut().insert(
            "sec-websocket-protocol",
            HeaderValue::from_static("graphql-transport-ws"),
        );
        for (name, value) in headers {
            request
                .headers_mut()
                .insert(*name, HeaderValue::from_str(value).unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((socket, _)) => Ok(socket),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    async fn say(socket: &mut Socket, message: Value) {
        socket.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The next message, or the code by which the socket is closed.
    async fn hear(socket: &mut Socket) -> Result<Value, u16> {
        loop {
            let message = tokio::time::timeout(SOON, socket.next())
                .await
                .expect("something comes");
            match message.unwrap().unwrap() {
                Message::Text(text) => return Ok(serde_json::from_str(&text).unwrap()),
                Message::Close(Some(frame)) => return Err(frame.code.into()),
                _ => {}
            }
        }
    }

    #[tokio::test]
    async fn a_token_may_be_named_when_connecting_and_news_comes_until_it_is_enough() {
        let ground = Ground::new().await;
        let token = ground.token(Role::Admin).await;
        let mut socket = connect(&ground, &[]).await.unwrap();
        say(&mut socket, json!({ "type": "ping" })).await;
        assert_eq!(hear(&mut socket).await.unwrap()["type"], "pong");
        let payload = json!({ "authorization": format!("Bearer {token}") });
        say(
            &mut socket,
            json!({ "type": "connection_init", "payload": payload }),
        )
        .await;
        assert_eq!(hear(&mut socket).await, Ok(json!({ "type": "connection_ack" })));
        let query = json!({ "query": "subscription { leadReceived { id } }" });
        say(
            &mut socket,
            json!({ "type": "subscribe", "id": "1", "payload": query }),
        )
        .await;
        heard(&ground, 1).await;
        let lead = ground.lead(1, "sleep study").await.to_string();
        let payload = json!({ "data": { "leadReceived": { "id": lead } } });
        assert_eq!(
            hear(&mut socket).await,
            Ok(json!({ "id": "1", "type": "next", "payload": payload }))
        );
        say(&mut socket, json!({ "type": "complete", "id": "1" })).await;
        let query = json!({ "query": "{ viewer { role } }" });
        say(
            &mut socket,
            json!({ "type": "subscribe", "id": "2", "payload": query }),
        )
        .await;
        let payload = json!({ "data": { "viewer": { "role": "ADMIN" } } });
        assert_eq!(
            hear(&mut socket).await,
            Ok(json!({ "id": "2", "type": "next", "payload": payload }))
        );
        assert_eq!(
            hear(&mut socket).await,
            Ok(json!({ "id": "2", "type": "complete" }))
        );
    }

    #[tokio::test]
    async fn an_operation_that_cannot_run_is_an_error_and_the_socket_stays_open() {
        let ground = Ground::new().await;
        let mut socket = connect(&ground, &[]).await.unwrap();
        say(&mut socket, json!({ "type": "connection_init" })).await;
        hear(&mut socket).await.unwrap();
        for (query, code) in [
            ("{ nonsense }", "GRAPHQL_VALIDATION_FAILED"),
            ("{", "GRAPHQL_PARSE_FAILED"),
            ("subscription { leadReceived { id } }", "UNAUTHENTICATED"),
        ] {
            say(
                &mut socket,
                json!({ "type": "subscribe", "id": "1", "payload": { "query": query } }),
            )
            .await;
            let told = hear(&mut socket).await.unwrap();
            assert_eq!(
                (&told["type"], &told["id"]),
                (&json!("error"), &json!("1")),
                "{told}"
            );
            assert_eq!(told["payload"][0]["extensions"]["code"], code);
        }
    }

    #[tokio::test]
    async fn whoever_breaks_the_protocol_is_told_by_the_close_code() {
        let ground = Ground::new().await;
        let init = json!({ "type": "connection_init" });
        let subscribe = json!({ "type": "subscribe", "id": "1",
            "payload": { "query": "subscription ($f: DashboardFilter!) { dashboardChanged(filter: $f) { attribution } }",
                "variables": { "f": { "from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z" } } } });
        let wrong = json!({ "type": "connection_init", "payload": { "authorization": "Bearer lwt_wrong" } });
        let token = json!({ "authorization": format!("Bearer {}", ground.token(Role::Analyst).await) });
        let named = json!({ "type": "connection_init", "payload": token });
        for (said, code) in [
            (vec![json!({ "type": "nonsense" })], 4400),
            (vec![subscribe.clone()], 4401),
            (vec![wrong], 4403),
            (vec![named, subscribe.clone(), subscribe], 4409),
            (vec![init.clone(), init], 4429),
        ] {
            let mut socket = connect(&ground, &[]).await.unwrap();
            for message in said {
                say(&mut socket, message).await;
            }
            let closed = loop {
                if let Err(closed) = hear(&mut socket).await {
                    break closed;
                }
            };
            assert_eq!(closed, code);
        }
    }

    #[tokio::test]
    async fn a_foreign_page_cannot_use_a_browsers_session() {
        let ground = Ground::new().await;
        let cookie = format!("leadward_session={}", ground.sign_in("nora@example.org").await);
        let foreign = connect(
            &ground,
            &[("cookie", &cookie), ("origin", "https://evil.example")],
        )
        .await;
        assert_eq!(foreign.err(), Some(403));
        let own = [
            ("cookie", cookie.as_str()),
            ("origin", "https://leads.example.org"),
        ];
        let mut socket = connect(&ground, &own).await.unwrap();
        say(&mut socket, json!({ "type": "connection_init" })).await;
        hear(&mut socket).await.unwrap();
        let query = json!({ "query": "{ viewer { name } }" });
        say(
            &mut socket,
            json!({ "type": "subscribe", "id": "1", "payload": query }),
        )
        .await;
        let told = hear(&mut socket).await.unwrap();
        assert_eq!(told["payload"]["data"]["viewer"]["name"], "Nora Night");
    }
}
