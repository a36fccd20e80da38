//! A form is answered, and a lead is there with everything that follows from it.

use std::collections::HashSet;

use domain::nudge::Subject;
use domain::signal::Signal;
use entity::enums::Role;
use entity::{consent_event, contact, contact_candidate, lead, message, touchpoint};
use futures_util::future::join_all;
use sea_orm::{EntityTrait, PaginatorTrait, QueryOrder};
use serde_json::{Value, json};

use crate::harness::{Answer, As, Clinic, ClinicSettings, OPS, at, pat};

/// What a page of the desk asks about a lead.
const LEAD: &str = "query($id: ID!) { lead(id: $id) {
    type stage urgent flags receivedAt
    contact { id displayName email phone consentEvents { nodes {
        action medium purpose method evidence wording { key version text }
    } } }
    serviceLine { slug } facility { slug } team { slug } owner { displayName }
    source { channel campaign { code } placement { sourceCode } landingPage referrerHost utm { source medium campaign }
        sourceCode clickIdPresent clickIdKind externalId }
    score { points grade reasons { rule points text } }
    routing { rule explanation }
    sla { dueAt state attemptsMade attemptsWanted policy }
    answers { field label value }
    timeline { nodes { kind } }
    followUps { nodes { kind title state dueAt assignee { displayName } } }
    messages { nodes { kind state subject } }
    enrollments { state sequence { name } }
} }";

async fn lead_of(clinic: &Clinic, id: &str) -> Value {
    clinic.graphql(OPS, LEAD, json!({ "id": id })).await.data("lead")
}

async fn count<E: EntityTrait>(clinic: &Clinic, _: E) -> u64
where
    E::Model: Send + Sync,
{
    E::find().paginate(clinic.db(), 1).num_items().await.unwrap()
}

