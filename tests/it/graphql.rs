//! The public GraphQL API as its clients meet it.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::harness::{Answer, As, Clinic, OPS, pat};

/// How long a test waits for an event that is on its way.
const PATIENCE: Duration = Duration::from_secs(20);

/// The ids of a list, page by page.
async fn walk(clinic: &Clinic, order: Value, forward: bool, size: i32) -> Vec<String> {
    let query = if forward {
        "query($n: Int, $c: String, $o: LeadOrder) { leads(first: $n, after: $c, orderBy: $o) {
            edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"
    } else {
        "query($n: Int, $c: String, $o: LeadOrder) { leads(last: $n, before: $c, orderBy: $o) {
            edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"
    };
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let page = clinic
            .graphql(OPS, query, json!({ "n": size, "c": cursor, "o": order }))
            .await
            .data("leads");
        let edges = page["edges"].as_array().unwrap();
        let ids = edges
            .iter()
            .map(|edge| edge["node"]["id"].as_str().unwrap().to_owned());
        let info = &page["pageInfo"];
        assert_eq!(
            info["startCursor"],
            edges.first().map_or(Value::Null, |edge| edge["cursor"].clone())
        );
        assert_eq!(
            info["endCursor"],
            edges.last().map_or(Value::Null, |edge| edge["cursor"].clone())
        );
        if forward {
            seen.extend(ids);
            cursor = info["endCursor"].clone();
        } else {
            seen.splice(0..0, ids);
            cursor = info["startCursor"].clone();
        }
        if info[if forward { "hasNextPage" } else { "hasPreviousPage" }] == false {
            return seen;
        }
        assert!(seen.len() <= 1000, "the pages never end");
    }
}

#[tokio::test]
async fn pages_are_complete_and_the_same_both_ways_in_every_order() {
    let clinic = Clinic::new().await;
    clinic.leads_come_in(120).await;
    clinic.drain().await;
    for field in ["RECEIVED_AT", "SCORE"] {
        let mut both = Vec::new();
        for direction in ["ASC", "DESC"] {
            let order = json!({ "field": field, "direction": direction });
            let forward = walk(&clinic, order.clone(), true, 7).await;
            assert_eq!(forward.len(), 120);
            assert_eq!(
                forward.iter().collect::<HashSet<_>>().len(),
                120,
                "{field} {direction}: none twice"
            );
            assert_eq!(
                walk(&clinic, order, false, 50).await,
                forward,
                "{field} {direction}: the same from the end"
            );
            both.push(forward);
        }
        both[1].reverse();
        assert_eq!(both[0], both[1], "{field}: the other direction is the reverse");
    }
}

