//! Mutations over HTTP: what they answer, and what they leave behind.

use entity::enums::Role;
use entity::{attempt, audit_event, idempotency, lead};
use poem::http::StatusCode;
use sea_orm::{EntityTrait, PaginatorTrait, QueryOrder};
use serde_json::{Value, json};

use super::ground::{Answered, Ground};

const SIGN_IN: &str = "mutation ($i: SignInInput!) { signIn(input: $i) {
    viewer { kind name role } csrfToken userErrors { field message code } } }";
const LOG: &str = "mutation ($i: LogAttemptInput!) { logAttempt(input: $i) {
    lead { id stage firstAttemptAt } attempt { outcome } userErrors { field message code } } }";

/// Sends a mutation with one input and answers its payload.
async fn change(ground: &Ground, token: &str, field: &str, selection: &str, input: Value) -> Value {
    let name = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
    let query = format!(
        "mutation ($i: {name}!) {{ {field}(input: $i) {{ {selection} userErrors {{ field code }} }} }}"
    );
    let answered = ground.ask(Some(token), &query, json!({ "i": input })).await;
    assert_eq!(answered.status, StatusCode::OK, "{field}: {}", answered.body);
    assert!(
        answered.body.get("errors").is_none(),
        "{field}: {}",
        answered.body
    );
    answered.body["data"][field].clone()
}

/// The same for one that is to be done.
async fn done(ground: &Ground, token: &str, field: &str, selection: &str, input: Value) -> Value {
    let payload = change(ground, token, field, selection, input).await;
    assert_eq!(payload["userErrors"], json!([]), "{field}");
    payload
}

async fn keyed(ground: &Ground, token: &str, key: &str, query: &str, variables: Value) -> Answered {
    let headers = [
        ("accept", "application/graphql-response+json".to_owned()),
        ("authorization", format!("Bearer {token}")),
        ("idempotency-key", key.to_owned()),
    ];
    ground
        .post(&headers, &json!({ "query": query, "variables": variables }))
        .await
}

async fn attempts(ground: &Ground) -> u64 {
    attempt::Entity::find()
        .count(&ground.api.hospital.db)
        .await
        .unwrap()
}

async fn audited(ground: &Ground) -> Vec<String> {
    let rows = audit_event::Entity::find()
        .order_by_asc(audit_event::Column::Id)
        .all(&ground.api.hospital.db)
        .await;
    rows.unwrap().into_iter().map(|row| row.action).collect()
}

fn no_answer(lead: &impl ToString) -> Value {
    json!({ "i": { "leadId": lead.to_string(), "medium": "PHONE", "outcome": "NO_ANSWER" } })
}

