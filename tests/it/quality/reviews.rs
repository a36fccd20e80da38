//! Reviews: who may, how often, who sees them, and what a sample says.

use entity::quality_review;
use futures_util::future::join_all;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use super::{ADA, NORA, OLGA, OTTO, clinic, draw, drawn, items, look, refused, wanted};
use crate::harness::{As, Clinic, OPS};

/// A review of an item by the rubric of attempts.
fn points(item: &Value, note: i32, timing: i32) -> Value {
    let scores =
        json!([{ "criterion": "note", "points": note }, { "criterion": "timing", "points": timing }]);
    json!({ "itemId": item["id"], "scores": scores })
}

async fn item(clinic: &Clinic, sample: &str, place: usize) -> Value {
    items(&look(clinic, ADA, &json!(sample)).await)[place].clone()
}

/// The names of those whose reviews of the first item are shown.
async fn seen(clinic: &Clinic, who: As<'_>, sample: &str) -> Vec<String> {
    let sample = look(clinic, who, &json!(sample)).await;
    let reviews = items(&sample)[0]["reviews"].as_array().unwrap().clone();
    let name = |review: &Value| review["reviewer"]["displayName"].as_str().unwrap().to_owned();
    reviews.iter().map(name).collect()
}

#[tokio::test]
async fn every_criterion_gets_points_in_its_range_and_what_is_wrong_is_told_at_its_place() {
    let (clinic, _) = clinic(1).await;
    let sample = drawn(&clinic, 1, 0).await;
    let item = item(&clinic, &sample, 0).await;
    let told = |input| refused(&clinic, OTTO, "reviewQualityItem", input);
    assert_eq!(
        told(points(&item, 5, -1)).await,
        ["INVALID scores.0.points", "INVALID scores.1.points"]
    );
    let mut one = points(&item, 4, 2);
    one["scores"].as_array_mut().unwrap().pop();
    one["finding"] = json!("a\u{202e}b");
    assert_eq!(told(one).await, ["REQUIRED scores", "INVALID finding"]);
    let mut other = points(&item, 4, 2);
    other["scores"][0]["criterion"] = json!("manners");
    assert_eq!(
        told(other).await,
        ["NOT_FOUND scores.0.criterion", "REQUIRED scores"]
    );
    let mut nobody = points(&item, 4, 2);
    nobody["itemId"] = json!(entity::id::QualityItemId(clinic.last_lead().await.id.0).to_string());
    assert_eq!(told(nobody).await, ["NOT_FOUND itemId"]);
    let written = quality_review::Entity::find();
    assert_eq!(written.count(clinic.db()).await.unwrap(), 0);
    let mut good = points(&item, 4, 0);
    // The order of the rubric is that of the answer.
    good["scores"].as_array_mut().unwrap().reverse();
    let reviewed = clinic.change(OTTO, "reviewQualityItem", good).await;
    let scores = json!([{ "criterion": "note", "points": 4 }, { "criterion": "timing", "points": 0 }]);
    assert_eq!(reviewed["qualityItem"]["complete"], true);
    assert_eq!(reviewed["qualityItem"]["reviews"][0]["scores"], scores);
}

#[tokio::test]
async fn nobody_reviews_their_own_work_and_no_program_reviews() {
    let (clinic, lead) = clinic(0).await;
    let tried = json!({ "leadId": lead, "medium": "PHONE", "outcome": "REACHED" });
    clinic.change(OTTO, "logAttempt", tried).await;
    let close = json!({ "leadId": lead, "disposition": "NOT_INTERESTED" });
    clinic.change(ADA, "closeLead", close).await;
    clinic.minutes_pass(1);
    clinic.drain().await;
    let attempts = drawn(&clinic, 1, 0).await;
    let attempt = item(&clinic, &attempts, 0).await;
    let own = refused(&clinic, OTTO, "reviewQualityItem", points(&attempt, 4, 2)).await;
    assert_eq!(own, ["NOT_ALLOWED_NOW itemId"]);
    let program = refused(&clinic, OPS, "reviewQualityItem", points(&attempt, 4, 2)).await;
    assert_eq!(program, ["NOT_ALLOWED_NOW itemId"]);
    clinic
        .change(ADA, "reviewQualityItem", points(&attempt, 4, 2))
        .await;
    let closing = draw(&clinic, ADA, wanted(&clinic, "closing", 1)).await;
    let closed = items(&look(&clinic, ADA, &closing["id"]).await)[0].clone();
    let scores = json!([{ "criterion": "reason", "points": 1 }]);
    let input = json!({ "itemId": closed["id"], "scores": scores });
    let own = refused(&clinic, ADA, "reviewQualityItem", input.clone()).await;
    assert_eq!(own, ["NOT_ALLOWED_NOW itemId"]);
    clinic.change(OTTO, "reviewQualityItem", input).await;
    let code = clinic
        .graphql(NORA, "{ qualitySamples { nodes { id } } }", Value::Null)
        .await
        .code();
    assert_eq!(code, "FORBIDDEN");
}

