use std::time::Duration;

use entity::enums::Role;
use futures_util::StreamExt;
use poem::web::sse::Event;
use serde_json::{Value, json};

use super::ground::Ground;

/// Long enough for a slow machine; nothing waits that long when all is well.
const SOON: Duration = Duration::from_secs(20);

type Events = futures_util::stream::BoxStream<'static, (String, Value)>;

async fn subscribe(ground: &Ground, headers: &[(&'static str, String)], query: &str, variables: Value) -> Events {
    let mut request = ground.client.post("/graphql").content_type("application/json");
    request = request.header("accept", "text/event-stream");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let response = request.body(json!({ "query": query, "variables": variables }).to_string()).send().await;
    response.assert_status_is_ok();
    response.assert_content_type("text/event-stream");
    let events = response.sse_stream().filter_map(|event| async {
        match event {
            Event::Message { event, data, .. } => Some((event, serde_json::from_str(&data).unwrap_or(Value::Null))),
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
    tokio::time::timeout(SOON, events.next()).await.expect("an event comes")
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
    let cookie = ("cookie", format!("leadward_session={}", ground.sign_in("nora@example.org").await));
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
    let mut events = subscribe(&ground, &[cookie], "subscription { leadReceived { id } }", json!({})).await;
    heard(&ground, 1).await;
    ground.lead(1, "sleep study").await;
    assert_eq!(next(&mut events).await.unwrap().0, "next");
    let _closed = domain::staff::session::close(&ground.api.hospital, &secret).await.unwrap();
    ground.lead(2, "sleep study").await;
    assert_eq!(next(&mut events).await.unwrap().0, "complete");
    assert_eq!(next(&mut events).await, None);
}

#[tokio::test]
async fn follow_ups_and_dashboards_are_told_when_they_change() {
    let ground = Ground::new().await;
    let admin = ("authorization", format!("Bearer {}", ground.token(Role::Admin).await));
    let work = "subscription { followUpChanged { title state } }";
    let mut work = subscribe(&ground, std::slice::from_ref(&admin), work, json!({})).await;
    let figures = "subscription ($f: DashboardFilter!) { dashboardChanged(filter: $f) { totals { leads } } }";
    let period = json!({ "f": { "from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z" } });
    let mut figures = subscribe(&ground, &[admin], figures, period).await;
    heard(&ground, 2).await;
    ground.lead(1, "sleep study").await;
    assert_eq!(next(&mut work).await.unwrap().1["data"]["followUpChanged"]["state"], "OPEN");
    assert_eq!(next(&mut figures).await.unwrap().1["data"]["dashboardChanged"]["totals"]["leads"], 1);
}

#[tokio::test]
async fn what_may_not_be_heard_is_refused_at_the_start() {
    let ground = Ground::new().await;
    let analyst = ("authorization", format!("Bearer {}", ground.token(Role::Analyst).await));
    let mut events = subscribe(&ground, &[analyst], "subscription { leadReceived { id } }", json!({})).await;
    let (kind, body) = next(&mut events).await.unwrap();
    assert_eq!((kind.as_str(), &body["errors"][0]["extensions"]["code"]), ("next", &json!("FORBIDDEN")));
    assert_eq!(next(&mut events).await.unwrap().0, "complete");
    let mut nonsense = subscribe(&ground, &[], "{ nonsense }", json!({})).await;
    let (_, body) = next(&mut nonsense).await.unwrap();
    assert!(body.get("data").is_none() && !body["errors"].is_null());
}
