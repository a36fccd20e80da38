//! Mail on its way through a mail server that misbehaves, and workers that die on the way.

use std::collections::{HashMap, HashSet};

use domain::id::new_id;
use domain::outreach::claim::claim;
use domain::outreach::hand_off::hand_off;
use entity::enums::Medium;
use entity::message::{self, Lane, MessageKind, MessageState};
use entity::message_event;
use entity::suppression::{self, SuppressionReason};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;

use crate::harness::smtp_sink::Behavior;
use crate::harness::{Clinic, OPS, at, pat};

async fn of_kind(clinic: &Clinic, kind: MessageKind) -> message::Model {
    let found = clinic.messages().await.into_iter().find(|row| row.kind == kind);
    found.unwrap_or_else(|| panic!("there is no {kind}"))
}

/// What happened to a message, in order.
async fn history(clinic: &Clinic, message: &message::Model) -> Vec<&'static str> {
    let events = message_event::Entity::find()
        .filter(message_event::Column::MessageId.eq(message.id))
        .order_by_asc(message_event::Column::Id);
    events
        .all(clinic.db())
        .await
        .unwrap()
        .iter()
        .map(|event| event.kind.as_str())
        .collect()
}

/// Message-IDs of the mails to an address, in the order in which they came.
fn ids_to(clinic: &Clinic, address: &str) -> Vec<String> {
    let mails = clinic.sink().received().into_iter();
    mails
        .filter(|mail| mail.to == [address])
        .map(|mail| mail.message_id)
        .collect()
}

fn refuse(reply: &str) -> Behavior {
    Behavior::RefuseRecipient {
        reply: reply.to_owned(),
        prefix: "pat@".to_owned(),
    }
}

#[tokio::test]
async fn a_confirmation_goes_out_by_smtp() {
    let clinic = Clinic::with_smtp().await;
    clinic.submit_form("sleep-study", &pat()).await;
    clinic.drain().await;
    let message = of_kind(&clinic, MessageKind::Confirmation).await;
    assert_eq!(message.state, MessageState::Accepted);
    assert_eq!(
        ids_to(&clinic, "pat@example.org"),
        [format!("<{}>", message.rfc_message_id)]
    );
    assert_eq!(history(&clinic, &message).await, ["PLANNED", "ACCEPTED"]);
}

#[tokio::test]
async fn a_server_that_asks_to_come_back_is_asked_again_with_the_same_message_id() {
    let clinic = Clinic::with_smtp().await;
    clinic.sink().behave_times(2, refuse("450 4.2.1 Try again later"));
    clinic.submit_form("sleep-study", &pat()).await;
    clinic.drain().await;
    let first = of_kind(&clinic, MessageKind::Confirmation).await;
    assert_eq!((first.state, first.attempts), (MessageState::Deferred, 1));
    assert!(
        first.due_at >= at("2026-03-03T15:30:00Z"),
        "half an hour later, as RFC 5321 asks: {}",
        first.due_at
    );
    assert!(
        !first.response.as_deref().unwrap_or_default().contains("pat@"),
        "no address in {:?}",
        first.response
    );
    clinic.live_until(at("2026-03-03T17:30:00Z")).await;
    let last = of_kind(&clinic, MessageKind::Confirmation).await;
    assert_eq!((last.state, last.attempts), (MessageState::Accepted, 3));
    assert_eq!(last.rfc_message_id, first.rfc_message_id);
    assert_eq!(
        ids_to(&clinic, "pat@example.org"),
        [format!("<{}>", first.rfc_message_id)]
    );
}

#[tokio::test]
async fn an_address_that_does_not_exist_is_refused_and_never_written_to_again() {
    let clinic = Clinic::with_smtp().await;
    clinic.sink().behave_times(1, refuse("550 5.1.1 No such user"));
    clinic.submit_form("sleep-study", &pat()).await;
    clinic.drain().await;
    assert_eq!(
        of_kind(&clinic, MessageKind::Confirmation).await.state,
        MessageState::Refused
    );
    let row = suppression::Entity::find()
        .one(clinic.db())
        .await
        .unwrap()
        .expect("a suppression");
    assert_eq!(row.reason, SuppressionReason::HardBounce);
    assert!(!format!("{row:?}").contains("pat"), "only a hash is kept");
    clinic.minutes_pass(15);
    clinic.submit_form("sleep-study", &pat()).await;
    clinic.drain().await;
    let query = "{ messages(filter: { kinds: [CONFIRMATION] }, first: 1) { nodes { state decision { reasons { code } } } } }";
    let second = clinic
        .graphql(OPS, query, json!({}))
        .await
        .data("messages.nodes.0");
    assert_eq!(
        second,
        json!({ "state": "WITHHELD", "decision": { "reasons": [{ "code": "SUPPRESSED" }] } })
    );
    assert_eq!(ids_to(&clinic, "pat@example.org").len(), 0);
}

