//! Texts of mails on their way from an author to the people who read them, through the public API.

use domain::setup::Setup;
use entity::enums::Role;
use entity::message::MessageState;
use entity::{staff, template_version};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::harness::{As, Clinic, OPS, at};

const CORA: As<'static> = As::Staff("cora");
const RITA: As<'static> = As::Staff("rita");

/// The words of "Getting ready", with this letter at the end.
fn words(end: &str) -> Value {
    let text = format!("Dear {{{{ given_name }}}}, a quiet evening helps. Call us when it suits you{end}");
    json!({ "language": "en", "subject": "How to get ready", "slots": [{ "name": "body", "text": text }] })
}

async fn template_id(clinic: &Clinic) -> String {
    clinic.id_of("template", "getting-ready").await
}

/// What became of the only planned mail: its state, and why it waits if it does.
async fn state(clinic: &Clinic) -> (MessageState, Option<String>) {
    let messages = clinic.messages().await;
    let [message] = messages.as_slice() else {
        panic!("one mail was planned, not {}", messages.len());
    };
    let decision = serde_json::to_value(&message.decision).expect("a decision can be shown");
    let reason = decision["reasons"][0]["code"].as_str().map(str::to_owned);
    (message.state, reason)
}

#[tokio::test]
async fn a_text_changed_by_one_letter_waits_until_another_person_approves_it() {
    let clinic = Clinic::new().await;
    let id = template_id(&clinic).await;
    clinic.plan_nurture(1).await;
    let waits = (MessageState::Deferred, Some("TEMPLATE_NOT_APPROVED".to_owned()));

    let input = json!({ "templateId": id, "bodies": [words("!")] });
    let changed = clinic.change(CORA, "updateTemplate", input).await;
    assert_eq!(changed["template"]["current"]["state"], "DRAFT");
    let number = changed["template"]["current"]["number"].clone();
    clinic.drain().await;
    assert_eq!(state(&clinic).await, waits);

    let version = json!({ "templateId": id, "version": number });
    clinic.change(CORA, "submitTemplate", version.clone()).await;
    clinic.live_until(at("2026-03-04T15:00:00Z")).await;
    assert_eq!(state(&clinic).await, waits);

    let refused = clinic
        .graphql(
            CORA,
            "mutation($input: ApproveTemplateInput!) { approveTemplate(input: $input) { userErrors { code } } }",
            json!({ "input": version }),
        )
        .await;
    assert_eq!(refused.code(), "FORBIDDEN");
    clinic.live_until(at("2026-03-05T15:00:00Z")).await;
    assert_eq!(state(&clinic).await, waits);
    assert!(clinic.mails().await.is_empty());

    let approved = clinic.change(RITA, "approveTemplate", version).await;
    assert_eq!(approved["template"]["current"]["maySend"], true);
    clinic.live_until(at("2026-03-06T15:00:00Z")).await;
    assert_eq!(
        state(&clinic).await,
        (MessageState::Accepted, Some("CONSENT_GRANTED".to_owned()))
    );
    let mails = clinic.mails_to("person0@example.org").await;
    let [mail] = mails.as_slice() else {
        panic!("one mail went out, not {}", mails.len());
    };
    assert!(
        mail.text.contains("when it suits you!"),
        "the new words: {}",
        mail.text
    );
}

#[tokio::test]
async fn a_letter_changed_behind_the_back_of_the_reviewer_stops_the_text() {
    let clinic = Clinic::new().await;
    clinic.plan_nurture(1).await;
    let id: entity::id::TemplateId = template_id(&clinic).await.parse().expect("an id");
    let of_template = template_version::Column::TemplateId.eq(id);
    let version = template_version::Entity::find()
        .filter(of_template)
        .one(clinic.db())
        .await;
    let mut version = version.expect("the database answers").expect("it is there");
    version.bodies.0[0].html = version.bodies.0[0].html.replacen("quiet", "quick", 1);
    let tampered = template_version::ActiveModel {
        id: Set(version.id),
        bodies: Set(version.bodies),
        ..Default::default()
    };
    template_version::Entity::update(tampered)
        .exec(clinic.db())
        .await
        .expect("it is changed");
    clinic.live_until(at("2026-03-05T15:00:00Z")).await;
    assert!(clinic.mails().await.is_empty());
    assert_eq!(state(&clinic).await.1.as_deref(), Some("TEMPLATE_NOT_APPROVED"));
}

