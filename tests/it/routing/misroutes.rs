//! Leads that went to the wrong team, and which rules had sent them there.

use serde_json::{Value, json};

use super::{ADA, calls, team};
use crate::harness::{As, Clinic, OPS};

const NORA: As<'static> = As::Staff("nora");
const REPORT: &str =
    "{ misrouteReport(filter: { from: \"2026-03-01T05:00:00Z\", to: \"2026-03-10T04:00:00Z\" }) {
    rule routed misrouted share to { team { slug } leads } reasons { reason leads } } }";
const LIST: &str = "query($filter: MisrouteFilter) { misroutes(filter: $filter) { totalCount nodes {
    lead { id } rule ruleVersion byRule fromTeam { slug } toTeam { slug } reason note by { displayName } } } }";

async fn reroute(clinic: &Clinic, who: As<'_>, lead: &entity::lead::Model, to: &str, reason: &str) -> Value {
    let input = json!({ "leadId": lead.id.to_string(), "teamId": team(clinic, to).await, "reason": reason,
        "note": "plantednote" });
    clinic.try_change(who, "rerouteLead", input).await
}

async fn report(clinic: &Clinic) -> Value {
    clinic
        .graphql(OPS, REPORT, json!({}))
        .await
        .data("misrouteReport")
}

#[tokio::test]
async fn a_misrouted_lead_moves_with_its_work_and_counts_once_against_its_rule() {
    let clinic = Clinic::new().await;
    let lead = calls(&clinic, "Al", json!({})).await;
    calls(&clinic, "Bo", json!({})).await;
    clinic.drain().await;
    assert_eq!(
        reroute(&clinic, NORA, &lead, "heart-desk", "WRONG_SERVICE_LINE").await["userErrors"],
        json!([])
    );
    let query =
        "query($id: ID!) { lead(id: $id) { team { slug } owner { displayName } routing { team { slug } }
        followUps { nodes { team { slug } assignee { displayName } } } sla { dueAt } } }";
    let read = async || {
        let id = json!({ "id": lead.id.to_string() });
        clinic.graphql(OPS, query, id).await.data("lead")
    };
    let moved = read().await;
    assert_eq!(
        (&moved["team"]["slug"], &moved["owner"]["displayName"]),
        (&json!("heart-desk"), &json!("Luis Lake"))
    );
    assert_eq!(
        moved["followUps"]["nodes"],
        json!([{ "team": { "slug": "heart-desk" }, "assignee": { "displayName": "Luis Lake" } }])
    );
    assert_eq!(
        moved["routing"]["team"]["slug"], "sleep-desk",
        "what the rule decided stays"
    );
    let due: chrono::DateTime<chrono::Utc> = moved["sla"]["dueAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(due, lead.sla_due_at, "the clock runs on");

    reroute(&clinic, As::Staff("luis"), &lead, "imaging-desk", "OTHER").await;
    reroute(&clinic, OPS, &lead, "sleep-desk", "NO_CAPACITY").await;
    reroute(&clinic, NORA, &lead, "heart-desk", "WRONG_FACILITY").await;
    assert_eq!(
        report(&clinic).await,
        json!([{ "rule": "Sleep", "routed": 2, "misrouted": 1, "share": 0.5,
            "to": [{ "team": { "slug": "heart-desk" }, "leads": 1 }],
            "reasons": [{ "reason": "WRONG_SERVICE_LINE", "leads": 1 }] }])
    );
    let filter = json!({ "filter": { "leadId": lead.id.to_string() } });
    let list = clinic.graphql(OPS, LIST, filter).await.data("misroutes");
    assert_eq!(list["totalCount"], 4);
    let first = &list["nodes"][3];
    assert_eq!(
        *first,
        json!({ "lead": { "id": lead.id.to_string() }, "rule": "Sleep", "ruleVersion": 1, "byRule": true,
            "fromTeam": { "slug": "sleep-desk" }, "toTeam": { "slug": "heart-desk" },
            "reason": "WRONG_SERVICE_LINE", "note": "plantednote", "by": { "displayName": "Nora Night" } })
    );
    let rest = list["nodes"].as_array().unwrap()[..3].iter();
    assert!(
        rest.clone().all(|row| row["byRule"] == false),
        "later moves correct people: {list:#}"
    );
    clinic.drain().await;
}

