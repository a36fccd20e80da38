//! A message's life on a real database, with a mail server that misbehaves on request.
//!
//! Rows are written straight into the tables here, so that each state can be had; the doors have their own stories.
//! SQLite, or PostgreSQL where `TEST_DATABASE_URL` names a server.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say so at once"
)]

#[path = "../../../tests/it/harness/database.rs"]
mod database;
mod ground;
#[path = "../../../tests/it/harness/smtp_sink.rs"]
#[expect(
    dead_code,
    reason = "the harness of the whole product offers more than is used here"
)]
mod smtp_sink;

use std::collections::HashSet;
use std::sync::Arc;

use chrono::TimeDelta;
use domain::consent::{WithdrawConsent, withdraw};
use domain::outreach::captured;
use domain::outreach::claim::{Sendable, claim};
use domain::outreach::hand_off::{give_back, hand_off};
use domain::outreach::recover::{Recovered, expired_leases};
use domain::outreach::settle::{Outcome, Settlement, settle};
use domain::viewer::Viewer;
use entity::enums::{Purpose, Role};
use entity::id::{MessageId, TokenId};
use entity::message::{GateReason, Lane, MessageState};
use entity::message_event::MessageEventKind;
use ground::{Ground, Plan};
use smtp_sink::{Behavior, SmtpSink};
use tokio_util::sync::CancellationToken;
use worker::queue::{Pusher, PusherSettings, Queue};

fn admin() -> Viewer {
    Viewer::Token {
        id: TokenId(uuid::Uuid::nil()),
        role: Role::Admin,
    }
}

fn refs(sendables: &[Sendable]) -> Vec<&Sendable> {
    sendables.iter().collect()
}

#[tokio::test]
async fn a_consented_mail_goes_out_once_and_the_rest_says_why_not() {
    let ground = Ground::new().await;
    let agreed = ground
        .message(Plan {
            consent: true,
            ..Plan::default()
        })
        .await;
    let silent = ground.message(Plan::default()).await;
    let dead = ground
        .message(Plan {
            consent: true,
            ..Plan::default()
        })
        .await;
    ground.suppress(&dead).await;
    let asked_for = ground
        .message(Plan {
            confirmation: true,
            ..Plan::default()
        })
        .await;

    let drained = ground.worker().drain().await.unwrap();
    assert_eq!(drained.messages, 4);
    let row = ground.row(agreed.id).await;
    assert_eq!(row.state, MessageState::Accepted);
    assert_eq!(row.consent_event_id, agreed.consent_event_id);
    assert_eq!(row.subject, "Hello Ada");
    assert!(row.sent_at.is_some() && row.settled_at.is_some() && row.lease_until.is_none());
    assert_eq!(ground.withheld(silent.id).await, [GateReason::NoConsent]);
    assert_eq!(ground.withheld(dead.id).await, [GateReason::Suppressed]);
    assert_eq!(ground.row(asked_for.id).await.state, MessageState::Accepted);

    let kept = captured::by_message(&ground.hospital, &admin(), agreed.id)
        .await
        .unwrap();
    let mail = mail_parser::MessageParser::default().parse(&kept.raw).unwrap();
    assert!(mail.header_raw("List-Unsubscribe").is_some());
    assert!(
        mail.body_text(0)
            .unwrap()
            .contains("https://leads.example.org/u/")
    );
    let listed = captured::list(&ground.hospital, &admin(), None, 10)
        .await
        .unwrap();
    assert_eq!(listed.len(), 2);
    let public = captured::list(&ground.hospital, &Viewer::Public, None, 10)
        .await
        .unwrap();
    assert!(public.is_empty());
    assert!(
        captured::by_message(&ground.hospital, &Viewer::Public, agreed.id)
            .await
            .is_err()
    );

    assert_eq!(
        ground.worker().drain().await.unwrap().messages,
        0,
        "nothing is due any more"
    );
    ground.end().await;
}

#[tokio::test]
async fn quiet_hours_defer_and_the_morning_sends() {
    let ground = Ground::new().await;
    let mail = ground
        .message(Plan {
            consent: true,
            ..Plan::default()
        })
        .await;
    ground.clock.advance(TimeDelta::hours(10));
    ground.worker().drain().await.unwrap();
    let row = ground.row(mail.id).await;
    assert_eq!(row.state, MessageState::Deferred);
    assert_eq!(row.decision.unwrap().reasons[0].code, GateReason::QuietHours);
    ground.clock.set(row.due_at);
    ground.worker().drain().await.unwrap();
    assert_eq!(ground.row(mail.id).await.state, MessageState::Accepted);
    ground.end().await;
}

