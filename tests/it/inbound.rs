//! What comes back about mails: bounces, complaints, replies, by mail and by providers' notices.

use chrono::TimeDelta;
use domain::inbound::{Came, apply_due, store};
use domain::outreach::verp;
use entity::consent_event::{self, ConsentAction};
use entity::enrollment::{self, EnrollmentState, ExitReason};
use entity::enums::Purpose;
use entity::follow_up::{self, FollowUpKind};
use entity::inbound_mail::{self, InboundKind, InboundSource, InboundState};
use entity::lead_event::{self, LeadEventKind};
use entity::message::{self, MessageKind, MessageState};
use entity::message_event::{self, MessageEventKind};
use entity::suppression::{self, SuppressionReason};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::harness::{Clinic, OPS, at};

/// A clinic in which the first nurture mail to Pat has gone out.
async fn with_a_mail_out(clinic: &Clinic) -> message::Model {
    clinic.pat_asks().await;
    clinic.live_until(at("2026-03-05T16:00:00Z")).await;
    nurture(clinic).await
}

async fn nurture(clinic: &Clinic) -> message::Model {
    let found = clinic
        .messages()
        .await
        .into_iter()
        .find(|row| row.kind == MessageKind::Nurture);
    found.expect("a nurture mail")
}

fn bounce(to: &str, about: &message::Model, status: &str) -> String {
    format!(
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.org\r\nTo: {to}\r\nSubject: Undelivered Mail\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: \
         message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.org\r\n\r\nFinal-Recipient: rfc822; pat@example.org\r\n\
         Action: failed\r\nStatus: {status}\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{}>\r\nTo: \
         pat@example.org\r\n\r\nhello\r\n--b--\r\n",
        about.rfc_message_id
    )
}

fn reply(about: &message::Model, head: &str, words: &str) -> String {
    format!(
        "From: Pat Miller <pat@example.org>\r\nTo: care@clinic.example\r\nSubject: Re: How to get ready\r\nIn-Reply-To: \
         <{}>\r\n{head}\r\n{words}\r\n\r\nOn Thursday Harbor Health wrote:\r\n> unsubscribe here\r\n",
        about.rfc_message_id
    )
}

/// A report of a recipient who calls a mail of ours spam (RFC 5965).
pub(crate) fn complaint(about: &message::Model) -> String {
    format!(
        "From: fbl@example.net\r\nSubject: FW\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; \
         report-type=feedback-report; boundary=b\r\n\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: \
         abuse\r\nUser-Agent: x\r\nVersion: 1\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{}>\r\nTo: \
         redacted@example.org\r\n\r\nhello\r\n--b--\r\n",
        about.rfc_message_id
    )
}

/// A mail comes back. Answers how many are new.
pub(crate) async fn comes(clinic: &Clinic, mail: &str) -> usize {
    let came = Came::mail(InboundSource::Maildir, mail.as_bytes().to_vec());
    store(&clinic.hospital, vec![came]).await.unwrap().value
}

async fn events(clinic: &Clinic, of: &message::Model) -> Vec<(MessageEventKind, Option<String>)> {
    let later = [
        MessageEventKind::Bounced,
        MessageEventKind::Complained,
        MessageEventKind::Replied,
        MessageEventKind::AutoReplied,
        MessageEventKind::Unsubscribed,
    ];
    let rows = message_event::Entity::find()
        .filter(message_event::Column::MessageId.eq(of.id))
        .filter(message_event::Column::Kind.is_in(later))
        .order_by_asc(message_event::Column::Id)
        .all(clinic.db())
        .await
        .unwrap();
    rows.into_iter().map(|row| (row.kind, row.detail)).collect()
}

async fn suppressed(clinic: &Clinic) -> Vec<SuppressionReason> {
    let rows = suppression::Entity::find().all(clinic.db()).await.unwrap();
    rows.into_iter().map(|row| row.reason).collect()
}

async fn inbound(clinic: &Clinic) -> Vec<inbound_mail::Model> {
    let rows = inbound_mail::Entity::find().order_by_asc(inbound_mail::Column::Id);
    rows.all(clinic.db()).await.unwrap()
}

async fn enrolled(clinic: &Clinic) -> enrollment::Model {
    enrollment::Entity::find()
        .one(clinic.db())
        .await
        .unwrap()
        .expect("an enrollment")
}