#[tokio::test]
async fn a_page_does_not_shift_when_leads_come_in_meanwhile() {
    let clinic = Clinic::new().await;
    clinic.leads_come_in(20).await;
    let query = "query($c: String) { leads(first: 10, after: $c) { nodes { id } pageInfo { endCursor } } }";
    let first = clinic.graphql(OPS, query, json!({})).await.data("leads");
    clinic.minutes_pass(1);
    clinic.submit_form("sleep-study", &pat()).await;
    let second = clinic
        .graphql(OPS, query, json!({ "c": first["pageInfo"]["endCursor"] }))
        .await
        .data("leads");
    let ids = |page: &Value| {
        page["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node["id"].to_string())
            .collect::<HashSet<_>>()
    };
    assert_eq!(ids(&second).len(), 10);
    assert!(ids(&first).is_disjoint(&ids(&second)));
    clinic.drain().await;
}

#[tokio::test]
async fn a_total_counts_what_the_filter_leaves_whatever_the_page() {
    let clinic = Clinic::new().await;
    clinic.leads_come_in(30).await;
    clinic.drain().await;
    let line = clinic.id_of("serviceLine", "sleep").await;
    let query = "query($f: LeadFilter) { leads(first: 3, filter: $f) { totalCount nodes { id } } }";
    let all = clinic.graphql(OPS, query, json!({})).await.data("leads");
    assert_eq!(
        (all["totalCount"].as_i64(), all["nodes"].as_array().map(Vec::len)),
        (Some(30), Some(3))
    );
    let some = clinic
        .graphql(OPS, query, json!({ "f": { "serviceLineIds": [line] } }))
        .await;
    assert_eq!(some.data("leads.totalCount"), 10);
    clinic.statements();
    clinic
        .graphql(OPS, "{ leads(first: 3) { nodes { id } } }", json!({}))
        .await
        .data("leads");
    let counted = clinic
        .statements()
        .into_iter()
        .filter(|sql| sql.to_lowercase().contains("count("))
        .count();
    assert_eq!(counted, 0, "nobody asked for the total");
}

#[tokio::test]
async fn an_argument_that_cannot_be_used_is_named() {
    let clinic = Clinic::new().await;
    let lead = clinic.pat_asks().await;
    clinic.drain().await;
    let contact = clinic.last_lead().await.contact_id.to_string();
    let cursor = clinic
        .graphql(OPS, "{ leads { pageInfo { endCursor } } }", json!({}))
        .await
        .data("leads.pageInfo.endCursor");
    let cursor = cursor.as_str().unwrap();
    let cases = [
        ("{ leads(first: 101) { nodes { id } } }".to_owned(), "first"),
        ("{ leads(first: -1) { nodes { id } } }".to_owned(), "first"),
        ("{ leads(last: 101) { nodes { id } } }".to_owned(), "last"),
        ("{ leads(first: 1, last: 1) { nodes { id } } }".to_owned(), "last"),
        (
            "{ leads(after: \"nonsense\") { nodes { id } } }".to_owned(),
            "after",
        ),
        (
            format!("{{ leads(after: \"{cursor}x\") {{ nodes {{ id }} }} }}"),
            "after",
        ),
        (
            format!("{{ leads(after: \"{cursor}\", orderBy: {{ field: SCORE }}) {{ nodes {{ id }} }} }}"),
            "after",
        ),
        (format!("{{ lead(id: \"{contact}\") {{ id }} }}"), "id"),
        ("{ lead(id: \"lead_nonsense\") { id } }".to_owned(), "id"),
        (
            "{ leads(filter: { teamIds: [\"x\"] }) { nodes { id } } }".to_owned(),
            "filter.teamIds",
        ),
    ];
    for (query, argument) in cases {
        let answer = clinic.graphql(OPS, &query, json!({})).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{query}");
        let error = &answer.json()["errors"][0];
        assert!(
            error["message"].as_str().unwrap().contains(argument),
            "{query} is told {error}"
        );
    }
    let missing = lead.replace(|c: char| c.is_ascii_digit(), "0");
    let answer = clinic
        .graphql(
            OPS,
            "query($id: ID!) { lead(id: $id) { id } node(id: $id) { id } }",
            json!({ "id": missing }),
        )
        .await;
    assert_eq!(answer.data(""), json!({ "lead": null, "node": null }));
}

#[tokio::test]
async fn a_page_of_leads_with_all_around_them_costs_the_same_few_statements_whatever_its_size() {
    let clinic = Clinic::new().await;
    clinic.leads_come_in(60).await;
    clinic.drain().await;
    clinic.token(entity::enums::Role::MarketingOps).await;
    let mut costs = Vec::new();
    for first in [10, 50] {
        clinic.statements();
        let query = "query($n: Int) { leads(first: $n) { nodes {
            id stage contact { displayName email } serviceLine { name } source { campaign { name } placement { name } }
            owner { displayName } team { name facility { name } } facility { name } } } }";
        let nodes = clinic
            .graphql(OPS, query, json!({ "n": first }))
            .await
            .data("leads.nodes");
        assert_eq!(nodes.as_array().map(Vec::len), Some(first));
        let statements = clinic.statements();
        assert!(statements.len() <= 8, "{}: {statements:#?}", statements.len());
        costs.push(statements);
    }
    // Under load a loader may ask twice for what it could have asked for at once, so kinds are compared.
    assert_eq!(kinds(&costs[0]), kinds(&costs[1]));
    clinic.statements();
    let nested = "{ leads(first: 20) { nodes { followUps(first: 3) { nodes { id assignee { displayName } } } messages(first: 3) { nodes { id } }
        timeline(first: 5) { nodes { kind } } enrollments { sequence { name } } attempts { id } nextAppointment { id } } } }";
    clinic.graphql(OPS, nested, json!({})).await.data("leads");
    let statements = clinic.statements();
    assert!(
        statements.len() <= 12,
        "lists within a list are read in one go each: {}: {statements:#?}",
        statements.len()
    );
}