#[tokio::test]
async fn a_withdrawal_after_the_claim_stops_the_mail() {
    let ground = Ground::new().await;
    let h = &ground.hospital;
    let mail = ground
        .message(Plan {
            consent: true,
            ..Plan::default()
        })
        .await;
    let claimed = claim(h, Lane::Bulk, 10, 60).await.unwrap();
    assert_eq!(claimed.sendables.len(), 1);
    let input = WithdrawConsent {
        contact_id: mail.contact_id,
        medium: None,
        purpose: Some(Purpose::Marketing),
        reason: None,
    };
    let withdrawn = withdraw(h, &admin(), input).await.unwrap().value;
    assert_eq!(withdrawn.messages_withheld, 1);
    assert!(
        hand_off(h, &refs(&claimed.sendables), 60)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(ground.withheld(mail.id).await, [GateReason::ConsentWithdrawn]);
    ground.end().await;
}

#[tokio::test]
async fn claims_of_many_workers_never_overlap() {
    let ground = Ground::new().await;
    for _ in 0..60 {
        ground
            .message(Plan {
                consent: true,
                ..Plan::default()
            })
            .await;
    }
    let claims = (0..8).map(|_| {
        let h = ground.hospital.clone();
        tokio::spawn(async move {
            let mut ids = Vec::new();
            loop {
                let claimed = claim(&h, Lane::Bulk, 7, 60).await.unwrap();
                ids.extend(claimed.sendables.iter().map(Sendable::id));
                if claimed.looked_at == 0 {
                    return ids;
                }
            }
        })
    });
    let mut all: Vec<MessageId> = Vec::new();
    for claim in claims.collect::<Vec<_>>() {
        all.extend(claim.await.unwrap());
    }
    assert_eq!(all.len(), 60);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 60);
    ground.end().await;
}

#[tokio::test]
async fn a_worker_whose_lease_is_over_may_not_hand_off_and_another_takes_the_message() {
    let ground = Ground::new().await;
    let h = &ground.hospital;
    let mail = ground
        .message(Plan {
            consent: true,
            ..Plan::default()
        })
        .await;
    let slow = claim(h, Lane::Bulk, 10, 60).await.unwrap();
    ground.clock.advance(TimeDelta::seconds(61));
    let found = expired_leases(h, 500).await.unwrap().value;
    assert_eq!(
        found,
        Recovered {
            planned: 1,
            ..Recovered::default()
        }
    );
    let next = claim(h, Lane::Bulk, 10, 60).await.unwrap();
    assert!(hand_off(h, &refs(&slow.sendables), 60).await.unwrap().is_empty());
    assert_eq!(hand_off(h, &refs(&next.sendables), 60).await.unwrap(), [mail.id]);
    ground.end().await;
}

#[tokio::test]
async fn what_was_handed_off_by_a_lost_worker_is_unknown_if_nobody_waits_for_it() {
    let ground = Ground::new().await;
    let h = &ground.hospital;
    let mail = ground
        .message(Plan {
            consent: true,
            ..Plan::default()
        })
        .await;
    let claimed = claim(h, Lane::Bulk, 10, 60).await.unwrap();
    hand_off(h, &refs(&claimed.sendables), 60).await.unwrap();
    ground.clock.advance(TimeDelta::seconds(61));
    let found = expired_leases(h, 500).await.unwrap().value;
    assert_eq!(
        found,
        Recovered {
            unknown: 1,
            ..Recovered::default()
        }
    );
    assert_eq!(ground.row(mail.id).await.state, MessageState::Unknown);
    assert_eq!(
        ground.worker().drain().await.unwrap().messages,
        0,
        "it is not sent again by itself"
    );
    // The worker was merely slow: its late answer is evidence.
    let outcome = Outcome::Accepted {
        response: "250 ok".to_owned(),
        kept: None,
    };
    let late = Settlement {
        sendable: &claimed.sendables[0],
        subject: "Hello",
        outcome,
        took: None,
    };
    assert_eq!(settle(h, &[late]).await.unwrap().value.accepted, 1);
    assert_eq!(ground.row(mail.id).await.state, MessageState::Accepted);
    ground.end().await;
}