#[tokio::test]
async fn a_move_that_is_none_is_refused_and_leaves_nothing() {
    let clinic = Clinic::new().await;
    let lead = calls(&clinic, "Al", json!({})).await;
    clinic.drain().await;
    clinic.sign_in("nora").await;
    clinic.sign_in("luis").await;
    let before = clinic.contents().await;
    let there = reroute(&clinic, NORA, &lead, "sleep-desk", "WRONG_FACILITY").await;
    assert_eq!(there["userErrors"][0]["field"], json!(["teamId"]));
    let not_his = reroute(&clinic, As::Staff("luis"), &lead, "heart-desk", "WRONG_FACILITY").await;
    assert_eq!(not_his["userErrors"][0]["code"], "NOT_FOUND");
    let mut input = json!({ "leadId": lead.id.to_string(), "teamId": team(&clinic, "heart-desk").await, "reason": "OTHER" });
    let why = clinic.try_change(NORA, "rerouteLead", input.clone()).await;
    assert_eq!(why["userErrors"][0]["field"], json!(["note"]));
    input["reason"] = json!("NO_CAPACITY");
    input["version"] = json!(7);
    let stale = clinic.try_change(NORA, "rerouteLead", input).await;
    assert_eq!(stale["userErrors"][0]["code"], "VERSION_CONFLICT");
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
    let closing = json!({ "leadId": lead.id.to_string(), "disposition": "NOT_INTERESTED" });
    clinic.change(NORA, "closeLead", closing).await;
    let closed = reroute(&clinic, NORA, &lead, "heart-desk", "WRONG_FACILITY").await;
    assert_eq!(closed["userErrors"][0]["code"], "NOT_ALLOWED_NOW");
    clinic.drain().await;
}

#[tokio::test]
async fn what_was_said_about_a_move_goes_with_the_person_and_the_count_stays() {
    let clinic = Clinic::new().await;
    let lead = calls(&clinic, "Al", json!({})).await;
    reroute(&clinic, NORA, &lead, "heart-desk", "WRONG_SERVICE_LINE").await;
    clinic.drain().await;
    let counted = report(&clinic).await;
    assert!(!clinic.contents().await.holding("plantednote").is_empty());
    let input = json!({ "contactId": lead.contact_id.to_string() });
    clinic.change(ADA, "eraseContact", input).await;
    assert_eq!(clinic.contents().await.holding("plantednote"), Vec::<&str>::new());
    assert_eq!(report(&clinic).await, counted);
    let basis = clinic.last_lead().await.routing.basis;
    assert_eq!(
        (basis.versions.routing, basis.tried.len(), basis.intake),
        (1, 0, None)
    );
    clinic.drain().await;
}

#[tokio::test]
async fn the_person_is_chosen_as_the_rule_says_that_sends_such_leads_to_the_team() {
    let clinic = Clinic::new().await;
    let rules = json!([
        { "name": "Phone", "when": [{ "fact": "CHANNEL", "is": "IN", "values": ["PHONE"] }], "team": "review" },
        { "name": "Sleep", "when": [{ "fact": "SERVICE_LINE", "is": "IN", "values": ["sleep"] }], "team": "sleep-desk",
          "owner": "sam@clinic.example" },
    ]);
    super::publish_routing(&clinic, rules).await;
    let lead = calls(&clinic, "Al", json!({})).await;
    clinic.drain().await;
    let moved = reroute(
        &clinic,
        As::Staff("otto"),
        &lead,
        "sleep-desk",
        "WRONG_SERVICE_LINE",
    )
    .await;
    assert_eq!(moved["userErrors"], json!([]));
    let sam = clinic.id_of("staff", "sam").await;
    assert_eq!(
        clinic.last_lead().await.owner_id.map(|id| id.to_string()),
        Some(sam)
    );
    clinic.drain().await;
}
