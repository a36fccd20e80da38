//! The line of those that wait.

use chrono::TimeDelta;
use entity::lead;
use entity::message::MessageState;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use serde_json::json;

use super::{Heart, LEAD, MONDAYS, day};
use crate::harness::{OPS, at};

#[tokio::test]
async fn who_is_withheld_frees_a_place_for_those_behind() {
    let heart = Heart::new().await;
    let clinic = &heart.clinic;
    heart.open(1).await;
    let mails = heart.promote(4).await;
    clinic.drain().await;
    assert_eq!(
        heart.days().await,
        [
            (day("2026-03-04"), 1),
            (day("2026-03-05"), 1),
            (day("2026-03-06"), 1)
        ]
    );
    let second = clinic.message(mails[1]).await;
    clinic.minutes_pass(1);
    let input = json!({ "contactId": second.contact_id.unwrap().to_string(), "medium": "EMAIL", "purpose": "MARKETING" });
    clinic.change(OPS, "withdrawConsent", input).await;
    clinic.drain().await;
    assert_eq!(clinic.message(mails[1]).await.state, MessageState::Withheld);
    assert_eq!(heart.holds().await.len(), 2, "its place is free at once");
    clinic.live_until(at("2026-03-05T03:00:00Z")).await;
    assert_eq!(clinic.message(mails[2]).await.state, MessageState::Accepted);
    assert_eq!(heart.days().await, [(day("2026-03-05"), 1)]);
}

#[tokio::test]
async fn who_waits_does_not_grow_old() {
    let heart = Heart::new().await;
    let clinic = &heart.clinic;
    heart.open(0).await;
    let mail = heart.promote_to("Hal").await;
    clinic.live_until(clinic.now() + TimeDelta::days(30)).await;
    assert_eq!(clinic.message(mail).await.state, MessageState::Deferred);
    let input = heart
        .input("lakeside", json!([{ "monday": "2026-03-30", "openSlots": 7 }]))
        .await;
    clinic.change(LEAD, "setCapacity", input).await;
    clinic.drain().await;
    assert_eq!(clinic.message(mail).await.state, MessageState::Accepted);
}

#[tokio::test]
async fn who_waits_for_something_else_keeps_no_place_in_vain() {
    let heart = Heart::new().await;
    let clinic = &heart.clinic;
    heart.open(1).await;
    let mails = heart.promote(3).await;
    clinic.drain().await;
    let contact = clinic.message(mails[1]).await.contact_id.unwrap();
    let pause = json!({ "contactId": contact.to_string(), "pausedUntil": "2026-03-10T12:00:00Z" });
    clinic.change(OPS, "updateContactPreferences", pause).await;
    clinic.live_until(at("2026-03-05T03:00:00Z")).await;
    assert_eq!(clinic.message(mails[2]).await.state, MessageState::Accepted);
    assert_eq!((heart.sent().await, heart.holds().await.len()), (2, 0));
    clinic.live_until(at("2026-03-11T03:00:00Z")).await;
    assert_eq!(heart.sent().await, 3);
}

#[tokio::test]
async fn who_has_no_facility_yet_goes_where_there_is_room() {
    let heart = Heart::new().await;
    let clinic = &heart.clinic;
    heart.open(1).await;
    let weeks = json!([{ "monday": MONDAYS[0], "openSlots": 3 }]);
    let input = heart.input("harbor", weeks).await;
    clinic.change(LEAD, "setCapacity", input).await;
    let mails = heart.promote(6).await;
    for mail in &mails[1..] {
        let lead_id = clinic.message(*mail).await.lead_id.unwrap();
        let lead = lead::Entity::find_by_id(lead_id).one(clinic.db()).await.unwrap();
        let mut lead = lead.unwrap().into_active_model();
        lead.facility_id = Set(None);
        lead.update(clinic.db()).await.unwrap();
    }
    clinic.drain().await;
    assert_eq!(heart.sent().await, 4, "one at the lake, three at the harbor");
    let holds = heart.holds().await;
    assert_eq!((holds.len(), holds[0].1), (2, day("2026-03-04")));
}

#[tokio::test]
async fn a_line_longer_than_a_batch_is_laid_out_in_its_order() {
    let heart = Heart::new().await;
    let clinic = &heart.clinic;
    heart.promote(3).await;
    clinic.drain().await;
    assert_eq!(heart.sent().await, 3, "nobody spoke of this line");
    let again: Vec<_> = (0..520).map(|number| format!("q{number}")).collect();
    heart.open(0).await;
    clinic.drain().await;
    for name in &again {
        heart.promote_to(name).await;
    }
    clinic.drain().await;
    heart.open(200).await;
    clinic.drain().await;
    assert_eq!(heart.sent().await, 203);
    assert_eq!(heart.outlook().await["held"], 320);
    let days = heart.days().await;
    assert_eq!(
        days,
        [(day("2026-03-04"), 100)],
        "the first page of those that wait"
    );
    clinic.live_until(at("2026-03-06T03:00:00Z")).await;
    assert_eq!(heart.sent().await, 523);
}