#[tokio::test]
async fn an_address_that_turns_out_not_to_exist_is_closed_to_everything_whatever_was_known_of_it() {
    for before in [SuppressionReason::SoftBounces, SuppressionReason::Complaint] {
        let clinic = Clinic::with_smtp().await;
        let hash = clinic.hospital.secrets.address_hash("EMAIL", "pat@example.org");
        let row = suppression::ActiveModel {
            id: Set(new_id(clinic.hospital.now())),
            medium: Set(Medium::Email),
            address_hash: Set(hash.to_vec()),
            reason: Set(before),
            created_at: Set(clinic.hospital.now()),
        };
        row.insert(clinic.db()).await.unwrap();
        clinic.sink().behave_times(1, refuse("550 5.1.1 No such user"));
        clinic.submit_form("sleep-study", &pat()).await;
        clinic.drain().await;
        let rows = suppression::Entity::find().all(clinic.db()).await.unwrap();
        let reasons: Vec<_> = rows.iter().map(|row| row.reason).collect();
        assert_eq!(reasons, [SuppressionReason::HardBounce], "after {before:?}");
    }
}

#[tokio::test]
async fn a_refusal_of_the_sender_costs_no_address() {
    let clinic = Clinic::with_smtp().await;
    clinic
        .sink()
        .behave_times(1, refuse("550 5.7.1 Blocked by policy"));
    clinic.submit_form("sleep-study", &pat()).await;
    clinic.drain().await;
    assert_eq!(
        of_kind(&clinic, MessageKind::Confirmation).await.state,
        MessageState::Refused
    );
    assert_eq!(
        suppression::Entity::find().all(clinic.db()).await.unwrap().len(),
        0
    );
}

#[tokio::test]
async fn nurture_without_an_answer_to_its_final_dot_is_unknown_and_never_sent_again() {
    let clinic = Clinic::with_smtp().await;
    clinic.plan_nurture(1).await;
    clinic.sink().behave_times(1, Behavior::StoredWithoutReply);
    clinic.drain().await;
    let message = of_kind(&clinic, MessageKind::Nurture).await;
    assert_eq!(message.state, MessageState::Unknown);
    assert_eq!(history(&clinic, &message).await.last(), Some(&"UNKNOWN"));
    clinic.live_until(at("2026-03-10T15:00:00Z")).await;
    assert_eq!(clinic.sink().count(), 1);
    let listed = clinic
        .graphql(
            OPS,
            "{ messages(filter: { state: UNKNOWN }) { totalCount } }",
            json!({}),
        )
        .await;
    assert_eq!(listed.data("messages.totalCount"), 1, "a person can find it");
}

#[tokio::test]
async fn a_confirmation_without_an_answer_is_sent_once_more_with_the_same_message_id() {
    let clinic = Clinic::with_smtp().await;
    // The confirmation and the notice to the coordinator.
    clinic.sink().behave_times(2, Behavior::StoredWithoutReply);
    clinic.submit_form("sleep-study", &pat()).await;
    clinic.drain().await;
    let message = of_kind(&clinic, MessageKind::Confirmation).await;
    assert_eq!(message.state, MessageState::Accepted);
    let id = format!("<{}>", message.rfc_message_id);
    assert_eq!(ids_to(&clinic, "pat@example.org"), [id.clone(), id]);
    assert!(history(&clinic, &message).await.contains(&"SENT_AGAIN"));
}

