//! Rules have versions, and a draft decides nothing until it is published.

use serde_json::{Value, json};

use super::{ADA, all_to, calls, furnish, publish_routing, team};
use crate::harness::{As, Clinic, OPS};

const VERSIONS: &str = "query($kind: RuleKind!) { ruleSets(kind: $kind) { nodes {
    number state basedOn note createdBy { displayName } publishedBy { displayName } publishedAt
    routingRules { name strategy urgent active flags team { slug } owner { displayName } when { fact is values } }
    scoringRules { name points } slaPolicies { name firstAttemptMins } } } }";

async fn versions(clinic: &Clinic, kind: &str) -> Vec<Value> {
    let answer = clinic.graphql(OPS, VERSIONS, json!({ "kind": kind })).await;
    answer.data("ruleSets.nodes").as_array().unwrap().clone()
}

fn states(versions: &[Value]) -> Vec<(i64, &str)> {
    let state = |row: &Value| row["number"].as_i64().unwrap();
    versions
        .iter()
        .map(|row| (state(row), row["state"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_setup_document_is_a_new_version_only_where_it_says_something_new() {
    let clinic = Clinic::new().await;
    let document = |points: i64| {
        json!({ "scoringRules": [{ "name": "Can be called", "points": points, "text": "A phone number is known.",
            "when": [{ "fact": "REACHABLE", "is": "IN", "values": ["PHONE"] }] }] })
    };
    assert_eq!(states(&versions(&clinic, "SCORING").await), [(1, "PUBLISHED")]);
    furnish(&clinic, document(20)).await;
    assert_eq!(
        states(&versions(&clinic, "SCORING").await),
        [(1, "PUBLISHED")],
        "as before"
    );
    furnish(&clinic, document(25)).await;
    let after = versions(&clinic, "SCORING").await;
    assert_eq!(states(&after), [(2, "PUBLISHED"), (1, "RETIRED")]);
    assert_eq!(
        after[0]["scoringRules"].as_array().unwrap().len(),
        3,
        "with what it did not name"
    );
    assert_eq!(after[0]["publishedBy"], Value::Null);
    for other in ["ROUTING", "SLA"] {
        assert_eq!(states(&versions(&clinic, other).await), [(1, "PUBLISHED")]);
    }
}

#[tokio::test]
async fn a_draft_decides_nothing_until_it_is_published_and_every_lead_knows_by_which_version_it_was_decided()
{
    let clinic = Clinic::new().await;
    let sleep_first = json!([
        { "name": "Spanish", "when": [{ "fact": "LANGUAGE", "is": "STARTS_WITH", "values": ["es"] }], "team": "review" },
        { "name": "Sleep", "when": [{ "fact": "SERVICE_LINE", "is": "IN", "values": ["sleep"] }], "team": "imaging-desk",
          "urgent": true, "flags": ["TRIAGE_NEEDED"] },
    ]);
    let input = json!({ "kind": "ROUTING", "note": "For the spring.", "routingRules": sleep_first });
    let draft = clinic.change(ADA, "createRuleDraft", input).await["ruleSet"].clone();
    let before = calls(&clinic, "Al", json!({})).await;
    assert_eq!(before.team_id.to_string(), team(&clinic, "sleep-desk").await);

    let publish = json!({ "draftId": draft["id"], "expectedVersion": draft["version"] });
    clinic.change(ADA, "publishRuleDraft", publish.clone()).await;
    let lead = calls(&clinic, "Bo", json!({})).await;
    assert_eq!(lead.team_id.to_string(), team(&clinic, "imaging-desk").await);
    assert!(lead.urgent);
    let query =
        "query($id: ID!) { lead(id: $id) { flags routing { rule explanation versions { routing scoring sla }
        addedFlags tried { rule holds because unmet { fact is values } } } } }";
    let read = clinic
        .graphql(OPS, query, json!({ "id": lead.id.to_string() }))
        .await
        .data("lead");
    let routing = &read["routing"];
    assert_eq!(read["flags"], json!(["TRIAGE_NEEDED"]));
    assert_eq!(
        routing["versions"],
        json!({ "routing": 2, "scoring": 1, "sla": 1 })
    );
    assert_eq!(
        routing["tried"],
        json!([
            { "rule": "Spanish", "holds": false, "because": "not language starts with es",
              "unmet": { "fact": "LANGUAGE", "is": "STARTS_WITH", "values": ["es"] } },
            { "rule": "Sleep", "holds": true, "because": "service line in sleep", "unmet": null },
        ])
    );
    assert!(
        routing["explanation"]
            .as_str()
            .unwrap()
            .contains("\"Sleep\" holds: service line in sleep.")
    );
    assert_eq!(before.routing.basis.versions.routing, 1, "what is decided stays");

    let all = versions(&clinic, "ROUTING").await;
    assert_eq!(states(&all), [(2, "PUBLISHED"), (1, "RETIRED")]);
    assert_eq!(
        (&all[0]["note"], &all[0]["basedOn"]),
        (&json!("For the spring."), &json!(1))
    );
    assert_eq!(all[0]["publishedBy"]["displayName"], "Ada Admin");
    assert_eq!(
        all[1]["routingRules"][0]["strategy"], "NAMED",
        "the old version is as it was"
    );
    let again = clinic.try_change(ADA, "publishRuleDraft", publish).await;
    assert_eq!(again["userErrors"][0]["code"], "NOT_ALLOWED_NOW");
    clinic.drain().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_draft_is_told_at_its_place_and_nothing_is_kept() {
    let clinic = Clinic::new().await;
    clinic.sign_in("ada").await;
    let before = clinic.contents().await;
    let rule = |part: &str, value: Value| {
        let mut rule = all_to("review");
        rule[part] = value;
        json!({ "kind": "ROUTING", "routingRules": [rule] })
    };
    let clause = |fact: &str, is: &str, values: &[&str]| {
        rule("when", json!([{ "fact": fact, "is": is, "values": values }]))
    };
    for (input, field) in [
        (rule("team", json!("nowhere")), "routingRules.0.team"),
        (
            rule("owner", json!("nobody@clinic.example")),
            "routingRules.0.owner",
        ),
        (rule("strategy", json!("NAMED")), "routingRules.0.owner"),
        (clause("LANGUAGE", "AT_LEAST", &["5"]), "routingRules.0.when.0.is"),
        (
            clause("SCORE", "AT_LEAST", &["many"]),
            "routingRules.0.when.0.values",
        ),
        (
            clause("SCORE", "BELOW", &["101"]),
            "routingRules.0.when.0.values.0",
        ),
        (
            clause("RECEIVED_WEEKDAY", "IN", &["SOMEDAY"]),
            "routingRules.0.when.0.values.0",
        ),
        (json!({ "kind": "SLA", "routingRules": [] }), "routingRules"),
        (
            json!({ "kind": "SCORING", "scoringRules": [{ "name": "A", "points": 5, "text": "B",
                "when": [{ "fact": "SCORE", "is": "AT_LEAST", "values": ["5"] }] }] }),
            "scoringRules.0.when.0.fact",
        ),
    ] {
        let refused = clinic.try_change(ADA, "createRuleDraft", input.clone()).await;
        let path: Vec<&str> = field.split('.').collect();
        assert_eq!(refused["userErrors"][0]["field"], json!(path), "{input}");
    }
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
}

#[tokio::test]
async fn a_draft_is_changed_by_whoever_read_it_last_and_can_be_thrown_away() {
    let clinic = Clinic::new().await;
    let input = json!({ "kind": "ROUTING" });
    let draft = clinic.change(OPS, "createRuleDraft", input).await["ruleSet"].clone();
    let all = versions(&clinic, "ROUTING").await;
    assert_eq!(
        all[0]["routingRules"], all[1]["routingRules"],
        "it begins as what counts"
    );
    let nothing_new = json!({ "draftId": draft["id"], "expectedVersion": 1 });
    let refused = clinic.try_change(OPS, "publishRuleDraft", nothing_new).await;
    assert_eq!(refused["userErrors"][0]["field"], json!(["draftId"]));

    let change = json!({ "draftId": draft["id"], "expectedVersion": 1, "routingRules": [all_to("review")] });
    clinic.change(OPS, "updateRuleDraft", change.clone()).await;
    let late = clinic.try_change(OPS, "updateRuleDraft", change).await;
    assert_eq!(late["userErrors"][0]["code"], "VERSION_CONFLICT");
    publish_routing(&clinic, json!([all_to("heart-desk")])).await;
    let overtaken = json!({ "draftId": draft["id"], "expectedVersion": 2 });
    let refused = clinic
        .try_change(OPS, "publishRuleDraft", overtaken.clone())
        .await;
    assert_eq!(refused["userErrors"][0]["code"], "VERSION_CONFLICT");
    clinic.change(OPS, "discardRuleDraft", overtaken).await;
    let all = versions(&clinic, "ROUTING").await;
    assert_eq!(states(&all), [(3, "PUBLISHED"), (2, "RETIRED"), (1, "RETIRED")]);
    assert_eq!(all[1]["publishedAt"], Value::Null);
    let nora = clinic
        .graphql(As::Staff("nora"), VERSIONS, json!({ "kind": "SLA" }))
        .await;
    assert_eq!(nora.code(), "FORBIDDEN");
}