/// The values of one field of each node.
fn each(nodes: &Value, field: &str) -> Vec<String> {
    let nodes = nodes.as_array().expect("nodes are a list").iter();
    nodes
        .map(|node| node[field].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn a_form_answered_becomes_a_lead_with_everything_that_follows() {
    let clinic = Clinic::new().await;
    let visit = "sleep-study?utm_source=google&utm_medium=cpc&utm_campaign=sleep-spring&source_code=SLP-AD-1&gclid=Cj0K";
    let mut fields = pat();
    fields.extend([
        ("timing", "this_week"),
        ("agree", "email me about my request"),
        ("agree", "services and events"),
    ]);
    let mut signals = clinic.signals.listen();
    let answer = clinic.submit_form(visit, &fields).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, Some("/f/sleep-study/thanks"))
    );
    let lead_id = clinic.last_lead().await.id;
    assert_eq!(
        signals.try_recv(),
        Ok(Signal::LeadReceived { lead_id }),
        "listeners are told"
    );
    assert_eq!(
        clinic.nudges.take(),
        [Subject::WaitingMail, Subject::Enrollments],
        "workers are reminded"
    );
    clinic.drain().await;

    let id = lead_id.to_string();
    let lead = lead_of(&clinic, &id).await;
    assert_eq!(lead["contact"]["displayName"], "Pat Meyer");
    assert_eq!(lead["contact"]["email"], "pat@example.org");
    assert_eq!(lead["contact"]["phone"], "+18605550142");
    assert_eq!(
        (&lead["type"], &lead["stage"]),
        (&json!("PATIENT_APPOINTMENT"), &json!("NEW"))
    );
    assert_eq!(lead["serviceLine"]["slug"], "sleep");
    assert_eq!(lead["facility"]["slug"], "harbor");
    assert_eq!(
        (&lead["team"]["slug"], &lead["owner"]["displayName"]),
        (&json!("sleep-desk"), &json!("Nora Night"))
    );

    let source = &lead["source"];
    assert_eq!(source["channel"], "PAID_SEARCH");
    assert_eq!(source["campaign"]["code"], "sleep-spring");
    assert_eq!(source["placement"]["sourceCode"], "SLP-AD-1");
    assert_eq!(
        source["utm"],
        json!({ "source": "google", "medium": "cpc", "campaign": "sleep-spring" })
    );
    assert_eq!(
        (&source["clickIdPresent"], &source["clickIdKind"]),
        (&json!(true), &json!("gclid"))
    );
    assert_eq!(source["landingPage"], "/f/sleep-study");

    assert_eq!(
        (&lead["score"]["points"], &lead["score"]["grade"]),
        (&json!(75), &json!("A"))
    );
    assert_eq!(
        each(&lead["score"]["reasons"], "rule"),
        ["Can be called", "This week", "Searched for us"]
    );
    assert_eq!(lead["routing"]["rule"], "Sleep");
    let explanation = lead["routing"]["explanation"].as_str().unwrap();
    assert!(
        explanation.contains("\"Sleep\" holds: service line in sleep."),
        "{explanation}"
    );
    assert_eq!(
        lead["answers"],
        json!([{ "field": "timing", "label": "When would you like to come?", "value": "this_week" }])
    );

    let sla = &lead["sla"];
    assert_eq!(
        at(sla["dueAt"].as_str().unwrap()),
        at("2026-03-03T16:00:00Z"),
        "an hour of business after 10:00"
    );
    assert_eq!(
        (&sla["state"], &sla["attemptsWanted"]),
        (&json!("OPEN"), &json!(3))
    );
    assert_eq!(sla["policy"], "Patient appointments");
    let follow_up = &lead["followUps"]["nodes"][0];
    assert_eq!(
        (&follow_up["kind"], &follow_up["state"]),
        (&json!("FIRST_CONTACT"), &json!("OPEN"))
    );
    assert_eq!(follow_up["assignee"]["displayName"], "Nora Night");
    assert_eq!(
        at(follow_up["dueAt"].as_str().unwrap()),
        at("2026-03-03T16:00:00Z")
    );
    assert_eq!(
        lead["enrollments"],
        json!([{ "state": "ACTIVE", "sequence": { "name": "Sleep: the first weeks" } }])
    );

    let touched = touchpoint::Entity::find()
        .one(clinic.db())
        .await
        .unwrap()
        .expect("a touchpoint");
    assert_eq!(touched.kind, touchpoint::TouchpointKind::Form);
    assert!(touched.campaign_id.is_some() && touched.placement_id.is_some());

    assert_eq!(
        each(&lead["messages"]["nodes"], "state"),
        ["ACCEPTED", "ACCEPTED"]
    );
    let [mail] = clinic
        .mails_to("pat@example.org")
        .await
        .try_into()
        .expect("one confirmation");
    insta::assert_snapshot!("confirmation", mail.snapshot());
    let [notice] = clinic
        .mails_to("nora@clinic.example")
        .await
        .try_into()
        .expect("one notice");
    insta::assert_snapshot!("follow_up_assigned", notice.snapshot());
}

#[tokio::test]
async fn a_consent_is_stored_as_it_was_answered_with_the_wording_that_was_shown() {
    let clinic = Clinic::new().await;
    let page = clinic.open_form("sleep-study").await;
    assert!(
        page.boxes.len() == 3 && page.boxes.iter().all(|found| !found.ticked),
        "nothing is ticked for the visitor"
    );
    let mut fields = pat();
    fields.push(("agree", "services and events"));
    clinic.send_form("sleep-study", &page, &fields).await;
    clinic.drain().await;
    let events = consent_event::Entity::find()
        .order_by_asc(consent_event::Column::Id)
        .all(clinic.db())
        .await
        .unwrap();
    let mut said = Vec::new();
    for event in &events {
        let playbook = clinic.hospital.playbook().await.unwrap();
        let wording = &playbook.wordings[&event.wording_id.expect("a wording")];
        said.push((wording.key.clone(), wording.version, event.action.as_str()));
    }
    said.sort();
    let expected = [
        ("email-care", 1, "DENY"),
        ("email-marketing", 1, "GRANT"),
        ("phone-care", 1, "DENY"),
    ];
    assert_eq!(
        said,
        expected.map(|(key, version, action)| (key.to_owned(), version, action))
    );
    let grant = events
        .iter()
        .find(|event| event.action.as_str() == "GRANT")
        .expect("a grant");
    assert_eq!(grant.address.as_deref(), Some("pat@example.org"));
    assert_eq!(
        grant
            .evidence
            .as_ref()
            .and_then(|evidence| evidence.note.as_deref()),
        Some("checkbox, unticked by default")
    );
    assert_eq!(grant.occurred_at, clinic.now());
}

