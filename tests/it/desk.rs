//! A coordinator works on leads: attempts, stages, follow-ups, and the clock that runs meanwhile.

use entity::follow_up::{self, FollowUpKind, FollowUpState};
use entity::lead_event::{self, LeadEventKind};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::harness::{As, Clinic, at};

const NORA: As<'static> = As::Staff("nora");

async fn lead(clinic: &Clinic, id: &str) -> Value {
    let query = "query($id: ID!) { lead(id: $id) {
        stage disposition version firstAttemptAt firstReachedAt qualifiedAt scheduledAt completedAt closedAt
        team { slug } owner { displayName } nextAppointment { startsAt state }
        sla { state dueAt attemptsMade firstAttemptAfter firstAttemptAfterBusiness }
        attempts { outcome medium note staff { displayName } }
        timeline(first: 100) { nodes { kind fromStage toStage actor { name } } }
    } }";
    clinic
        .graphql(
            As::Role(entity::enums::Role::MarketingOps),
            query,
            json!({ "id": id }),
        )
        .await
        .data("lead")
}

async fn tried(clinic: &Clinic, id: &str, outcome: &str) -> Value {
    let input = json!({ "leadId": id, "medium": "PHONE", "outcome": outcome });
    clinic.change(NORA, "logAttempt", input).await
}

/// Every follow-up, in the order in which they were opened.
async fn follow_ups(clinic: &Clinic) -> Vec<follow_up::Model> {
    follow_up::Entity::find()
        .order_by_asc(follow_up::Column::Id)
        .all(clinic.db())
        .await
        .unwrap()
}

async fn events(clinic: &Clinic, kind: LeadEventKind) -> u64 {
    lead_event::Entity::find()
        .filter(lead_event::Column::Kind.eq(kind))
        .count(clinic.db())
        .await
        .unwrap()
}

#[tokio::test]
async fn the_first_attempt_stops_the_clock_and_moves_the_lead_to_contacted() {
    let clinic = Clinic::new().await;
    let id = clinic.pat_asks().await;
    clinic.minutes_pass(20);
    let payload = tried(&clinic, &id, "VOICEMAIL").await;
    assert_eq!(payload["lead"]["stage"], "CONTACTED");
    let lead = lead(&clinic, &id).await;
    assert_eq!(at(lead["firstAttemptAt"].as_str().unwrap()), clinic.now());
    assert_eq!(lead["firstReachedAt"], Value::Null, "nobody answered");
    assert_eq!(lead["sla"]["state"], "MET");
    assert_eq!(lead["sla"]["firstAttemptAfter"], 1200);
    assert_eq!(lead["sla"]["firstAttemptAfterBusiness"], 1200);
    let attempt = json!({ "outcome": "VOICEMAIL", "medium": "PHONE", "note": null, "staff": { "displayName": "Nora Night" } });
    assert_eq!(lead["attempts"], json!([attempt]));
    assert_eq!(lead["timeline"]["nodes"][0]["actor"]["name"], "Nora Night");
    clinic.drain().await;
}

#[tokio::test]
async fn further_attempts_are_spaced_on_the_calendar_until_as_many_are_made_as_are_wanted() {
    let clinic = Clinic::new().await;
    let id = clinic.pat_asks().await;
    clinic.live_until(at("2026-03-03T15:20:00Z")).await;
    tried(&clinic, &id, "NO_ANSWER").await;
    let rows = follow_ups(&clinic).await;
    assert_eq!(
        (rows[0].kind, rows[0].state),
        (FollowUpKind::FirstContact, FollowUpState::Done)
    );
    assert_eq!(
        (rows[1].kind, rows[1].title.as_str()),
        (FollowUpKind::NextAttempt, "Attempt 2 of 3")
    );
    assert_eq!(rows[1].due_at, at("2026-03-03T19:20:00Z"), "four hours later");

    clinic.live_until(at("2026-03-03T19:20:00Z")).await;
    tried(&clinic, &id, "BUSY").await;
    let rows = follow_ups(&clinic).await;
    assert_eq!(rows[2].title, "Attempt 3 of 3");
    assert_eq!(
        rows[2].due_at,
        at("2026-03-04T14:20:00Z"),
        "160 minutes until closing, 80 the next morning"
    );

    clinic.live_until(at("2026-03-04T14:00:00Z")).await;
    tried(&clinic, &id, "VOICEMAIL").await;
    let rows = follow_ups(&clinic).await;
    assert_eq!(
        (rows.len(), rows[3].title.as_str()),
        (4, "Decide: close as unreachable")
    );
    let open = rows.iter().filter(|row| row.state == FollowUpState::Open).count();
    assert_eq!(open, 1, "one piece of work at a time");
    clinic.drain().await;
}

