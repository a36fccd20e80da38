//! A sequence runs over its days, as far as the person allows.

use chrono::TimeDelta;
use entity::enrollment::{self, EnrollmentState, ExitReason};
use entity::enums::Role;
use entity::follow_up::{self, FollowUpKind};
use entity::message::{self, MessageKind, MessageState};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::harness::{Answer, As, Clinic, Mail, OPS, at, pat};

const NORA: As<'static> = As::Staff("nora");

/// A lead of the sleep form that agrees to marketing and wants to come this week.
async fn hurried_pat(clinic: &Clinic) -> String {
    let mut fields = pat();
    fields.extend([("timing", "this_week"), ("agree", "services and events")]);
    assert_eq!(clinic.submit_form("sleep-study", &fields).await.status, 303);
    clinic.last_lead().await.id.to_string()
}

/// Subjects of the nurture mails with the instant at which each went out.
async fn sent(clinic: &Clinic) -> Vec<(String, String)> {
    let messages = clinic
        .messages()
        .await
        .into_iter()
        .filter(|row| row.kind == MessageKind::Nurture);
    messages
        .filter_map(|row| Some((row.subject, row.sent_at?.to_rfc3339())))
        .collect()
}

async fn enrollment(clinic: &Clinic) -> enrollment::Model {
    enrollment::Entity::find()
        .one(clinic.db())
        .await
        .unwrap()
        .expect("an enrollment")
}

/// The latest nurture message with what the gate said, by GraphQL.
async fn decision(clinic: &Clinic) -> Value {
    let query = "{ messages(first: 1, filter: { kinds: [NURTURE] }) { nodes {
        state dueAt decision { outcome reasons { code text } until consentEvent { id action } wording { key version } }
    } } }";
    clinic
        .graphql(As::Role(Role::Admin), query, json!({}))
        .await
        .data("messages.nodes.0")
}

fn codes(message: &Value) -> Vec<&str> {
    let reasons = message["decision"]["reasons"]
        .as_array()
        .expect("reasons are a list")
        .iter();
    reasons.filter_map(|reason| reason["code"].as_str()).collect()
}

async fn first_nurture_mail(clinic: &Clinic) -> Mail {
    clinic.live_until(at("2026-03-05T16:00:00Z")).await;
    let mails = clinic.mails_to("pat@example.org").await;
    mails
        .into_iter()
        .find(|mail| mail.subject == "How to get ready")
        .expect("the first nurture mail")
}

#[tokio::test]
async fn the_mails_go_out_on_their_days_within_the_hours_for_them() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    clinic.live_until(at("2026-03-20T12:00:00Z")).await;
    let expected = [
        // Two days after Tuesday 10:00.
        ("How to get ready", "2026-03-05T15:00:00+00:00"),
        // Three days later is Sunday; nobody is written to before Monday 09:00, in summer time by now.
        ("We are still here", "2026-03-09T13:00:00+00:00"),
    ];
    assert_eq!(
        sent(&clinic).await,
        expected.map(|(subject, when)| (subject.to_owned(), when.to_owned()))
    );
    assert_eq!(enrollment(&clinic).await.state, EnrollmentState::Completed);
}

#[tokio::test]
async fn a_branch_follows_the_answers_with_a_follow_up_and_a_wait_for_a_local_weekday() {
    let clinic = Clinic::new().await;
    hurried_pat(&clinic).await;
    clinic.live_until(at("2026-03-20T12:00:00Z")).await;
    let expected = [
        ("How to get ready", "2026-03-05T15:00:00+00:00"),
        // The next Tuesday at 10:00 in the east, in summer time.
        ("Our last word", "2026-03-10T14:00:00+00:00"),
    ];
    assert_eq!(
        sent(&clinic).await,
        expected.map(|(subject, when)| (subject.to_owned(), when.to_owned()))
    );
    let asked = follow_up::Entity::find().filter(follow_up::Column::Kind.eq(FollowUpKind::Sequence));
    let asked = asked
        .one(clinic.db())
        .await
        .unwrap()
        .expect("the sequence asks for work");
    assert_eq!(
        (asked.title.as_str(), asked.due_at),
        ("Offer the next free night", at("2026-03-05T19:00:00Z"))
    );
}

