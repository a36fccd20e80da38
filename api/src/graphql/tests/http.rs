use poem::http::StatusCode;
use serde_json::{Value, json};

use super::ground::{Ground, answered};
use crate::state::ApiSettings;

const NEW: &str = "application/graphql-response+json";
const OLD: &str = "application/json";

async fn status(ground: &Ground, accept: &str, body: Value) -> (StatusCode, Value) {
    let answered = ground.post(&[("accept", accept.to_owned())], &body).await;
    (answered.status, answered.body)
}

#[tokio::test]
async fn the_form_of_an_answer_is_the_one_that_was_asked_for() {
    let ground = Ground::new().await;
    let query = json!({ "query": "{ __typename }" });
    for (accept, form) in [
        (NEW, NEW),
        (OLD, OLD),
        ("*/*", OLD),
        ("application/json; q=0.1, */*;q=0", OLD),
    ] {
        let answered = ground.post(&[("accept", accept.to_owned())], &query).await;
        assert_eq!(answered.status, StatusCode::OK);
        assert_eq!(answered.headers["content-type"], format!("{form}; charset=utf-8"));
        assert_eq!(answered.body, json!({ "data": { "__typename": "Query" } }));
    }
    let none = ground.post(&[("accept", "image/png".to_owned())], &query).await;
    assert_eq!(
        (none.status, none.code()),
        (StatusCode::NOT_ACCEPTABLE, "BAD_REQUEST")
    );
}