#[tokio::test]
async fn a_two_way_attempt_makes_the_lead_reached_and_asks_for_no_other() {
    let clinic = Clinic::new().await;
    let id = clinic.pat_asks().await;
    clinic.minutes_pass(5);
    tried(&clinic, &id, "REACHED").await;
    let lead = lead(&clinic, &id).await;
    assert_eq!(lead["firstReachedAt"], lead["firstAttemptAt"]);
    assert!(
        follow_ups(&clinic)
            .await
            .iter()
            .all(|row| row.state == FollowUpState::Done)
    );
    clinic.drain().await;
}

#[tokio::test]
async fn a_callback_is_due_when_the_person_asked_for_it() {
    let clinic = Clinic::new().await;
    let id = clinic.pat_asks().await;
    clinic.minutes_pass(5);
    clinic.sign_in("nora").await;
    let before = clinic.contents().await;
    let mut input = json!({ "leadId": id, "medium": "PHONE", "outcome": "CALLBACK_ASKED" });
    let refused = clinic.try_change(NORA, "logAttempt", input.clone()).await;
    assert_eq!(refused["userErrors"][0]["field"], json!(["callbackAt"]));
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
    input["callbackAt"] = json!("2026-03-05T19:30:00Z");
    clinic.change(NORA, "logAttempt", input).await;
    let rows = follow_ups(&clinic).await;
    let callback = rows
        .iter()
        .find(|row| row.state == FollowUpState::Open)
        .expect("an open follow-up");
    assert_eq!(
        (callback.kind, callback.due_at),
        (FollowUpKind::Callback, at("2026-03-05T19:30:00Z"))
    );
    tried(&clinic, &id, "VOICEMAIL").await;
    let rows = follow_ups(&clinic).await;
    let open: Vec<_> = rows
        .iter()
        .filter(|row| row.state == FollowUpState::Open)
        .map(|row| row.kind)
        .collect();
    assert_eq!(
        open,
        [FollowUpKind::Callback],
        "a voicemail does not undo a call that was promised"
    );
    clinic.drain().await;
}

#[tokio::test]
async fn a_late_first_contact_is_marked_once_and_its_person_is_told_once_each_time() {
    let clinic = Clinic::new().await;
    let id = clinic.pat_asks().await;
    let other = clinic.another_worker();
    for now in [
        "2026-03-03T15:00:00Z",
        "2026-03-03T15:50:00Z",
        "2026-03-03T16:00:00Z",
        "2026-03-03T18:00:00Z",
    ] {
        clinic.clock.set(at(now));
        let (one, two) = futures_util::future::join(clinic.worker.drain(), other.drain()).await;
        one.unwrap();
        two.unwrap();
    }
    let told = clinic.mails_to("nora@clinic.example").await;
    let subjects: Vec<_> = told.iter().map(|mail| mail.subject.clone()).collect();
    insta::assert_snapshot!("staff_subjects", subjects.join("\n"));
    assert_eq!(told.len(), 3, "assigned, due soon, late: {subjects:?}");
    assert!(
        told.iter()
            .all(|mail| mail.header("Auto-Submitted") == Some("auto-generated"))
    );
    assert!(
        told.iter()
            .all(|mail| !mail.text.contains("Pat") && !mail.text.contains("leep medicine")),
        "no word of the person"
    );
    insta::assert_snapshot!("follow_up_late", told[2].snapshot());
    assert_eq!(events(&clinic, LeadEventKind::SlaMissed).await, 1);
    let row = &follow_ups(&clinic).await[0];
    assert_eq!((row.late_at, row.rank), (Some(at("2026-03-03T16:00:00Z")), 1));
    assert_eq!(lead(&clinic, &id).await["sla"]["state"], "LATE");
    tried(&clinic, &id, "REACHED").await;
    assert_eq!(lead(&clinic, &id).await["sla"]["state"], "MISSED");
    assert_eq!(
        events(&clinic, LeadEventKind::SlaMissed).await,
        1,
        "it was missed once"
    );
    clinic.drain().await;
}

#[tokio::test]
async fn a_lead_is_late_at_its_due_time_whoever_looks() {
    let clinic = Clinic::new().await;
    let id = clinic.pat_asks().await;
    clinic.drain().await;
    clinic.clock.set(at("2026-03-03T15:59:59Z"));
    assert_eq!(lead(&clinic, &id).await["sla"]["state"], "OPEN");
    clinic.clock.set(at("2026-03-03T16:00:00Z"));
    assert_eq!(
        lead(&clinic, &id).await["sla"]["state"],
        "LATE",
        "no sweep has run yet"
    );
    clinic.drain().await;
}