#[tokio::test]
async fn a_nurture_mail_shows_how_to_leave_and_where_it_comes_from() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    let mail = first_nurture_mail(&clinic).await;
    let link = mail.header("List-Unsubscribe").unwrap();
    assert!(
        link.starts_with("<https://leads.clinic.example/u/") && link.ends_with('>'),
        "{link}"
    );
    assert_eq!(
        mail.header("List-Unsubscribe-Post"),
        Some("List-Unsubscribe=One-Click")
    );
    assert!(mail.text.contains("1 Pier Street, Hartford") && mail.html.contains("1 Pier Street, Hartford"));
    insta::assert_snapshot!("nurture", mail.snapshot());
}

#[tokio::test]
async fn a_lead_that_is_scheduled_or_closed_leaves_and_what_was_planned_stays_home() {
    for (leave, input) in [
        ("closeLead", json!({ "disposition": "CHOSE_ELSEWHERE" })),
        (
            "scheduleAppointment",
            json!({ "startsAt": "2026-03-10T15:00:00Z" }),
        ),
    ] {
        let clinic = Clinic::new().await;
        let id = clinic.pat_asks().await;
        clinic.live_until(at("2026-03-04T15:00:00Z")).await;
        let with = |mut input: Value| {
            input["leadId"] = json!(id);
            input
        };
        clinic
            .change(
                NORA,
                "logAttempt",
                with(json!({ "medium": "PHONE", "outcome": "REACHED" })),
            )
            .await;
        clinic.change(NORA, "qualifyLead", with(json!({}))).await;
        clinic.change(NORA, leave, with(input)).await;
        let enrollment = enrollment(&clinic).await;
        let reason = if leave == "closeLead" {
            ExitReason::Closed
        } else {
            ExitReason::Stage
        };
        assert_eq!(
            (enrollment.state, enrollment.exit_reason),
            (EnrollmentState::Exited, Some(reason)),
            "{leave}"
        );
        clinic.live_until(at("2026-03-20T12:00:00Z")).await;
        assert_eq!(sent(&clinic).await, [], "{leave}");
    }
}

#[tokio::test]
async fn a_stage_can_begin_a_sequence() {
    let clinic = Clinic::new().await;
    let fields = [
        ("given_name", "Hal"),
        ("phone", "(608) 555-0199"),
        ("email", "hal@example.org"),
        ("agree", "email me about my request"),
    ];
    clinic.submit_form("heart", &fields).await;
    let id = clinic.last_lead().await.id.to_string();
    clinic
        .change(
            OPS,
            "logAttempt",
            json!({ "leadId": id, "medium": "PHONE", "outcome": "REACHED" }),
        )
        .await;
    clinic.drain().await;
    assert_eq!(sent(&clinic).await, []);
    clinic.change(OPS, "qualifyLead", json!({ "leadId": id })).await;
    clinic.drain().await;
    assert_eq!(
        clinic
            .subjects_to("hal@example.org")
            .await
            .last()
            .map(String::as_str),
        Some("What to bring")
    );
}

#[tokio::test]
async fn who_was_enrolled_stays_on_the_version_that_was_published_then() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    clinic.drain().await;
    let mut document: Value = serde_json::from_str(include_str!("harness/clinic.json")).unwrap();
    let mut sequence = document["sequences"][0].take();
    sequence["steps"] = json!([{ "key": "at-once", "kind": "SEND_EMAIL", "template": "last-word" }]);
    let newer = domain::setup::Setup::parse(&json!({ "sequences": [sequence] }).to_string()).unwrap();
    domain::setup::apply(&clinic.hospital, &newer).await.unwrap();
    let fields = [
        ("given_name", "Max"),
        ("family_name", "Ray"),
        ("email", "max@example.org"),
        ("agree", "services and events"),
    ];
    clinic.submit_form("sleep-study", &fields).await;
    clinic.live_until(at("2026-03-05T16:00:00Z")).await;
    let pat = clinic.subjects_to("pat@example.org").await;
    let max = clinic.subjects_to("max@example.org").await;
    assert_eq!(pat[1..], ["How to get ready"]);
    assert_eq!(max[1..], ["Our last word"]);
    clinic.live_until(at("2026-03-12T16:00:00Z")).await;
    assert_eq!(
        clinic.subjects_to("pat@example.org").await[1..],
        ["How to get ready", "We are still here"]
    );
}