#[tokio::test]
async fn a_browser_signs_in_changes_something_and_signs_out() {
    let ground = Ground::new().await;
    let lead = ground.lead(1, "sleep study").await;
    let typed = json!({ "i": { "email": "nora@example.org", "password": "correct horse battery" } });
    let signed_in = ground.ask(None, SIGN_IN, typed).await;
    let payload = &signed_in.body["data"]["signIn"];
    assert_eq!(
        payload["viewer"],
        json!({ "kind": "STAFF", "name": "Nora Night", "role": "INTAKE_COORDINATOR" })
    );
    let set_cookie = signed_in.headers["set-cookie"].to_str().unwrap();
    assert!(
        set_cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=604800"),
        "{set_cookie}"
    );
    let cookie = ("cookie", set_cookie.split(';').next().unwrap().to_owned());
    let body = json!({ "query": LOG, "variables": no_answer(&lead) });
    let without = ground.post(std::slice::from_ref(&cookie), &body).await;
    assert_eq!(
        (without.status, without.code()),
        (StatusCode::FORBIDDEN, "FORBIDDEN")
    );
    assert_eq!(attempts(&ground).await, 0);
    let csrf = ("x-csrf-token", payload["csrfToken"].as_str().unwrap().to_owned());
    let with = ground.post(&[cookie.clone(), csrf.clone()], &body).await;
    assert_eq!(
        with.body["data"]["logAttempt"]["lead"]["stage"], "CONTACTED",
        "{}",
        with.body
    );
    let out = json!({ "query": "mutation { signOut { signedOut userErrors { code } } }" });
    let signed_out = ground.post(&[cookie.clone(), csrf.clone()], &out).await;
    assert_eq!(
        signed_out.body["data"]["signOut"],
        json!({ "signedOut": true, "userErrors": [] })
    );
    assert!(
        signed_out.headers["set-cookie"]
            .to_str()
            .unwrap()
            .contains("leadward_session=; ")
    );
    let after = ground
        .post(&[cookie, csrf], &json!({ "query": "{ viewer { kind } }" }))
        .await;
    assert_eq!(after.body["data"]["viewer"]["kind"], "PUBLIC");
    assert_eq!(
        audited(&ground).await,
        ["staff.sign_in", "lead.log_attempt", "staff.sign_out"]
    );
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_are_told_alike_and_set_no_cookie() {
    let ground = Ground::new().await;
    let mut answers = Vec::new();
    for email in ["nora@example.org", "nobody@example.org"] {
        let typed = json!({ "i": { "email": email, "password": "wrong" } });
        let answered = ground.ask(None, SIGN_IN, typed).await;
        assert!(answered.headers.get("set-cookie").is_none());
        answers.push(answered.body);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(
        answers[0]["data"]["signIn"]["userErrors"][0]["code"],
        "SIGN_IN_FAILED"
    );
    assert_eq!(answers[0]["data"]["signIn"]["viewer"], Value::Null);
}

#[tokio::test]
async fn a_lead_goes_from_the_first_call_to_the_visit() {
    let ground = Ground::new().await;
    let token = &ground.token(Role::IntakeCoordinator).await;
    let lead = ground.lead(1, "sleep study").await.to_string();
    let early = change(
        &ground,
        token,
        "scheduleAppointment",
        "lead { id }",
        json!({ "leadId": lead, "startsAt": "2026-03-10T15:00:00Z" }),
    )
    .await;
    assert_eq!(
        early,
        json!({ "lead": null, "userErrors": [{ "field": ["leadId"], "code": "NOT_ALLOWED_NOW" }] })
    );
    let reached =
        json!({ "leadId": lead, "medium": "PHONE", "outcome": "REACHED", "note": "Asked for mornings." });
    let logged = done(
        &ground,
        token,
        "logAttempt",
        "lead { stage } attempt { outcome }",
        reached,
    )
    .await;
    assert_eq!(logged["lead"]["stage"], "CONTACTED");
    let qualified = done(
        &ground,
        token,
        "qualifyLead",
        "lead { stage }",
        json!({ "leadId": lead }),
    )
    .await;
    assert_eq!(qualified["lead"]["stage"], "QUALIFIED");
    let booked = json!({ "leadId": lead, "startsAt": "2026-03-10T15:00:00+02:00" });
    let booked = done(
        &ground,
        token,
        "scheduleAppointment",
        "lead { stage } appointment { startsAt }",
        booked,
    )
    .await;
    assert_eq!(booked["appointment"]["startsAt"], "2026-03-10T13:00:00Z");
    let visited = done(
        &ground,
        token,
        "completeVisit",
        "lead { stage }",
        json!({ "leadId": lead }),
    )
    .await;
    assert_eq!(visited["lead"]["stage"], "VISIT_COMPLETED");
    let closed = done(
        &ground,
        token,
        "closeLead",
        "lead { stage disposition }",
        json!({ "leadId": lead, "disposition": "COVERAGE" }),
    )
    .await;
    assert_eq!(
        closed["lead"],
        json!({ "stage": "CLOSED", "disposition": "COVERAGE" })
    );
    let reopened = done(
        &ground,
        token,
        "reopenLead",
        "lead { stage }",
        json!({ "leadId": lead }),
    )
    .await;
    assert_eq!(reopened["lead"]["stage"], "VISIT_COMPLETED");
    let trail = [
        "lead.log_attempt",
        "lead.qualify",
        "lead.schedule",
        "lead.complete_visit",
        "lead.close",
        "lead.reopen",
    ];
    let audited = audited(&ground).await;
    assert!(audited.ends_with(&trail.map(str::to_owned)), "{audited:?}");
}

#[tokio::test]
async fn a_lead_is_corrected_and_every_wrong_field_is_named() {
    let ground = Ground::new().await;
    let token = &ground.token(Role::MarketingOps).await;
    let lead = ground.lead(1, "sleep study").await.to_string();
    let wrong = json!({ "leadId": lead, "contact": { "email": "no address", "phone": "12" } });
    let refused = change(&ground, token, "updateLead", "lead { id }", wrong).await;
    let errors = json!([
        { "field": ["contact", "email"], "code": "INVALID" },
        { "field": ["contact", "phone"], "code": "INVALID" },
    ]);
    assert_eq!(refused, json!({ "lead": null, "userErrors": errors }));
    let right = json!({ "leadId": lead, "type": "SERVICE_INQUIRY", "urgent": true, "contact": { "givenName": "Sam", "phone": "(202) 555-0143" } });
    let updated = done(
        &ground,
        token,
        "updateLead",
        "lead { type version contact { givenName phone email } }",
        right,
    )
    .await;
    assert_eq!(updated["lead"]["type"], "SERVICE_INQUIRY");
    let contact = json!({ "givenName": "Sam", "phone": "+12025550143", "email": "pat1@example.org" });
    assert_eq!(updated["lead"]["contact"], contact);
    let stale = change(
        &ground,
        token,
        "updateLead",
        "lead { id }",
        json!({ "leadId": lead, "urgent": false, "version": 1 }),
    )
    .await;
    assert_eq!(
        stale["userErrors"],
        json!([{ "field": ["version"], "code": "VERSION_CONFLICT" }])
    );
}

#[tokio::test]
async fn a_lead_of_another_team_and_one_that_never_was_are_the_same_answer() {
    let ground = Ground::new().await;
    let lead = ground.lead(1, "heart").await;
    let never = lead.to_string().replace(|c: char| c.is_ascii_digit(), "0");
    let cookie = (
        "cookie",
        format!("leadward_session={}", ground.sign_in("nora@example.org").await),
    );
    let who = ground
        .post(
            std::slice::from_ref(&cookie),
            &json!({ "query": "{ viewer { csrfToken } }" }),
        )
        .await;
    let csrf = (
        "x-csrf-token",
        who.body["data"]["viewer"]["csrfToken"]
            .as_str()
            .unwrap()
            .to_owned(),
    );
    let mut answers = Vec::new();
    for lead in [lead.to_string(), never] {
        let body = json!({ "query": LOG, "variables": no_answer(&lead) });
        answers.push(ground.post(&[cookie.clone(), csrf.clone()], &body).await.body);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(
        answers[0]["data"]["logAttempt"]["userErrors"][0]["field"],
        json!(["leadId"])
    );
    assert_eq!(
        answers[0]["data"]["logAttempt"]["userErrors"][0]["code"],
        "NOT_FOUND"
    );
    assert_eq!(attempts(&ground).await, 0);
}

#[tokio::test]
async fn a_mutation_that_is_sent_again_with_its_key_is_done_once() {
    let ground = Ground::new().await;
    let token = ground.token(Role::IntakeCoordinator).await;
    let lead = ground.lead(1, "sleep study").await;
    let first = keyed(&ground, &token, "k-1", LOG, no_answer(&lead)).await;
    assert_eq!(first.body["data"]["logAttempt"]["userErrors"], json!([]));
    ground.clock.advance(chrono::TimeDelta::hours(1));
    let again = keyed(&ground, &token, "\"k-1\"", LOG, no_answer(&lead)).await;
    assert_eq!((again.status, &again.body), (StatusCode::OK, &first.body));
    assert_eq!(attempts(&ground).await, 1);
    let other = ground.lead(2, "sleep study").await;
    let conflict = keyed(&ground, &token, "k-1", LOG, no_answer(&other)).await;
    assert_eq!(
        (conflict.status, conflict.code()),
        (StatusCode::UNPROCESSABLE_ENTITY, "IDEMPOTENCY_CONFLICT")
    );
    assert!(conflict.body.get("data").is_none());
    let stranger = ground.token(Role::IntakeCoordinator).await;
    let theirs = keyed(&ground, &stranger, "k-1", LOG, no_answer(&other)).await;
    assert_eq!(theirs.body["data"]["logAttempt"]["userErrors"], json!([]));
    let wrong = keyed(&ground, &token, &"k".repeat(256), LOG, no_answer(&lead)).await;
    assert_eq!(
        (wrong.status, wrong.code()),
        (StatusCode::BAD_REQUEST, "BAD_REQUEST")
    );
    let body = json!({ "query": LOG, "variables": no_answer(&lead) });
    let headers = [
        ("accept", "text/event-stream".to_owned()),
        ("authorization", format!("Bearer {token}")),
        ("idempotency-key", "k-2".to_owned()),
    ];
    let streamed = ground.post(&headers, &body).await;
    assert_eq!(streamed.status, StatusCode::NOT_ACCEPTABLE);
    assert_eq!(attempts(&ground).await, 2);
    ground.clock.advance(chrono::TimeDelta::hours(24));
    keyed(&ground, &token, "k-1", LOG, no_answer(&lead)).await;
    assert_eq!(attempts(&ground).await, 3);
}

#[tokio::test]
async fn what_came_to_nothing_and_what_is_secret_is_not_kept() {
    let ground = Ground::new().await;
    let lead = ground.lead(1, "sleep study").await;
    let analyst = ground.token(Role::Analyst).await;
    let refused = keyed(&ground, &analyst, "k-1", LOG, no_answer(&lead)).await;
    assert_eq!(refused.code(), "FORBIDDEN");
    let typed = json!({ "i": { "email": "nora@example.org", "password": "correct horse battery" } });
    for _ in 0..2 {
        let signed_in = keyed(&ground, &analyst, "k-2", SIGN_IN, typed.clone()).await;
        assert!(signed_in.headers.contains_key("set-cookie"), "{}", signed_in.body);
    }
    assert_eq!(
        idempotency::Entity::find()
            .count(&ground.api.hospital.db)
            .await
            .unwrap(),
        0
    );
}

#[tokio::test]
async fn leads_are_entered_by_the_desk_and_by_nobody_else() {
    let ground = Ground::new().await;
    let token = &ground.token(Role::MarketingOps).await;
    let inquiry = json!({
        "leadType": "PATIENT_APPOINTMENT",
        "contact": { "givenName": "Pat", "familyName": "Doe", "email": "pat@example.org", "region": "CT" },
        "requestedService": "sleep study",
        "answers": [{ "field": "insurance", "value": "Aetna" }],
        "visit": { "landingPage": "/sleep?utm_source=google&gclid=abc", "sourceCode": "SLP-AD-1" },
        "externalId": "crm-1",
    });
    let selection = "lead { id contact { email } serviceLine { slug } source { landingPage utm { source } campaign { code } } answers { label value } } receipt { leadId created }";
    let first = done(&ground, token, "submitLead", selection, inquiry.clone()).await;
    assert_eq!(
        first["receipt"],
        json!({ "leadId": first["lead"]["id"], "created": true })
    );
    assert_eq!(first["lead"]["source"]["campaign"]["code"], "sleep-spring");
    assert_eq!(first["lead"]["source"]["utm"]["source"], "google");
    assert_eq!(
        first["lead"]["answers"],
        json!([{ "label": "insurance", "value": "Aetna" }])
    );
    let again = done(
        &ground,
        token,
        "submitLead",
        "receipt { leadId created }",
        inquiry.clone(),
    )
    .await;
    assert_eq!(
        again["receipt"],
        json!({ "leadId": first["lead"]["id"], "created": false })
    );
    let empty = change(&ground, token, "submitLead", "receipt { leadId }", json!({})).await;
    let told: Vec<_> = empty["userErrors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].to_string())
        .collect();
    assert_eq!(
        told,
        [
            r#"["leadType"]"#,
            r#"["contact","givenName"]"#,
            r#"["contact","email"]"#
        ]
    );
    let query = "mutation ($i: SubmitLeadInput!) { submitLead(input: $i) { receipt { leadId } userErrors { field code } } }";
    let public = ground.ask(None, query, json!({ "i": inquiry })).await;
    assert_eq!(
        public.body["data"]["submitLead"]["userErrors"],
        json!([{ "field": ["formKey"], "code": "REQUIRED" }])
    );
    let analyst = ground.token(Role::Analyst).await;
    assert_eq!(
        ground
            .ask(Some(&analyst), query, json!({ "i": inquiry }))
            .await
            .code(),
        "FORBIDDEN"
    );
    assert_eq!(
        lead::Entity::find().count(&ground.api.hospital.db).await.unwrap(),
        1
    );
}

#[tokio::test]
async fn consent_is_written_down_and_taken_back_and_an_address_suppressed() {
    let ground = Ground::new().await;
    let token = &ground.token(Role::MarketingOps).await;
    let lead = ground.lead(1, "sleep study").await.to_string();
    let found = ground
        .ask(
            Some(token),
            "query ($l: ID!) { lead(id: $l) { contact { id } } }",
            json!({ "l": lead }),
        )
        .await;
    let contact = found.body["data"]["lead"]["contact"]["id"].clone();
    let unproved =
        json!({ "contactId": contact, "medium": "EMAIL", "purpose": "MARKETING", "granted": true });
    let refused = change(
        &ground,
        token,
        "recordConsent",
        "consentEvent { id }",
        unproved.clone(),
    )
    .await;
    assert_eq!(
        refused["userErrors"],
        json!([{ "field": ["wordingId"], "code": "REQUIRED" }])
    );
    let mut proved = unproved;
    proved["evidence"] = json!("said so on the phone");
    let recorded = done(
        &ground,
        token,
        "recordConsent",
        "consentEvent { action method address }",
        proved,
    )
    .await;
    assert_eq!(
        recorded["consentEvent"],
        json!({ "action": "GRANT", "method": "API", "address": "pat1@example.org" })
    );
    let all = done(
        &ground,
        token,
        "withdrawConsent",
        "consentEvents { medium } messagesWithheld",
        json!({ "contactId": contact }),
    )
    .await;
    assert_eq!(all["consentEvents"].as_array().unwrap().len(), 4);
    assert_eq!(all["messagesWithheld"], 0);
    let address = json!({ "medium": "EMAIL", "address": "pat1@example.org", "reason": "DO_NOT_CONTACT" });
    let suppressed = done(
        &ground,
        token,
        "suppressAddress",
        "suppression { medium reason }",
        address,
    )
    .await;
    assert_eq!(
        suppressed["suppression"],
        json!({ "medium": "EMAIL", "reason": "DO_NOT_CONTACT" })
    );
}

#[tokio::test]
async fn a_campaign_is_planned_launched_paid_for_and_paused() {
    let ground = Ground::new().await;
    let token = &ground.token(Role::MarketingStrategist).await;
    let lines = ground
        .ask(Some(token), "{ serviceLines { id slug } }", json!({}))
        .await;
    let line = lines.body["data"]["serviceLines"][0]["id"].clone();
    let wrong = change(
        &ground,
        token,
        "createCampaign",
        "campaign { id }",
        json!({ "code": "a b", "name": "", "channel": "SOCIAL" }),
    )
    .await;
    let errors = json!([{ "field": ["code"], "code": "INVALID" }, { "field": ["name"], "code": "REQUIRED" }]);
    assert_eq!(wrong["userErrors"], errors);
    let planned = json!({
        "code": "heart-month", "name": "Heart month", "channel": "SOCIAL", "budgetMinor": 100_000,
        "placements": [{ "name": "Video", "kind": "AD_GROUP", "sourceCode": "HM-1" }],
    });
    let planned = done(
        &ground,
        token,
        "createCampaign",
        "campaign { id state budget { minor currency } placements { sourceCode } }",
        planned,
    )
    .await;
    assert_eq!(
        planned["campaign"]["budget"],
        json!({ "minor": 100_000, "currency": "USD" })
    );
    let id = planned["campaign"]["id"].clone();
    let bare = change(
        &ground,
        token,
        "launchCampaign",
        "campaign { id }",
        json!({ "campaignId": id }),
    )
    .await;
    assert_eq!(
        bare["userErrors"],
        json!([{ "field": ["serviceLineIds"], "code": "REQUIRED" }])
    );
    let lines = json!({ "campaignId": id, "serviceLineIds": [line], "goal": "Screenings" });
    let updated = done(&ground, token, "updateCampaign", "campaign { goal }", lines).await;
    assert_eq!(updated["campaign"]["goal"], "Screenings");
    let live = done(
        &ground,
        token,
        "launchCampaign",
        "campaign { state }",
        json!({ "campaignId": id }),
    )
    .await;
    assert_eq!(live["campaign"]["state"], "LIVE");
    let twice = change(
        &ground,
        token,
        "launchCampaign",
        "campaign { id }",
        json!({ "campaignId": id }),
    )
    .await;
    assert_eq!(
        twice["userErrors"],
        json!([{ "field": ["campaignId"], "code": "NOT_ALLOWED_NOW" }])
    );
    let paid = json!({ "campaignId": id, "day": "2026-03-02", "amountMinor": 2_500 });
    let paid = done(
        &ground,
        token,
        "recordSpend",
        "spend { day amount { minor } campaign { code } }",
        paid,
    )
    .await;
    assert_eq!(
        paid["spend"],
        json!({ "day": "2026-03-02", "amount": { "minor": 2500 }, "campaign": { "code": "heart-month" } })
    );
    let paused = done(
        &ground,
        token,
        "pauseCampaign",
        "campaign { state spend { minor } }",
        json!({ "campaignId": id }),
    )
    .await;
    assert_eq!(
        paused["campaign"],
        json!({ "state": "PAUSED", "spend": { "minor": 2500 } })
    );
}

#[tokio::test]
async fn a_sequence_is_written_with_its_text_published_and_entered() {
    let ground = Ground::new().await;
    let token = &ground.token(Role::MarketingOps).await;
    let lead = ground.lead(1, "sleep study").await.to_string();
    let text = "Hello {{ given_name }}, call us at {{ facility_phone }}.";
    let layout = "<mjml><mj-body><mj-section><mj-column><mj-text>{{ slot.body }}</mj-text></mj-column></mj-section></mj-body></mjml>";
    let body = |subject: &str| json!([{ "language": "en", "subject": subject, "slots": [{ "name": "body", "text": text }] }]);
    let template = json!({ "key": "hello", "name": "Hello", "purpose": "CARE_COORDINATION", "layout": layout, "bodies": body("Hello") });
    let written = done(
        &ground,
        token,
        "createTemplate",
        "template { id key current { number } }",
        template,
    )
    .await;
    let again = json!({ "templateId": written["template"]["id"], "bodies": body("Good day"), "version": 1 });
    let again = done(
        &ground,
        token,
        "updateTemplate",
        "template { current { number state bodies { subject text } } }",
        again,
    )
    .await;
    assert_eq!(
        again["template"],
        json!({ "current": { "number": 2, "state": "DRAFT", "bodies": [{ "subject": "Good day", "text": text }] } })
    );
    let steps = json!([
        { "key": "mail", "kind": "SEND_EMAIL", "template": "hello" },
        { "key": "pause", "kind": "WAIT", "wait": 0 },
        { "key": "fork", "kind": "BRANCH", "when": [{ "fact": "STAGE", "is": "IN", "values": ["NEW"] }], "then": "call", "otherwise": "end" },
        { "key": "call", "kind": "FOLLOW_UP", "title": "Call once more", "dueInMinutes": 60 },
        { "key": "end", "kind": "END" },
    ]);
    let sequence = json!({ "name": "Hello", "purpose": "CARE_COORDINATION", "trigger": { "on": "MANUAL" }, "steps": steps, "exitStages": ["QUALIFIED"] });
    let created = done(
        &ground,
        token,
        "createSequence",
        "sequence { id state }",
        sequence,
    )
    .await;
    let id = created["sequence"]["id"].clone();
    let faulty = change(
        &ground,
        token,
        "publishSequence",
        "sequence { id }",
        json!({ "sequenceId": id }),
    )
    .await;
    assert_eq!(
        faulty["userErrors"],
        json!([{ "field": ["steps", "1", "wait"], "code": "INVALID" }])
    );
    let mut mended = steps;
    mended[1]["wait"] = json!(86_400);
    let published = done(
        &ground,
        token,
        "publishSequence",
        "sequence { state currentVersion { number exitStages steps { key kind wait when { fact } } } }",
        json!({ "sequenceId": id, "steps": mended }),
    )
    .await;
    let version = &published["sequence"]["currentVersion"];
    assert_eq!(
        version["steps"][1],
        json!({ "key": "pause", "kind": "WAIT", "wait": 86_400, "when": null })
    );
    assert_eq!(version["exitStages"], json!(["QUALIFIED"]));
    let entered = json!({ "leadId": lead, "sequenceId": id });
    let enrolled = done(
        &ground,
        token,
        "enrollLead",
        "enrollment { id state stepKey }",
        entered.clone(),
    )
    .await;
    assert_eq!(enrolled["enrollment"]["state"], "ACTIVE");
    let twice = change(&ground, token, "enrollLead", "enrollment { id }", entered).await;
    assert_eq!(
        twice["userErrors"],
        json!([{ "field": ["leadId"], "code": "ALREADY_EXISTS" }])
    );
    let left = json!({ "enrollmentId": enrolled["enrollment"]["id"] });
    let left = done(
        &ground,
        token,
        "unenrollLead",
        "enrollment { state exitReason }",
        left,
    )
    .await;
    assert_eq!(
        left["enrollment"],
        json!({ "state": "EXITED", "exitReason": "UNENROLLED" })
    );
    let held = done(
        &ground,
        token,
        "pauseSequence",
        "sequence { state }",
        json!({ "sequenceId": id }),
    )
    .await;
    assert_eq!(held["sequence"]["state"], "PAUSED");
    let runs = done(
        &ground,
        token,
        "pauseSequence",
        "sequence { state }",
        json!({ "sequenceId": id, "resume": true }),
    )
    .await;
    assert_eq!(runs["sequence"]["state"], "PUBLISHED");
}

#[tokio::test]
async fn a_follow_up_is_given_put_off_and_done() {
    let ground = Ground::new().await;
    let token = &ground.token(Role::IntakeCoordinator).await;
    let lead = ground.lead(1, "sleep study").await.to_string();
    let query =
        "query ($l: ID!) { lead(id: $l) { team { members { id } } followUps(first: 1) { nodes { id } } } }";
    let found = ground.ask(Some(token), query, json!({ "l": lead })).await;
    let id = found.body["data"]["lead"]["followUps"]["nodes"][0]["id"].clone();
    let nora = found.body["data"]["lead"]["team"]["members"][0]["id"].clone();
    let given = json!({ "followUpId": id, "assigneeId": nora });
    let given = done(
        &ground,
        token,
        "assignFollowUp",
        "followUp { assignee { displayName } }",
        given,
    )
    .await;
    assert_eq!(given["followUp"]["assignee"]["displayName"], "Nora Night");
    let past = json!({ "followUpId": id, "until": "2026-03-01T00:00:00Z" });
    let past = change(&ground, token, "snoozeFollowUp", "followUp { id }", past).await;
    assert_eq!(
        past["userErrors"],
        json!([{ "field": ["until"], "code": "INVALID" }])
    );
    let later = json!({ "followUpId": id, "until": "2026-03-05T15:00:00Z" });
    let later = done(&ground, token, "snoozeFollowUp", "followUp { dueAt }", later).await;
    assert_eq!(later["followUp"]["dueAt"], "2026-03-05T15:00:00Z");
    let over = json!({ "followUpId": id, "outcome": "Spoke to a neighbor." });
    let over = done(
        &ground,
        token,
        "completeFollowUp",
        "followUp { state }",
        over.clone(),
    )
    .await;
    assert_eq!(over["followUp"]["state"], "DONE");
    let twice = change(
        &ground,
        token,
        "completeFollowUp",
        "followUp { id }",
        json!({ "followUpId": id }),
    )
    .await;
    assert_eq!(
        twice["userErrors"],
        json!([{ "field": ["followUpId"], "code": "NOT_ALLOWED_NOW" }])
    );
    let given = json!({ "leadId": lead, "ownerId": nora, "reason": "She knows the person." });
    let given = done(
        &ground,
        token,
        "assignLead",
        "lead { owner { displayName } }",
        given,
    )
    .await;
    assert_eq!(given["lead"]["owner"]["displayName"], "Nora Night");
}
