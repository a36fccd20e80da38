//! A page of 50 leads with everything a list shows of them, by GraphQL over HTTP from a process of its own.

use serde_json::json;

use crate::ground::Ground;
use crate::http::{Asker, graphql};
use crate::load::{CLIENTS, load};
use crate::process::Api;
use crate::report::{Report, grouped, per_sec};
use crate::{Result, doors, pgbench, say};

/// The list of a coordinator's screen.
const QUERY: &str = "query Page($first: Int!) { leads(first: $first) { nodes { id stage type urgent receivedAt \
    contact { displayName email } serviceLine { name } source { channel campaign { name } } \
    owner { displayName } team { name } } pageInfo { hasNextPage endCursor } } }";

/// Measures it.
pub async fn measure(ground: &Ground, api: &Api, report: &mut Report) -> Result<()> {
    say("Asking for pages of leads.");
    let variables = json!({ "first": 50 });
    let request = graphql(&api.token, QUERY, &variables);
    let mut clients = Vec::with_capacity(CLIENTS);
    for _ in 0..CLIENTS {
        clients.push(Asker::connect(api.address, request.clone()).await?);
    }
    let mut bytes = 0;
    if let Some(client) = clients.first_mut() {
        let body = client.body().await?;
        bytes = body.len();
        if body.windows(8).any(|part| part == b"\"errors\"") {
            return Err(format!(
                "the page is answered with errors: {}",
                String::from_utf8_lossy(body)
            )
            .into());
        }
    }
    let mut before = api.process.cpu()?;
    let pages = load(clients, || {
        before = api.process.cpu()?;
        Ok(())
    })
    .await?;
    let used = api.process.cpu()? - before;
    let statements = doors::statements(ground, &api.token, QUERY, &variables).await?;
    let plain = pgbench::run(ground, "page", &pgbench::reading(&statements)?).await?;

    let cpu_ms = used.as_secs_f64() * 1000.0 / (pages.per_sec * crate::load::MEASURED.as_secs_f64());
    let size = grouped(bytes as u64);
    report.section(&format!(
        "Page of 50 leads with contact, service line, campaign, owner, team; {CLIENTS} clients"
    ));
    report.line(
        "  GraphQL over HTTP, leadward api",
        per_sec(pages.per_sec),
        format!("{pages}, {size} bytes"),
    );
    report.line(
        "  processor time of the api a page",
        format!("{cpu_ms:.2} ms"),
        "",
    );
    report.line(
        "  its SQL by pgbench",
        per_sec(plain),
        format!("{} statements a page", statements.len()),
    );
    report.line("  ratio", format!("{:.2}", pages.per_sec / plain), "goal 0.5");
    Ok(())
}
