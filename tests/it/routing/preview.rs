//! What a draft would change, told before it counts.

use serde_json::{Value, json};

use super::{calls, team};
use crate::harness::{Clinic, OPS};

const PREVIEW: &str = "query($input: PreviewRulesInput!) { previewRules(input: $input) { userErrors { field code }
    preview { lookedAt unchanged moved cut byTeam { from { slug } to { slug } leads } byGrade { from to leads }
      byPolicy { from { policy dueMins } to { policy dueMins } leads } becomeUrgent ceaseToBeUrgent otherFlags
      samples { leadId before { rule team { slug } points } after { rule team { slug } urgent points promise { dueMins } } } } } }";

async fn preview(clinic: &Clinic, input: Value) -> Value {
    clinic
        .graphql(OPS, PREVIEW, json!({ "input": input }))
        .await
        .data("previewRules")
}

async fn draft(clinic: &Clinic, input: Value) -> Value {
    clinic.change(OPS, "createRuleDraft", input).await["ruleSet"]["id"].clone()
}

#[tokio::test]
async fn a_draft_is_tried_on_the_leads_that_came_in_and_writes_nothing() {
    let clinic = Clinic::new().await;
    let english = calls(&clinic, "Al", json!({})).await;
    clinic.drain().await;
    clinic.hours_pass(30);
    let spanish = calls(
        &clinic,
        "Bo",
        json!({ "language": "es", "phone": "+18605550177" }),
    )
    .await;
    clinic.drain().await;
    let rules = json!([
        { "name": "Spanish", "when": [{ "fact": "LANGUAGE", "is": "STARTS_WITH", "values": ["es"] }],
          "team": "heart-desk", "urgent": true },
        { "name": "Sleep", "when": [{ "fact": "SERVICE_LINE", "is": "IN", "values": ["sleep"] }], "team": "sleep-desk" },
    ]);
    let id = draft(&clinic, json!({ "kind": "ROUTING", "routingRules": rules })).await;
    let before = clinic.contents().await;
    let said = preview(&clinic, json!({ "draftId": id })).await["preview"].clone();
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
    assert_eq!(
        (
            &said["lookedAt"],
            &said["unchanged"],
            &said["moved"],
            &said["cut"]
        ),
        (&json!(2), &json!(1), &json!(1), &json!(false))
    );
    let shift = json!([{ "from": { "slug": "sleep-desk" }, "to": { "slug": "heart-desk" }, "leads": 1 }]);
    assert_eq!((&said["byTeam"], &said["becomeUrgent"]), (&shift, &json!(1)));
    assert_eq!(said["samples"][0]["leadId"], spanish.id.to_string());
    assert_eq!(said["samples"][0]["after"]["rule"], "Spanish");

    let newest = preview(&clinic, json!({ "draftId": id, "maxLeads": 1 })).await["preview"].clone();
    assert_eq!(
        (&newest["lookedAt"], &newest["moved"], &newest["cut"]),
        (&json!(1), &json!(1), &json!(true))
    );
    let today = preview(&clinic, json!({ "draftId": id, "days": 1, "sample": 0 })).await["preview"].clone();
    assert_eq!(
        (&today["lookedAt"], &today["cut"], &today["samples"]),
        (&json!(1), &json!(false), &json!([]))
    );

    // What was corrected afterwards is not what came in.
    let sleep = team(&clinic, "sleep-desk").await;
    assert_eq!(english.team_id.to_string(), sleep);
    let cardiology = clinic.id_of("serviceLine", "cardiology").await;
    let correction = json!({ "leadId": english.id.to_string(), "serviceLineId": cardiology });
    clinic.change(OPS, "updateLead", correction).await;
    let again = preview(&clinic, json!({ "draftId": id })).await["preview"].clone();
    assert_eq!(again, said);
    clinic.drain().await;
}

#[tokio::test]
async fn other_points_are_told_with_the_grades_and_promises_that_follow_from_them() {
    let clinic = Clinic::new().await;
    let policies = json!([
        { "name": "Good ones", "when": [{ "fact": "SCORE", "is": "AT_LEAST", "values": ["60"] }], "firstAttemptMins": 5,
          "attemptsWanted": 3, "spacingMins": 240, "remindBeforeMins": 2 },
        { "name": "Everything else", "when": [], "firstAttemptMins": 120, "attemptsWanted": 2, "spacingMins": 480,
          "remindBeforeMins": 15 },
    ]);
    super::publish(&clinic, "SLA", "slaPolicies", policies).await;
    calls(&clinic, "Al", json!({ "phone": "+18605550177" })).await;
    let points = json!([{ "name": "Can be called", "points": 70, "text": "A phone number is known.",
        "when": [{ "fact": "REACHABLE", "is": "IN", "values": ["PHONE"] }] }]);
    let id = draft(&clinic, json!({ "kind": "SCORING", "scoringRules": points })).await;
    let said = preview(&clinic, json!({ "draftId": id })).await["preview"].clone();
    assert_eq!(said["byGrade"], json!([{ "from": "D", "to": "A", "leads": 1 }]));
    assert_eq!(
        said["byPolicy"],
        json!([{ "from": { "policy": "Everything else", "dueMins": 120 },
            "to": { "policy": "Good ones", "dueMins": 5 }, "leads": 1 }])
    );
    assert_eq!(said["byTeam"], json!([]));
    clinic.drain().await;
}

#[tokio::test]
async fn bounds_of_a_preview_are_kept() {
    let clinic = Clinic::new().await;
    let id = draft(&clinic, json!({ "kind": "ROUTING" })).await;
    for (field, wrong) in [("days", [0, 91]), ("maxLeads", [0, 20_001]), ("sample", [-1, 51])] {
        for wrong in wrong {
            let mut input = json!({ "draftId": id });
            input[field] = json!(wrong);
            let refused = preview(&clinic, input).await;
            assert_eq!(
                refused["userErrors"],
                json!([{ "field": [field], "code": "INVALID" }])
            );
        }
    }
    let lead = entity::id::RuleSetId(uuid::Uuid::from_u128(7)).to_string();
    let refused = preview(&clinic, json!({ "draftId": lead })).await;
    assert_eq!(
        refused["userErrors"],
        json!([{ "field": ["draftId"], "code": "NOT_FOUND" }])
    );
}
