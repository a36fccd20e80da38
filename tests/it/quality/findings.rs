//! What reviews find: followed up once, exported, and emptied with the person.

use entity::quality_review;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use super::{ADA, NORA, OTTO, clinic, draw, drawn, items, look, refused, wanted};
use crate::harness::Clinic;

const WORDS: &str = "Promised Pat a call and noted none";

/// Otto reviews the first item of a sample. Answers the id of the review.
async fn reviewed(clinic: &Clinic, sample: &str, finding: Option<&str>) -> String {
    let item = items(&look(clinic, ADA, &json!(sample)).await)[0].clone();
    let scores = json!([{ "criterion": "note", "points": 1 }, { "criterion": "timing", "points": 2 }]);
    let input = json!({ "itemId": item["id"], "scores": scores, "finding": finding });
    let answer = clinic.change(OTTO, "reviewQualityItem", input).await;
    let reviews = answer["qualityItem"]["reviews"].as_array().unwrap();
    reviews[0]["id"].as_str().unwrap().to_owned()
}

fn work(review: &str) -> Value {
    json!({ "reviewId": review, "title": "Call as was promised", "dueAt": "2026-03-04T15:00:00Z" })
}

async fn titles(clinic: &Clinic, lead: &str) -> Vec<Value> {
    let query = "query($id: ID!) { lead(id: $id) { followUps { nodes { title } } } }";
    let answer = clinic.graphql(ADA, query, json!({ "id": lead })).await;
    let nodes = answer.data("lead.followUps.nodes");
    let titles = nodes.as_array().unwrap().iter().map(|node| node["title"].clone());
    titles.filter(|title| title == "Call as was promised").collect()
}

#[tokio::test]
async fn a_finding_opens_one_follow_up_whoever_asks_and_how_often() {
    let (clinic, lead) = clinic(1).await;
    let sample = drawn(&clinic, 1, 0).await;
    let review = reviewed(&clinic, &sample, Some(WORDS)).await;
    let unseen = refused(&clinic, ADA, "openQualityFinding", work(&review)).await;
    assert_eq!(unseen, ["NOT_FOUND reviewId"], "Ada has not reviewed it");
    let mut wrong = work(&review);
    wrong["title"] = Value::Null;
    let told = refused(&clinic, OTTO, "openQualityFinding", wrong).await;
    assert_eq!(told, ["REQUIRED title"]);
    let open = || clinic.try_change(OTTO, "openQualityFinding", work(&review));
    let (one, other) = tokio::join!(open(), open());
    let mut codes = [one, other].map(|answer| answer["userErrors"][0]["code"].clone());
    codes.sort_by_key(ToString::to_string);
    assert_eq!(codes, [json!("ALREADY_EXISTS"), Value::Null]);
    assert_eq!(titles(&clinic, &lead).await.len(), 1);
    let again = refused(&clinic, OTTO, "openQualityFinding", work(&review)).await;
    assert_eq!(again, ["ALREADY_EXISTS reviewId"]);
    let seen = look(&clinic, OTTO, &json!(sample)).await;
    assert_eq!(
        items(&seen)[0]["reviews"][0]["followUp"]["title"],
        "Call as was promised"
    );
    clinic.drain().await;
}

#[tokio::test]
async fn a_review_that_found_nothing_and_a_closed_lead_open_nothing() {
    let (clinic, lead) = clinic(2).await;
    let nothing = reviewed(&clinic, &drawn(&clinic, 1, 0).await, Some("  ")).await;
    let told = refused(&clinic, OTTO, "openQualityFinding", work(&nothing)).await;
    assert_eq!(told, ["NOT_ALLOWED_NOW reviewId"]);
    let found = reviewed(&clinic, &drawn(&clinic, 1, 0).await, Some(WORDS)).await;
    let close = json!({ "leadId": lead, "disposition": "NOT_INTERESTED" });
    clinic.change(NORA, "closeLead", close).await;
    let told = refused(&clinic, OTTO, "openQualityFinding", work(&found)).await;
    assert_eq!(told, ["NOT_ALLOWED_NOW reviewId"]);
    assert_eq!(titles(&clinic, &lead).await, Vec::<Value>::new());
    clinic.change(NORA, "reopenLead", json!({ "leadId": lead })).await;
    clinic.change(OTTO, "openQualityFinding", work(&found)).await;
    assert_eq!(titles(&clinic, &lead).await.len(), 1);
    clinic.drain().await;
}