#[tokio::test]
async fn a_paused_sequence_holds_everything_and_goes_on_where_it_stood() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    clinic.drain().await;
    let id = clinic.id_of("sequence", "Sleep: the first weeks").await;
    clinic
        .change(OPS, "pauseSequence", json!({ "sequenceId": id }))
        .await;
    clinic.live_until(at("2026-03-06T15:00:00Z")).await;
    assert_eq!(sent(&clinic).await, []);
    assert_eq!(
        enrollment(&clinic).await.step_key,
        "two-days",
        "it keeps its place"
    );
    let fields = [
        ("given_name", "Max"),
        ("family_name", "Ray"),
        ("email", "max@example.org"),
    ];
    clinic.submit_form("sleep-study", &fields).await;
    let enrolled = enrollment::Entity::find().all(clinic.db()).await.unwrap();
    assert_eq!(enrolled.len(), 1, "nobody is enrolled meanwhile");
    clinic
        .change(OPS, "pauseSequence", json!({ "sequenceId": id, "resume": true }))
        .await;
    clinic.live_until(at("2026-03-06T16:00:00Z")).await;
    assert_eq!(sent(&clinic).await.len(), 1);
}

#[tokio::test]
async fn a_paused_campaign_holds_the_mails_of_its_sequence() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    clinic.live_until(at("2026-03-05T14:59:00Z")).await;
    let id = clinic.id_of("campaign", "sleep-spring").await;
    clinic
        .change(OPS, "pauseCampaign", json!({ "campaignId": id }))
        .await;
    clinic.live_until(at("2026-03-05T18:00:00Z")).await;
    assert_eq!(sent(&clinic).await, []);
    clinic
        .change(OPS, "launchCampaign", json!({ "campaignId": id }))
        .await;
    clinic.live_until(at("2026-03-05T19:00:00Z")).await;
    assert_eq!(sent(&clinic).await.len(), 1);
}

#[tokio::test]
async fn one_click_unsubscribes_at_once_in_either_encoding() {
    for multipart in [false, true] {
        let clinic = Clinic::new().await;
        clinic.pat_asks().await;
        let mail = first_nurture_mail(&clinic).await;
        let path = format!("/u/{}", mail.unsubscribe_token());
        let post = clinic.client.post(&path);
        let post = if multipart {
            let body = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
            post.content_type("multipart/form-data; boundary=b").body(body)
        } else {
            post.content_type("application/x-www-form-urlencoded")
                .body("List-Unsubscribe=One-Click")
        };
        let answer = Answer::to(post).await;
        assert_eq!(answer.status, 200, "never a redirect: {}", answer.body);
        let enrollment = enrollment(&clinic).await;
        assert_eq!(
            (enrollment.state, enrollment.exit_reason),
            (EnrollmentState::Exited, Some(ExitReason::Withdrawn))
        );
        clinic.live_until(at("2026-03-20T12:00:00Z")).await;
        assert_eq!(sent(&clinic).await.len(), 1, "the one that was sent before");
    }
}

#[tokio::test]
async fn looking_at_the_link_never_unsubscribes() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    let mail = first_nurture_mail(&clinic).await;
    let path = format!("/u/{}", mail.unsubscribe_token());
    let before = clinic.contents().await;
    let page = Answer::to(clinic.client.get(&path)).await;
    assert!(
        page.status == 200 && page.body.contains("<button type=\"submit\">Unsubscribe</button>"),
        "{}",
        page.body
    );
    assert_eq!(Answer::to(clinic.client.head(&path)).await.status, 200);
    assert_eq!(
        Answer::to(
            clinic
                .client
                .post(&path)
                .content_type("application/x-www-form-urlencoded")
                .body("")
        )
        .await
        .status,
        400
    );
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
    let button = Answer::to(clinic.client.post(&path).form(&[("confirm", "1")])).await;
    assert!(
        button.status == 200 && button.body.contains("You are unsubscribed"),
        "{}",
        button.body
    );
    assert_ne!(clinic.contents().await, before);
    clinic.drain().await;
}

#[tokio::test]
async fn a_forged_link_is_not_found_and_a_repeated_one_changes_nothing_more() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    let mail = first_nurture_mail(&clinic).await;
    let token = mail.unsubscribe_token().to_owned();
    let post = async |token: &str| {
        let request = clinic
            .client
            .post(format!("/u/{token}"))
            .form(&[("List-Unsubscribe", "One-Click")]);
        Answer::to(request).await.status.as_u16()
    };
    let before = clinic.contents().await;
    let other = if token.starts_with('A') { "B" } else { "A" };
    assert_eq!(post(&format!("{other}{}", &token[1..])).await, 404);
    assert_eq!(post("nonsense").await, 404);
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
    assert_eq!(post(&token).await, 200);
    let after = clinic.contents().await;
    assert_eq!(post(&token).await, 200);
    assert_eq!(clinic.contents().await.differences(&after), Vec::<String>::new());
    clinic.drain().await;
}

