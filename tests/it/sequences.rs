//! Sequences are written, published, entered, waited in, moved and watched, through the public API.

use chrono::TimeDelta;
use entity::date_occasion::{self, DateOccasionState};
use entity::enrollment::{self, EnrollmentState, ExitReason};
use entity::enums::{EligibilityFlag, Role};
use entity::message::{MessageKind, MessageState};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::harness::smtp_sink::Behavior;
use crate::harness::{As, Clinic, OPS, at};

const NORA: As<'static> = As::Staff("nora");

/// A sequence about requests, running.
async fn publish(clinic: &Clinic, name: &str, trigger: Value, steps: Value) -> String {
    let input = json!({ "name": name, "purpose": "CARE_COORDINATION", "trigger": trigger, "steps": steps });
    let made = clinic.change(OPS, "createSequence", input).await;
    let id = made["sequence"]["id"].as_str().unwrap().to_owned();
    clinic
        .change(OPS, "publishSequence", json!({ "sequenceId": id }))
        .await;
    id
}

/// A lead of somebody who may be written to about the request.
async fn lead(clinic: &Clinic, name: &str) -> String {
    let email = format!("{name}@example.org");
    let fields = [
        ("given_name", name),
        ("family_name", "Ray"),
        ("email", email.as_str()),
        ("agree", "email me about my request"),
    ];
    assert_eq!(clinic.submit_form("sleep-study", &fields).await.status, 303);
    clinic.last_lead().await.id.to_string()
}

async fn speak(clinic: &Clinic, lead: &str) {
    let input = json!({ "leadId": lead, "medium": "PHONE", "outcome": "REACHED" });
    clinic.change(NORA, "logAttempt", input).await;
}

async fn book(clinic: &Clinic, lead: &str, starts_at: &str) {
    speak(clinic, lead).await;
    clinic
        .change(NORA, "qualifyLead", json!({ "leadId": lead }))
        .await;
    let input = json!({ "leadId": lead, "startsAt": starts_at });
    clinic.change(NORA, "scheduleAppointment", input).await;
}

fn mail(key: &str) -> Value {
    json!({ "key": key, "kind": "SEND_EMAIL", "template": "what-to-bring" })
}

fn end() -> Value {
    json!({ "key": "end", "kind": "END" })
}

/// Steps whose mails went out, with the instant, in order.
async fn sent(clinic: &Clinic) -> Vec<(String, String)> {
    let messages = clinic.messages().await.into_iter();
    messages
        .filter(|row| row.kind == MessageKind::Nurture)
        .filter_map(|row| Some((row.step_key?, row.sent_at?.to_rfc3339())))
        .collect()
}

async fn steps_sent(clinic: &Clinic) -> Vec<String> {
    sent(clinic).await.into_iter().map(|(step, _)| step).collect()
}

/// Enrollments in a sequence, in the order in which they began.
async fn enrollments(clinic: &Clinic, sequence: &str) -> Vec<enrollment::Model> {
    let id: entity::id::SequenceId = sequence.parse().unwrap();
    let found = enrollment::Entity::find()
        .filter(enrollment::Column::SequenceId.eq(id))
        .order_by_asc(enrollment::Column::Id);
    found.all(clinic.db()).await.unwrap()
}

