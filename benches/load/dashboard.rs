//! The dashboard of 90 days, asked for by one person who waits.

use std::time::{Duration, Instant};

use chrono::{SecondsFormat, TimeDelta};
use domain::id::new_id;
use domain::report::{self, Filter};
use domain::viewer::Viewer;
use entity::enums::Role;
use serde_json::json;

use crate::ground::Ground;
use crate::http::{Asker, graphql};
use crate::load::Load;
use crate::process::Api;
use crate::report::Report;
use crate::{Result, say};

/// Times that it is asked for.
const RUNS: usize = 30;

const QUERY: &str = "query Dashboard($filter: DashboardFilter!) { dashboard(filter: $filter) { \
    totals { leads attempted reached qualified scheduled completed contactRate } \
    byServiceLine { name totals { leads reached scheduled completed } } byChannel { name totals { leads reached } } \
    byCampaign { name totals { leads scheduled completed } } outcomes { outcome count } \
    timeToFirstContact { median p90 } } }";

/// Measures it.
pub async fn measure(ground: &Ground, api: &Api, page: &mut Report) -> Result<()> {
    say("Asking for the dashboard.");
    let to = ground.hospital.now();
    let from = to - TimeDelta::days(90);
    let text = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let variables = json!({ "filter": { "from": text(from), "to": text(to) } });
    let mut asker = Asker::connect(api.address, graphql(&api.token, QUERY, &variables)).await?;
    let body = asker.body().await?;
    if body.windows(8).any(|part| part == b"\"errors\"") {
        return Err(format!(
            "the dashboard is answered with errors: {}",
            String::from_utf8_lossy(body)
        )
        .into());
    }
    let mut runs = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let asked = Instant::now();
        asker.body().await?;
        runs.push(asked.elapsed());
    }
    let share = sql_share(ground, Filter::period(from, to)).await?;
    let waits = Load::of_runs(&runs)?;
    page.section("Dashboard of 90 days, one client");
    page.line(
        "  GraphQL over HTTP, leadward api",
        format!("{:.0} ms", waits.quantile_ms(0.5)),
        format!("{waits}"),
    );
    page.line(
        "  of that waiting for SQL",
        format!("{:.0} %", share * 100.0),
        "inside one process",
    );
    Ok(())
}

/// Which share of the time goes into waiting for the database.
async fn sql_share(ground: &Ground, filter: Filter) -> Result<f64> {
    let (hospital, watch) = ground.watched().await?;
    let viewer = Viewer::Token {
        id: new_id(hospital.now()),
        role: Role::MarketingOps,
    };
    report::dashboard(&hospital, &viewer, filter.clone()).await?;
    watch.take();
    let asked = Instant::now();
    for _ in 0..RUNS {
        report::dashboard(&hospital, &viewer, filter.clone()).await?;
    }
    let whole = asked.elapsed();
    let in_sql: Duration = watch.take().iter().map(|ran| ran.took).sum();
    Ok(in_sql.as_secs_f64() / whole.as_secs_f64())
}