#[tokio::test]
async fn what_somebody_waits_for_is_sent_once_more_with_the_same_message_id() {
    let ground = Ground::new().await;
    let h = &ground.hospital;
    let mail = ground
        .message(Plan {
            confirmation: true,
            ..Plan::default()
        })
        .await;
    for again in [true, false] {
        let claimed = claim(h, Lane::Waiting, 10, 60).await.unwrap();
        assert_eq!(claimed.sendables[0].message().rfc_message_id, mail.rfc_message_id);
        hand_off(h, &refs(&claimed.sendables), 60).await.unwrap();
        ground.clock.advance(TimeDelta::seconds(61));
        let found = expired_leases(h, 500).await.unwrap().value;
        assert_eq!(
            (found.sent_again, found.unknown),
            (usize::from(again), usize::from(!again))
        );
    }
    assert_eq!(ground.row(mail.id).await.state, MessageState::Unknown);
    let kinds = ground.events(mail.id).await;
    assert_eq!(kinds, [MessageEventKind::SentAgain, MessageEventKind::Unknown]);
    ground.end().await;
}

#[tokio::test]
async fn what_is_given_back_can_be_claimed_at_once() {
    let ground = Ground::new().await;
    let h = &ground.hospital;
    let mail = ground
        .message(Plan {
            consent: true,
            ..Plan::default()
        })
        .await;
    let claimed = claim(h, Lane::Bulk, 10, 60).await.unwrap();
    give_back(h, &refs(&claimed.sendables)).await.unwrap();
    assert_eq!(ground.row(mail.id).await.attempts, 0);
    let again = claim(h, Lane::Bulk, 10, 60).await.unwrap();
    assert!(
        hand_off(h, &refs(&claimed.sendables), 60)
            .await
            .unwrap()
            .is_empty(),
        "the first claim is void"
    );
    assert_eq!(hand_off(h, &refs(&again.sendables), 60).await.unwrap(), [mail.id]);
    ground.end().await;
}

#[tokio::test]
async fn mail_over_smtp_arrives_once_each() {
    let ground = Ground::new().await;
    let sink = SmtpSink::start().await;
    let mut sent = HashSet::new();
    for _ in 0..30 {
        let mail = ground
            .message(Plan {
                consent: true,
                ..Plan::default()
            })
            .await;
        sent.insert(format!("<{}>", mail.rfc_message_id));
    }
    ground.worker_to(&sink).drain().await.unwrap();
    assert_eq!(sink.count(), 30);
    assert_eq!(sink.message_ids().into_iter().collect::<HashSet<_>>(), sent);
    assert_eq!(ground.in_state(MessageState::Accepted).await, 30);
    ground.end().await;
}

#[tokio::test]
async fn an_address_that_does_not_exist_is_refused_and_suppressed() {
    let ground = Ground::new().await;
    let sink = SmtpSink::start().await;
    let mail = ground
        .message(Plan {
            consent: true,
            ..Plan::default()
        })
        .await;
    sink.behave(Behavior::RefuseRecipient {
        reply: "550 5.1.1 no such user".to_owned(),
        prefix: String::new(),
    });
    ground.worker_to(&sink).drain().await.unwrap();
    let row = ground.row(mail.id).await;
    assert_eq!(row.state, MessageState::Refused);
    assert!(row.response.unwrap().starts_with("550"));
    sink.behave(Behavior::Accept);
    let next = ground
        .message_to(
            &mail,
            Plan {
                consent: true,
                ..Plan::default()
            },
        )
        .await;
    ground.worker_to(&sink).drain().await.unwrap();
    assert_eq!(ground.withheld(next.id).await, [GateReason::Suppressed]);
    assert_eq!(sink.count(), 0);
    ground.end().await;
}

#[tokio::test]
async fn a_server_that_asks_to_come_back_is_tried_half_an_hour_later() {
    let ground = Ground::new().await;
    let sink = SmtpSink::start().await;
    let mail = ground
        .message(Plan {
            confirmation: true,
            ..Plan::default()
        })
        .await;
    sink.behave(Behavior::RefuseMessage("451 4.3.0 try again".to_owned()));
    ground.worker_to(&sink).drain().await.unwrap();
    let row = ground.row(mail.id).await;
    assert_eq!((row.state, row.attempts), (MessageState::Deferred, 1));
    let wait = row.due_at - ground.now();
    assert!(
        wait >= TimeDelta::minutes(30) && wait <= TimeDelta::minutes(33),
        "{wait}"
    );
    sink.behave(Behavior::Accept);
    ground.clock.set(row.due_at);
    ground.worker_to(&sink).drain().await.unwrap();
    assert_eq!(ground.row(mail.id).await.state, MessageState::Accepted);
    assert_eq!(sink.count(), 1);
    ground.end().await;
}

