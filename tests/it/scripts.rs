//! Intake scripts beside the lead: asked, answered, and what follows from the answers.

use domain::setup::Setup;
use entity::lead_event::{self, LeadEventKind};
use entity::script_answer;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use crate::harness::{As, Clinic};

const NORA: As<'static> = As::Staff("nora");
const ADMIN: As<'static> = As::Role(entity::enums::Role::Admin);
const SCRIPT: &str = "script { key version opening documents scheduling avoid
    questions { key text kind options { value label } answer { value answeredBy { displayName } } } }";

/// A clinic with a script for everybody and one for sleep, whose first question is asked in these words.
async fn apply(clinic: &Clinic, order_question: &str) {
    let mut document: Value = serde_json::from_str(include_str!("harness/clinic.json")).unwrap();
    document["scripts"] = json!([
        { "key": "everybody", "name": "Everybody", "opening": "Say who you are.",
          "questions": [{ "key": "coverage", "text": "Who is your insurance with?", "kind": "TEXT" }] },
        { "key": "sleep", "name": "Sleep", "serviceLines": ["sleep"], "scheduling": "Nights alone.",
          "documents": ["The order"], "avoid": ["That it is paid for"],
          "questions": [
            { "key": "order", "text": order_question, "kind": "YES_NO", "effects": [
                { "answer": "NO", "sets": ["ORDER_MISSING"] }, { "answer": "YES", "clears": ["ORDER_MISSING"] }] },
            { "key": "plan", "text": "Which plan?", "kind": "CHOICE",
              "options": [{ "value": "medicare", "label": "Medicare" }] },
            { "key": "soonest", "text": "From when on?", "kind": "DATE" },
            { "key": "help", "text": "Do you need help at night?", "kind": "TEXT" }] }
    ]);
    let setup = Setup::parse(&document.to_string()).unwrap();
    domain::setup::apply(&clinic.hospital, &setup).await.unwrap();
}

async fn clinic() -> (Clinic, String) {
    let clinic = Clinic::new().await;
    apply(&clinic, "Has a doctor ordered it?").await;
    let lead = clinic.pat_asks().await;
    clinic.drain().await;
    (clinic, lead)
}

async fn look(clinic: &Clinic, lead: &str) -> Value {
    let query = format!("query($id: ID!) {{ lead(id: $id) {{ version flags {SCRIPT} }} }}");
    let answer = clinic.graphql(NORA, &query, json!({ "id": lead })).await;
    answer.data("lead")
}

fn given(lead: &str, answers: &[(&str, Value)]) -> Value {
    let answers: Vec<Value> = answers
        .iter()
        .map(|(question, value)| json!({ "question": question, "value": value }))
        .collect();
    json!({ "leadId": lead, "answers": answers })
}

fn answered(script: &Value) -> Vec<(String, Value)> {
    let questions = script["questions"].as_array().unwrap();
    questions
        .iter()
        .filter(|question| question["answer"] != Value::Null)
        .map(|question| {
            let key = question["key"].as_str().unwrap().to_owned();
            (key, question["answer"]["value"].clone())
        })
        .collect()
}

#[tokio::test]
async fn the_script_of_the_line_stands_beside_the_follow_up_with_what_was_answered() {
    let (clinic, lead) = clinic().await;
    let seen = look(&clinic, &lead).await;
    let script = &seen["script"];
    assert_eq!((&script["key"], &script["version"]), (&json!("sleep"), &json!(1)));
    assert_eq!(script["documents"], json!(["The order"]));
    assert_eq!(script["avoid"], json!(["That it is paid for"]));
    assert_eq!(answered(script), []);
    let answers = [
        ("order", json!("NO")),
        ("plan", json!("medicare")),
        ("soonest", json!("2026-05-12")),
        ("help", json!("With the stairs")),
    ];
    clinic.change(NORA, "answerScript", given(&lead, &answers)).await;
    let query = format!("{{ followUps(filter: {{ mine: true }}) {{ nodes {{ {SCRIPT} }} }} }}");
    let beside = clinic.graphql(NORA, &query, Value::Null).await;
    let script = beside.data("followUps.nodes.0.script");
    let expected: Vec<(String, Value)> = answers
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    assert_eq!(answered(&script), expected);
    assert_eq!(
        script["questions"][0]["answer"]["answeredBy"]["displayName"],
        "Nora Night"
    );
}

