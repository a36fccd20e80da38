//! Whether the process lives, whether it can work, and what it has measured.

use domain::error::Chain;
use poem::http::StatusCode;
use poem::web::{Data, Json};
use poem::{IntoResponse, Response, handler};
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::state::Api;

/// `GET /healthz`: the process answers.
#[handler]
pub fn alive() -> Response {
    Response::builder()
        .content_type("text/plain; charset=utf-8")
        .body("ok\n")
}

/// `GET /readyz`: the database and the queue answer; 503 when one of them does not.
#[handler]
pub async fn ready(Data(api): Data<&Api>) -> Response {
    let database = api.hospital.db.execute_unprepared("SELECT 1").await;
    let queue = api.probe.queue().await;
    if let Err(error) = &database {
        tracing::error!(error = %Chain(error), "the database does not answer");
    }
    if let Err(error) = &queue {
        tracing::error!(error, "the queue does not answer");
    }
    let word = |ok: bool| if ok { "ok" } else { "unreachable" };
    let body = json!({
        "database": word(database.is_ok()),
        "queue": word(queue.is_ok()),
        "waiting": queue.as_ref().ok().map(|depths| depths.waiting),
        "bulk": queue.as_ref().ok().map(|depths| depths.bulk),
    });
    let ready = database.is_ok() && queue.is_ok();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    Json(body).with_status(status).into_response()
}

/// `GET /metrics`: everything measured, for Prometheus.
#[handler]
pub fn metrics(Data(api): Data<&Api>) -> Response {
    Response::builder()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(api.probe.metrics())
}