#[tokio::test]
async fn the_same_form_again_within_ten_minutes_is_the_same_lead() {
    let clinic = Clinic::new().await;
    let first = clinic.pat_asks().await;
    clinic.minutes_pass(9);
    assert_eq!(clinic.pat_asks().await, first);
    assert_eq!(
        (
            count(&clinic, lead::Entity).await,
            count(&clinic, contact::Entity).await
        ),
        (1, 1)
    );
    clinic.minutes_pass(2);
    assert_ne!(
        clinic.pat_asks().await,
        first,
        "after ten minutes it is a new inquiry of the same person"
    );
    assert_eq!(
        (
            count(&clinic, lead::Entity).await,
            count(&clinic, contact::Entity).await
        ),
        (2, 1)
    );
    clinic.drain().await;
}

#[tokio::test]
async fn sixteen_identical_posts_at_once_are_one_lead_of_one_contact() {
    let clinic = Clinic::new().await;
    let page = clinic.open_form("sleep-study").await;
    let fields = pat();
    let answers = join_all((0..16).map(|_| clinic.send_form("sleep-study", &page, &fields))).await;
    assert!(
        answers.iter().all(|answer| answer.status == 303),
        "{:?}",
        answers.iter().map(|a| a.status).collect::<Vec<_>>()
    );
    assert_eq!(
        (
            count(&clinic, lead::Entity).await,
            count(&clinic, contact::Entity).await
        ),
        (1, 1)
    );
    clinic.drain().await;
    assert_eq!(clinic.mails_to("pat@example.org").await.len(), 1);
}

#[tokio::test]
async fn one_idempotency_key_is_one_lead_and_another_content_under_it_a_conflict() {
    let clinic = Clinic::new().await;
    let body =
        |email: &str| json!({ "fields": { "given_name": "Pat", "family_name": "Meyer", "email": email } });
    let first = clinic
        .submit_json("sleep-study", &body("pat@example.org"), Some("order-1"))
        .await;
    assert_eq!(
        (first.status.as_u16(), &first.json()["created"]),
        (201, &json!(true))
    );
    clinic.hours_pass(1);
    let again = clinic
        .submit_json("sleep-study", &body("pat@example.org"), Some("order-1"))
        .await;
    assert_eq!(
        (again.status.as_u16(), &again.json()["created"]),
        (200, &json!(false))
    );
    assert_eq!(again.json()["leadId"], first.json()["leadId"]);
    let before = clinic.contents().await;
    let other = clinic
        .submit_json("sleep-study", &body("max@example.org"), Some("order-1"))
        .await;
    assert_eq!(
        (other.status.as_u16(), &other.json()["errors"][0]["code"]),
        (422, &json!("IDEMPOTENCY_CONFLICT"))
    );
    assert_eq!(other.json()["errors"][0]["field"], json!(["Idempotency-Key"]));
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
    clinic.drain().await;
}