async fn for_replies(clinic: &Clinic) -> Vec<follow_up::Model> {
    let asked = follow_up::Entity::find().filter(follow_up::Column::Kind.eq(FollowUpKind::Reply));
    asked.all(clinic.db()).await.unwrap()
}

async fn withdrawn(clinic: &Clinic) -> Vec<Option<Purpose>> {
    let rows =
        consent_event::Entity::find().filter(consent_event::Column::Action.eq(ConsentAction::Withdraw));
    rows.all(clinic.db())
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.purpose)
        .collect()
}

async fn set_state(clinic: &Clinic, of: &message::Model, state: MessageState) {
    message::Entity::update_many()
        .col_expr(message::Column::State, Expr::value(state))
        .filter(message::Column::Id.eq(of.id))
        .exec(clinic.db())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_hard_bounce_suppresses_the_address_at_once_and_counts_once_by_whatever_doors_it_comes() {
    let clinic = Clinic::new().await;
    let sent = with_a_mail_out(&clinic).await;
    let to = format!(
        "{}@bounce.clinic.example",
        verp::local_part(&clinic.hospital.secrets, sent.id)
    );
    let mail = bounce(&to, &sent, "5.1.1");
    assert_eq!(comes(&clinic, &mail).await, 1);
    assert_eq!(comes(&clinic, &mail).await, 0, "the same mail is the same");
    // Another copy of the same report, by another way.
    assert_eq!(
        comes(&clinic, &mail.replace("Undelivered", "Undeliverable")).await,
        1
    );
    clinic.drain().await;
    assert_eq!(
        events(&clinic, &sent).await,
        [(MessageEventKind::Bounced, Some("HARD 5.1.1".to_owned()))]
    );
    assert_eq!(suppressed(&clinic).await, [SuppressionReason::HardBounce]);
    let rows = inbound(&clinic).await;
    assert!(
        rows.iter()
            .all(|row| row.state == InboundState::Applied && row.message_id == Some(sent.id)),
        "{rows:?}"
    );
    assert!(
        rows[0]
            .reason
            .as_deref()
            .unwrap_or_default()
            .contains("return path")
    );
    clinic.live_until(at("2026-03-20T12:00:00Z")).await;
    let sent_after = clinic
        .messages()
        .await
        .into_iter()
        .filter(|row| row.contact_id.is_some() && row.sent_at > sent.sent_at)
        .count();
    assert_eq!(sent_after, 0, "nothing goes to a dead address");
}

#[tokio::test]
async fn mails_that_come_back_for_three_days_suspend_the_address_until_something_arrives() {
    let clinic = Clinic::new().await;
    let sent = with_a_mail_out(&clinic).await;
    for (nth, hours) in [(1, 0), (2, 30), (3, 42)] {
        clinic.hours_pass(hours);
        // The later ones are about later mails to the same address, which only their recipient tells.
        let mut mail = bounce("b@clinic.example", &sent, "4.2.2");
        if nth > 1 {
            mail = mail.replace(&sent.rfc_message_id, &format!("other-{nth}@clinic.example"));
            message_event::Entity::delete_many()
                .filter(message_event::Column::Kind.eq(MessageEventKind::Bounced))
                .exec(clinic.db())
                .await
                .unwrap();
        }
        assert_eq!(suppressed(&clinic).await, [], "before the bounce number {nth}");
        comes(&clinic, &mail).await;
        clinic.drain().await;
    }
    assert_eq!(suppressed(&clinic).await, [SuppressionReason::SoftBounces]);
    comes(&clinic, &reply(&sent, "", "Thank you, see you on Monday.")).await;
    clinic.drain().await;
    assert_eq!(suppressed(&clinic).await, [], "whoever answers has got the mail");
}

#[tokio::test]
async fn a_blocked_sender_and_a_bad_mail_cost_no_address() {
    let clinic = Clinic::new().await;
    let sent = with_a_mail_out(&clinic).await;
    comes(&clinic, &bounce("b@clinic.example", &sent, "5.7.1")).await;
    comes(&clinic, &bounce("b@clinic.example", &sent, "5.3.4")).await;
    clinic.drain().await;
    let seen = events(&clinic, &sent).await;
    let details: Vec<_> = seen.into_iter().filter_map(|(_, detail)| detail).collect();
    assert_eq!(details, ["BLOCKED 5.7.1", "CONTENT 5.3.4"]);
    assert_eq!(suppressed(&clinic).await, []);
}

#[tokio::test]
async fn a_complaint_takes_marketing_back_and_withholds_what_is_planned() {
    let clinic = Clinic::new().await;
    let sent = with_a_mail_out(&clinic).await;
    comes(&clinic, &complaint(&sent)).await;
    comes(&clinic, &complaint(&sent).replace("FW", "again")).await;
    clinic.drain().await;
    assert_eq!(withdrawn(&clinic).await, [Some(Purpose::Marketing)], "once");
    assert_eq!(suppressed(&clinic).await, [SuppressionReason::Complaint]);
    assert_eq!(
        events(&clinic, &sent).await,
        [(MessageEventKind::Complained, None)]
    );
    let row = enrolled(&clinic).await;
    assert_eq!(
        (row.state, row.exit_reason),
        (EnrollmentState::Exited, Some(ExitReason::Withdrawn))
    );
    clinic.live_until(at("2026-03-20T12:00:00Z")).await;
    assert_eq!(
        clinic
            .messages()
            .await
            .iter()
            .filter(|row| row.contact_id.is_some() && row.sent_at > sent.sent_at)
            .count(),
        0
    );
}

#[tokio::test]
async fn an_answer_of_a_person_stops_the_sequence_and_asks_somebody_to_read_it() {
    let clinic = Clinic::new().await;
    let sent = with_a_mail_out(&clinic).await;
    comes(&clinic, &reply(&sent, "", "Yes, please call me on Monday.")).await;
    clinic.drain().await;
    let row = enrolled(&clinic).await;
    assert_eq!(
        (row.state, row.exit_reason),
        (EnrollmentState::Exited, Some(ExitReason::Replied))
    );
    let asked = for_replies(&clinic).await;
    assert_eq!(asked.len(), 1);
    assert_eq!(Some(asked[0].lead_id), sent.lead_id);
    let told = lead_event::Entity::find().filter(lead_event::Column::Kind.eq(LeadEventKind::Replied));
    assert_eq!(told.all(clinic.db()).await.unwrap().len(), 1);
    assert_eq!(
        withdrawn(&clinic).await,
        [],
        "the quoted footer is not the person's word"
    );
}

#[tokio::test]
async fn an_automatic_answer_neither_stops_the_sequence_nor_asks_anybody() {
    let clinic = Clinic::new().await;
    let sent = with_a_mail_out(&clinic).await;
    comes(
        &clinic,
        &reply(&sent, "Auto-Submitted: auto-replied\r\n", "I am away. STOP"),
    )
    .await;
    clinic.drain().await;
    assert_eq!(enrolled(&clinic).await.state, EnrollmentState::Active);
    assert!(for_replies(&clinic).await.is_empty());
    assert_eq!(withdrawn(&clinic).await, []);
    assert_eq!(
        events(&clinic, &sent).await,
        [(MessageEventKind::AutoReplied, None)]
    );
}

#[tokio::test]
async fn stop_in_either_language_takes_the_consent_back_and_a_doubtful_answer_goes_to_a_person() {
    for words in ["STOP", "No. Please stop emailing me.", "Baja por favor"] {
        let clinic = Clinic::new().await;
        let sent = with_a_mail_out(&clinic).await;
        comes(&clinic, &reply(&sent, "", words)).await;
        clinic.drain().await;
        assert_eq!(withdrawn(&clinic).await, [Some(Purpose::Marketing)], "{words}");
        assert_eq!(
            enrolled(&clinic).await.exit_reason,
            Some(ExitReason::Withdrawn),
            "{words}"
        );
    }
    let clinic = Clinic::new().await;
    let sent = with_a_mail_out(&clinic).await;
    comes(&clinic, &reply(&sent, "", "How do I unsubscribe my mother?")).await;
    clinic.drain().await;
    assert_eq!(withdrawn(&clinic).await, []);
    assert_eq!(
        enrolled(&clinic).await.exit_reason,
        Some(ExitReason::Replied),
        "nothing more goes meanwhile"
    );
    assert!(
        for_replies(&clinic).await[0]
            .title
            .contains("may ask for no more")
    );
}

#[tokio::test]
async fn later_evidence_ends_the_doubt_about_a_message() {
    for (mail, state) in [
        ("bounce", MessageState::Refused),
        ("reply", MessageState::Accepted),
    ] {
        let clinic = Clinic::new().await;
        let sent = with_a_mail_out(&clinic).await;
        set_state(&clinic, &sent, MessageState::Unknown).await;
        let text = match mail {
            "bounce" => bounce("b@clinic.example", &sent, "5.7.1"),
            _ => reply(&sent, "", "Thank you"),
        };
        comes(&clinic, &text).await;
        clinic.drain().await;
        assert_eq!(nurture(&clinic).await.state, state, "{mail}");
    }
}

#[tokio::test]
async fn evidence_waits_until_the_worker_has_said_what_became_of_the_message() {
    let clinic = Clinic::new().await;
    let sent = with_a_mail_out(&clinic).await;
    let mut going = sent.clone().into_active_model();
    going.state = Set(MessageState::HandedOff);
    going.lease_until = Set(Some(clinic.now() + TimeDelta::seconds(60)));
    going.update(clinic.db()).await.unwrap();
    comes(&clinic, &bounce("b@clinic.example", &sent, "5.1.1")).await;
    clinic.drain().await;
    assert_eq!(inbound(&clinic).await[0].state, InboundState::Received);
    assert_eq!(events(&clinic, &sent).await, []);
    // The worker was lost: its lease ends, and the message is unknown until the evidence is taken.
    clinic.minutes_pass(2);
    clinic.drain().await;
    assert_eq!(nurture(&clinic).await.state, MessageState::Refused);
    assert_eq!(suppressed(&clinic).await, [SuppressionReason::HardBounce]);
}

#[tokio::test]
async fn two_workers_at_once_and_one_that_dies_in_between_apply_a_mail_once() {
    let clinic = Clinic::new().await;
    let sent = with_a_mail_out(&clinic).await;
    comes(&clinic, &reply(&sent, "", "Yes please")).await;
    // A worker begins and dies before it has applied anything.
    inbound_mail::Entity::update_many()
        .col_expr(inbound_mail::Column::Attempts, Expr::value(1))
        .col_expr(
            inbound_mail::Column::DueAt,
            Expr::value(clinic.now() + TimeDelta::seconds(60)),
        )
        .exec(clinic.db())
        .await
        .unwrap();
    clinic.drain().await;
    assert!(for_replies(&clinic).await.is_empty(), "it is still that worker's");
    clinic.minutes_pass(2);
    let h = &clinic.hospital;
    let (one, other) = tokio::join!(apply_due(h, 10), apply_due(h, 10));
    assert_eq!(one.unwrap().value.rows + other.unwrap().value.rows, 1);
    clinic.drain().await;
    assert_eq!(for_replies(&clinic).await.len(), 1);
    assert_eq!(events(&clinic, &sent).await, [(MessageEventKind::Replied, None)]);
}

#[tokio::test]
async fn what_is_about_nobody_here_is_listed_for_those_who_answer_for_mail_without_its_content() {
    let clinic = Clinic::new().await;
    let sent = with_a_mail_out(&clinic).await;
    let strange = bounce("b@clinic.example", &sent, "5.1.1")
        .replace(&sent.rfc_message_id, "x@elsewhere.example")
        .replace("pat@example.org", "stranger@elsewhere.example");
    comes(&clinic, &strange).await;
    comes(
        &clinic,
        "From: shop@example.com\r\nList-Id: <news>\r\nSubject: Offers\r\n\r\nBuy",
    )
    .await;
    clinic.drain().await;
    let query = "{ inboundMail(filter: { states: [UNMATCHED, FAILED] }) { nodes { kind class status state reason message { id } } } }";
    let listed = clinic
        .graphql(OPS, query, json!({}))
        .await
        .data("inboundMail.nodes");
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed[0]["kind"], "BOUNCE");
    assert_eq!(listed[0]["class"], "HARD");
    assert!(!listed.to_string().contains("stranger"), "{listed}");
    let rows = inbound(&clinic).await;
    let newsletter = rows
        .iter()
        .find(|row| row.kind == Some(InboundKind::Other))
        .unwrap();
    assert_eq!(
        (newsletter.state, &newsletter.raw),
        (InboundState::Ignored, &None),
        "strangers' mail is not kept"
    );
}

