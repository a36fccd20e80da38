//! Somebody asks what we hold, and to be forgotten; and what nobody asks about is not kept for ever.

use entity::date_occasion::{self, DateOccasionState};
use entity::enums::{LeadStage, Role};
use entity::{captured_mail, contact, lead, message};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, PaginatorTrait};
use serde_json::{Value, json};

use crate::harness::{As, Clinic, OPS, at, pat};

const BOSS: As<'static> = As::Role(Role::Admin);
/// What stands in no other word of the hospital.
const PLANTED: [&str; 7] = [
    "Quillon",
    "Zarbath",
    "quillon.zarbath@example.org",
    "+18605550177",
    "plantednote",
    "plantedservice",
    "plantedcode",
];
const FIGURES: &str =
    "{ dashboard(filter: { from: \"2026-03-01T05:00:00Z\", to: \"2026-03-10T04:00:00Z\" }) {
    totals { leads } } leads { totalCount } contacts { totalCount } }";

async fn quillon_asks(clinic: &Clinic) -> lead::Model {
    let fields = [
        ("given_name", "Quillon"),
        ("family_name", "Zarbath"),
        ("email", "quillon.zarbath@example.org"),
        ("phone", "(860) 555-0177"),
        ("agree", "email me about my request"),
        ("agree", "services and events"),
    ];
    let answer = clinic
        .submit_form("sleep-study?source_code=plantedcode", &fields)
        .await;
    assert_eq!(answer.status, 303);
    clinic.last_lead().await
}

/// Plants a word wherever people and programs write.
async fn planted(clinic: &Clinic) -> lead::Model {
    let lead = quillon_asks(clinic).await;
    let mut row = lead.clone().into_active_model();
    row.requested_service = Set(Some("plantedservice".to_owned()));
    row.update(clinic.db()).await.unwrap();
    let attempt = "mutation($input: LogAttemptInput!) { logAttempt(input: $input) {
        lead { contact { givenName } } userErrors { code } } }";
    let input = json!({ "leadId": lead.id.to_string(), "medium": "PHONE", "outcome": "VOICEMAIL",
        "note": "plantednote" });
    let key = [("idempotency-key", "planted-1")];
    let answer = clinic
        .graphql_with(OPS, attempt, json!({ "input": input }), &key)
        .await;
    assert_eq!(answer.data("logAttempt.userErrors"), json!([]), "{}", answer.body);
    clinic.drain().await;
    lead
}

#[tokio::test]
async fn everything_that_is_held_is_exported_and_the_audit_says_so() {
    let clinic = Clinic::new().await;
    let lead = planted(&clinic).await;
    let input = json!({ "contactId": lead.contact_id.to_string() });
    let export = clinic.change(BOSS, "exportContact", input).await["export"].to_string();
    for word in PLANTED {
        assert!(export.contains(word), "{word} is missing: {export}");
    }
    assert!(
        clinic
            .contents()
            .await
            .holding("contact.export")
            .contains(&"audit_event")
    );
}

#[tokio::test]
async fn who_is_erased_is_found_nowhere_and_still_counted() {
    let clinic = Clinic::new().await;
    let lead = planted(&clinic).await;
    for word in PLANTED {
        assert!(
            !clinic.contents().await.holding(word).is_empty(),
            "{word} was planted"
        );
    }
    let suppress = json!({ "medium": "EMAIL", "address": PLANTED[2], "reason": "DO_NOT_CONTACT" });
    clinic.change(OPS, "suppressAddress", suppress).await;
    let figures = async || clinic.graphql(OPS, FIGURES, json!({})).await.json();
    let before: Value = figures().await;
    let input = json!({ "contactId": lead.contact_id.to_string() });
    let erasure = clinic.change(BOSS, "eraseContact", input.clone()).await;
    assert_eq!(erasure["erasure"]["leads"], 1);
    assert_eq!(
        clinic.change(BOSS, "eraseContact", input).await["erasure"]["leads"],
        0
    );
    let contents = clinic.contents().await;
    for word in PLANTED {
        assert_eq!(
            contents.holding(word),
            Vec::<&str>::new(),
            "{word} is still there"
        );
    }
    assert_eq!(figures().await, before);
    clinic.minutes_pass(60);
    clinic.drain().await;
    let again = quillon_asks(&clinic).await;
    assert_ne!(again.contact_id, lead.contact_id, "a new contact");
    clinic.drain().await;
    let mails = message::Entity::find().all(clinic.db()).await.unwrap();
    let theirs: Vec<_> = mails
        .iter()
        .filter(|mail| mail.contact_id == Some(again.contact_id))
        .collect();
    assert!(!theirs.is_empty() && theirs.iter().all(|mail| mail.sent_at.is_none()));
}