#[tokio::test]
async fn answers_set_and_clear_flags_and_saying_the_same_again_changes_nothing() {
    let (clinic, lead) = clinic().await;
    let has_flag = |seen: &Value| {
        seen["flags"]
            .as_array()
            .unwrap()
            .contains(&json!("ORDER_MISSING"))
    };
    let no = given(&lead, &[("order", json!("NO"))]);
    clinic.change(NORA, "answerScript", no.clone()).await;
    let after = look(&clinic, &lead).await;
    assert!(has_flag(&after), "{after}");
    clinic.change(NORA, "answerScript", no).await;
    assert_eq!(look(&clinic, &lead).await["version"], after["version"]);
    clinic
        .change(NORA, "answerScript", given(&lead, &[("order", json!("YES"))]))
        .await;
    assert!(!has_flag(&look(&clinic, &lead).await));
    let events = lead_event::Entity::find()
        .filter(lead_event::Column::Kind.eq(LeadEventKind::Updated))
        .all(clinic.db())
        .await
        .unwrap();
    assert_eq!(events.len(), 2);
    let told = serde_json::to_string(&events[0].data).unwrap();
    assert!(told.contains("order") && !told.contains("NO"), "{told}");
    clinic
        .change(NORA, "answerScript", given(&lead, &[("order", Value::Null)]))
        .await;
    assert_eq!(answered(&look(&clinic, &lead).await["script"]), []);
}

#[tokio::test]
async fn what_cannot_be_an_answer_is_refused_at_its_place_and_nothing_is_written() {
    let (clinic, lead) = clinic().await;
    let answers = [
        ("order", json!("maybe")),
        ("plan", json!("Medicare")),
        ("soonest", json!("tomorrow")),
        ("help", json!(" ")),
    ];
    let refused = clinic
        .try_change(NORA, "answerScript", given(&lead, &answers))
        .await;
    let fields: Vec<Value> = refused["userErrors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].clone())
        .collect();
    let expected: Vec<Value> = (0..4)
        .map(|place| json!(["answers", place.to_string(), "value"]))
        .collect();
    assert_eq!(fields, expected);
    let mixed = [("order", json!("NO")), ("coverage", json!("Mine"))];
    let refused = clinic
        .try_change(NORA, "answerScript", given(&lead, &mixed))
        .await;
    assert_eq!(refused["userErrors"][0]["code"], "NOT_FOUND");
    let twice = [("order", json!("NO")), ("order", json!("YES"))];
    let refused = clinic
        .try_change(NORA, "answerScript", given(&lead, &twice))
        .await;
    assert_eq!(refused["userErrors"][0]["code"], "ALREADY_EXISTS");
    let refused = clinic.try_change(NORA, "answerScript", given(&lead, &[])).await;
    assert_eq!(refused["userErrors"][0]["field"], json!(["answers"]));
    let written = script_answer::Entity::find();
    assert_eq!(written.count(clinic.db()).await.unwrap(), 0);
    assert_eq!(look(&clinic, &lead).await["version"], json!(1));
}

#[tokio::test]
async fn a_script_that_says_something_else_is_a_new_version_and_keeps_the_answers() {
    let (clinic, lead) = clinic().await;
    clinic
        .change(NORA, "answerScript", given(&lead, &[("order", json!("NO"))]))
        .await;
    apply(&clinic, "Has a doctor ordered it?").await;
    assert_eq!(look(&clinic, &lead).await["script"]["version"], json!(1));
    apply(&clinic, "Is there an order for it?").await;
    let seen = look(&clinic, &lead).await;
    assert_eq!(seen["script"]["version"], json!(2));
    assert_eq!(
        seen["script"]["questions"][0]["text"],
        json!("Is there an order for it?")
    );
    assert_eq!(answered(&seen["script"]), [("order".to_owned(), json!("NO"))]);
    let mut old = given(&lead, &[("order", json!("YES"))]);
    old["scriptVersion"] = json!(1);
    let refused = clinic.try_change(NORA, "answerScript", old).await;
    assert_eq!(refused["userErrors"][0]["code"], "VERSION_CONFLICT");
    assert_eq!(refused["userErrors"][0]["field"], json!(["scriptVersion"]));
}

#[tokio::test]
async fn answers_are_exported_with_the_contact_and_go_with_it() {
    let (clinic, lead) = clinic().await;
    let words = "With the stairs at night";
    clinic
        .change(NORA, "answerScript", given(&lead, &[("help", json!(words))]))
        .await;
    let id = clinic.last_lead().await.contact_id.to_string();
    let told = clinic
        .change(ADMIN, "exportContact", json!({ "contactId": id }))
        .await;
    assert!(told.to_string().contains(words), "{told}");
    clinic
        .change(ADMIN, "eraseContact", json!({ "contactId": id }))
        .await;
    assert_eq!(clinic.contents().await.holding(words), Vec::<&str>::new());
    clinic.drain().await;
}