/// What statements are about: all of each up to its values.
fn kinds(statements: &[String]) -> HashSet<&str> {
    statements
        .iter()
        .map(|sql| sql.split(" IN (").next().unwrap_or(sql))
        .collect()
}

#[tokio::test]
async fn a_question_that_is_too_deep_or_too_dear_is_not_executed() {
    let clinic = Clinic::new().await;
    let deep = format!(
        "{{ leads {{ nodes {{ {} id {} }} }} }}",
        "contact { leads { nodes { ".repeat(5),
        "} } }".repeat(5)
    );
    let dear = "{ leads(first: 100) { nodes { timeline(first: 100) { nodes { id lead { timeline(first: 100) { nodes { id } } } } } } } }";
    let many = format!(
        "{{ {} }}",
        (0..40)
            .map(|n| format!("a{n}: viewer {{ kind }} "))
            .collect::<String>()
    );
    clinic.token(entity::enums::Role::MarketingOps).await;
    clinic.statements();
    for query in [deep.as_str(), dear, many.as_str()] {
        let answer = clinic.graphql(OPS, query, json!({})).await.json();
        assert!(
            answer["errors"][0]["extensions"]["code"].is_string(),
            "{answer:#}"
        );
        assert!(answer.get("data").is_none(), "nothing was executed: {answer:#}");
    }
    let statements = clinic.statements();
    assert!(
        statements.iter().all(|sql| !sql.contains("lead_event")),
        "{statements:#?}"
    );
}

/// Documents of a few hundred bytes that would expand to more selections than there are grains of sand.
fn exploding() -> Vec<String> {
    let of = |kind: &str, start: &str, last: &str| {
        let mut document = start.to_owned();
        for n in 0..30 {
            let next = format!("...F{} ", n + 1).repeat(4);
            document.push_str(&format!(" fragment F{n} on {kind} {{ {next} }}"));
        }
        document + last
    };
    vec![
        of(
            "Viewer",
            "{ viewer { ...F0 } }",
            " fragment F30 on Viewer { name }",
        ),
        of("Query", "{ ...F0 }", " fragment F30 on Query { __typename }"),
        of("Viewer", "{ viewer { ...F0 } }", ""),
        of("Subscription", "subscription { ...F0 }", ""),
    ]
}

#[tokio::test]
async fn fragments_that_multiply_are_refused_before_anything_walks_them() {
    let clinic = Clinic::new().await;
    for document in exploding() {
        let answer = clinic.graphql(OPS, &document, json!({ "x": 1 })).await;
        assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED", "{document}");
        let request = clinic
            .client
            .post("/graphql")
            .header("accept", "text/event-stream");
        let stream = Answer::to(
            clinic
                .proved(OPS, request.body_json(&json!({ "query": document })))
                .await,
        )
        .await;
        assert!(
            stream.body.contains("GRAPHQL_VALIDATION_FAILED"),
            "{}",
            stream.body
        );
    }
}