#[tokio::test]
async fn a_confirmation_that_is_in_doubt_twice_is_left_to_a_person() {
    let clinic = Clinic::with_smtp().await;
    clinic.sink().behave(Behavior::StoredWithoutReply);
    clinic.submit_form("sleep-study", &pat()).await;
    clinic.drain().await;
    assert_eq!(
        of_kind(&clinic, MessageKind::Confirmation).await.state,
        MessageState::Unknown
    );
    clinic.live_until(at("2026-03-03T15:40:00Z")).await;
    assert_eq!(ids_to(&clinic, "pat@example.org").len(), 2);
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_text_was_sent_costs_nothing() {
    let clinic = Clinic::with_smtp().await;
    clinic.plan_nurture(1).await;
    clinic.sink().behave_times(1, Behavior::DropAtMail);
    clinic.live_until(at("2026-03-03T15:10:00Z")).await;
    let message = of_kind(&clinic, MessageKind::Nurture).await;
    assert_eq!(message.state, MessageState::Accepted);
    assert_eq!(clinic.sink().count(), 1);
}

#[tokio::test]
async fn a_text_that_may_have_arrived_whole_is_in_doubt() {
    let clinic = Clinic::with_smtp().await;
    clinic.plan_nurture(1).await;
    clinic.sink().behave_times(1, Behavior::DropInMessage);
    clinic.live_until(at("2026-03-03T15:10:00Z")).await;
    assert_eq!(
        of_kind(&clinic, MessageKind::Nurture).await.state,
        MessageState::Unknown,
        "a small mail is written at once"
    );
    assert_eq!(
        clinic.sink().count(),
        0,
        "and yet it was lost: only a person may decide to send it again"
    );
}

#[tokio::test]
async fn what_a_worker_claimed_before_it_died_is_sent_when_its_lease_is_over() {
    let clinic = Clinic::with_smtp().await;
    clinic.plan_nurture(3).await;
    let claimed = claim(&clinic.hospital, Lane::Bulk, 10, 120).await.unwrap();
    assert_eq!(claimed.sendables.len(), 3);
    drop(claimed);
    clinic.drain().await;
    assert_eq!(clinic.sink().count(), 0, "it is still somebody's");
    clinic.minutes_pass(3);
    clinic.drain().await;
    assert_eq!(clinic.sink().count(), 3);
}

#[tokio::test]
async fn what_a_worker_handed_off_before_it_died_is_unknown_and_what_is_waited_for_goes_once_more() {
    let clinic = Clinic::with_smtp().await;
    clinic.plan_nurture(1).await;
    clinic.submit_form("sleep-study", &pat()).await;
    for lane in [Lane::Bulk, Lane::Waiting] {
        let claimed = claim(&clinic.hospital, lane, 10, 120).await.unwrap();
        let held: Vec<_> = claimed.sendables.iter().collect();
        assert!(!hand_off(&clinic.hospital, &held, 60).await.unwrap().is_empty());
    }
    clinic.minutes_pass(2);
    clinic.drain().await;
    assert_eq!(
        of_kind(&clinic, MessageKind::Nurture).await.state,
        MessageState::Unknown
    );
    let confirmation = of_kind(&clinic, MessageKind::Confirmation).await;
    assert_eq!(confirmation.state, MessageState::Accepted);
    assert_eq!(
        history(&clinic, &confirmation).await,
        ["PLANNED", "SENT_AGAIN", "ACCEPTED"]
    );
}

#[tokio::test]
async fn a_withdrawal_stops_a_mail_that_a_worker_has_claimed_already() {
    let clinic = Clinic::with_smtp().await;
    clinic.pat_asks().await;
    clinic.live_until(at("2026-03-05T14:59:00Z")).await;
    clinic.clock.set(at("2026-03-05T15:00:00Z"));
    let moved = domain::sequence::advance_due(&clinic.hospital, 10).await.unwrap();
    assert_eq!(moved.value.moved, 1);
    let claimed = claim(&clinic.hospital, Lane::Bulk, 10, 120).await.unwrap();
    assert_eq!(claimed.sendables.len(), 1);
    let contact = clinic.last_lead().await.contact_id.to_string();
    clinic
        .change(
            OPS,
            "withdrawConsent",
            json!({ "contactId": contact, "medium": "EMAIL" }),
        )
        .await;
    let held: Vec<_> = claimed.sendables.iter().collect();
    assert_eq!(
        hand_off(&clinic.hospital, &held, 60).await.unwrap(),
        [],
        "the worker may not send it any more"
    );
    clinic.drain().await;
    assert_eq!(
        of_kind(&clinic, MessageKind::Nurture).await.state,
        MessageState::Withheld
    );
    assert_eq!(
        ids_to(&clinic, "pat@example.org").len(),
        1,
        "the confirmation of two days ago"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_on_one_outbox_send_nothing_twice_and_leave_nothing() {
    let clinic = Clinic::with_smtp().await;
    clinic.plan_nurture(500).await;
    let other = clinic.another_worker();
    let (one, two) = tokio::join!(clinic.worker.drain(), other.drain());
    one.unwrap();
    two.unwrap();
    let mut copies: HashMap<String, usize> = HashMap::new();
    for id in clinic.sink().message_ids() {
        *copies.entry(id).or_default() += 1;
    }
    assert_eq!(
        copies.values().copied().collect::<HashSet<_>>(),
        HashSet::from([1])
    );
    assert_eq!(copies.len(), 500);
    assert!(
        clinic
            .messages()
            .await
            .iter()
            .all(|message| message.state == MessageState::Accepted)
    );
}

#[tokio::test]
async fn a_confirmation_does_not_wait_behind_a_campaign() {
    let clinic = Clinic::with_smtp().await;
    clinic.plan_nurture(200).await;
    clinic.submit_form("sleep-study", &pat()).await;
    clinic.drain().await;
    let place = clinic
        .sink()
        .received()
        .iter()
        .position(|mail| mail.to == ["pat@example.org"]);
    assert!(
        place.is_some_and(|place| place < 2),
        "it was number {place:?} of {}",
        clinic.sink().count()
    );
}

#[tokio::test]
async fn a_mail_server_that_is_away_costs_no_try() {
    let clinic = Clinic::with_smtp().await;
    clinic.plan_nurture(5).await;
    clinic.sink().behave(Behavior::DropAtConnect);
    clinic.drain().await;
    let messages = clinic.messages().await;
    assert!(
        messages
            .iter()
            .all(|row| row.state == MessageState::Planned && row.attempts == 0),
        "they wait as they were"
    );
    clinic.sink().behave(Behavior::Accept);
    clinic.another_worker().drain().await.unwrap();
    assert_eq!(clinic.sink().count(), 0, "other processes leave it alone too");
    clinic.minutes_pass(1);
    clinic.another_worker().drain().await.unwrap();
    assert_eq!(clinic.sink().count(), 5);
}
