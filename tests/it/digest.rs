//! The morning digest of a coordinator, through the real sweep and the real mail.

use entity::message::{GateReason, MessageKind, MessageState};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::json;

use crate::harness::{As, Clinic, at, pat};

const NORA: As<'static> = As::Staff("nora");
const NORAS: &str = "nora@clinic.example";

/// The clinic on the morning after somebody asked at ten and after five, whom nobody has called.
async fn next_morning(clinic: &Clinic, until: &str) {
    clinic.pat_asks().await;
    let mut late = pat();
    late.retain(|(name, _)| !matches!(*name, "given_name" | "email" | "phone"));
    late.extend([
        ("given_name", "Sky"),
        ("email", "sky@example.org"),
        ("phone", "(860) 555-0177"),
    ]);
    clinic.live_until(at("2026-03-03T23:00:00Z")).await;
    let answer = clinic.submit_form("sleep-study", &late).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    clinic.live_until(at(until)).await;
}

async fn digests(clinic: &Clinic) -> Vec<(String, MessageState)> {
    let all = clinic.messages().await.into_iter();
    all.filter(|message| message.kind == MessageKind::FollowUpDigest)
        .map(|message| (message.subject, message.state))
        .collect()
}

#[tokio::test]
async fn a_coordinator_gets_one_digest_at_half_past_seven_with_what_is_late_and_what_is_due() {
    let clinic = Clinic::new().await;
    next_morning(&clinic, "2026-03-04T12:29:59Z").await;
    assert_eq!(digests(&clinic).await, []);
    clinic.live_until(at("2026-03-04T12:30:01Z")).await;
    let mails = clinic.mails_to(NORAS).await;
    let mail = mails.last().unwrap();
    assert_eq!(mail.subject, "Your follow-ups today: 1 late, 1 due");
    insta::assert_snapshot!("morning_digest", mail.snapshot());
    for person in ["Pat", "Sky", "example.org", "sleep"] {
        assert!(
            !mail.text.contains(person) && !mail.html.contains(person),
            "{person}"
        );
    }
    // Nobody else has something to do, and it comes once.
    clinic.live_until(at("2026-03-05T12:29:00Z")).await;
    assert_eq!(digests(&clinic).await.len(), 1);
    clinic.live_until(at("2026-03-05T12:31:00Z")).await;
    assert_eq!(digests(&clinic).await.len(), 2);
}

#[tokio::test]
async fn many_workers_send_one_digest() {
    let clinic = Clinic::new().await;
    next_morning(&clinic, "2026-03-04T12:29:00Z").await;
    clinic.clock.set(at("2026-03-04T12:30:00Z"));
    let workers = [clinic.another_worker(), clinic.another_worker()];
    let (a, b) = tokio::join!(workers[0].drain(), workers[1].drain());
    a.unwrap();
    b.unwrap();
    clinic.drain().await;
    assert_eq!(digests(&clinic).await.len(), 1);
}

#[tokio::test]
async fn there_is_no_digest_on_a_day_on_which_the_place_is_closed_nor_after_the_morning() {
    let clinic = Clinic::new().await;
    next_morning(&clinic, "2026-03-04T12:00:00Z").await;
    // Every worker was away until the morning was over.
    clinic.clock.set(at("2026-03-04T15:31:00Z"));
    clinic.drain().await;
    assert_eq!(digests(&clinic).await.len(), 0);
    clinic.live_until(at("2026-03-06T18:00:00Z")).await;
    assert_eq!(digests(&clinic).await.len(), 2, "Thursday and Friday");
    clinic.live_until(at("2026-03-08T23:00:00Z")).await;
    assert_eq!(digests(&clinic).await.len(), 2, "a weekend");
}

#[tokio::test]
async fn a_digest_of_what_was_done_meanwhile_is_withheld() {
    let clinic = Clinic::new().await;
    next_morning(&clinic, "2026-03-04T12:29:00Z").await;
    clinic.clock.set(at("2026-03-04T12:30:00Z"));
    let planned = domain::follow_up::digest::plan_due(&clinic.hospital)
        .await
        .unwrap();
    assert!(planned.value > 0);
    for row in entity::follow_up::Entity::find().all(clinic.db()).await.unwrap() {
        let input = json!({ "followUpId": row.id.to_string() });
        clinic.change(NORA, "completeFollowUp", input).await;
    }
    clinic.drain().await;
    let mut messages = clinic.messages().await.into_iter();
    let digest = messages
        .rfind(|message| message.kind == MessageKind::FollowUpDigest)
        .unwrap();
    assert_eq!(digest.state, MessageState::Withheld);
    assert_eq!(digest.decision.unwrap().reasons[0].code, GateReason::OutOfDate);
}

#[tokio::test]
async fn everybody_who_works_here_is_looked_at_each_morning() {
    let clinic = Clinic::new().await;
    let staff = entity::staff::Entity::find().count(clinic.db()).await.unwrap();
    let rows = entity::staff_digest::Entity::find()
        .count(clinic.db())
        .await
        .unwrap();
    assert_eq!(rows, staff);
}