#[tokio::test]
async fn a_late_logged_attempt_that_was_made_in_time_meets_the_sla() {
    let clinic = Clinic::new().await;
    let id = clinic.pat_asks().await;
    clinic.live_until(at("2026-03-03T17:00:00Z")).await;
    let input =
        json!({ "leadId": id, "medium": "PHONE", "outcome": "REACHED", "at": "2026-03-03T15:30:00Z" });
    clinic.change(NORA, "logAttempt", input).await;
    assert_eq!(lead(&clinic, &id).await["sla"]["state"], "MET");
    clinic.drain().await;
}

#[tokio::test]
async fn a_lead_goes_through_its_stages_and_each_step_is_an_event() {
    let clinic = Clinic::new().await;
    let id = clinic.pat_asks().await;
    clinic.minutes_pass(10);
    tried(&clinic, &id, "REACHED").await;
    clinic.change(NORA, "qualifyLead", json!({ "leadId": id })).await;
    let starts = "2026-03-05T15:00:00Z";
    clinic
        .change(
            NORA,
            "scheduleAppointment",
            json!({ "leadId": id, "startsAt": starts }),
        )
        .await;
    let scheduled = lead(&clinic, &id).await;
    assert_eq!(
        (&scheduled["stage"], &scheduled["nextAppointment"]["state"]),
        (&json!("APPOINTMENT_SCHEDULED"), &json!("BOOKED"))
    );
    clinic.live_until(at("2026-03-05T17:00:00Z")).await;
    clinic
        .change(NORA, "completeVisit", json!({ "leadId": id }))
        .await;
    let done = lead(&clinic, &id).await;
    assert_eq!(
        (&done["stage"], &done["nextAppointment"]),
        (&json!("VISIT_COMPLETED"), &Value::Null)
    );
    let steps: Vec<_> = done["timeline"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .filter(|event| event["kind"] == "STAGE_CHANGED")
        .map(|event| event["toStage"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        steps,
        [
            "CONTACTED",
            "QUALIFIED",
            "APPOINTMENT_SCHEDULED",
            "VISIT_COMPLETED"
        ]
    );
    clinic.drain().await;
}

#[tokio::test]
async fn a_guarded_step_is_refused_and_changes_nothing() {
    let clinic = Clinic::new().await;
    let id = clinic.pat_asks().await;
    clinic.sign_in("nora").await;
    let refused = async |field: &'static str, input: Value| {
        let before = clinic.contents().await;
        let payload = clinic.try_change(NORA, field, input).await;
        assert_eq!(
            clinic.contents().await.differences(&before),
            Vec::<String>::new(),
            "{field}"
        );
        assert_eq!(payload["lead"], Value::Null, "{field}");
        let error = payload["userErrors"][0].clone();
        (error["field"].clone(), error["code"].as_str().unwrap().to_owned())
    };
    let not_now = (json!(["leadId"]), "NOT_ALLOWED_NOW".to_owned());
    let starts = json!({ "leadId": id, "startsAt": "2026-03-05T15:00:00Z" });
    assert_eq!(
        refused("qualifyLead", json!({ "leadId": id })).await,
        not_now,
        "nobody has called yet"
    );
    assert_eq!(refused("scheduleAppointment", starts.clone()).await, not_now);
    assert_eq!(refused("completeVisit", json!({ "leadId": id })).await, not_now);
    assert_eq!(refused("reopenLead", json!({ "leadId": id })).await, not_now);
    tried(&clinic, &id, "REACHED").await;
    assert_eq!(
        refused("scheduleAppointment", starts).await,
        not_now,
        "a sleep study is not booked without qualification"
    );
    let note = refused("closeLead", json!({ "leadId": id, "disposition": "OTHER" })).await;
    assert_eq!(note, (json!(["note"]), "REQUIRED".to_owned()));
    let stale = refused("qualifyLead", json!({ "leadId": id, "version": 1 })).await;
    assert_eq!(stale.1, "VERSION_CONFLICT");
    let future =
        json!({ "leadId": id, "medium": "PHONE", "outcome": "REACHED", "at": "2026-03-04T15:00:00Z" });
    assert_eq!(refused("logAttempt", future).await.0, json!(["at"]));
    clinic
        .change(
            NORA,
            "closeLead",
            json!({ "leadId": id, "disposition": "NOT_INTERESTED" }),
        )
        .await;
    let late = json!({ "leadId": id, "medium": "PHONE", "outcome": "REACHED" });
    assert_eq!(
        refused("logAttempt", late).await,
        not_now,
        "a closed lead is reopened first"
    );
    let nobody = json!({ "leadId": "lead_01jd0000000000000000000000" });
    assert_eq!(
        refused("qualifyLead", nobody).await,
        (json!(["leadId"]), "NOT_FOUND".to_owned())
    );
    clinic.drain().await;
}

#[tokio::test]
async fn a_closed_lead_has_no_work_left_and_goes_back_to_where_it_was_when_reopened() {
    let clinic = Clinic::new().await;
    let id = clinic.pat_asks().await;
    tried(&clinic, &id, "VOICEMAIL").await;
    clinic
        .change(
            NORA,
            "closeLead",
            json!({ "leadId": id, "disposition": "UNREACHABLE" }),
        )
        .await;
    let closed = lead(&clinic, &id).await;
    assert_eq!(
        (&closed["stage"], &closed["disposition"]),
        (&json!("CLOSED"), &json!("UNREACHABLE"))
    );
    assert!(
        follow_ups(&clinic)
            .await
            .iter()
            .all(|row| row.state != FollowUpState::Open)
    );
    clinic.change(NORA, "reopenLead", json!({ "leadId": id })).await;
    let reopened = lead(&clinic, &id).await;
    assert_eq!(
        (&reopened["stage"], &reopened["disposition"]),
        (&json!("CONTACTED"), &Value::Null)
    );
    assert_eq!(
        reopened["timeline"]["nodes"][0]["kind"], "FOLLOW_UP_CHANGED",
        "{:#}",
        reopened["timeline"]
    );
    assert_eq!(
        follow_ups(&clinic)
            .await
            .iter()
            .filter(|row| row.state == FollowUpState::Open)
            .count(),
        1
    );
    clinic.drain().await;
}

#[tokio::test]
async fn a_lead_that_is_given_to_another_team_takes_its_work_along_and_the_new_person_is_told() {
    let clinic = Clinic::new().await;
    let id = clinic.pat_asks().await;
    clinic.drain().await;
    let (team, luis) = (
        clinic.id_of("team", "heart-desk").await,
        clinic.id_of("staff", "luis").await,
    );
    let input =
        json!({ "leadId": id, "teamId": team, "ownerId": luis, "reason": "Asked for the heart team." });
    clinic.change(NORA, "assignLead", input).await;
    clinic.drain().await;
    let given = lead(&clinic, &id).await;
    assert_eq!(
        (&given["team"]["slug"], &given["owner"]["displayName"]),
        (&json!("heart-desk"), &json!("Luis Lake"))
    );
    assert_eq!(clinic.mails_to("luis@clinic.example").await.len(), 1);
    let mine = "{ followUps(filter: { mine: true }) { nodes { assignee { displayName } } } }";
    let of_luis = clinic.graphql(As::Staff("luis"), mine, json!({})).await;
    assert_eq!(
        of_luis.data("followUps.nodes"),
        json!([{ "assignee": { "displayName": "Luis Lake" } }])
    );
    assert_eq!(
        clinic
            .graphql(NORA, mine, json!({}))
            .await
            .data("followUps.nodes"),
        json!([])
    );
}

#[tokio::test]
async fn a_snoozed_follow_up_is_due_later_and_reminds_again() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    clinic.drain().await;
    let id = follow_ups(&clinic).await[0].id.to_string();
    let payload = clinic
        .change(
            NORA,
            "snoozeFollowUp",
            json!({ "followUpId": id, "until": "2026-03-03T18:00:00Z" }),
        )
        .await;
    assert_eq!(
        at(payload["followUp"]["dueAt"].as_str().unwrap()),
        at("2026-03-03T18:00:00Z")
    );
    clinic.live_until(at("2026-03-03T17:00:00Z")).await;
    let before = clinic.mails_to("nora@clinic.example").await.len();
    clinic.live_until(at("2026-03-03T17:55:00Z")).await;
    assert_eq!(
        clinic.mails_to("nora@clinic.example").await.len(),
        before + 1,
        "ten minutes before the new time"
    );
    clinic
        .change(
            NORA,
            "completeFollowUp",
            json!({ "followUpId": id, "outcome": "Spoke with a relative" }),
        )
        .await;
    clinic.live_until(at("2026-03-03T19:00:00Z")).await;
    assert_eq!(
        clinic.mails_to("nora@clinic.example").await.len(),
        before + 1,
        "what is done is not late"
    );
}