#[tokio::test]
async fn who_is_erased_in_the_middle_of_a_sequence_is_written_to_no_more() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    clinic.live_until(at("2026-03-05T16:00:00Z")).await;
    let sent = clinic.mails_to("pat@example.org").await.len();
    assert_eq!(sent, 2, "the confirmation and the first mail of the sequence");
    let input = json!({ "contactId": clinic.last_lead().await.contact_id.to_string() });
    let erasure = clinic.change(BOSS, "eraseContact", input).await;
    assert_eq!(erasure["erasure"]["enrollmentsEnded"], 1);
    clinic.live_until(at("2026-04-05T16:00:00Z")).await;
    let mut messages = clinic.messages().await;
    messages.retain(|mail| mail.contact_id.is_some());
    assert_eq!(
        messages.iter().filter(|mail| mail.sent_at.is_some()).count(),
        sent
    );
    assert!(
        messages.iter().all(|mail| mail.settled_at.is_some()),
        "none still waits"
    );
    let stuck = "{ stuckEnrollments(first: 5) { totalCount } }";
    let answer = clinic.graphql(OPS, stuck, json!({})).await;
    assert_eq!(answer.data("stuckEnrollments.totalCount"), 0);
}

#[tokio::test]
async fn what_is_past_its_retention_is_taken_out_and_a_dry_run_says_what_first() {
    let clinic = Clinic::new().await;
    let lead = planted(&clinic).await;
    for (kind, days) in [("UNENGAGED_CONTACTS", 30), ("CAPTURED_MAIL", 7)] {
        let input = json!({ "kind": kind, "keepDays": days });
        clinic.change(BOSS, "setRetention", input).await;
    }
    let refused = clinic
        .try_change(
            BOSS,
            "setRetention",
            json!({ "kind": "CAPTURED_MAIL", "keepDays": 0 }),
        )
        .await;
    assert_eq!(refused["userErrors"][0]["field"], json!(["keepDays"]));
    let h = &clinic.hospital;
    let rows =
        |swept: Vec<domain::privacy::retention::Swept>| swept.iter().map(|one| one.rows).collect::<Vec<_>>();
    assert_eq!(rows(domain::privacy::retention::due(h).await.unwrap()), [0, 0]);
    clinic.live_until(clinic.now() + chrono::TimeDelta::days(8)).await;
    let mails = captured_mail::Entity::find().count(clinic.db()).await.unwrap();
    let due = rows(domain::privacy::retention::due(h).await.unwrap());
    assert!(due[0] == 0 && due[1] > 0 && due[1] <= mails, "{due:?}");
    assert_eq!(rows(domain::privacy::retention::sweep(h).await.unwrap()), due);
    clinic
        .live_until(clinic.now() + chrono::TimeDelta::days(60))
        .await;
    assert_eq!(rows(domain::privacy::retention::due(h).await.unwrap())[0], 1);
    domain::privacy::retention::sweep(h).await.unwrap();
    let emptied = contact::Entity::find_by_id(lead.contact_id)
        .one(clinic.db())
        .await
        .unwrap()
        .unwrap();
    assert!(emptied.erased_at.is_some() && emptied.email.is_none());
    assert_eq!(rows(domain::privacy::retention::due(h).await.unwrap())[0], 0);
}

