//! Work that people open by hand, the checklists that they go through, and what a call says about the number.

use chrono::TimeDelta;
use entity::consent_event::{self, ConsentAction};
use entity::enums::Medium;
use entity::follow_up::{self, FollowUpKind};
use entity::suppression::{self, SuppressionReason};
use entity::{contact, lead_event};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::harness::{As, Clinic, OPS, at};

const NORA: As<'static> = As::Staff("nora");

/// The open follow-ups with their lists.
async fn lists(clinic: &Clinic) -> Vec<Value> {
    let query = "{ followUps { nodes { id kind title dueAt checklist {
        name items { key label doneAt doneBy { displayName } } } } } }";
    let nodes = clinic
        .graphql(NORA, query, json!({}))
        .await
        .data("followUps.nodes");
    nodes.as_array().unwrap().clone()
}

async fn phone(clinic: &Clinic) -> Option<String> {
    let id = clinic.last_lead().await.contact_id;
    let contact = contact::Entity::find_by_id(id)
        .one(clinic.db())
        .await
        .unwrap()
        .unwrap();
    contact.phone
}

#[tokio::test]
async fn the_first_contact_has_the_list_of_its_line_and_each_item_tells_who_did_it() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    let row = lists(&clinic).await[0].clone();
    assert_eq!(row["checklist"]["name"], "Sleep questions");
    assert_eq!(row["checklist"]["items"][1]["doneAt"], Value::Null);
    let id = row["id"].as_str().unwrap();
    let check = |item: &str, done: bool| json!({ "followUpId": id, "item": item, "done": done });
    clinic.change(NORA, "checkItem", check("coverage", true)).await;
    clinic.change(OPS, "checkItem", check("snores", true)).await;
    let events = lead_event::Entity::find().count(clinic.db()).await.unwrap();
    clinic.change(OPS, "checkItem", check("coverage", true)).await;
    assert_eq!(
        lead_event::Entity::find().count(clinic.db()).await.unwrap(),
        events,
        "done once"
    );
    let items = lists(&clinic).await[0]["checklist"]["items"].clone();
    assert_eq!(
        items[1]["doneBy"]["displayName"], "Nora Night",
        "whoever was first"
    );
    assert_eq!(at(items[1]["doneAt"].as_str().unwrap()), clinic.now());
    assert_eq!(
        (&items[0]["doneBy"], items[0]["doneAt"].is_string()),
        (&Value::Null, true),
        "a program is no person"
    );
    clinic.change(NORA, "checkItem", check("coverage", false)).await;
    let items = lists(&clinic).await[0]["checklist"]["items"].clone();
    assert_eq!(items[1]["doneAt"], Value::Null);

    let unknown = clinic
        .try_change(NORA, "checkItem", check("shoe-size", true))
        .await;
    assert_eq!(unknown["userErrors"][0]["field"], json!(["item"]));
    let hidden = clinic
        .try_change(As::Staff("luis"), "checkItem", check("snores", true))
        .await;
    assert_eq!(hidden["userErrors"][0]["code"], "NOT_FOUND");
    clinic
        .change(NORA, "completeFollowUp", json!({ "followUpId": id }))
        .await;
    let done = clinic.try_change(NORA, "checkItem", check("snores", false)).await;
    assert_eq!(done["userErrors"][0]["code"], "NOT_ALLOWED_NOW");
    clinic.drain().await;
}