#[tokio::test]
async fn what_others_say_is_shown_to_whoever_has_reviewed_the_same_and_to_nobody_else() {
    let (clinic, _) = clinic(1).await;
    let sample = drawn(&clinic, 1, 1).await;
    let item = item(&clinic, &sample, 0).await;
    let answer = clinic
        .change(OTTO, "reviewQualityItem", points(&item, 1, 1))
        .await;
    assert_eq!(answer["qualityItem"]["complete"], false);
    assert_eq!(seen(&clinic, OTTO, &sample).await, ["Otto Ops"]);
    for blind in [ADA, OLGA, OPS] {
        assert_eq!(
            seen(&clinic, blind, &sample).await,
            Vec::<String>::new(),
            "{blind:?}"
        );
    }
    clinic
        .change(OLGA, "reviewQualityItem", points(&item, 3, 1))
        .await;
    for reviewer in [OTTO, OLGA] {
        assert_eq!(seen(&clinic, reviewer, &sample).await, ["Otto Ops", "Olga Ops"]);
    }
    assert_eq!(seen(&clinic, ADA, &sample).await, Vec::<String>::new());
}

#[tokio::test]
async fn of_many_at_one_moment_as_many_review_as_are_wanted_and_nobody_twice() {
    let (clinic, _) = clinic(3).await;
    let sample = drawn(&clinic, 3, 2).await;
    for name in ["ada", "otto", "olga"] {
        clinic.sign_in(name).await;
    }
    for (place, askers, taken) in [
        (2, vec![ADA, OTTO, OLGA], 1),
        (1, vec![OLGA, ADA, OTTO], 2),
        (0, vec![OTTO, OTTO, OTTO], 1),
    ] {
        let item = item(&clinic, &sample, place).await;
        let asked = askers
            .into_iter()
            .map(|who| clinic.try_change(who, "reviewQualityItem", points(&item, 4, 2)));
        let answers = join_all(asked).await;
        let done = answers
            .iter()
            .filter(|answer| answer["userErrors"] == json!([]))
            .count();
        assert_eq!(done, taken, "{answers:#?}");
        let code = if place == 0 {
            "ALREADY_EXISTS"
        } else {
            "NOT_ALLOWED_NOW"
        };
        let others = answers.iter().filter(|answer| answer["userErrors"] != json!([]));
        for refused in others {
            assert_eq!(refused["userErrors"][0]["code"], code, "{refused:#}");
        }
    }
    let written = quality_review::Entity::find();
    assert_eq!(written.count(clinic.db()).await.unwrap(), 4);
}

#[tokio::test]
async fn a_sample_says_what_complete_reviews_say_and_only_to_who_drew_it() {
    let (clinic, _) = clinic(5).await;
    let sample = drawn(&clinic, 5, 4).await;
    // Three pairs, and a piece of work that one person has yet to review.
    for (place, otto, olga) in [(0, 0, Some(0)), (1, 1, Some(2)), (2, 4, Some(3)), (3, 4, None)] {
        let item = item(&clinic, &sample, place).await;
        clinic
            .change(OTTO, "reviewQualityItem", points(&item, otto, 1))
            .await;
        if let Some(olga) = olga {
            clinic
                .change(OLGA, "reviewQualityItem", points(&item, olga, 1))
                .await;
        }
    }
    let figures = |sample: Value| sample["figures"].clone();
    let said = figures(look(&clinic, ADA, &json!(sample)).await);
    assert_eq!(said["reviewed"], 3);
    let share = |value: &Value, expected: f64| (value.as_f64().unwrap() - expected).abs() < 1e-9;
    let [note, timing] = [0_usize, 1].map(|place| said["criteria"][place].clone());
    assert_eq!(
        (&note["criterion"]["key"], &note["pairs"]),
        (&json!("note"), &json!(3))
    );
    assert!(share(&note["meanShare"], 10.0 / 24.0), "{note}");
    assert!(share(&note["exactAgreement"], 1.0 / 3.0), "{note}");
    // Observed: (0 + 1 + 1) / 3. By chance, over the nine combinations: (0 + 4 + 9 + 1 + 1 + 4 + 16 + 4 + 1) / 9.
    assert!(
        share(&note["weightedKappa"], 1.0 - (2.0 / 3.0) / (40.0 / 9.0)),
        "{note}"
    );
    assert!(share(&timing["exactAgreement"], 1.0), "{timing}");
    assert_eq!(timing["weightedKappa"], Value::Null, "nothing differs");
    for other in [OTTO, OLGA, OPS] {
        assert_eq!(figures(look(&clinic, other, &json!(sample)).await), Value::Null);
    }
    let item = item(&clinic, &sample, 3).await;
    clinic
        .change(OLGA, "reviewQualityItem", points(&item, 4, 1))
        .await;
    let said = figures(look(&clinic, ADA, &json!(sample)).await);
    assert_eq!(
        (&said["reviewed"], &said["criteria"][0]["pairs"]),
        (&json!(4), &json!(4))
    );
    let once = items(&look(&clinic, ADA, &json!(sample)).await)[4].clone();
    clinic.change(ADA, "reviewQualityItem", points(&once, 4, 1)).await;
    let said = figures(look(&clinic, ADA, &json!(sample)).await);
    assert_eq!(
        (&said["reviewed"], &said["criteria"][0]["pairs"]),
        (&json!(5), &json!(4))
    );
}

#[tokio::test]
async fn a_page_of_samples_costs_as_many_statements_as_one() {
    let (clinic, _) = clinic(3).await;
    let query = "{ qualitySamples { nodes { rubric { key } figures { reviewed }
        items { nodes { complete lead { id } attempt { id } reviews { id } } } } } }";
    let mut counts = Vec::new();
    for _ in 0..3 {
        drawn(&clinic, 3, 1).await;
        clinic.statements();
        clinic
            .graphql(ADA, query, Value::Null)
            .await
            .data("qualitySamples");
        counts.push(clinic.statements().len());
    }
    assert_eq!(counts[1], counts[2], "{counts:?}");
}