#[tokio::test]
async fn a_page_with_a_new_key_for_every_press_of_its_button_makes_one_lead() {
    let clinic = Clinic::new().await;
    let body =
        json!({ "fields": { "given_name": "Pat", "family_name": "Meyer", "email": "pat@example.org" } });
    let keys: Vec<String> = (0..20).map(|press| format!("press-{press}")).collect();
    let press = |key| clinic.submit_json("sleep-study", &body, Some(key));
    let mut answers = join_all(keys[..10].iter().map(|key| press(key))).await;
    for key in &keys[10..] {
        clinic.clock.advance(chrono::TimeDelta::seconds(30));
        answers.push(press(key).await);
    }
    let ids: HashSet<Value> = answers
        .iter()
        .map(|answer| answer.json()["leadId"].clone())
        .collect();
    assert_eq!((ids.len(), count(&clinic, lead::Entity).await), (1, 1));
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 1);
    // Ten minutes after the first one it is an inquiry of its own.
    clinic.minutes_pass(5);
    assert_eq!(press("press-later").await.status, 201);
    clinic.drain().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_said_in_the_words_of_the_door() {
    let clinic = Clinic::new().await;
    let page = Answer::to(clinic.client.get("/f/%ff")).await;
    assert_eq!(page.status, 404);
    assert!(page.body.contains("This page does not exist"), "{}", page.body);
    let twice = r#"{ "fields": { "email": "pat@example.org", "email": "max@example.org" } }"#;
    let post = clinic
        .client
        .post("/f/sleep-study")
        .content_type("application/json");
    let answer = Answer::to(post.body(twice)).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["errors"][0]["code"]),
        (400, &json!("MALFORMED"))
    );
    let announced = "300000";
    let large = clinic.client.post("/graphql").content_type("application/json");
    let answer = Answer::to(large.header("content-length", announced).body("{}")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (413, "BAD_REQUEST")
    );
    let garbled = poem::http::HeaderValue::from_bytes(b"\xff").unwrap();
    let request = clinic.client.post("/graphql").header("authorization", garbled);
    let answer = Answer::to(request.body_json(&json!({ "query": "{ __typename }" }))).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (401, "UNAUTHENTICATED")
    );
}

#[tokio::test]
async fn the_same_external_id_is_one_lead_whatever_the_door() {
    let clinic = Clinic::new().await;
    let body =
        json!({ "fields": { "given_name": "Pat", "family_name": "Meyer", "email": "pat@example.org" } });
    let first = clinic
        .submit_json("sleep-study", &body, Some("chat-77"))
        .await
        .json();
    clinic.hours_pass(30);
    for _ in 0..2 {
        let again = clinic
            .submit_lead("sleep-study", &pat(), Some("sleep-study/chat-77"))
            .await;
        assert_eq!(
            again["receipt"],
            json!({ "leadId": first["leadId"], "created": false }),
            "{again:#}"
        );
    }
    let other = clinic.submit_lead("sleep-study", &pat(), Some("chat-78")).await;
    assert_eq!(other["receipt"]["created"], true);
    assert_eq!(
        (
            count(&clinic, lead::Entity).await,
            count(&clinic, contact::Entity).await
        ),
        (2, 1)
    );
    clinic.drain().await;
}

#[tokio::test]
async fn an_alias_names_the_service_line_and_an_unknown_name_goes_to_the_review_team() {
    let clinic = Clinic::new().await;
    let ask = async |service: &str, email: &str| {
        let fields = [("given_name", "Kim"), ("email", email), ("service", service)];
        assert_eq!(clinic.submit_form("question", &fields).await.status, 303);
        lead_of(&clinic, &clinic.last_lead().await.id.to_string()).await
    };
    let known = ask("  Sleep-Apnea TEST ", "kim@example.org").await;
    assert_eq!(
        (&known["serviceLine"]["slug"], &known["team"]["slug"]),
        (&json!("sleep"), &json!("sleep-desk"))
    );
    let unknown = ask("acupuncture", "lee@example.org").await;
    assert_eq!(
        (&unknown["serviceLine"], &unknown["team"]["slug"]),
        (&Value::Null, &json!("review"))
    );
    assert_eq!(unknown["flags"], json!(["SERVICE_UNCLEAR"]));
    assert!(
        unknown["routing"]["explanation"]
            .as_str()
            .unwrap()
            .contains("the review team decides")
    );
    clinic.drain().await;
}

#[tokio::test]
async fn what_a_line_needs_is_flagged_and_urgent_work_goes_first() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    let fields = [("given_name", "Hal"), ("phone", "(608) 555-0199")];
    assert_eq!(clinic.submit_form("heart", &fields).await.status, 303);
    let heart = lead_of(&clinic, &clinic.last_lead().await.id.to_string()).await;
    assert_eq!(heart["flags"], json!(["REFERRAL_REQUIRED", "TRIAGE_NEEDED"]));
    assert_eq!(
        (&heart["urgent"], &heart["facility"]["slug"]),
        (&json!(true), &json!("lakeside"))
    );
    let work = clinic
        .graphql(
            OPS,
            "{ followUps { nodes { urgent lead { contact { givenName } } } } }",
            json!({}),
        )
        .await;
    assert_eq!(work.data("followUps.nodes.0.lead.contact.givenName"), "Hal");
    clinic.drain().await;
}

