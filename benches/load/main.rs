//! What Leadward does under load, on PostgreSQL with 100,000 leads, beside the plain tools underneath.
//!
//! `./scripts/bench` runs it; `./scripts/bench intake delivery` runs parts of it. Everything is measured in one run on
//! one machine, so that the ratios hold although the figures depend on the machine. Goals are printed beside the
//! results. Nothing fails when one is missed: a time depends on what else the machine does.
#![expect(clippy::print_stdout, reason = "the results are what this program is for")]

mod dashboard;
mod delivery;
mod desk;
mod doors;
mod fill;
mod ground;
mod http;
mod intake;
mod kill;
mod load;
mod page;
mod peer;
mod pgbench;
mod process;
mod readers;
mod report;
mod routes;
mod scale;
#[path = "../../tests/it/harness/smtp_sink.rs"]
#[expect(dead_code, reason = "the sink can also misbehave, which tests use")]
mod smtp_sink;
mod watch;

use std::process::ExitCode;

use domain::error::Chain;
use ground::Ground;
use report::Report;

/// What went wrong, for whoever runs the bench.
type Failure = Box<dyn std::error::Error + Send + Sync>;
/// What a step of the bench answers.
type Result<T> = std::result::Result<T, Failure>;

/// The parts, in the order in which they run: readers first, and last the one that leaves most rows behind.
const PARTS: [&str; 9] = [
    "page",
    "dashboard",
    "delivery",
    "embedded",
    "routes",
    "intake",
    "kill",
    "scale",
    "desk",
];

fn main() -> ExitCode {
    // cargo adds a flag of its own.
    let named: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    if let Some(unknown) = named.iter().find(|name| !PARTS.contains(&name.as_str())) {
        eprintln!(
            "There is no part '{unknown}'; the parts are {}.",
            PARTS.join(", ")
        );
        return ExitCode::FAILURE;
    }
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::from)
        .and_then(|runtime| runtime.block_on(run(&named)));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The bench could not go on: {}", Chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run(named: &[String]) -> Result<()> {
    let ground = Ground::prepare().await?;
    let measured = measure(&ground, named).await;
    // Also after a failure: the scratch database is large.
    ground.clear().await?;
    let report = measured?;
    println!("\n{report}");
    if report.is_complete() {
        Ok(())
    } else {
        Err("some parts could not be measured".into())
    }
}

async fn measure(ground: &Ground, named: &[String]) -> Result<Report> {
    let wanted = |part: &str| named.is_empty() || named.iter().any(|name| name == part);
    let filled = fill::fill(ground).await?;
    let mut report = Report::begin(ground, &filled).await?;
    if wanted("page") || wanted("dashboard") {
        let api = process::Api::start(ground).await?;
        if wanted("page") {
            let measured = page::measure(ground, &api, &mut report).await;
            report.end_part("page", measured);
        }
        if wanted("dashboard") {
            let measured = dashboard::measure(ground, &api, &mut report).await;
            report.end_part("dashboard", measured);
        }
        report.memory("api", api.process.peak_rss_mb()?);
        api.process.stop().await?;
    }
    if wanted("delivery") {
        let measured = delivery::measure(ground, &mut report).await;
        report.end_part("delivery", measured);
    }
    if wanted("embedded") {
        let measured = delivery::measure_embedded(&mut report).await;
        report.end_part("embedded", measured);
    }
    if wanted("routes") {
        let measured = routes::measure(ground, &mut report).await;
        report.end_part("routes", measured);
    }
    if wanted("intake") {
        let measured = intake::measure(ground, &mut report).await;
        report.end_part("intake", measured);
    }
    if wanted("kill") {
        let measured = kill::measure(ground, &mut report).await;
        report.end_part("kill", measured);
    }
    if wanted("scale") {
        let measured = scale::measure(ground, &mut report).await;
        report.end_part("scale", measured);
    }
    if wanted("desk") {
        let measured = desk::measure(ground, &mut report).await;
        report.end_part("desk", measured);
    }
    Ok(report)
}

/// Says what is being done, on standard error.
fn say(what: &str) {
    eprintln!("==> {what}");
}
