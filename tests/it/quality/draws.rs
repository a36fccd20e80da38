//! What is drawn, and how it is drawn again.

use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::{AttemptOutcome, Medium};
use entity::id::LeadId;
use entity::{attempt, quality_item, quality_sample};
use sea_orm::{EntityTrait, IntoActiveModel, PaginatorTrait};
use serde_json::{Value, json};

use super::{ADA, NORA, OTTO, apply, clinic, draw, drawn, items, look, refused, wanted};
use crate::harness::{Clinic, OPS, at};

/// The attempts of a sample, in the order of the draw.
async fn attempts_of(clinic: &Clinic, id: &Value) -> Vec<Value> {
    let sample = look(clinic, ADA, id).await;
    items(&sample)
        .iter()
        .map(|item| item["attempt"]["id"].clone())
        .collect()
}

#[tokio::test]
async fn the_same_seed_draws_the_same_and_a_smaller_sample_is_the_beginning_of_a_larger_one() {
    let (clinic, lead) = clinic(8).await;
    let mut input = wanted(&clinic, "attempts", 6);
    input["twice"] = json!(2);
    let first = draw(&clinic, ADA, input.clone()).await;
    assert_eq!(
        (&first["population"], &first["size"], &first["twice"]),
        (&json!(8), &json!(6), &json!(2))
    );
    let sample = look(&clinic, ADA, &first["id"]).await;
    assert_eq!(sample["drawnBy"]["name"], "Ada Admin");
    assert_eq!(sample["items"]["totalCount"], 6);
    let (places, twice): (Vec<_>, Vec<_>) = items(&sample)
        .iter()
        .map(|item| (item["place"].as_i64().unwrap(), item["twice"].as_bool().unwrap()))
        .unzip();
    assert_eq!(places, [1, 2, 3, 4, 5, 6]);
    assert_eq!(twice, [true, true, false, false, false, false]);
    assert!(
        items(&sample)
            .iter()
            .all(|item| item["lead"]["id"] == json!(lead))
    );
    // What the seed was is told, so anybody can draw the same again.
    input["seed"] = first["seed"].clone();
    let again = draw(&clinic, OPS, input.clone()).await;
    assert_ne!(again["id"], first["id"]);
    let before = attempts_of(&clinic, &first["id"]).await;
    assert_eq!(attempts_of(&clinic, &again["id"]).await, before);
    input["size"] = json!(3);
    let smaller = draw(&clinic, OTTO, input).await;
    assert_eq!(attempts_of(&clinic, &smaller["id"]).await, before[..3]);
    let all = draw(&clinic, OTTO, wanted(&clinic, "attempts", 200)).await;
    assert_eq!((&all["size"], &all["population"]), (&json!(8), &json!(8)));
    let query = "{ qualitySamples(first: 3) { totalCount nodes { id } } }";
    let listed = clinic
        .graphql(OTTO, query, Value::Null)
        .await
        .data("qualitySamples");
    assert_eq!(listed["totalCount"], 4);
    let newest: Vec<&Value> = [&all, &smaller, &again].map(|one| &one["id"]).to_vec();
    let nodes: Vec<Value> = listed["nodes"].as_array().unwrap().clone();
    assert_eq!(nodes.iter().map(|one| &one["id"]).collect::<Vec<_>>(), newest);
}

#[tokio::test]
async fn each_rubric_draws_its_own_kind_of_work_within_the_period_and_the_team() {
    let (clinic, pat) = clinic(1).await;
    let phoned = json!({ "leadType": "SERVICE_INQUIRY", "channel": "PHONE", "requestedService": "sleep study",
        "contact": { "givenName": "Sky", "email": "sky@example.org" }, "externalId": "call-1" });
    let query = "mutation($i: SubmitLeadInput!) { submitLead(input: $i) { receipt { created } } }";
    let entered = clinic.graphql(NORA, query, json!({ "i": phoned })).await;
    assert_eq!(entered.data("submitLead.receipt.created"), true);
    let close = json!({ "leadId": pat, "disposition": "NOT_INTERESTED" });
    clinic.change(NORA, "closeLead", close).await;
    clinic.minutes_pass(1);
    clinic.drain().await;
    let forms = draw(&clinic, ADA, wanted(&clinic, "forms", 10)).await;
    assert_eq!(forms["population"], 1, "who called filled no form in");
    let sample = look(&clinic, ADA, &forms["id"]).await;
    assert_eq!(sample["rubric"]["of"], "FORM_DATA");
    let item = &items(&sample)[0];
    assert_eq!(
        (&item["lead"]["id"], &item["attempt"]),
        (&json!(pat), &Value::Null)
    );
    let closing = draw(&clinic, ADA, wanted(&clinic, "closing", 10)).await;
    let sample = look(&clinic, ADA, &closing["id"]).await;
    assert_eq!(items(&sample).len(), 1);
    assert_eq!(items(&sample)[0]["lead"]["disposition"], "NOT_INTERESTED");
    let mut of_team = wanted(&clinic, "attempts", 10);
    of_team["teamId"] = json!(clinic.id_of("team", "sleep-desk").await);
    let drawn = draw(&clinic, ADA, of_team.clone()).await;
    assert_eq!(
        look(&clinic, ADA, &drawn["id"]).await["team"]["slug"],
        "sleep-desk"
    );
    of_team["teamId"] = json!(clinic.id_of("team", "heart-desk").await);
    let nothing = refused(&clinic, ADA, "drawQualitySample", of_team).await;
    assert_eq!(nothing, ["NOT_FOUND to"]);
    // What is done at the first instant is in the period, what is done at the last is not.
    let tried = attempt::Entity::find()
        .one(clinic.db())
        .await
        .unwrap()
        .unwrap()
        .at;
    let mut exact = wanted(&clinic, "attempts", 10);
    exact["from"] = json!(tried.to_rfc3339());
    assert_eq!(draw(&clinic, ADA, exact.clone()).await["population"], 1);
    exact["from"] = json!((tried - TimeDelta::hours(1)).to_rfc3339());
    exact["to"] = json!(tried.to_rfc3339());
    let nothing = refused(&clinic, ADA, "drawQualitySample", exact).await;
    assert_eq!(nothing, ["NOT_FOUND to"]);
}

