//! How the promise of a first attempt was kept, by whom and when.

use entity::lead;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use super::{IVY, NORA, clinic};
use crate::harness::{As, Clinic, at};

const REPORT: &str = "query($by: SlaReportBy!, $from: DateTime!, $to: DateTime!) {
    slaReport(by: $by, filter: { from: $from, to: $to }) {
        name hourOfWeek channel team { slug } person { displayName } serviceLine { slug }
        leads metTarget sla { met missed lateNow open ended } takenBack businessMedian businessP90
    } }";

async fn report(clinic: &Clinic, who: As<'_>, by: &str) -> Vec<Value> {
    let period = json!({ "by": by, "from": "2026-03-01T05:00:00Z", "to": "2026-04-01T04:00:00Z" });
    let rows = clinic.graphql(who, REPORT, period).await.data("slaReport");
    rows.as_array().unwrap().clone()
}

async fn asks(clinic: &Clinic, name: &str, slug: &str) -> String {
    let email = format!("{name}@example.org");
    let fields = [
        ("given_name", name),
        ("family_name", "Doe"),
        ("email", email.as_str()),
        ("phone", "+18605550177"),
    ];
    let payload = clinic.submit_lead(slug, &fields, None).await;
    assert_eq!(payload["userErrors"], json!([]));
    payload["receipt"]["leadId"].as_str().unwrap().to_owned()
}

async fn tried(clinic: &Clinic, who: As<'_>, id: &str) {
    let input = json!({ "leadId": id, "medium": "PHONE", "outcome": "NO_ANSWER" });
    clinic.change(who, "logAttempt", input).await;
}

/// On Tuesday one lead is tried in 20 minutes, one in 40 and one never, so that it goes from Nora to Ivy; on Monday after
/// the clocks have changed, Lee asks the heart team at ten minutes past ten in New York and is tried in 5 minutes.
async fn some_days() -> Clinic {
    let clinic = clinic().await;
    let quick = asks(&clinic, "Al", "sleep-study").await;
    let slow = asks(&clinic, "Bo", "sleep-study").await;
    asks(&clinic, "Cy", "sleep-study").await;
    clinic.live_until(at("2026-03-03T15:20:00Z")).await;
    tried(&clinic, NORA, &quick).await;
    clinic.live_until(at("2026-03-03T15:40:00Z")).await;
    tried(&clinic, NORA, &slow).await;
    clinic.live_until(at("2026-03-09T14:10:00Z")).await;
    let heart = asks(&clinic, "Lee", "heart").await;
    clinic.live_until(at("2026-03-09T14:15:00Z")).await;
    tried(&clinic, As::Staff("luis"), &heart).await;
    clinic
}

fn row<'a>(rows: &'a [Value], name: &str) -> &'a Value {
    rows.iter()
        .find(|row| row["name"] == name)
        .unwrap_or_else(|| panic!("no row is called {name}: {rows:#?}"))
}

#[tokio::test]
async fn figures_are_those_of_the_leads_and_what_was_taken_back_counts_for_who_lost_it() {
    let clinic = some_days().await;
    let ops = As::Role(entity::enums::Role::MarketingOps);
    let by_team = report(&clinic, ops, "TEAM").await;
    let sleep = row(&by_team, "Sleep desk");
    assert_eq!(sleep["team"]["slug"], "sleep-desk");
    let sla = json!({ "met": 2, "missed": 1, "lateNow": 1, "open": 0, "ended": 0 });
    assert_eq!((&sleep["leads"], &sleep["sla"]), (&json!(3), &sla));
    assert_eq!((&sleep["metTarget"], &sleep["takenBack"]), (&json!(1), &json!(1)));
    assert_eq!(
        (&sleep["businessMedian"], &sleep["businessP90"]),
        (&json!(1200), &json!(2400))
    );
    assert_eq!(by_team.len(), 2);

    let by_person = report(&clinic, ops, "PERSON").await;
    let nora = row(&by_person, "Nora Night");
    assert_eq!((&nora["leads"], &nora["takenBack"]), (&json!(2), &json!(1)));
    let ivy = row(&by_person, "Ivy Early");
    assert_eq!((&ivy["leads"], &ivy["takenBack"]), (&json!(1), &json!(0)));
    assert_eq!(ivy["sla"]["lateNow"], 1);
    assert_eq!(row(&by_person, "Luis Lake")["person"]["displayName"], "Luis Lake");

    let by_line = report(&clinic, ops, "SERVICE_LINE").await;
    assert_eq!(row(&by_line, "Cardiology")["businessMedian"], 300);
    let by_channel = report(&clinic, ops, "CHANNEL").await;
    assert_eq!(by_channel[0]["channel"], "WEBSITE");
    assert_eq!(by_channel[0]["leads"], 4);

    let by_hour = report(&clinic, ops, "HOUR_OF_WEEK").await;
    let hours: Vec<_> = by_hour
        .iter()
        .map(|row| (row["name"].as_str().unwrap(), &row["hourOfWeek"], &row["leads"]))
        .collect();
    assert_eq!(
        hours,
        [
            ("Monday, 10:00", &json!(10), &json!(1)),
            ("Tuesday, 10:00", &json!(34), &json!(3)),
        ],
        "in local time, before and after the clocks change"
    );
}

#[tokio::test]
async fn a_coordinator_gets_the_figures_of_the_own_team_and_an_analyst_all() {
    let clinic = some_days().await;
    let teams = async |who| {
        let rows = report(&clinic, who, "TEAM").await;
        rows.iter().map(|row| row["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(teams(IVY).await, ["Sleep desk"]);
    assert_eq!(teams(As::Staff("ann")).await, ["Sleep desk", "Heart desk"]);
    let too_long = json!({ "by": "TEAM", "from": "2025-01-01T05:00:00Z", "to": "2026-04-01T04:00:00Z" });
    let refused = clinic.graphql(IVY, REPORT, too_long).await;
    assert_eq!(refused.code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn the_report_and_the_dashboard_count_the_same_leads_by_the_same_definitions() {
    let clinic = some_days().await;
    let ops = As::Role(entity::enums::Role::MarketingOps);
    let query = "{ dashboard(filter: { from: \"2026-03-01T05:00:00Z\", to: \"2026-04-01T04:00:00Z\" }) {
        totals { leads } sla { met missed lateNow open ended } } }";
    let board = clinic.graphql(ops, query, json!({})).await.data("dashboard");
    let all = lead::Entity::find().all(clinic.db()).await.unwrap().len();
    assert_eq!(board["totals"]["leads"], all);
    for by in ["TEAM", "PERSON", "SERVICE_LINE", "CHANNEL", "HOUR_OF_WEEK"] {
        let rows = report(&clinic, ops, by).await;
        let sum = |figure: &dyn Fn(&Value) -> i64| rows.iter().map(figure).sum::<i64>();
        assert_eq!(
            board["totals"]["leads"],
            sum(&|row| row["leads"].as_i64().unwrap()),
            "{by}"
        );
        for figure in ["met", "missed", "lateNow", "open", "ended"] {
            let counted = sum(&|row| row["sla"][figure].as_i64().unwrap());
            assert_eq!(board["sla"][figure], counted, "{figure} by {by}");
        }
    }
}
