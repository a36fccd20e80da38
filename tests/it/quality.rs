//! Quality audits: work is drawn by chance, reviewed, and what is found is followed up.

mod draws;
mod findings;
mod reviews;

use domain::setup::Setup;
use serde_json::{Value, json};

use crate::harness::{As, Clinic};

const NORA: As<'static> = As::Staff("nora");
const ADA: As<'static> = As::Staff("ada");
const OTTO: As<'static> = As::Staff("otto");
/// A third person who may review.
const OLGA: As<'static> = As::Staff("olga");

const SAMPLE: &str = "id seed from to population size twice team { slug } drawnBy { name }
    rubric { key version of criteria { key text points } }
    items(first: 50) { totalCount nodes { id place twice complete
        lead { id answers { value } disposition } attempt { id outcome }
        reviews { id finding reviewer { displayName } scores { criterion points } followUp { id title } } } }
    figures { reviewed criteria { criterion { key } meanShare pairs exactAgreement weightedKappa } }";

/// Rubrics of each kind; the first criterion of the first one is put in these words.
async fn apply(clinic: &Clinic, note: &str) {
    let mut document: Value = serde_json::from_str(include_str!("harness/clinic.json")).unwrap();
    document["rubrics"] = json!([
        { "key": "attempts", "name": "Attempts", "of": "ATTEMPT", "criteria": [
            { "key": "note", "text": note, "points": 4 }, { "key": "timing", "text": "It was made in time", "points": 2 }] },
        { "key": "closing", "name": "Closing", "of": "DISPOSITION", "criteria": [
            { "key": "reason", "text": "The reason is right", "points": 1 }] },
        { "key": "forms", "name": "Forms", "of": "FORM_DATA", "criteria": [
            { "key": "complete", "text": "It says enough", "points": 3 }] }
    ]);
    let olga = json!({ "email": "olga@clinic.example", "name": "Olga Ops", "role": "MARKETING_OPS",
        "timeZone": "America/New_York", "password": "correct horse battery" });
    document["staff"].as_array_mut().unwrap().push(olga);
    let setup = Setup::parse(&document.to_string()).unwrap();
    domain::setup::apply(&clinic.hospital, &setup).await.unwrap();
}

/// A clinic with rubrics, and a lead that Nora tried to reach so many times, a minute apart.
async fn clinic(attempts: usize) -> (Clinic, String) {
    let clinic = Clinic::new().await;
    apply(&clinic, "The note helps").await;
    let lead = clinic.pat_asks().await;
    for _ in 0..attempts {
        clinic.minutes_pass(1);
        let tried = json!({ "leadId": lead, "medium": "PHONE", "outcome": "REACHED" });
        clinic.change(NORA, "logAttempt", tried).await;
    }
    clinic.minutes_pass(1);
    clinic.drain().await;
    (clinic, lead)
}

/// A draw of what was done today until now.
fn wanted(clinic: &Clinic, rubric: &str, size: i32) -> Value {
    json!({ "rubric": rubric, "from": "2026-03-03T00:00:00Z", "to": clinic.now().to_rfc3339(), "size": size })
}

async fn draw(clinic: &Clinic, who: As<'_>, input: Value) -> Value {
    let drawn = clinic.change(who, "drawQualitySample", input).await;
    drawn["qualitySample"].clone()
}

/// A sample of attempts, drawn by Ada.
async fn drawn(clinic: &Clinic, size: i32, twice: i32) -> String {
    let mut input = wanted(clinic, "attempts", size);
    input["twice"] = json!(twice);
    draw(clinic, ADA, input).await["id"].as_str().unwrap().to_owned()
}

async fn look(clinic: &Clinic, who: As<'_>, id: &Value) -> Value {
    let query = format!("query($id: ID!) {{ qualitySample(id: $id) {{ {SAMPLE} }} }}");
    let answer = clinic.graphql(who, &query, json!({ "id": id })).await;
    answer.data("qualitySample")
}

fn items(sample: &Value) -> Vec<Value> {
    sample["items"]["nodes"].as_array().unwrap().clone()
}

fn fields(payload: &Value) -> Vec<(String, String)> {
    let errors = payload["userErrors"].as_array().unwrap().iter();
    let path = |error: &Value| {
        let parts = error["field"].as_array().unwrap().iter();
        let parts: Vec<&str> = parts.map(|part| part.as_str().unwrap()).collect();
        parts.join(".")
    };
    errors
        .map(|error| (error["code"].as_str().unwrap().to_owned(), path(error)))
        .collect()
}

/// The codes and fields of the refusals of a mutation.
async fn refused(clinic: &Clinic, who: As<'_>, field: &str, input: Value) -> Vec<String> {
    let payload = clinic.try_change(who, field, input).await;
    let told = fields(&payload).into_iter();
    told.map(|(code, field)| format!("{code} {field}")).collect()
}