#[tokio::test]
async fn a_person_settles_a_message_in_doubt_and_no_other() {
    let clinic = Clinic::new().await;
    let sent = with_a_mail_out(&clinic).await;
    let mutation = "mutation($input: SettleMessageInput!) { settleMessage(input: $input) { message { state events { kind detail } } \
                    userErrors { code field } } }";
    let input = json!({ "input": { "messageId": sent.id.to_string(), "outcome": "ACCEPTED", "note": "in the log of the relay" } });
    let refused = clinic
        .graphql(OPS, mutation, input.clone())
        .await
        .data("settleMessage");
    assert_eq!(refused["userErrors"][0]["code"], "NOT_ALLOWED_NOW");
    set_state(&clinic, &sent, MessageState::Unknown).await;
    let blank = json!({ "input": { "messageId": sent.id.to_string(), "outcome": "REFUSED", "note": " " } });
    let refused = clinic.graphql(OPS, mutation, blank).await.data("settleMessage");
    assert_eq!(refused["userErrors"][0]["field"], json!(["note"]));
    let settled = clinic.graphql(OPS, mutation, input).await.data("settleMessage");
    assert_eq!(settled["message"]["state"], "ACCEPTED", "{settled}");
    assert!(settled.to_string().contains("in the log of the relay"));
    let audited =
        entity::audit_event::Entity::find().filter(entity::audit_event::Column::Action.eq("message.settle"));
    assert_eq!(audited.all(clinic.db()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_erasure_empties_what_came_back_and_an_export_tells_of_it() {
    let clinic = Clinic::new().await;
    let sent = with_a_mail_out(&clinic).await;
    comes(&clinic, &reply(&sent, "", "Yes, my number is 555 0100")).await;
    clinic.drain().await;
    let id = sent.contact_id.unwrap();
    let admin = domain::viewer::Viewer::Token {
        id: entity::id::TokenId(uuid::Uuid::from_u128(7)),
        role: entity::enums::Role::Admin,
    };
    let export = domain::privacy::export::export(&clinic.hospital, &admin, id)
        .await
        .unwrap()
        .value;
    assert!(
        export["cameBack"][0]["mail"]
            .as_str()
            .unwrap()
            .contains("555 0100"),
        "{}",
        export["cameBack"]
    );
    let erased = domain::privacy::erase::erase(&clinic.hospital, &admin, id)
        .await
        .unwrap();
    assert_eq!(erased.value.contact_id, id);
    assert_eq!(inbound(&clinic).await[0].raw, None);
}

#[tokio::test]
async fn a_mail_leaves_the_maildir_only_when_it_is_stored() {
    let clinic = Clinic::new().await;
    let sent = with_a_mail_out(&clinic).await;
    let path = std::env::temp_dir().join(format!("leadward-maildir-{}", sent.id));
    for folder in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(path.join(folder)).unwrap();
    }
    std::fs::write(
        path.join("new/1.a.host"),
        bounce("b@clinic.example", &sent, "5.1.1"),
    )
    .unwrap();
    std::fs::write(path.join("cur/2.b.host:2,"), reply(&sent, "", "Thanks")).unwrap();
    std::fs::write(path.join("new/.hidden"), "not yet").unwrap();
    let maildir = worker::mailbox::Maildir::new(path.clone());
    let never = CancellationToken::new();
    let taken = worker::mailbox::empty(&clinic.hospital, &*clinic.nudges, &maildir, &never)
        .await
        .unwrap();
    assert_eq!(taken, 2);
    let left = |folder: &str| std::fs::read_dir(path.join(folder)).unwrap().count();
    assert_eq!((left("new"), left("cur"), left(".leadward/cur")), (1, 0, 2));
    assert_eq!(inbound(&clinic).await.len(), 2);
    // A copy that lies there again, as after a death between the store and the move, is known.
    std::fs::rename(path.join(".leadward/cur/1.a.host:2,S"), path.join("new/1.a.host")).unwrap();
    worker::mailbox::empty(&clinic.hospital, &*clinic.nudges, &maildir, &never)
        .await
        .unwrap();
    assert_eq!(inbound(&clinic).await.len(), 2);
    clinic.drain().await;
    assert_eq!(suppressed(&clinic).await, [SuppressionReason::HardBounce]);
    std::fs::remove_dir_all(path).unwrap();
}