#[tokio::test]
async fn who_wrote_a_text_does_not_approve_it_even_after_becoming_a_reviewer() {
    let clinic = Clinic::new().await;
    let id = template_id(&clinic).await;
    let input = json!({ "templateId": id, "bodies": [words("!")] });
    let changed = clinic.change(CORA, "updateTemplate", input).await;
    let version = json!({ "templateId": id, "version": changed["template"]["current"]["number"] });
    clinic.change(CORA, "submitTemplate", version.clone()).await;
    let cora = staff::Column::Email.eq("cora@clinic.example");
    let promoted = staff::ActiveModel {
        role: Set(Role::ClinicalReviewer),
        ..Default::default()
    };
    staff::Entity::update_many()
        .set(promoted)
        .filter(cora)
        .exec(clinic.db())
        .await
        .expect("she is promoted");
    let refused = clinic.try_change(CORA, "approveTemplate", version).await;
    assert_eq!(refused["userErrors"][0]["code"], "NOT_ALLOWED_NOW");
}

#[tokio::test]
async fn a_text_with_a_promise_is_kept_but_not_given_to_the_reviewers_and_one_with_a_service_in_its_subject_is_not_kept()
 {
    let clinic = Clinic::new().await;
    let id = template_id(&clinic).await;
    let mut promise = words(".");
    promise["slots"][0]["text"] = json!("Dear {{ given_name }}, we guarantee that you will sleep. Call us.");
    let changed = clinic
        .change(
            CORA,
            "updateTemplate",
            json!({ "templateId": id, "bodies": [promise] }),
        )
        .await;
    let version = json!({ "templateId": id, "version": changed["template"]["current"]["number"] });
    let refused = clinic.try_change(CORA, "submitTemplate", version).await;
    let error = &refused["userErrors"][0];
    assert_eq!(
        error["field"],
        json!(["bodies", "en", "slots", "body"]),
        "{error}"
    );
    let told = error["message"].as_str().expect("a message");
    assert!(
        told.starts_with("Characters 27 to 55: Nobody can promise"),
        "{told}"
    );

    let mut private = words(".");
    private["subject"] = json!("Your {{ service_line }} visit");
    let input = json!({ "templateId": id, "bodies": [private] });
    let refused = clinic.try_change(CORA, "updateTemplate", input).await;
    assert_eq!(refused["template"], Value::Null);
    assert_eq!(
        refused["userErrors"][0]["field"]
            .as_array()
            .and_then(|path| path.last()),
        Some(&json!("subject"))
    );
}

#[tokio::test]
async fn a_sequence_is_not_published_when_a_form_asks_in_a_language_that_its_text_does_not_speak() {
    let clinic = Clinic::new().await;
    let mut document: Value = serde_json::from_str(include_str!("harness/clinic.json")).expect("it is JSON");
    let mut form = document["forms"][0].take();
    form["slug"] = json!("sleep-study-es");
    form["language"] = json!("es");
    let setup = Setup::parse(&json!({ "forms": [form] }).to_string()).expect("a form");
    domain::setup::apply(&clinic.hospital, &setup)
        .await
        .expect("it is set up");
    let input = json!({
        "name": "What to bring", "purpose": "CARE_COORDINATION", "trigger": { "on": "MANUAL" },
        "steps": [
            { "key": "a-day", "kind": "WAIT", "wait": 86400 },
            { "key": "bring", "kind": "SEND_EMAIL", "template": "what-to-bring" },
        ],
    });
    let made = clinic.change(OPS, "createSequence", input).await;
    let publish = json!({ "sequenceId": made["sequence"]["id"] });
    let refused = clinic.try_change(OPS, "publishSequence", publish).await;
    assert_eq!(refused["sequence"], Value::Null);
    let error = &refused["userErrors"][0];
    assert_eq!(error["field"], json!(["steps", "1", "template"]), "{error}");
    let told = error["message"].as_str().expect("a message");
    assert!(
        told.starts_with("Step bring: ") && told.contains("language"),
        "{told}"
    );
}
