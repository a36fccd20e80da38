//! Clocks that are stopped while the hospital waits, and run again.

use entity::lead_event::LeadEventKind;
use serde_json::{Value, json};

use super::{NORA, clinic, clock, open_work, steps};
use crate::harness::{Clinic, at};

/// Pat asks at ten in the morning and somebody stops the clock ten minutes later, until nine the next morning.
async fn paused() -> (Clinic, String) {
    let clinic = clinic().await;
    let id = clinic.pat_asks().await;
    clinic.live_until(at("2026-03-03T15:10:00Z")).await;
    clinic
        .change(NORA, "pauseSla", pause(&id, "2026-03-04T14:00:00Z"))
        .await;
    (clinic, id)
}

fn pause(id: &str, until: &str) -> Value {
    json!({ "leadId": id, "reason": "WAITING_FOR_REFERRAL", "until": until })
}

#[tokio::test]
async fn while_the_clock_stands_nothing_is_missed_and_no_step_is_taken() {
    let (clinic, id) = paused().await;
    let sla = clock(&clinic, &id).await;
    let standing = json!({
        "reason": "WAITING_FOR_REFERRAL", "since": "2026-03-03T15:10:00Z", "until": "2026-03-04T14:00:00Z",
    });
    assert_eq!(sla["pause"], standing);
    assert_eq!(sla["dueAt"], "2026-03-04T14:50:00Z", "50 minutes were left");
    assert_eq!(sla["targetAt"], "2026-03-04T14:20:00Z");
    assert_eq!(
        sla["nextStep"],
        json!({ "step": "WARN_OWNER", "at": "2026-03-04T14:20:00Z" })
    );
    let work = open_work(&clinic).await;
    assert_eq!(
        (work[0].due_at, work[0].remind_at),
        (at("2026-03-04T14:50:00Z"), Some(at("2026-03-04T14:40:00Z")))
    );
    clinic.live_until(at("2026-03-04T13:59:59Z")).await;
    assert_eq!(
        steps(&clinic).await,
        [(LeadEventKind::SlaPaused, at("2026-03-03T15:10:00Z"))]
    );
    assert_eq!(open_work(&clinic).await[0].late_at, None);

    clinic.live_until(at("2026-03-04T16:00:00Z")).await;
    assert_eq!(
        steps(&clinic).await[1..],
        [
            (LeadEventKind::SlaResumed, at("2026-03-04T14:00:00Z")),
            (LeadEventKind::SlaWarned, at("2026-03-04T14:20:00Z")),
            (LeadEventKind::SlaMissed, at("2026-03-04T14:50:00Z")),
            (LeadEventKind::SlaToldLead, at("2026-03-04T14:50:00Z")),
            (LeadEventKind::SlaTakenBack, at("2026-03-04T15:20:00Z")),
        ]
    );
    assert_eq!(clock(&clinic, &id).await["pause"], Value::Null);
}

#[tokio::test]
async fn a_clock_that_runs_again_early_has_stood_for_the_shorter_time() {
    let (clinic, id) = paused().await;
    clinic.live_until(at("2026-03-03T15:40:00Z")).await;
    clinic.change(NORA, "resumeSla", json!({ "leadId": id })).await;
    let sla = clock(&clinic, &id).await;
    assert_eq!(
        (&sla["dueAt"], &sla["pause"]),
        (&json!("2026-03-03T16:30:00Z"), &Value::Null)
    );
    assert_eq!(sla["nextStep"]["at"], "2026-03-03T16:00:00Z");
    assert_eq!(open_work(&clinic).await[0].due_at, at("2026-03-03T16:30:00Z"));
    let again = clinic
        .try_change(NORA, "resumeSla", json!({ "leadId": id }))
        .await;
    assert_eq!(again["userErrors"][0]["field"], json!(["leadId"]));

    // It stands a second time, and both times count for the steps that come later.
    clinic
        .change(NORA, "pauseSla", pause(&id, "2026-03-03T16:40:00Z"))
        .await;
    clinic.live_until(at("2026-03-03T22:00:00Z")).await;
    let taken: Vec<_> = steps(&clinic).await.split_off(4);
    assert_eq!(
        taken,
        [
            (LeadEventKind::SlaWarned, at("2026-03-03T17:00:00Z")),
            (LeadEventKind::SlaMissed, at("2026-03-03T17:30:00Z")),
            (LeadEventKind::SlaToldLead, at("2026-03-03T17:30:00Z")),
            (LeadEventKind::SlaTakenBack, at("2026-03-03T18:00:00Z")),
        ]
    );
}

#[tokio::test]
async fn an_attempt_lets_the_clock_run_again_and_a_close_ends_the_pause() {
    let (clinic, id) = paused().await;
    clinic.live_until(at("2026-03-03T17:00:00Z")).await;
    let tried = json!({ "leadId": id, "medium": "PHONE", "outcome": "REACHED" });
    clinic.change(NORA, "logAttempt", tried).await;
    let sla = clock(&clinic, &id).await;
    assert_eq!((&sla["state"], &sla["pause"]), (&json!("MET"), &Value::Null));
    assert_eq!(sla["dueAt"], "2026-03-03T17:50:00Z");
    let no_more = clinic
        .try_change(NORA, "pauseSla", pause(&id, "2026-03-04T14:00:00Z"))
        .await;
    assert_eq!(no_more["userErrors"][0]["code"], "NOT_ALLOWED_NOW");
    clinic.live_until(at("2026-03-04T16:00:00Z")).await;
    assert_eq!(
        steps(&clinic).await[1..],
        [(LeadEventKind::SlaResumed, at("2026-03-03T17:00:00Z"))]
    );
}

#[tokio::test]
async fn a_pause_that_cannot_be_is_refused_at_its_field() {
    let (clinic, id) = paused().await;
    for (until, code) in [
        ("2026-03-03T15:10:00Z", "INVALID"),
        ("2026-06-03T15:10:00Z", "TOO_LARGE"),
    ] {
        let refused = clinic.try_change(NORA, "pauseSla", pause(&id, until)).await;
        assert_eq!(refused["userErrors"][0]["field"], json!(["until"]), "{until}");
        assert_eq!(refused["userErrors"][0]["code"], code);
    }
    let twice = clinic
        .try_change(NORA, "pauseSla", pause(&id, "2026-03-04T18:00:00Z"))
        .await;
    assert_eq!(twice["userErrors"][0]["code"], "NOT_ALLOWED_NOW");
    assert_eq!(steps(&clinic).await.len(), 1);
    clinic.drain().await;
}