#[tokio::test]
async fn fragments_that_multiply_are_refused_over_the_websocket_too() {
    let clinic = Clinic::new().await;
    let mut socket = open_socket(&clinic).await;
    assert_eq!(heard(&mut socket).await["type"], "connection_ack");
    for (id, document) in exploding().into_iter().enumerate() {
        let payload = json!({ "query": document });
        let message = json!({ "type": "subscribe", "id": id.to_string(), "payload": payload });
        socket.send(Message::text(message.to_string())).await.unwrap();
        let error = heard(&mut socket).await;
        assert_eq!(
            (&error["type"], &error["id"]),
            (&json!("error"), &json!(id.to_string()))
        );
        assert_eq!(
            error["payload"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED",
            "{error}"
        );
    }
}

#[tokio::test]
async fn status_codes_and_media_types_are_those_of_graphql_over_http() {
    let clinic = Clinic::new().await;
    let post = async |accept: &str, kind: &str, body: &str| {
        let request = clinic
            .client
            .post("/graphql")
            .header("accept", accept)
            .content_type(kind)
            .body(body.to_owned());
        Answer::to(request).await
    };
    let (new, old) = ("application/graphql-response+json", "application/json");
    let fine = r#"{"query": "{ viewer { kind } }"}"#;
    let wrong = r#"{"query": "{ nonsense }"}"#;
    assert_eq!(post(new, old, fine).await.status, 200);
    assert!(
        post(new, old, fine)
            .await
            .header("content-type")
            .unwrap()
            .starts_with(new)
    );
    assert!(
        post(old, old, fine)
            .await
            .header("content-type")
            .unwrap()
            .starts_with(old)
    );
    assert!(
        post("*/*", old, fine)
            .await
            .header("content-type")
            .unwrap()
            .starts_with(old)
    );
    assert_eq!(post(new, old, wrong).await.status, 400);
    assert!(post(new, old, wrong).await.json().get("data").is_none());
    assert_eq!(post(old, old, wrong).await.status, 200);
    assert_eq!(post(new, old, r#"{"query": "{ broken"}"#).await.status, 400);
    assert_eq!(post(new, old, "{ not json").await.status, 400);
    assert_eq!(post(old, old, "{ not json").await.status, 400);
    assert_eq!(post(new, old, "{}").await.status, 400);
    assert_eq!(post(new, "text/plain", fine).await.status, 415);
    assert_eq!(post("image/png", old, fine).await.status, 406);
    let large = format!(
        r#"{{"query": "{{ viewer {{ kind }} }} # {}"}}"#,
        "x".repeat(300_000)
    );
    assert_eq!(post(new, old, &large).await.status, 413);
    let by_get = Answer::to(
        clinic
            .client
            .get("/graphql")
            .query("query", &"{ viewer { kind } }"),
    )
    .await;
    assert_eq!(
        (by_get.status.as_u16(), by_get.data("viewer.kind")),
        (200, json!("PUBLIC"))
    );
    let change = Answer::to(
        clinic
            .client
            .get("/graphql")
            .query("query", &"mutation { signOut { userErrors { code } } }"),
    )
    .await;
    assert_eq!(
        (change.status.as_u16(), change.header("allow")),
        (405, Some("POST"))
    );
    let page = Answer::to(clinic.client.get("/graphql").header("accept", "text/html")).await;
    assert!(
        page.status == 200 && page.header("content-type").unwrap().starts_with("text/html"),
        "{}",
        page.status
    );
}

#[tokio::test]
async fn a_signed_in_browser_changes_nothing_without_its_csrf_token() {
    let clinic = Clinic::new().await;
    let lead = clinic.pat_asks().await;
    clinic.drain().await;
    let (cookie, csrf) = clinic.sign_in("nora").await;
    let before = clinic.contents().await;
    let input = json!({ "leadId": lead, "medium": "PHONE", "outcome": "REACHED" });
    let body = json!({ "query": "mutation($i: LogAttemptInput!) { logAttempt(input: $i) { lead { stage } } }", "variables": { "i": input } });
    let post = async |csrf: Option<&str>| {
        let mut request = clinic
            .client
            .post("/graphql")
            .header("cookie", format!("leadward_session={cookie}"))
            .body_json(&body);
        if let Some(csrf) = csrf {
            request = request.header("x-csrf-token", csrf);
        }
        Answer::to(request).await
    };
    assert_eq!(post(None).await.status, 403);
    assert_eq!(post(Some(&"0".repeat(64))).await.status, 403);
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
    assert_eq!(post(Some(&csrf)).await.data("logAttempt.lead.stage"), "CONTACTED");
    clinic.drain().await;
}

#[tokio::test]
async fn the_session_cookie_cannot_be_read_by_scripts_and_ends_when_signing_out() {
    let clinic = Clinic::new().await;
    let query = "mutation($input: SignInInput!) { signIn(input: $input) { userErrors { code } } }";
    let input = json!({ "email": "Nora@Clinic.example", "password": "correct horse battery" });
    let answer = clinic.graphql(As::Nobody, query, json!({ "input": input })).await;
    let set = answer.header("set-cookie").expect("a cookie");
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/"),
        "{set}"
    );
    let nora = As::Staff("nora");
    let viewer = "{ viewer { kind name role teams { slug } permissions } }";
    let seen = clinic.graphql(nora, viewer, json!({})).await.data("viewer");
    assert_eq!(
        (&seen["kind"], &seen["role"]),
        (&json!("STAFF"), &json!("INTAKE_COORDINATOR"))
    );
    assert!(
        seen["permissions"]
            .as_array()
            .unwrap()
            .contains(&json!("logAttempt"))
    );
    assert!(
        !seen["permissions"]
            .as_array()
            .unwrap()
            .contains(&json!("createCampaign"))
    );
    clinic
        .graphql(nora, "mutation { signOut { userErrors { code } } }", json!({}))
        .await
        .data("signOut");
    let (cookie, _) = clinic.sign_in("nora").await;
    let request = clinic
        .client
        .post("/graphql")
        .header("cookie", format!("leadward_session={cookie}"));
    let after = Answer::to(request.body_json(&json!({ "query": viewer }))).await;
    assert_eq!(after.data("viewer.kind"), "PUBLIC");
}

#[tokio::test]
async fn a_mutation_under_a_key_is_carried_out_once() {
    let clinic = Clinic::new().await;
    let lead = clinic.pat_asks().await;
    clinic.drain().await;
    let query = "mutation($i: LogAttemptInput!) { logAttempt(input: $i) { attempt { id } lead { sla { attemptsMade } } userErrors { code } } }";
    let log = async |outcome: &str, key: &str| {
        let input = json!({ "i": { "leadId": lead, "medium": "PHONE", "outcome": outcome } });
        clinic
            .graphql_with(OPS, query, input, &[("idempotency-key", key)])
            .await
    };
    let first = log("VOICEMAIL", "call-1").await;
    assert_eq!(
        log("VOICEMAIL", "call-1").await.data("logAttempt"),
        first.data("logAttempt")
    );
    assert_eq!(
        log("VOICEMAIL", "call-2")
            .await
            .data("logAttempt.lead.sla.attemptsMade"),
        2
    );
    let other = log("BUSY", "call-1").await;
    assert!(other.body.contains("IDEMPOTENCY_CONFLICT"), "{}", other.body);
    clinic.hours_pass(25);
    clinic.drain().await;
    assert_eq!(
        log("VOICEMAIL", "call-1")
            .await
            .data("logAttempt.lead.sla.attemptsMade"),
        3,
        "a day later the key is new"
    );
    clinic.drain().await;
}

#[tokio::test]
async fn a_persisted_query_is_known_after_it_was_sent_once() {
    let clinic = Clinic::new().await;
    let query = "{ viewer { kind role } }";
    let hash = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(query));
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    let ask = async |body: Value| Answer::to(clinic.client.post("/graphql").body_json(&body)).await;
    let unknown = ask(json!({ "extensions": extensions })).await;
    assert_eq!(
        unknown.json()["errors"][0]["extensions"]["code"],
        "PERSISTED_QUERY_NOT_FOUND"
    );
    let wrong = ask(json!({ "query": "{ viewer { name } }", "extensions": extensions })).await;
    assert!(wrong.json()["errors"].is_array(), "{}", wrong.body);
    assert_eq!(
        ask(json!({ "query": query, "extensions": extensions }))
            .await
            .data("viewer.kind"),
        "PUBLIC"
    );
    assert_eq!(
        ask(json!({ "extensions": extensions })).await.data("viewer.kind"),
        "PUBLIC"
    );
}

#[tokio::test]
async fn a_lead_that_comes_in_is_told_over_the_websocket() {
    let clinic = Clinic::new().await;
    let mut socket = open_socket(&clinic).await;
    let query = "subscription { leadReceived { id contact { givenName } } }";
    let subscribe = json!({ "type": "subscribe", "id": "1", "payload": { "query": query } });
    // The answer to the ping says that what was sent before it was heard.
    for message in [subscribe, json!({ "type": "ping" })] {
        socket.send(Message::text(message.to_string())).await.unwrap();
    }
    assert_eq!(heard(&mut socket).await["type"], "connection_ack");
    assert_eq!(heard(&mut socket).await["type"], "pong");
    clinic.submit_form("sleep-study", &pat()).await;
    let news = heard(&mut socket).await;
    assert_eq!(
        (&news["type"], &news["id"]),
        (&json!("next"), &json!("1")),
        "{news:#}"
    );
    assert_eq!(
        news["payload"]["data"]["leadReceived"]["contact"]["givenName"],
        "Pat"
    );
    clinic.drain().await;
}

/// A socket on which a coordinator's program has said who it is.
async fn open_socket(clinic: &Clinic) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let address = clinic.listen().await;
    let mut request = format!("ws://{address}/graphql/ws")
        .into_client_request()
        .unwrap();
    request
        .headers_mut()
        .insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request)
        .await
        .expect("the socket opens");
    let token = clinic.token(entity::enums::Role::IntakeCoordinator).await;
    let init =
        json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } });
    socket.send(Message::text(init.to_string())).await.unwrap();
    socket
}