#[tokio::test]
async fn a_parent_and_a_child_on_one_address_stay_two_with_a_candidate_to_judge() {
    let clinic = Clinic::new().await;
    let family = |given| {
        [
            ("given_name", given),
            ("family_name", "Okafor"),
            ("email", "family@example.org"),
        ]
    };
    clinic.submit_form("sleep-study", &family("Grace")).await;
    clinic.submit_form("sleep-study", &family("Tobi")).await;
    assert_eq!(
        (
            count(&clinic, lead::Entity).await,
            count(&clinic, contact::Entity).await
        ),
        (2, 2)
    );
    let pair = contact_candidate::Entity::find()
        .one(clinic.db())
        .await
        .unwrap()
        .expect("a candidate");
    assert_eq!(
        (pair.reason.as_str(), pair.state),
        ("email", contact_candidate::CandidateState::Open)
    );
    let child = lead_of(&clinic, &clinic.last_lead().await.id.to_string()).await;
    assert_eq!(child["flags"], json!(["POSSIBLE_DUPLICATE_CONTACT"]));
    clinic
        .submit_form(
            "sleep-study",
            &[
                ("given_name", "GRACE"),
                ("family_name", "okafor"),
                ("email", "Family@Example.org"),
            ],
        )
        .await;
    assert_eq!(
        count(&clinic, contact::Entity).await,
        2,
        "the same name in other letters is the same person"
    );
    clinic.drain().await;
}

#[tokio::test]
async fn the_first_contact_is_due_on_the_business_calendar_of_the_facility() {
    let cases = [
        // Received, form, due.
        ("2026-03-03T15:00:00Z", "sleep-study", "2026-03-03T16:00:00Z"),
        // Half an hour before lunch.
        ("2026-03-04T17:30:00Z", "heart", "2026-03-04T19:30:00Z"),
        // Friday 16:30: half an hour that day; clocks go forward on Sunday; half an hour on Monday.
        ("2026-03-06T21:30:00Z", "sleep-study", "2026-03-09T12:30:00Z"),
        // The same instant is 15:30 at the other facility, with an hour and a half to go.
        ("2026-03-06T21:30:00Z", "heart", "2026-03-06T22:30:00Z"),
        // Friday 16:30 there; Monday 09:30 in summer time.
        ("2026-03-06T22:30:00Z", "heart", "2026-03-09T14:30:00Z"),
        // Saturday night.
        ("2026-03-08T04:00:00Z", "sleep-study", "2026-03-09T13:00:00Z"),
        // The evening before a holiday.
        ("2026-03-19T20:45:00Z", "sleep-study", "2026-03-23T12:45:00Z"),
    ];
    let clinic = Clinic::new().await;
    for (number, (received, form, due)) in cases.into_iter().enumerate() {
        clinic.live_until(at(received)).await;
        let (phone, email) = (
            format!("(860) 555-01{number:02}"),
            format!("p{number}@example.org"),
        );
        let fields = [
            ("given_name", "Dana"),
            ("family_name", "Case"),
            ("phone", phone.as_str()),
            ("email", email.as_str()),
        ];
        assert_eq!(clinic.submit_form(form, &fields).await.status, 303);
        assert_eq!(
            clinic.last_lead().await.sla_due_at,
            at(due),
            "received {received} by {form}"
        );
    }
    clinic.drain().await;
}

#[tokio::test]
async fn a_program_that_fills_in_the_hidden_field_is_thanked_and_nothing_is_stored() {
    let clinic = Clinic::new().await;
    let before = clinic.contents().await;
    let mut fields = pat();
    fields.push(("homepage_url", "https://spam.example"));
    let answer = clinic.submit_form("sleep-study", &fields).await;
    assert_eq!(answer.status, 303);
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
}