#[tokio::test]
async fn a_setup_document_says_how_long_closed_leads_are_kept_and_the_sweep_empties_them() {
    let clinic = Clinic::new().await;
    let setup = |days: i32| {
        let retention = json!([{ "kind": "CLOSED_LEADS", "keepDays": days }]);
        domain::setup::Setup::parse(&json!({ "retention": retention }).to_string()).unwrap()
    };
    let refused = domain::setup::apply(&clinic.hospital, &setup(0))
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, domain::error::Error::Refused(all) if all[0].field.join(".") == "retention.0.keepDays")
    );
    for _ in 0..2 {
        domain::setup::apply(&clinic.hospital, &setup(90)).await.unwrap();
    }
    let closed = planted(&clinic).await;
    let open = clinic.pat_asks().await;
    let close = json!({ "leadId": closed.id.to_string(), "disposition": "CHOSE_ELSEWHERE" });
    clinic.change(BOSS, "closeLead", close).await;
    let h = &clinic.hospital;
    let due = async || domain::privacy::retention::due(h).await.unwrap()[0].rows;
    clinic
        .live_until(clinic.now() + chrono::TimeDelta::days(89))
        .await;
    assert_eq!(due().await, 0);
    clinic.live_until(clinic.now() + chrono::TimeDelta::days(2)).await;
    domain::privacy::retention::sweep(h).await.unwrap();
    assert_eq!(due().await, 0);
    let row = async |id| {
        lead::Entity::find_by_id(id)
            .one(clinic.db())
            .await
            .unwrap()
            .unwrap()
    };
    let emptied = row(closed.id).await;
    assert!(emptied.erased_at.is_some() && emptied.requested_service.is_none());
    assert_eq!(emptied.stage, LeadStage::Closed, "it still counts");
    assert!(
        row(open.parse().unwrap()).await.erased_at.is_none(),
        "an open lead is kept"
    );
    let person = contact::Entity::find_by_id(closed.contact_id)
        .one(clinic.db())
        .await
        .unwrap();
    assert!(
        person.unwrap().email.is_some(),
        "the contact has a policy of its own"
    );
}

#[tokio::test]
async fn the_day_of_who_is_erased_does_not_come() {
    let clinic = Clinic::new().await;
    let date = json!({ "from": "RECEIVED", "days": 3 });
    let input = json!({
        "name": "Three days later", "purpose": "CARE_COORDINATION", "trigger": { "on": "DATE", "date": date },
        "steps": [{ "key": "bring", "kind": "SEND_EMAIL", "template": "what-to-bring" }],
    });
    let made = clinic.change(OPS, "createSequence", input).await;
    let publish = json!({ "sequenceId": made["sequence"]["id"] });
    clinic.change(OPS, "publishSequence", publish).await;
    clinic.pat_asks().await;
    let contact = clinic.last_lead().await.contact_id.to_string();
    let states = async || {
        let rows = date_occasion::Entity::find().all(clinic.db()).await.unwrap();
        rows.into_iter().map(|row| row.state).collect::<Vec<_>>()
    };
    assert_eq!(states().await, [DateOccasionState::Waiting]);
    clinic
        .change(BOSS, "eraseContact", json!({ "contactId": contact }))
        .await;
    assert_eq!(states().await, [DateOccasionState::Cancelled]);
    clinic.drain().await;
}

#[tokio::test]
async fn what_a_person_asks_about_is_in_no_subject_no_header_and_no_link_of_a_mail() {
    let clinic = Clinic::new().await;
    let mut document: Value = serde_json::from_str(include_str!("harness/clinic.json")).unwrap();
    let forms = document["forms"].as_array_mut().expect("forms");
    for form in forms.iter_mut().filter(|form| form["slug"] == "sleep-study") {
        form["fields"].as_array_mut().expect("fields").extend([
            json!({ "name": "wish", "label": "What for?", "kind": "TEXT", "target": "REQUESTED_SERVICE", "maxChars": 200 }),
            json!({ "name": "condition", "label": "Why?", "kind": "TEXT_AREA", "target": "ANSWER", "maxChars": 1000 }),
        ]);
    }
    let setup = domain::setup::Setup::parse(&document.to_string()).unwrap();
    domain::setup::apply(&clinic.hospital, &setup).await.unwrap();
    let mut fields = pat();
    fields.extend([
        ("wish", "zarquonectomy"),
        ("condition", "zarquonosis"),
        ("timing", "this_week"),
        ("agree", "email me about my request"),
        ("agree", "services and events"),
    ]);
    assert_eq!(clinic.submit_form("sleep-study", &fields).await.status, 303);
    assert_eq!(
        clinic.last_lead().await.requested_service.as_deref(),
        Some("zarquonectomy")
    );
    clinic.live_until(at("2026-04-05T12:00:00Z")).await;
    let mails = clinic.mails().await;
    let to_pat = mails.iter().filter(|mail| mail.to == "pat@example.org").count();
    assert!(
        to_pat >= 3 && mails.len() > to_pat,
        "people and staff were written to"
    );
    for mail in &mails {
        let body = format!("{} {}", mail.text, mail.html);
        let links = body
            .split(|c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>'))
            .filter(|word| word.contains("://"));
        let told = links
            .chain([mail.subject.as_str()])
            .chain(mail.headers.iter().map(|(_, value)| value.as_str()));
        for text in told {
            assert!(!text.contains("zarquon"), "{text}");
        }
    }
    let subjects = clinic.messages().await;
    assert!(subjects.iter().all(|row| !row.subject.contains("zarquon")));
}