#[tokio::test]
async fn findings_are_exported_with_the_contact_and_go_with_it_while_points_stay() {
    let (clinic, _) = clinic(2).await;
    let sample = drawn(&clinic, 2, 1).await;
    let review = reviewed(&clinic, &sample, Some(WORDS)).await;
    let id = clinic.last_lead().await.contact_id.to_string();
    let told = clinic
        .change(ADA, "exportContact", json!({ "contactId": id }))
        .await;
    assert!(told.to_string().contains(WORDS), "{told}");
    clinic
        .change(ADA, "eraseContact", json!({ "contactId": id }))
        .await;
    assert_eq!(clinic.contents().await.holding(WORDS), Vec::<&str>::new());
    let kept = quality_review::Entity::find()
        .one(clinic.db())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((kept.finding, kept.scores.0.len()), (None, 2));
    let none = refused(&clinic, OTTO, "openQualityFinding", work(&review)).await;
    assert_eq!(none, ["NOT_ALLOWED_NOW reviewId"]);
    // There is nothing left to review, and nothing to draw.
    let item = items(&look(&clinic, ADA, &json!(sample)).await)[0].clone();
    let scores = json!([{ "criterion": "note", "points": 1 }, { "criterion": "timing", "points": 2 }]);
    let input = json!({ "itemId": item["id"], "scores": scores });
    let late = refused(&clinic, ADA, "reviewQualityItem", input).await;
    assert_eq!(late, ["NOT_ALLOWED_NOW itemId"]);
    for rubric in ["attempts", "forms"] {
        let told = refused(&clinic, ADA, "drawQualitySample", wanted(&clinic, rubric, 5)).await;
        assert_eq!(told, ["NOT_FOUND to"], "{rubric}");
    }
    clinic.drain().await;
}

#[tokio::test]
async fn an_answer_that_was_kept_for_repetition_is_emptied_too() {
    let (clinic, _) = clinic(1).await;
    let sample = drawn(&clinic, 1, 0).await;
    let item = items(&look(&clinic, ADA, &json!(sample)).await)[0].clone();
    let scores = json!([{ "criterion": "note", "points": 1 }, { "criterion": "timing", "points": 2 }]);
    let input = json!({ "itemId": item["id"], "scores": scores, "finding": WORDS });
    let query = "mutation($i: ReviewQualityItemInput!) { reviewQualityItem(input: $i) {
        qualityItem { reviews { finding } } userErrors { code } } }";
    let key = [("idempotency-key", "audit-1")];
    let answer = clinic
        .graphql_with(OTTO, query, json!({ "i": input }), &key)
        .await;
    let said = answer.data("reviewQualityItem.qualityItem.reviews.0.finding");
    assert_eq!(said, WORDS);
    let id = clinic.last_lead().await.contact_id.to_string();
    clinic
        .change(ADA, "eraseContact", json!({ "contactId": id }))
        .await;
    assert_eq!(clinic.contents().await.holding(WORDS), Vec::<&str>::new());
    clinic.drain().await;
}

#[tokio::test]
async fn a_sample_of_closed_leads_is_drawn_by_when_they_were_closed() {
    let (clinic, lead) = clinic(1).await;
    let opened_only = clinic.now();
    clinic.hours_pass(2);
    let close = json!({ "leadId": lead, "disposition": "NOT_INTERESTED" });
    clinic.change(NORA, "closeLead", close).await;
    clinic.minutes_pass(1);
    let mut input = wanted(&clinic, "closing", 5);
    assert_eq!(draw(&clinic, ADA, input.clone()).await["population"], 1);
    input["to"] = json!(opened_only.to_rfc3339());
    let told = refused(&clinic, ADA, "drawQualitySample", input).await;
    assert_eq!(told, ["NOT_FOUND to"]);
    clinic.drain().await;
}