#[tokio::test]
async fn a_flood_of_posts_is_told_when_to_come_back() {
    let clinic = Clinic::with(ClinicSettings {
        form_posts_per_minute: 3,
        ..ClinicSettings::default()
    })
    .await;
    let page = clinic.open_form("sleep-study").await;
    for _ in 0..3 {
        assert_eq!(clinic.send_form("sleep-study", &page, &pat()).await.status, 303);
    }
    clinic.drain().await;
    let before = clinic.contents().await;
    let answer = clinic.send_form("sleep-study", &page, &pat()).await;
    assert_eq!(answer.status, 429);
    let wait: u64 = answer
        .header("retry-after")
        .expect("how long to wait")
        .parse()
        .unwrap();
    assert!((1..=60).contains(&wait));
    let body = json!({ "fields": {} });
    let answer = clinic.submit_json("sleep-study", &body, None).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["errors"][0]["code"]),
        (429, &json!("RATE_LIMITED"))
    );
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
}

/// What can be wrong with the sleep form: the field and what is put there.
fn wrong_values() -> Vec<(&'static str, String)> {
    vec![
        ("given_name", String::new()),
        ("given_name", "x".repeat(101)),
        ("given_name", "Pat\u{7}".to_owned()),
        ("family_name", "visit www.spam.example".to_owned()),
        ("email", String::new()),
        ("email", "pat at example.org".to_owned()),
        ("email", "pat@exa mple.org".to_owned()),
        ("phone", "12345".to_owned()),
        ("phone", "+1 999 999 9999".to_owned()),
        ("region", "ZZ".to_owned()),
        ("timing", "whenever".to_owned()),
        ("shoe_size", "43".to_owned()),
    ]
}

#[tokio::test]
async fn the_page_names_each_wrong_field_keeps_what_was_typed_and_stores_nothing() {
    let clinic = Clinic::new().await;
    let before = clinic.contents().await;
    for (field, value) in wrong_values() {
        let mut fields: Vec<_> = pat().into_iter().filter(|(name, _)| *name != field).collect();
        fields.push((field, &value));
        let answer = clinic.submit_form("sleep-study", &fields).await;
        assert_eq!(answer.status, 422, "{field} = {value:?}");
        assert!(
            answer.body.contains("role=\"alert\""),
            "{field} = {value:?} is summed up"
        );
        if field != "shoe_size" {
            let tag = answer
                .body
                .split('<')
                .find(|tag| tag.contains(&format!("name=\"{field}\"")))
                .expect("the field");
            assert!(
                tag.contains("aria-invalid=\"true\""),
                "{field} = {value:?} is marked: {tag}"
            );
        }
        if field != "email" {
            assert!(
                answer.body.contains("value=\"pat@example.org\""),
                "the address stays in the form"
            );
        }
    }
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
}

#[tokio::test]
async fn json_names_each_wrong_field_and_stores_nothing() {
    let clinic = Clinic::new().await;
    let before = clinic.contents().await;
    for (field, value) in wrong_values() {
        let mut fields = json!({ "given_name": "Pat", "family_name": "Meyer", "email": "pat@example.org" });
        fields[field] = json!(value);
        let answer = clinic
            .submit_json("sleep-study", &json!({ "fields": fields }), Some("k1"))
            .await;
        assert_eq!(answer.status, 422, "{field} = {value:?}");
        assert_eq!(
            answer.json()["errors"][0]["field"],
            json!([field]),
            "{}",
            answer.body
        );
        assert!(
            value.is_empty() || !answer.body.contains(&value),
            "what was sent is not repeated: {}",
            answer.body
        );
    }
    let bodies = [
        (
            json!({ "fields": {}, "color": 1 }),
            json!(["color"]),
            "UNKNOWN_FIELD",
        ),
        (json!({ "fields": { "email": 7 } }), json!(["email"]), "INVALID"),
        (json!([]), json!([]), "INVALID"),
        (
            json!({ "consents": [{ "wordingId": "nonsense", "granted": true }] }),
            json!(["consents", "0", "wordingId"]),
            "NOT_FOUND",
        ),
    ];
    for (body, field, code) in bodies {
        let answer = clinic.submit_json("sleep-study", &body, None).await;
        assert_eq!(answer.status, 422, "{body}");
        let errors = answer.json()["errors"].clone();
        let named = errors
            .as_array()
            .unwrap()
            .iter()
            .any(|error| error["field"] == field && error["code"] == code);
        assert!(named, "{body} is told {errors}");
    }
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
}