#[tokio::test]
async fn what_cannot_be_drawn_is_refused_at_its_field_and_nothing_is_written() {
    let (clinic, _) = clinic(1).await;
    let now = clinic.now();
    let time = |at: DateTime<Utc>| json!(at.to_rfc3339());
    let unknown = entity::id::TeamId(clinic.last_lead().await.id.0).to_string();
    for (field, value, expected) in [
        ("rubric", json!("manners"), "NOT_FOUND rubric"),
        ("from", time(now), "INVALID to"),
        ("to", time(now + TimeDelta::minutes(1)), "INVALID to"),
        (
            "from",
            time(now - TimeDelta::days(92) - TimeDelta::seconds(1)),
            "TOO_LARGE to",
        ),
        ("teamId", json!(unknown), "NOT_FOUND teamId"),
        ("size", json!(0), "INVALID size"),
        ("size", json!(201), "INVALID size"),
        ("twice", json!(-1), "INVALID twice"),
        ("twice", json!(6), "INVALID twice"),
    ] {
        let mut input = wanted(&clinic, "attempts", 5);
        input[field] = value.clone();
        let told = refused(&clinic, ADA, "drawQualitySample", input).await;
        assert_eq!(told, [expected], "{field} {value}");
    }
    let samples = quality_sample::Entity::find().count(clinic.db()).await.unwrap();
    assert_eq!(samples, 0);
    let mut longest = wanted(&clinic, "attempts", 5);
    longest["from"] = time(now - TimeDelta::days(92));
    draw(&clinic, ADA, longest).await;
}

#[tokio::test]
async fn a_period_with_more_work_than_can_be_drawn_from_is_refused() {
    let (clinic, lead) = clinic(0).await;
    let lead_id: LeadId = lead.parse().unwrap();
    let day = at("2026-02-01T12:00:00Z");
    // Ids of other times would push later ones of this process there.
    domain::id::apart(async {
        let row = |second: i64| {
            let at = day + TimeDelta::seconds(second);
            attempt::Model {
                id: domain::id::new_id(at),
                lead_id,
                staff_id: None,
                medium: Medium::Phone,
                outcome: AttemptOutcome::NoAnswer,
                note: None,
                callback_at: None,
                at,
            }
        };
        let rows: Vec<_> = (0..=50_000)
            .map(|second| row(second).into_active_model())
            .collect();
        for some in rows.chunks(1_000) {
            attempt::Entity::insert_many(some.to_vec())
                .exec_without_returning(clinic.db())
                .await
                .unwrap();
        }
    })
    .await;
    let mut input = wanted(&clinic, "attempts", 200);
    input["from"] = json!(day.to_rfc3339());
    let told = refused(&clinic, ADA, "drawQualitySample", input.clone()).await;
    assert_eq!(told, ["TOO_LARGE to"]);
    input["to"] = json!((day + TimeDelta::seconds(50_000)).to_rfc3339());
    clinic.statements();
    let sample = draw(&clinic, ADA, input).await;
    assert_eq!(
        (&sample["population"], &sample["size"]),
        (&json!(50_000), &json!(200))
    );
    let asked = clinic.statements();
    let of_attempts = asked
        .iter()
        .filter(|sql| sql.contains("FROM \"attempt\""))
        .count();
    assert_eq!(of_attempts, 1, "{asked:#?}");
    assert!(asked.len() < 15, "no statement a row: {asked:#?}");
    let items = quality_item::Entity::find().count(clinic.db()).await.unwrap();
    assert_eq!(items, 200);
}

#[tokio::test]
async fn a_sample_keeps_the_version_of_the_rubric_that_it_was_drawn_for() {
    let (clinic, _) = clinic(2).await;
    let before = drawn(&clinic, 1, 0).await;
    apply(&clinic, "The note helps").await;
    let same = drawn(&clinic, 1, 0).await;
    apply(&clinic, "The note helps a colleague").await;
    let after = drawn(&clinic, 1, 0).await;
    for (id, version, text) in [
        (&before, 1, "The note helps"),
        (&same, 1, "The note helps"),
        (&after, 2, "The note helps a colleague"),
    ] {
        let rubric = look(&clinic, ADA, &json!(id)).await["rubric"].clone();
        assert_eq!(
            (&rubric["version"], &rubric["criteria"][0]["text"]),
            (&json!(version), &json!(text))
        );
    }
    let query = "{ auditRubrics { key version of } }";
    let listed = clinic
        .graphql(OTTO, query, Value::Null)
        .await
        .data("auditRubrics");
    let expected = json!([
        { "key": "attempts", "version": 2, "of": "ATTEMPT" },
        { "key": "closing", "version": 1, "of": "DISPOSITION" },
        { "key": "forms", "version": 1, "of": "FORM_DATA" }
    ]);
    assert_eq!(listed, expected);
}