#[tokio::test]
async fn without_consent_there_is_no_mail_and_the_message_says_why() {
    let clinic = Clinic::new().await;
    clinic.submit_form("sleep-study", &pat()).await;
    clinic.live_until(at("2026-03-05T16:00:00Z")).await;
    assert_eq!(sent(&clinic).await, []);
    let message = decision(&clinic).await;
    assert_eq!(
        (&message["state"], &message["decision"]["outcome"]),
        (&json!("WITHHELD"), &json!("WITHHOLD"))
    );
    assert_eq!(codes(&message), ["NO_CONSENT"]);
    assert!(
        !message["decision"]["reasons"][0]["text"]
            .as_str()
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_mail_that_went_names_the_consent_and_the_wording_that_it_went_on() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    first_nurture_mail(&clinic).await;
    let message = decision(&clinic).await;
    assert_eq!(
        (&message["state"], &message["decision"]["outcome"]),
        (&json!("ACCEPTED"), &json!("ALLOW"))
    );
    assert_eq!(codes(&message), ["CONSENT_GRANTED"]);
    assert_eq!(message["decision"]["consentEvent"]["action"], "GRANT");
    assert_eq!(
        message["decision"]["wording"],
        json!({ "key": "email-marketing", "version": 1 })
    );
}

#[tokio::test]
async fn who_withdrew_between_planning_and_sending_gets_no_mail_and_the_withdrawal_is_named() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    clinic.live_until(at("2026-03-05T14:59:00Z")).await;
    // Planned now, while nobody may be written to before the morning.
    clinic.clock.set(at("2026-03-06T02:00:00Z"));
    clinic.drain().await;
    let message = decision(&clinic).await;
    assert_eq!(
        (&message["state"], codes(&message)),
        (&json!("DEFERRED"), vec!["QUIET_HOURS"])
    );
    let contact = clinic.last_lead().await.contact_id.to_string();
    let input = json!({ "contactId": contact, "medium": "EMAIL", "purpose": "MARKETING", "reason": "said so on the phone" });
    let payload = clinic.change(NORA, "withdrawConsent", input).await;
    assert_eq!(
        (&payload["messagesWithheld"], &payload["enrollmentsEnded"]),
        (&json!(1), &json!(1))
    );
    clinic.live_until(at("2026-03-20T12:00:00Z")).await;
    assert_eq!(sent(&clinic).await, []);
    let message = decision(&clinic).await;
    assert_eq!(
        (&message["state"], codes(&message)),
        (&json!("WITHHELD"), vec!["CONSENT_WITHDRAWN"])
    );
    assert_eq!(message["decision"]["consentEvent"]["action"], "WITHDRAW");
}

#[tokio::test]
async fn a_withdrawal_that_the_planner_did_not_see_is_seen_by_the_gate() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    clinic.live_until(at("2026-03-05T14:59:00Z")).await;
    // A withdrawal that came by an import: nothing but the event is written.
    let grant = entity::consent_event::Entity::find()
        .one(clinic.db())
        .await
        .unwrap()
        .expect("an event");
    let withdrawal = domain::consent::Entry {
        contact_id: grant.contact_id,
        medium: grant.medium,
        address: None,
        purpose: None,
        action: entity::consent_event::ConsentAction::Withdraw,
        level: entity::consent_event::ConsentLevel::None,
        shown: None,
        method: entity::consent_event::ConsentMethod::Import,
        source: entity::consent_event::ConsentSource::default(),
        evidence: entity::consent_event::ConsentEvidence::default(),
        refers_to_id: None,
        expires_at: None,
        actor: domain::viewer::Actor::SYSTEM,
        occurred_at: clinic.now(),
    }
    .row(clinic.now());
    let id = withdrawal.id.to_string();
    let row: entity::consent_event::ActiveModel = withdrawal.into();
    entity::consent_event::Entity::insert(row)
        .exec_without_returning(clinic.db())
        .await
        .unwrap();
    clinic.live_until(at("2026-03-05T16:00:00Z")).await;
    let message = decision(&clinic).await;
    assert_eq!(
        (&message["state"], codes(&message)),
        (&json!("WITHHELD"), vec!["CONSENT_WITHDRAWN"])
    );
    assert_eq!(message["decision"]["consentEvent"]["id"], json!(id));
}