#[tokio::test]
async fn what_cannot_be_executed_has_no_data_and_the_status_of_its_form() {
    let ground = Ground::new().await;
    for (body, code) in [
        (json!({ "query": "{" }), "GRAPHQL_PARSE_FAILED"),
        (json!({ "query": "{ nonsense }" }), "GRAPHQL_VALIDATION_FAILED"),
        (
            json!({ "query": "query A { __typename } query B { __typename }" }),
            "OPERATION_RESOLUTION_FAILURE",
        ),
        (
            json!({ "query": "query A { __typename }", "operationName": "B" }),
            "OPERATION_RESOLUTION_FAILURE",
        ),
        (
            json!({ "query": "query ($id: ID!) { lead(id: $id) { id } }" }),
            "BAD_USER_INPUT",
        ),
        (
            json!({ "query": "{ leads(filter: { receivedFrom: \"today\" }) { totalCount } }" }),
            "BAD_USER_INPUT",
        ),
    ] {
        for (accept, wanted) in [(NEW, StatusCode::BAD_REQUEST), (OLD, StatusCode::OK)] {
            let (status, answer) = status(&ground, accept, body.clone()).await;
            assert_eq!(status, wanted, "{body} {accept} {answer}");
            assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{body} {answer}");
            assert!(answer.get("data").is_none(), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_request_that_is_none_is_refused_whatever_the_form() {
    let ground = Ground::new().await;
    for accept in [NEW, OLD] {
        for body in [
            json!([]),
            json!({}),
            json!({ "query": 7 }),
            json!({ "query": "{ a }", "variables": [] }),
        ] {
            assert_eq!(status(&ground, accept, body).await.0, StatusCode::BAD_REQUEST);
        }
    }
    let broken = ground
        .client
        .post("/graphql")
        .content_type("application/json")
        .body("{")
        .send()
        .await;
    broken.assert_status(StatusCode::BAD_REQUEST);
    let form = ground
        .client
        .post("/graphql")
        .content_type("text/plain")
        .body("{}")
        .send()
        .await;
    form.assert_status(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let nothing = ground
        .client
        .post("/graphql")
        .body(r#"{"query":"{ __typename }"}"#)
        .send()
        .await;
    nothing.assert_status(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let put = ground.client.put("/graphql").send().await;
    put.assert_status(StatusCode::METHOD_NOT_ALLOWED);
    put.assert_header("allow", "GET, POST");
    let large = Ground::with(ApiSettings {
        max_body_bytes: 100,
        ..ApiSettings::default()
    })
    .await;
    let (status, _) = status(
        &large,
        NEW,
        json!({ "query": "{ __typename }", "x": "y".repeat(200) }),
    )
    .await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_query_may_come_by_get_and_browsers_get_the_explorer() {
    let ground = Ground::new().await;
    let by_get = ground
        .client
        .get("/graphql?query=%7B%20__typename%20%7D")
        .send()
        .await;
    assert_eq!(
        answered(by_get).await.body,
        json!({ "data": { "__typename": "Query" } })
    );
    let page = ground
        .client
        .get("/graphql")
        .header("accept", "text/html,*/*;q=0.8")
        .send()
        .await;
    page.assert_status_is_ok();
    page.assert_content_type("text/html; charset=utf-8");
    let empty = ground.client.get("/graphql").send().await;
    empty.assert_status(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn wrong_tokens_are_refused_before_anything_runs() {
    let ground = Ground::new().await;
    for wrong in ["Bearer lwt_unknown", "Bearer x", "Basic abc"] {
        let headers = [("authorization", wrong.to_owned()), ("accept", OLD.to_owned())];
        let answered = ground.post(&headers, &json!({ "query": "{ __typename }" })).await;
        assert_eq!(
            (answered.status, answered.code()),
            (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED")
        );
        assert_eq!(answered.headers["www-authenticate"], "Bearer");
        assert!(answered.body.get("data").is_none());
    }
}

#[tokio::test]
async fn a_browsers_request_proves_that_it_is_its_own_page() {
    let ground = Ground::new().await;
    let cookie = (
        "cookie",
        format!("leadward_session={}", ground.sign_in("nora@example.org").await),
    );
    let who = json!({ "query": "{ viewer { kind name csrfToken } }" });
    let answered = ground.post(std::slice::from_ref(&cookie), &who).await;
    assert_eq!(answered.body["data"]["viewer"]["name"], "Nora Night");
    let csrf = answered.body["data"]["viewer"]["csrfToken"]
        .as_str()
        .unwrap()
        .to_owned();
    let right = ground.post(&[cookie.clone(), ("x-csrf-token", csrf)], &who).await;
    assert_eq!(right.status, StatusCode::OK);
    let wrong = ground
        .post(&[cookie, ("x-csrf-token", "guessed".to_owned())], &who)
        .await;
    assert_eq!((wrong.status, wrong.code()), (StatusCode::FORBIDDEN, "FORBIDDEN"));
    let stale = ground
        .post(&[("cookie", "leadward_session=ended".to_owned())], &who)
        .await;
    assert_eq!(stale.body["data"]["viewer"]["kind"], "PUBLIC");
}

#[tokio::test]
async fn a_document_is_sent_once_and_named_by_its_hash_afterwards() {
    let ground = Ground::new().await;
    let query = "{ __typename }";
    let hash = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(query));
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    let (unknown, answer) = status(&ground, NEW, json!({ "extensions": extensions })).await;
    assert_eq!(unknown, StatusCode::OK);
    assert_eq!(answer["errors"][0]["message"], "PersistedQueryNotFound");
    assert_eq!(
        answer["errors"][0]["extensions"]["code"],
        "PERSISTED_QUERY_NOT_FOUND"
    );
    status(&ground, NEW, json!({ "query": query, "extensions": extensions })).await;
    let (_, answer) = status(&ground, NEW, json!({ "extensions": extensions })).await;
    assert_eq!(answer, json!({ "data": { "__typename": "Query" } }));
    let (mismatch, _) = status(
        &ground,
        OLD,
        json!({ "query": "{ viewer { kind } }", "extensions": extensions }),
    )
    .await;
    assert_eq!(mismatch, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn introspection_is_for_everybody_and_everything_else_has_limits() {
    let ground = Ground::new().await;
    let deep = "{ __schema { types { fields { type { ofType { ofType { ofType { ofType { ofType { ofType { ofType \
                { ofType { name } } } } } } } } } } } } }";
    assert_eq!(ground.ask(None, deep, json!({})).await.status, StatusCode::OK);
    let (open, close) = ("previous { ".repeat(12), " }".repeat(12));
    let nested =
        format!("query ($f: DashboardFilter!) {{ dashboard(filter: $f) {{ {open} attribution {close} }} }}");
    let period = json!({ "f": { "from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z" } });
    let refused = ground.ask(None, &nested, period).await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::BAD_REQUEST, "GRAPHQL_VALIDATION_FAILED")
    );
    let costly = "{ leads(first: 100) { nodes { timeline(first: 100) { nodes { id kind at } } } } }";
    let refused = ground.ask(None, costly, json!({})).await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::BAD_REQUEST, "GRAPHQL_VALIDATION_FAILED")
    );
}

#[tokio::test]
async fn the_request_id_comes_back_and_pages_keep_to_themselves() {
    let ground = Ground::new().await;
    let answered = ground
        .post(
            &[("x-request-id", "abc-123-def".to_owned())],
            &json!({ "query": "{ __typename }" }),
        )
        .await;
    assert_eq!(answered.headers["x-request-id"], "abc-123-def");
    assert_eq!(answered.headers["x-content-type-options"], "nosniff");
    assert_eq!(answered.headers["cache-control"], "private, no-store");
    let forged = ground
        .post(
            &[("x-request-id", "a b".to_owned())],
            &json!({ "query": "{ __typename }" }),
        )
        .await;
    assert_eq!(forged.headers["x-request-id"].len(), 32);
    ground
        .client
        .get("/nowhere")
        .send()
        .await
        .assert_status(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn only_pages_of_known_origins_may_call() {
    let origin = "https://www.example.org";
    let ground = Ground::with(ApiSettings {
        cors_origins: vec![origin.to_owned()],
        ..ApiSettings::default()
    })
    .await;
    let ask_first = |origin: &'static str| {
        let request = ground.client.options("/graphql").header("origin", origin);
        request.header("access-control-request-method", "POST").send()
    };
    let known = ask_first(origin).await;
    known.assert_status(StatusCode::NO_CONTENT);
    known.assert_header("access-control-allow-origin", origin);
    ask_first("https://evil.example")
        .await
        .assert_status(StatusCode::FORBIDDEN);
    let own = ground
        .post(
            &[("origin", "https://leads.example.org".to_owned())],
            &json!({ "query": "{ __typename }" }),
        )
        .await;
    assert_eq!(own.status, StatusCode::OK);
    assert!(!own.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn health_is_told_to_those_who_watch() {
    let ground = Ground::new().await;
    ground.client.get("/healthz").send().await.assert_status_is_ok();
    let ready = answered(ground.client.get("/readyz").send().await).await;
    assert_eq!(
        ready.body,
        json!({ "database": "ok", "queue": "ok", "waiting": 3, "bulk": 1 })
    );
    ground
        .client
        .get("/metrics")
        .send()
        .await
        .assert_text("leadward_up 1\n")
        .await;
}