/// Field, code and message of what was refused.
async fn refused(clinic: &Clinic, steps: Value, exit: Value) -> Vec<(String, String)> {
    let mut input = json!({ "name": "A draft", "purpose": "CARE_COORDINATION", "trigger": { "on": "MANUAL" }, "steps": steps });
    input["endsAfter"] = exit;
    let made = clinic.change(OPS, "createSequence", input).await;
    let id = made["sequence"]["id"].clone();
    let payload = clinic
        .try_change(OPS, "publishSequence", json!({ "sequenceId": id }))
        .await;
    assert_eq!(payload["sequence"], Value::Null);
    let errors = payload["userErrors"].as_array().unwrap().iter();
    let told = |error: &Value| {
        let field: Vec<&str> = error["field"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        (field.join("."), error["message"].as_str().unwrap().to_owned())
    };
    errors.map(told).collect()
}

#[tokio::test]
async fn a_sequence_with_a_fault_is_refused_with_the_step_named() {
    let goes_back =
        json!({ "key": "again", "kind": "BRANCH", "when": [], "then": "hello", "otherwise": "end" });
    let faults = [
        // An endless loop.
        (
            json!([mail("hello"), goes_back, end()]),
            json!(null),
            "steps.1.then",
            "Step again: ",
        ),
        // A step that no way leads to.
        (
            json!([end(), mail("lost")]),
            json!(null),
            "steps.1.key",
            "Step lost: ",
        ),
        (
            json!([{ "key": "hello", "kind": "SEND_EMAIL", "template": "nobody" }]),
            json!(null),
            "steps.0.template",
            "Step hello: ",
        ),
        // A wait that is longer than the sequence.
        (
            json!([{ "key": "long", "kind": "WAIT", "wait": 86400 }, mail("late")]),
            json!(86400),
            "steps.0.wait",
            "Step long: ",
        ),
        (
            json!([{ "key": "tell", "kind": "NOTIFY_STAFF", "to": "OWNER", "title": "{{ given_name }} waits" }]),
            json!(null),
            "steps.0.title",
            "Step tell: ",
        ),
        (
            json!([{ "key": "half", "kind": "SPLIT", "ways": [{ "weight": 1, "then": "end" }, { "weight": 0, "then": "end" }] }, end()]),
            json!(null),
            "steps.0.ways.1.weight",
            "Step half: ",
        ),
    ];
    for (steps, exit, field, named) in faults {
        let clinic = Clinic::new().await;
        let told = refused(&clinic, steps, exit).await;
        assert!(
            told.len() == 1 && told[0].0 == field && told[0].1.starts_with(named),
            "{field}: {told:?}"
        );
    }
}

/// Waits two days for an appointment.
fn wait_for_a_booking() -> Value {
    json!([
        { "key": "wait", "kind": "WAIT_FOR", "event": "APPOINTMENT_BOOKED", "timeout": 172_800, "then": "booked", "otherwise": "silence" },
        mail("booked"), end(), mail("silence")
    ])
}

#[tokio::test]
async fn a_missed_appointment_begins_a_sequence_that_waits_for_a_new_one() {
    for booked_again in [true, false] {
        let clinic = Clinic::new().await;
        let sequence = publish(
            &clinic,
            "Missed",
            json!({ "on": "APPOINTMENT_MISSED" }),
            wait_for_a_booking(),
        )
        .await;
        let lead = lead(&clinic, "max").await;
        book(&clinic, &lead, "2026-03-03T18:00:00Z").await;
        let early = clinic
            .try_change(NORA, "missAppointment", json!({ "leadId": lead }))
            .await;
        assert_eq!(early["userErrors"][0]["code"], "NOT_ALLOWED_NOW");
        clinic.live_until(at("2026-03-03T19:00:00Z")).await;
        clinic
            .change(NORA, "missAppointment", json!({ "leadId": lead }))
            .await;
        clinic.live_until(at("2026-03-04T16:00:00Z")).await;
        if booked_again {
            let input = json!({ "leadId": lead, "startsAt": "2026-03-10T18:00:00Z" });
            clinic.change(NORA, "scheduleAppointment", input).await;
            clinic.drain().await;
        }
        let early = steps_sent(&clinic).await;
        clinic.live_until(at("2026-03-09T16:00:00Z")).await;
        let (at_once, in_the_end) = if booked_again {
            (vec!["booked"], "booked")
        } else {
            (vec![], "silence")
        };
        assert_eq!(early, at_once, "it goes on in the moment of the booking");
        assert_eq!(steps_sent(&clinic).await, [in_the_end], "one way only");
        let enrollment = &enrollments(&clinic, &sequence).await[0];
        assert_eq!(enrollment.state, EnrollmentState::Completed);
    }
}

#[tokio::test]
async fn an_event_and_the_end_of_the_wait_at_one_moment_take_one_way_whoever_is_faster() {
    let clinic = Clinic::new().await;
    publish(
        &clinic,
        "By hand",
        json!({ "on": "MANUAL" }),
        wait_for_a_booking(),
    )
    .await;
    let sequence = clinic.id_of("sequence", "By hand").await;
    let mut leads = Vec::new();
    for number in 0..6 {
        let lead = lead(&clinic, &format!("pat{number}")).await;
        speak(&clinic, &lead).await;
        clinic
            .change(NORA, "qualifyLead", json!({ "leadId": lead }))
            .await;
        let input = json!({ "leadId": lead, "sequenceId": sequence });
        clinic.change(NORA, "enrollLead", input).await;
        leads.push(lead);
    }
    clinic.drain().await;
    clinic.sign_in("nora").await;
    // At the very end of the wait: the booking comes too late, even when no worker has looked yet.
    for (moment, expected) in [
        ("2026-03-05T14:59:59Z", "booked"),
        ("2026-03-05T15:00:00Z", "silence"),
    ] {
        let before = steps_sent(&clinic).await.len();
        let some: Vec<String> = leads.drain(..3).collect();
        clinic.clock.set(at(moment));
        let (one, other) = (clinic.another_worker(), clinic.another_worker());
        let bookings = futures_util::future::join_all(some.iter().map(|lead| {
            let input = json!({ "leadId": lead, "startsAt": "2026-03-10T18:00:00Z" });
            clinic.change(NORA, "scheduleAppointment", input)
        }));
        let (_, first, second) = tokio::join!(bookings, one.drain(), other.drain());
        first.unwrap();
        second.unwrap();
        clinic.drain().await;
        let sent = steps_sent(&clinic).await;
        let new = &sent[before..];
        let due: Vec<&String> = new.iter().filter(|step| *step == expected).collect();
        assert!(due.len() >= 3, "{moment}: {sent:?}");
    }
    assert_eq!(steps_sent(&clinic).await.len(), 6, "one mail each");
}

#[tokio::test]
async fn two_days_before_a_visit_is_a_local_day_and_comes_once() {
    let clinic = Clinic::new().await;
    let date = json!({ "from": "APPOINTMENT", "days": -2, "minuteOfDay": 600 });
    let trigger = json!({ "on": "DATE", "date": date, "reentry": "ALWAYS" });
    let sequence = publish(&clinic, "Before the visit", trigger, json!([mail("soon")])).await;
    let moved = lead(&clinic, "max").await;
    let late = lead(&clinic, "lou").await;
    // Clocks go forward on Sunday the 8th.
    book(&clinic, &moved, "2026-03-11T18:00:00Z").await;
    let input = json!({ "leadId": moved, "startsAt": "2026-03-10T18:00:00Z" });
    clinic.change(NORA, "scheduleAppointment", input).await;
    // Tomorrow is too soon for a reminder of two days before.
    book(&clinic, &late, "2026-03-04T18:00:00Z").await;
    clinic.live_until(at("2026-03-12T16:00:00Z")).await;
    // At 10:00 on Sunday, after the change; nobody is written to before Monday 09:00.
    let began: Vec<_> = enrollments(&clinic, &sequence)
        .await
        .iter()
        .map(|row| row.created_at)
        .collect();
    assert_eq!(began, [at("2026-03-08T14:00:00Z")]);
    assert_eq!(steps_sent(&clinic).await, ["soon"]);
    let occasions = date_occasion::Entity::find()
        .order_by_asc(date_occasion::Column::DueAt)
        .all(clinic.db())
        .await
        .unwrap();
    let states: Vec<_> = occasions.iter().map(|row| row.state.as_str()).collect();
    assert_eq!(
        states,
        ["DONE", "CANCELLED"],
        "the appointment that was moved is no occasion"
    );
}

#[tokio::test]
async fn visits_that_are_booked_when_a_sequence_is_published_get_their_day_and_a_new_version_moves_it() {
    let clinic = Clinic::new().await;
    let booked = lead(&clinic, "max").await;
    let gone = lead(&clinic, "lou").await;
    let tomorrow = lead(&clinic, "kim").await;
    book(&clinic, &booked, "2026-03-16T18:00:00Z").await;
    book(&clinic, &gone, "2026-03-16T19:00:00Z").await;
    book(&clinic, &tomorrow, "2026-03-04T18:00:00Z").await;
    let trigger = |days: i32| {
        let date = json!({ "from": "APPOINTMENT", "days": days, "minuteOfDay": 600 });
        json!({ "on": "DATE", "date": date })
    };
    let sequence = publish(&clinic, "Before the visit", trigger(-2), json!([mail("soon")])).await;
    let due = async || {
        let rows = date_occasion::Entity::find()
            .filter(date_occasion::Column::State.eq(DateOccasionState::Waiting))
            .all(clinic.db())
            .await
            .unwrap();
        rows.into_iter().map(|row| row.due_at).collect::<Vec<_>>()
    };
    // At 10:00 in summer time; the day before tomorrow's visit has passed.
    assert_eq!(due().await, [at("2026-03-14T14:00:00Z"); 2]);
    let input = json!({ "sequenceId": sequence, "trigger": trigger(-4) });
    clinic.change(OPS, "publishSequence", input).await;
    assert_eq!(due().await, [at("2026-03-12T14:00:00Z"); 2]);
    let close = json!({ "leadId": gone, "disposition": "CHOSE_ELSEWHERE" });
    clinic.change(NORA, "closeLead", close).await;
    clinic.live_until(at("2026-03-17T16:00:00Z")).await;
    let began: Vec<_> = enrollments(&clinic, &sequence)
        .await
        .iter()
        .map(|row| (row.lead_id.to_string(), row.created_at))
        .collect();
    assert_eq!(began, [(booked, at("2026-03-12T14:00:00Z"))]);
}

#[tokio::test]
async fn what_is_missing_begins_a_sequence_that_ends_by_its_goal_and_tells_staff_nothing_of_the_person() {
    let clinic = Clinic::new().await;
    let missing = json!([{ "fact": "FLAG", "is": "NOT_IN", "values": ["ORDER_MISSING"] }]);
    let steps = json!([
        { "key": "has-order", "kind": "GOAL", "when": missing },
        { "key": "tell", "kind": "NOTIFY_STAFF", "to": "TEAM", "title": "Something is missing" },
        { "key": "day", "kind": "WAIT", "wait": 86400 },
        { "key": "triage", "kind": "UPDATE_LEAD", "addFlags": ["TRIAGE_NEEDED"], "team": "imaging-desk" },
        { "key": "ask", "kind": "FOLLOW_UP", "title": "Ask the practice", "dueInMinutes": 60 },
        { "key": "week", "kind": "WAIT", "wait": 604_800 },
        mail("never"),
    ]);
    let trigger = json!({ "on": "INFORMATION_MISSING", "flag": "ORDER_MISSING" });
    let sequence = publish(&clinic, "Missing", trigger, steps).await;
    let lead = lead(&clinic, "max").await;
    let line = clinic.id_of("serviceLine", "imaging").await;
    clinic
        .change(
            OPS,
            "updateLead",
            json!({ "leadId": lead, "serviceLineId": line }),
        )
        .await;
    clinic.drain().await;
    let notices: Vec<_> = clinic
        .messages()
        .await
        .into_iter()
        .filter(|row| row.kind == MessageKind::SequenceNotice)
        .collect();
    // Nora and Sam are the sleep desk.
    assert_eq!(notices.len(), 2);
    assert!(
        notices
            .iter()
            .all(|row| row.state == MessageState::Accepted && row.subject == "Something is missing")
    );
    let mails = clinic.mails_to("sam@clinic.example").await;
    let notice = mails
        .iter()
        .find(|mail| mail.subject == "Something is missing")
        .expect("a notice");
    assert!(
        !notice.text.to_lowercase().contains("max") && !notice.text.contains("maging"),
        "{}",
        notice.text
    );
    clinic.live_until(at("2026-03-04T16:00:00Z")).await;
    let now = clinic.last_lead().await;
    assert!(now.flags.0.contains(&EligibilityFlag::TriageNeeded));
    assert_eq!(
        now.team_id.to_string(),
        clinic.id_of("team", "imaging-desk").await
    );
    // The order came: the line is corrected, and with it the flag.
    let line = clinic.id_of("serviceLine", "sleep").await;
    clinic
        .change(
            OPS,
            "updateLead",
            json!({ "leadId": lead, "serviceLineId": line }),
        )
        .await;
    let ended = &enrollments(&clinic, &sequence).await[0];
    assert_eq!(
        (ended.state, ended.goal_key.as_deref(), ended.ended_at),
        (EnrollmentState::Completed, Some("has-order"), Some(clinic.now()))
    );
    clinic.live_until(at("2026-03-20T16:00:00Z")).await;
    assert_eq!(steps_sent(&clinic).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_callback_and_each_rule_of_entering_again() {
    for (reentry, expected) in [("NEVER", 1), ("AFTER_EXIT", 2), ("ALWAYS", 3)] {
        let clinic = Clinic::new().await;
        let steps = json!([{ "key": "hour", "kind": "WAIT", "wait": 3600 }, mail("hello")]);
        let trigger = json!({ "on": "CALLBACK_ASKED", "reentry": reentry });
        let sequence = publish(&clinic, "Callback", trigger, steps).await;
        let lead = lead(&clinic, "max").await;
        let ask = async || {
            let callback_at = (clinic.now() + TimeDelta::days(2)).to_rfc3339();
            let input = json!({ "leadId": lead, "medium": "PHONE", "outcome": "CALLBACK_ASKED", "callbackAt": callback_at });
            clinic.change(NORA, "logAttempt", input).await;
            clinic.drain().await;
        };
        ask().await;
        clinic.minutes_pass(30);
        // While it runs.
        ask().await;
        clinic.live_until(clinic.now() + TimeDelta::hours(2)).await;
        // After it has ended.
        ask().await;
        let rows = enrollments(&clinic, &sequence).await;
        assert_eq!(rows.len(), expected, "{reentry}");
        let active = rows
            .iter()
            .filter(|row| row.state == EnrollmentState::Active)
            .count();
        assert!(active <= 1, "{reentry}");
        let restarted = rows
            .iter()
            .filter(|row| row.exit_reason == Some(ExitReason::Restarted));
        assert_eq!(restarted.count(), usize::from(reentry == "ALWAYS"));
        clinic.live_until(clinic.now() + TimeDelta::hours(2)).await;
    }
}

#[tokio::test]
async fn a_split_divides_contacts_and_whoever_sends_the_form_again_is_noticed() {
    let clinic = Clinic::new().await;
    let steps = json!([
        { "key": "half", "kind": "SPLIT", "seed": "spring", "ways": [{ "weight": 1, "then": "a" }, { "weight": 1, "then": "b" }] },
        mail("a"),
        { "key": "again-a", "kind": "WAIT_FOR", "event": "FORM_ANSWERED", "timeout": 86400, "then": "thanks", "otherwise": "end" },
        mail("b"), end(), mail("thanks")
    ]);
    let sequence = publish(
        &clinic,
        "Halves",
        json!({ "on": "LEAD_RECEIVED", "reentry": "NEVER" }),
        steps,
    )
    .await;
    for number in 0..12 {
        lead(&clinic, &format!("pat{number}")).await;
    }
    clinic.drain().await;
    let first = steps_sent(&clinic).await;
    let of = |step: &str| first.iter().filter(|sent| *sent == step).count();
    assert!(of("a") > 0 && of("b") > 0 && of("a") + of("b") == 12, "{first:?}");
    let waiting = enrollments(&clinic, &sequence).await;
    let waiting = waiting.iter().filter(|row| row.step_key == "again-a").count();
    assert_eq!(waiting, of("a"));
    clinic.minutes_pass(30);
    for number in 0..12 {
        lead(&clinic, &format!("pat{number}")).await;
    }
    clinic.drain().await;
    let second = steps_sent(&clinic).await;
    assert_eq!(second.iter().filter(|step| *step == "thanks").count(), of("a"));
    // The second lead of a contact goes the same way as the first.
    assert_eq!(second.iter().filter(|step| *step == "a").count(), 2 * of("a"));
    clinic.live_until(at("2026-03-06T16:00:00Z")).await;
}

#[tokio::test]
async fn running_enrollments_move_to_a_new_version_when_somebody_says_so() {
    let clinic = Clinic::new().await;
    let first = json!([{ "key": "day", "kind": "WAIT", "wait": 86400 }, mail("old")]);
    let sequence = publish(&clinic, "Moving", json!({ "on": "LEAD_RECEIVED" }), first).await;
    lead(&clinic, "max").await;
    lead(&clinic, "lou").await;
    clinic.drain().await;
    let second = json!([{ "key": "hour", "kind": "WAIT", "wait": 3600 }, mail("new")]);
    let input = json!({ "sequenceId": sequence, "steps": second });
    clinic.change(OPS, "publishSequence", input).await;
    let preview = async |map: Value| {
        let query = "query($s: ID!, $m: [StepMapInput!]!) { previewSequenceMove(sequenceId: $s, fromVersion: 1, toVersion: 2, stepMap: $m) {
            preview { movable staying steps { stepKey count targetKey how obstacle samples { id lead { id } } } } userErrors { code } } }";
        let before = clinic.contents().await;
        let answer = clinic
            .graphql(OPS, query, json!({ "s": sequence, "m": map }))
            .await;
        assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
        answer.data("previewSequenceMove.preview")
    };
    let without = preview(json!([])).await;
    assert_eq!((&without["movable"], &without["staying"]), (&json!(0), &json!(2)));
    assert_eq!(without["steps"][0]["obstacle"], "NO_TARGET");
    let map = json!([{ "from": "day", "to": "hour" }]);
    let with = preview(map.clone()).await;
    assert_eq!(
        (&with["movable"], &with["steps"][0]["how"]),
        (&json!(2), &json!("BEGINS"))
    );
    assert_eq!(with["steps"][0]["samples"].as_array().map(Vec::len), Some(2));
    let input = json!({ "sequenceId": sequence, "fromVersion": 1, "toVersion": 2, "stepMap": map });
    let wrong = json!({ "sequenceId": sequence, "fromVersion": 1, "toVersion": 2, "stepMap": [{ "from": "day", "to": "gone" }] });
    let refused = clinic.try_change(OPS, "moveEnrollments", wrong).await;
    assert_eq!(refused["userErrors"][0]["field"], json!(["stepMap", "0", "to"]));
    let moved = clinic.change(OPS, "moveEnrollments", input.clone()).await;
    assert_eq!(moved["move"]["moved"], 2);
    assert_eq!(
        (&moved["move"]["state"], &moved["move"]["remaining"]),
        (&json!("DONE"), &json!(0))
    );
    let again = clinic.change(OPS, "moveEnrollments", input).await;
    assert_eq!(again["move"]["moved"], 0, "nobody is moved twice");
    clinic.live_until(at("2026-03-05T16:00:00Z")).await;
    assert_eq!(steps_sent(&clinic).await, ["new", "new"]);
}

#[tokio::test]
async fn a_large_move_goes_on_in_the_background_and_shows_how_far_it_is() {
    let clinic = Clinic::new().await;
    let wait = |key: &str| json!([{ "key": key, "kind": "WAIT", "wait": 864_000 }, mail("late")]);
    let sequence = publish(&clinic, "Many", json!({ "on": "MANUAL" }), wait("old")).await;
    let lead = lead(&clinic, "max").await;
    let input = json!({ "leadId": lead, "sequenceId": sequence });
    clinic.change(NORA, "enrollLead", input).await;
    clinic.drain().await;
    // Hundreds more at the same place, of leads of their own.
    clinic.leads_come_in(600).await;
    let like = enrollments(&clinic, &sequence).await.remove(0);
    let leads = entity::lead::Entity::find().all(clinic.db()).await.unwrap();
    let others = leads.iter().filter(|row| row.id != like.lead_id).take(600);
    let rows: Vec<_> = others
        .map(|lead| {
            let row = enrollment::Model {
                id: domain::id::new_id(clinic.now()),
                lead_id: lead.id,
                contact_id: lead.contact_id,
                ..like.clone()
            };
            sea_orm::IntoActiveModel::into_active_model(row)
        })
        .collect();
    for some in rows.chunks(250) {
        enrollment::Entity::insert_many(some.to_vec())
            .exec_without_returning(clinic.db())
            .await
            .unwrap();
    }
    let input = json!({ "sequenceId": sequence, "steps": wait("new") });
    clinic.change(OPS, "publishSequence", input).await;
    let input = json!({ "sequenceId": sequence, "fromVersion": 1, "toVersion": 2, "stepMap": [{ "from": "old", "to": "new" }] });
    let begun = clinic.change(OPS, "moveEnrollments", input.clone()).await;
    assert_eq!(
        (&begun["move"]["state"], &begun["move"]["moved"]),
        (&json!("RUNNING"), &json!(500))
    );
    assert_eq!(begun["move"]["remaining"], 101);
    let (one, other) = (clinic.another_worker(), clinic.another_worker());
    let (first, second) = tokio::join!(one.drain(), other.drain());
    first.unwrap();
    second.unwrap();
    clinic.live_until(clinic.now() + TimeDelta::seconds(5)).await;
    let query = "query($id: ID!) { sequenceMove(id: $id) { state moved remaining fromVersion { number } toVersion { number } } }";
    let answer = clinic
        .graphql(OPS, query, json!({ "id": begun["move"]["id"] }))
        .await;
    assert_eq!(
        answer.data("sequenceMove"),
        json!({ "state": "DONE", "moved": 601, "remaining": 0, "fromVersion": { "number": 1 }, "toVersion": { "number": 2 } })
    );
    let left = enrollment::Entity::find().filter(enrollment::Column::StepKey.eq("old"));
    assert_eq!(left.count(clinic.db()).await.unwrap(), 0);
}

#[tokio::test]
async fn the_watchdog_names_who_does_not_move_and_why() {
    let clinic = Clinic::new().await;
    let steps = json!([{ "key": "hour", "kind": "WAIT", "wait": 3600 }, mail("hello")]);
    publish(&clinic, "Watched", json!({ "on": "MANUAL" }), steps).await;
    let sequence = clinic.id_of("sequence", "Watched").await;
    let lead = lead(&clinic, "max").await;
    clinic
        .change(
            NORA,
            "enrollLead",
            json!({ "leadId": lead, "sequenceId": sequence }),
        )
        .await;
    clinic.drain().await;
    let stuck = async |who| {
        let query = "{ stuckEnrollments(first: 10) { nodes { reason stepKey faults enrollment { lead { id } sequence { name } } } } }";
        clinic
            .graphql(who, query, json!({}))
            .await
            .data("stuckEnrollments.nodes")
    };
    clinic.minutes_pass(65);
    assert_eq!(stuck(OPS).await, json!([]), "five minutes are nothing");
    clinic.minutes_pass(10);
    let expected = json!([{ "reason": "NO_WORKER", "stepKey": "hour", "faults": 0,
        "enrollment": { "lead": { "id": lead }, "sequence": { "name": "Watched" } } }]);
    assert_eq!(stuck(OPS).await, expected);
    assert_eq!(stuck(As::Staff("luis")).await, json!([]), "not of his team");
    let seen = domain::sequence::watchdog::look(&clinic.hospital).await.unwrap();
    assert_eq!((seen.len(), seen[0].step_key.as_str()), (1, "hour"));
    clinic.drain().await;
    assert_eq!(stuck(As::Role(Role::Admin)).await, json!([]));
    clinic.live_until(at("2026-03-04T16:00:00Z")).await;
}

#[tokio::test]
async fn an_enrollment_with_a_mail_that_nobody_knows_of_is_told_of_until_it_ends() {
    let clinic = Clinic::with_smtp().await;
    let steps = json!([mail("hello"), { "key": "week", "kind": "WAIT", "wait": 604_800 }, end()]);
    let sequence = publish(&clinic, "Unknown", json!({ "on": "MANUAL" }), steps).await;
    let lead = lead(&clinic, "max").await;
    clinic.drain().await;
    clinic.sink().behave_times(1, Behavior::StoredWithoutReply);
    let input = json!({ "leadId": lead, "sequenceId": sequence });
    clinic.change(NORA, "enrollLead", input).await;
    clinic.drain().await;
    let told = async || {
        let query = "{ stuckEnrollments(first: 10) { nodes { reason stepKey } } }";
        let answer = clinic.graphql(OPS, query, json!({})).await;
        answer.data("stuckEnrollments.nodes")
    };
    assert_eq!(
        told().await,
        json!([{ "reason": "MAIL_UNKNOWN", "stepKey": "week" }])
    );
    clinic.live_until(clinic.now() + TimeDelta::days(8)).await;
    assert_eq!(told().await, json!([]));
}

#[tokio::test]
async fn a_local_wait_in_a_sequence_ends_at_the_local_hour_on_both_sides_of_a_change_of_the_clocks() {
    for (day, expected) in [
        ("2026-03-06", "2026-03-09T14:30:00+00:00"),
        ("2026-10-30", "2026-11-02T15:30:00+00:00"),
    ] {
        let clinic = Clinic::new().await;
        clinic.clock.set(at(&format!("{day}T16:00:00Z")));
        let steps = json!([{ "key": "monday", "kind": "WAIT", "weekday": "MONDAY", "minuteOfDay": 630 }, mail("hello")]);
        publish(&clinic, "Monday", json!({ "on": "LEAD_RECEIVED" }), steps).await;
        lead(&clinic, "max").await;
        clinic.live_until(clinic.now() + TimeDelta::days(4)).await;
        assert_eq!(sent(&clinic).await, [("hello".to_owned(), expected.to_owned())]);
    }
}

#[tokio::test]
async fn a_sequence_reads_back_as_it_was_written() {
    let clinic = Clinic::new().await;
    let sequence = publish(
        &clinic,
        "Missed",
        json!({ "on": "APPOINTMENT_MISSED" }),
        wait_for_a_booking(),
    )
    .await;
    let query = "query($id: ID!) { sequence(id: $id) { currentVersion { endsAfter trigger { on reentry }
        steps { key kind event timeout then otherwise } } } }";
    let answer = clinic.graphql(OPS, query, json!({ "id": sequence })).await;
    let version = answer.data("sequence.currentVersion");
    assert_eq!(
        version["trigger"],
        json!({ "on": "APPOINTMENT_MISSED", "reentry": "AFTER_EXIT" })
    );
    assert_eq!(
        version["steps"][0],
        json!({ "key": "wait", "kind": "WAIT_FOR", "event": "APPOINTMENT_BOOKED", "timeout": 172_800, "then": "booked", "otherwise": "silence" })
    );
}