#[tokio::test]
async fn a_suppressed_address_gets_nothing_whatever_was_agreed() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    clinic.drain().await;
    let row = entity::suppression::ActiveModel::from(entity::suppression::Model {
        id: domain::id::new_id(clinic.now()),
        medium: entity::enums::Medium::Email,
        address_hash: clinic
            .hospital
            .secrets
            .address_hash("EMAIL", "pat@example.org")
            .to_vec(),
        reason: entity::suppression::SuppressionReason::DoNotContact,
        created_at: clinic.now(),
    });
    entity::suppression::Entity::insert(row)
        .exec_without_returning(clinic.db())
        .await
        .unwrap();
    clinic.live_until(at("2026-03-05T16:00:00Z")).await;
    assert_eq!(sent(&clinic).await, []);
    let message = decision(&clinic).await;
    assert_eq!(
        (&message["state"], codes(&message)),
        (&json!("WITHHELD"), vec!["SUPPRESSED"])
    );
}

#[tokio::test]
async fn in_quiet_hours_a_mail_waits_for_the_morning_of_every_zone_the_person_may_be_in() {
    let clinic = Clinic::new().await;
    let mut fields = pat();
    // Florida lies in two zones.
    fields.extend([("region", "FL"), ("agree", "services and events")]);
    clinic.clock.set(at("2026-03-03T13:30:00Z"));
    clinic.submit_form("sleep-study", &fields).await;
    clinic.drain().await;
    clinic.clock.set(at("2026-03-05T13:30:00Z"));
    clinic.drain().await;
    let message = decision(&clinic).await;
    assert_eq!(
        (&message["state"], codes(&message)),
        (&json!("DEFERRED"), vec!["QUIET_HOURS"])
    );
    assert_eq!(
        at(message["decision"]["until"].as_str().unwrap()),
        at("2026-03-05T15:00:00Z"),
        "09:00 in Pensacola"
    );
    clinic.clock.set(at("2026-03-05T14:30:00Z"));
    clinic.drain().await;
    assert_eq!(
        sent(&clinic).await,
        [],
        "09:30 in Miami is too early in Pensacola"
    );
    clinic.clock.set(at("2026-03-05T15:00:00Z"));
    clinic.drain().await;
    assert_eq!(sent(&clinic).await.len(), 1);
}

#[tokio::test]
async fn a_mail_that_was_held_for_two_weeks_is_not_sent_any_more() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    clinic.live_until(at("2026-03-05T14:59:00Z")).await;
    let id = clinic.id_of("campaign", "sleep-spring").await;
    // The mail is planned and then the campaign is paused.
    clinic.clock.set(at("2026-03-06T02:00:00Z"));
    clinic.drain().await;
    clinic
        .change(OPS, "pauseCampaign", json!({ "campaignId": id }))
        .await;
    clinic.clock.set(clinic.now() + TimeDelta::days(15));
    clinic.drain().await;
    let held = message::Entity::find().filter(message::Column::Kind.eq(MessageKind::Nurture));
    let held = held
        .order_by_desc(message::Column::Id)
        .one(clinic.db())
        .await
        .unwrap()
        .expect("a message");
    assert_eq!(held.state, MessageState::Withheld);
    assert_eq!(codes(&decision(&clinic).await).first(), Some(&"EXPIRED"));
}

#[tokio::test]
async fn a_lead_can_be_taken_out_by_hand_and_put_in_again() {
    let clinic = Clinic::new().await;
    let lead = clinic.pat_asks().await;
    clinic.drain().await;
    let enrolled = enrollment(&clinic).await.id.to_string();
    let sequence = clinic.id_of("sequence", "Sleep: the first weeks").await;
    let twice = clinic
        .try_change(
            NORA,
            "enrollLead",
            json!({ "leadId": lead, "sequenceId": sequence }),
        )
        .await;
    assert_eq!(twice["userErrors"][0]["code"], "ALREADY_EXISTS");
    clinic
        .change(NORA, "unenrollLead", json!({ "enrollmentId": enrolled }))
        .await;
    clinic.live_until(at("2026-03-06T15:00:00Z")).await;
    assert_eq!(sent(&clinic).await, []);
    clinic
        .change(
            NORA,
            "enrollLead",
            json!({ "leadId": lead, "sequenceId": sequence }),
        )
        .await;
    clinic.live_until(at("2026-03-10T15:00:00Z")).await;
    let subjects: Vec<_> = sent(&clinic)
        .await
        .into_iter()
        .map(|(subject, _)| subject)
        .collect();
    assert_eq!(subjects, ["How to get ready"], "it begins again from the start");
}
