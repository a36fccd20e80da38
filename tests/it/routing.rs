//! Which team and person serve a lead: versions of the rules, drafts and what they would change, how a person is chosen,
//! and leads that went to the wrong team.

mod demo;
mod drafts;
mod misroutes;
mod people;
mod preview;

use domain::setup::{self, Setup};
use serde_json::{Value, json};

use crate::harness::{As, Clinic, OPS};

const ADA: As<'static> = As::Staff("ada");

async fn furnish(clinic: &Clinic, document: Value) {
    let document = Setup::parse(&document.to_string()).expect("it can be read");
    setup::apply(&clinic.hospital, &document).await.expect("it fits");
}

/// Somebody calls about a sleep study; `contact` says more of the person. Answers the lead.
async fn calls(clinic: &Clinic, name: &str, contact: Value) -> entity::lead::Model {
    let mut person = json!({ "givenName": name, "email": format!("{name}@example.org") });
    for (field, value) in contact.as_object().unwrap() {
        person[field] = value.clone();
    }
    let input = json!({ "leadType": "PATIENT_APPOINTMENT", "channel": "PHONE", "requestedService": "sleep study",
        "contact": person, "externalId": name });
    clinic.change(OPS, "submitLead", input).await;
    clinic.last_lead().await
}

/// A rule that sends everybody to a team.
fn all_to(team: &str) -> Value {
    json!({ "name": format!("All to {team}"), "when": [], "team": team })
}

/// Makes a draft and publishes it. Answers the published version.
async fn publish(clinic: &Clinic, kind: &str, list: &str, rules: Value) -> Value {
    let mut input = json!({ "kind": kind });
    input[list] = rules;
    let draft = clinic.change(OPS, "createRuleDraft", input).await["ruleSet"].clone();
    let input = json!({ "draftId": draft["id"], "expectedVersion": draft["version"] });
    clinic.change(OPS, "publishRuleDraft", input).await["ruleSet"].clone()
}

async fn publish_routing(clinic: &Clinic, rules: Value) -> Value {
    publish(clinic, "ROUTING", "routingRules", rules).await
}

async fn team(clinic: &Clinic, slug: &str) -> String {
    clinic.id_of("team", slug).await
}