#[tokio::test]
async fn a_person_opens_work_from_a_template_or_in_their_own_words() {
    let clinic = Clinic::new().await;
    let lead = clinic.pat_asks().await;
    let sam = clinic.id_of("staff", "sam").await;
    clinic.drain().await;
    let from_template = json!({ "leadId": lead, "template": "order", "assigneeId": sam });
    clinic.change(NORA, "openFollowUp", from_template).await;
    let tomorrow = clinic.now() + TimeDelta::days(1);
    let own = json!({ "leadId": lead, "title": "Send the map", "dueAt": tomorrow.to_rfc3339() });
    clinic.change(NORA, "openFollowUp", own).await;
    clinic.drain().await;
    let rows = follow_up::Entity::find()
        .filter(follow_up::Column::Kind.eq(FollowUpKind::ByHand))
        .order_by_asc(follow_up::Column::Id)
        .all(clinic.db())
        .await
        .unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.title.as_str(), row.due_at)).collect();
    assert_eq!(
        told,
        [
            // Four hours of business time later.
            ("Ask for the order", clinic.now() + TimeDelta::hours(4)),
            ("Send the map", tomorrow)
        ]
    );
    assert_eq!(rows[0].assignee_id.map(|id| id.to_string()), Some(sam));
    assert_eq!(rows[1].assignee_id, clinic.last_lead().await.owner_id);
    assert_eq!(
        clinic.mails_to("sam@clinic.example").await.len(),
        1,
        "sam is told"
    );
    let seen = lists(&clinic).await;
    let list = |title: &str| {
        let row = seen.iter().find(|row| row["title"] == title).unwrap();
        row["checklist"]["name"].clone()
    };
    assert_eq!(
        (list("Ask for the order"), list("Send the map")),
        (json!("Missing order"), Value::Null)
    );

    let luis = clinic.id_of("staff", "luis").await;
    for (input, field) in [
        (json!({ "leadId": lead }), "title"),
        (json!({ "leadId": lead, "template": "nothing" }), "template"),
        (
            json!({ "leadId": lead, "template": "order", "title": "Both" }),
            "title",
        ),
        (json!({ "leadId": lead, "title": "When?" }), "dueAt"),
        (
            json!({ "leadId": lead, "title": "Then", "dueAt": "2026-03-01T10:00:00Z" }),
            "dueAt",
        ),
        (
            json!({ "leadId": lead, "title": "x".repeat(201), "dueAt": tomorrow.to_rfc3339() }),
            "title",
        ),
        (
            json!({ "leadId": lead, "template": "order", "assigneeId": luis }),
            "assigneeId",
        ),
    ] {
        let refused = clinic.try_change(NORA, "openFollowUp", input.clone()).await;
        assert_eq!(refused["userErrors"][0]["field"], json!([field]), "{input}");
    }
    let templates = clinic
        .graphql(NORA, "{ followUpTemplates { key title dueMins } }", json!({}))
        .await
        .data("followUpTemplates");
    assert_eq!(
        templates[0],
        json!({ "key": "order", "title": "Ask for the order", "dueMins": 240 })
    );
}

#[tokio::test]
async fn a_wrong_number_leaves_the_contact_at_once() {
    let clinic = Clinic::new().await;
    let lead = clinic.pat_asks().await;
    assert!(phone(&clinic).await.is_some());
    let input = |medium: &str| json!({ "leadId": lead, "medium": medium, "outcome": "WRONG_NUMBER" });
    clinic.change(NORA, "logAttempt", input("EMAIL")).await;
    assert!(
        phone(&clinic).await.is_some(),
        "a mail says nothing about a number"
    );
    clinic.change(NORA, "logAttempt", input("PHONE")).await;
    assert_eq!(phone(&clinic).await, None);
    let event = lead_event::Entity::find()
        .filter(lead_event::Column::Kind.eq(lead_event::LeadEventKind::Updated))
        .one(clinic.db())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(event.data.0["contactFields"], json!(["phone"]));
    clinic.drain().await;
}

#[tokio::test]
async fn who_asks_not_to_be_called_takes_the_consent_back_and_the_number_is_suppressed_at_once() {
    let clinic = Clinic::new().await;
    let lead = clinic.pat_asks().await;
    let number = phone(&clinic).await.unwrap();
    let input = json!({ "leadId": lead, "medium": "PHONE", "outcome": "DO_NOT_CALL" });
    clinic.change(NORA, "logAttempt", input).await;
    let taken_back = consent_event::Entity::find()
        .filter(consent_event::Column::Action.eq(ConsentAction::Withdraw))
        .all(clinic.db())
        .await
        .unwrap();
    let media: Vec<_> = taken_back
        .iter()
        .map(|event| (event.medium, event.purpose))
        .collect();
    assert_eq!(media, [(Medium::Phone, None)], "mail goes on");
    let kept = suppression::Entity::find()
        .one(clinic.db())
        .await
        .unwrap()
        .unwrap();
    let hash = clinic.hospital.secrets.address_hash("PHONE", &number).to_vec();
    assert_eq!(
        (kept.medium, kept.reason, kept.address_hash),
        (Medium::Phone, SuppressionReason::DoNotContact, hash)
    );
    assert_eq!(
        lists(&clinic).await,
        Vec::<Value>::new(),
        "there is nobody to call"
    );
    assert!(clinic.last_lead().await.first_reached_at.is_some(), "they spoke");
    clinic.drain().await;
}