#[tokio::test]
async fn graphql_names_each_wrong_field_and_stores_nothing() {
    let clinic = Clinic::new().await;
    let before = clinic.contents().await;
    for (field, value) in wrong_values() {
        let mut fields: Vec<_> = pat().into_iter().filter(|(name, _)| *name != field).collect();
        fields.push((field, &value));
        let payload = clinic.submit_lead("sleep-study", &fields, None).await;
        assert_eq!(payload["receipt"], Value::Null, "{field} = {value:?}");
        assert_eq!(
            payload["userErrors"][0]["field"],
            json!(["fields", field]),
            "{payload:#}"
        );
        assert!(
            value.is_empty() || !payload.to_string().contains(&value),
            "what was sent is not repeated: {payload:#}"
        );
    }
    let long = clinic
        .submit_lead("sleep-study", &pat(), Some(&"x".repeat(201)))
        .await;
    assert_eq!(long["userErrors"][0]["field"], json!(["externalId"]), "{long:#}");
    let keyless = clinic
        .try_change(As::Nobody, "submitLead", json!({ "formKey": "nobody's" }))
        .await;
    assert_eq!(
        keyless["userErrors"][0]["field"],
        json!(["formKey"]),
        "{keyless:#}"
    );
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused_by_its_status() {
    let clinic = Clinic::new().await;
    let before = clinic.contents().await;
    let post = async |content_type: &str, body: Vec<u8>| {
        Answer::to(
            clinic
                .client
                .post("/f/sleep-study")
                .content_type(content_type)
                .body(body),
        )
        .await
    };
    let large = post(
        "application/json",
        format!("{{\"fields\":{{\"x\":\"{}\"}}}}", "y".repeat(300_000)).into_bytes(),
    )
    .await;
    assert_eq!(
        (large.status.as_u16(), &large.json()["errors"][0]["code"]),
        (413, &json!("TOO_LARGE"))
    );
    let broken = post("application/json", b"{\"fields\": ".to_vec()).await;
    assert_eq!(
        (broken.status.as_u16(), &broken.json()["errors"][0]["code"]),
        (400, &json!("MALFORMED"))
    );
    assert_eq!(post("text/xml", b"<a/>".to_vec()).await.status, 415);
    assert_eq!(
        post("application/x-www-form-urlencoded", vec![b'a'; 300_000])
            .await
            .status,
        413
    );
    assert_eq!(
        post("application/x-www-form-urlencoded", b"email=%FF%FE".to_vec())
            .await
            .status,
        400
    );
    assert_eq!(
        Answer::to(clinic.client.post("/f/no-such-form").form(&[("a", "b")]))
            .await
            .status,
        404
    );
    assert_eq!(Answer::to(clinic.client.get("/f/no-such-form")).await.status, 404);
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
}

#[tokio::test]
async fn the_confirmation_of_a_form_without_consent_is_still_sent() {
    let clinic = Clinic::new().await;
    clinic.submit_form("sleep-study", &pat()).await;
    clinic.drain().await;
    assert_eq!(
        clinic.subjects_to("pat@example.org").await,
        ["We have received your request"]
    );
    let query =
        "{ messages(filter: { kinds: [CONFIRMATION] }) { nodes { decision { outcome reasons { code } } } } }";
    let answer = clinic.graphql(As::Role(Role::Admin), query, json!({})).await;
    let decision = answer.data("messages.nodes.0.decision");
    assert_eq!(
        decision,
        json!({ "outcome": "ALLOW", "reasons": [{ "code": "REQUESTED_REPLY" }] })
    );
}

#[tokio::test]
async fn a_lead_without_an_address_has_no_confirmation() {
    let clinic = Clinic::new().await;
    assert_eq!(
        clinic
            .submit_form("heart", &[("given_name", "Hal"), ("phone", "(608) 555-0199")])
            .await
            .status,
        303
    );
    clinic.drain().await;
    let kinds: Vec<_> = clinic.messages().await.into_iter().map(|row| row.kind).collect();
    assert_eq!(kinds, [message::MessageKind::FollowUpAssigned]);
}