#[tokio::test]
async fn a_lost_answer_doubles_no_nurture_mail() {
    let ground = Ground::new().await;
    let sink = SmtpSink::start().await;
    let mail = ground
        .message(Plan {
            consent: true,
            ..Plan::default()
        })
        .await;
    sink.behave_times(1, Behavior::StoredWithoutReply);
    ground.worker_to(&sink).drain().await.unwrap();
    assert_eq!(ground.row(mail.id).await.state, MessageState::Unknown);
    ground.clock.advance(TimeDelta::hours(2));
    ground.worker_to(&sink).drain().await.unwrap();
    assert_eq!(sink.count(), 1);
    ground.end().await;
}

#[tokio::test]
async fn a_server_that_is_away_costs_no_try() {
    let ground = Ground::new().await;
    let sink = SmtpSink::start().await;
    let mail = ground
        .message(Plan {
            confirmation: true,
            ..Plan::default()
        })
        .await;
    sink.behave(Behavior::DropAtConnect);
    ground.worker_to(&sink).drain().await.unwrap();
    let row = ground.row(mail.id).await;
    assert_eq!((row.state, row.attempts), (MessageState::Planned, 0));
    sink.behave(Behavior::Accept);
    ground.clock.advance(TimeDelta::seconds(2));
    ground.worker_to(&sink).drain().await.unwrap();
    assert_eq!(ground.row(mail.id).await.state, MessageState::Accepted);
    ground.end().await;
}

#[tokio::test]
async fn a_template_that_fails_withholds_its_mail() {
    let ground = Ground::new().await;
    let mail = ground
        .message(Plan {
            consent: true,
            broken_template: true,
            ..Plan::default()
        })
        .await;
    ground.worker().drain().await.unwrap();
    assert_eq!(ground.withheld(mail.id).await, [GateReason::TemplateFailed]);
    ground.end().await;
}

#[tokio::test]
async fn the_sweep_finds_what_nobody_was_nudged_about() {
    let ground = Ground::new().await;
    let sink = SmtpSink::start().await;
    let mail = ground
        .message(Plan {
            confirmation: true,
            ..Plan::default()
        })
        .await;
    let queue = Queue::in_process();
    let stop = CancellationToken::new();
    let (pusher, pushing) = Pusher::start(queue.clone(), PusherSettings::default(), stop.clone());
    let worker = ground.worker_nudging(&sink, Arc::new(pusher));
    let running = tokio::spawn({
        let stop = stop.clone();
        async move { worker.run(queue, stop).await }
    });
    sink.wait_for(1).await;
    stop.cancel();
    running.await.unwrap().unwrap();
    pushing.await.unwrap();
    assert_eq!(
        ground.row(mail.id).await.state,
        MessageState::Accepted,
        "a stop settles what went out"
    );
    ground.end().await;
}

#[tokio::test]
async fn a_stop_waits_for_what_is_on_the_wire_and_gives_the_rest_back() {
    let ground = Ground::new().await;
    let sink = SmtpSink::start().await;
    for _ in 0..20 {
        ground
            .message(Plan {
                confirmation: true,
                ..Plan::default()
            })
            .await;
    }
    sink.behave(Behavior::HoldReply);
    let queue = Queue::in_process();
    let stop = CancellationToken::new();
    let (pusher, pushing) = Pusher::start(queue.clone(), PusherSettings::default(), stop.clone());
    let worker = ground.worker_nudging(&sink, Arc::new(pusher));
    let running = tokio::spawn({
        let stop = stop.clone();
        async move { worker.run(queue, stop).await }
    });
    sink.wait_for(1).await;
    stop.cancel();
    sink.behave(Behavior::Accept);
    running.await.unwrap().unwrap();
    pushing.await.unwrap();
    let accepted = ground.in_state(MessageState::Accepted).await;
    let planned = ground.in_state(MessageState::Planned).await;
    assert_eq!(
        accepted + planned,
        20,
        "nothing stays claimed, nothing is unknown"
    );
    assert!(planned > 0 && accepted == sink.count() as u64);
    ground.end().await;
}