/// The next message of the protocol, apart from pings.
async fn heard<S>(socket: &mut S) -> Value
where
    S: futures_util::Stream<Item = Result<Message, tokio_tungstenite::tungstenite::Error>> + Unpin,
{
    let next = async {
        loop {
            let message = socket
                .next()
                .await
                .expect("the socket stays open")
                .expect("a message arrives");
            let Message::Text(text) = message else { continue };
            let message: Value = serde_json::from_str(&text).expect("JSON");
            if message["type"] != "ping" {
                return message;
            }
        }
    };
    tokio::time::timeout(PATIENCE, next)
        .await
        .expect("a message comes")
}

#[tokio::test]
async fn news_come_as_server_sent_events_and_only_those_that_the_filter_wants() {
    let clinic = Clinic::new().await;
    let line = clinic.id_of("serviceLine", "cardiology").await;
    let body = json!({
        "query": "subscription($f: LeadFilter) { leadReceived(filter: $f) { contact { givenName } } }",
        "variables": { "f": { "serviceLineIds": [line] } },
    });
    let request = clinic
        .client
        .post("/graphql")
        .header("accept", "text/event-stream")
        .body_json(&body);
    let response = clinic.proved(OPS, request).await.send().await;
    response.assert_status_is_ok();
    let mut events = response.sse_stream();
    let story = async {
        clinic.submit_form("sleep-study", &pat()).await;
        clinic
            .submit_form("heart", &[("given_name", "Hal"), ("phone", "(608) 555-0199")])
            .await;
    };
    let (event, ()) = tokio::join!(tokio::time::timeout(PATIENCE, events.next()), story);
    let event = event.expect("an event comes").expect("the stream goes on");
    let text = format!("{event:?}");
    assert!(
        text.contains("next") && text.contains("Hal") && !text.contains("Pat"),
        "{text}"
    );
    clinic.drain().await;
}
