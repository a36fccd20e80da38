//! The API's doors inside this process, where every statement they cause is seen.

use std::sync::Arc;

use api::hooks::Certificates;
use api::state::{Api, ApiSettings, Probe, QueueDepths};
use async_trait::async_trait;
use domain::dry_run::Limits;
use domain::nudge::{Nudger, Subject};
use domain::signal::Signals;
use leadward::fetch::HttpsFetch;
use poem::http::header;
use poem::test::TestClient;
use poem::{EndpointExt, Response};
use sea_orm::Statement;
use serde_json::{Value, json};

use crate::Result;
use crate::ground::Ground;

/// The statements that a GraphQL request costs when everything that processes keep is known.
pub async fn statements(
    ground: &Ground,
    token: &str,
    query: &str,
    variables: &Value,
) -> Result<Vec<Statement>> {
    let (hospital, watch) = ground.watched().await?;
    let simulator = leadward::dry_run::simulator(&hospital, Limits::default())?;
    let api = Api {
        hospital,
        signals: Signals::default(),
        nudger: Arc::new(Nobody),
        settings: Arc::new(ApiSettings::default()),
        probe: Arc::new(Nobody),
        simulator,
        certificates: Certificates::new(Arc::new(HttpsFetch)),
    };
    let client = TestClient::new(api::routes::routes(api).map_to_response().boxed());
    let body = json!({ "query": query, "variables": variables });
    let ask = || async {
        let request = client
            .post("/graphql")
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        let response: Response = request.body_json(&body).send().await.0;
        let text = response.into_body().into_string().await?;
        if text.contains("\"errors\"") {
            return Err(crate::Failure::from(format!(
                "the query is answered with errors: {text}"
            )));
        }
        Ok(())
    };
    // The first request reads the playbook.
    ask().await?;
    watch.take();
    ask().await?;
    Ok(watch.take().into_iter().map(|ran| ran.statement).collect())
}

/// There is no worker to remind and nothing to probe.
struct Nobody;

impl Nudger for Nobody {
    fn nudge(&self, _: Subject) {}
}

#[async_trait]
impl Probe for Nobody {
    async fn queue(&self) -> std::result::Result<QueueDepths, String> {
        Ok(QueueDepths::default())
    }

    fn metrics(&self) -> String {
        String::new()
    }
}
