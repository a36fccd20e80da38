//! Several ways out: routes that fail, are paused or stopped; limits; signatures and return paths on the wire.

use std::collections::HashSet;

use chrono::{NaiveDate, TimeDelta};
use domain::db;
use domain::outreach::reputation::{self, Evidence, ReputationRules};
use domain::outreach::throttle::{DomainLimit, Limits, Rate, WarmUp};
use domain::outreach::verp;
use entity::campaign::{self, CampaignState};
use entity::message::{self, GateReason, Lane, MessageKind, MessageState};
use entity::suppression;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use worker::deliver::{Outbound, Transport};
use worker::mail::{Dkim, Postage};
use worker::route::RouteSetup;
use worker::run::Worker;
use worker::settings::{LaneDelivery, WorkerSettings};
use worker::smtp::SmtpPool;

use crate::harness::smtp_sink::{Behavior, SmtpSink};
use crate::harness::{Clinic, OPS, at};
use crate::inbound::{comes, complaint};

const BOTH: [Lane; 2] = [Lane::Waiting, Lane::Bulk];

fn route(name: &str, sink: &SmtpSink, priority: i32) -> RouteSetup {
    RouteSetup {
        name: name.to_owned(),
        lanes: BOTH.to_vec(),
        priority,
        ..RouteSetup::main(SmtpPool::new(sink.url().parse().unwrap()).unwrap())
    }
}

fn by(routes: Vec<RouteSetup>) -> Outbound {
    Outbound::from(Transport::Routes(routes))
}

/// A worker that sends so, in a process of its own.
fn worker(clinic: &Clinic, outbound: Outbound) -> Worker {
    let settings = WorkerSettings {
        bulk: LaneDelivery {
            batch: 100,
            concurrency: 8,
            batches: 2,
        },
        ..WorkerSettings::default()
    };
    Worker::new(
        clinic.hospital.clone(),
        outbound,
        settings,
        clinic.signals.clone(),
        clinic.nudges.clone(),
    )
    .unwrap()
}

/// A clinic whose mail goes out so.
async fn clinic(outbound: Outbound) -> Clinic {
    let mut clinic = Clinic::new().await;
    clinic.worker = worker(&clinic, outbound);
    clinic
}

async fn routes(clinic: &Clinic) -> Value {
    let query = "{ sendingRoutes { name state reasons stopReason } }";
    clinic.graphql(OPS, query, json!({})).await.data("sendingRoutes")
}

async fn in_state(clinic: &Clinic, state: MessageState) -> Vec<message::Model> {
    let all = clinic.messages().await.into_iter();
    all.filter(|message| message.state == state).collect()
}

/// Why messages wait.
fn reasons(messages: &[message::Model]) -> HashSet<GateReason> {
    let decisions = messages.iter().filter_map(|message| message.decision.as_ref());
    decisions
        .flat_map(|decision| decision.reasons.iter().map(|reason| reason.code))
        .collect()
}

/// Evidence comes in, as the mailbox poller writes it.
async fn evidence(clinic: &Clinic, messages: &[message::Model], evidence: Evidence) {
    let tx = db::begin_write(clinic.db()).await.unwrap();
    for message in messages {
        reputation::count(&tx, message, evidence, clinic.now())
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn mail_goes_by_the_next_route_when_the_first_cannot_be_reached_and_comes_once() {
    let (first, second) = (SmtpSink::start().await, SmtpSink::start().await);
    let clinic = clinic(by(vec![route("first", &first, 1), route("second", &second, 2)])).await;
    first.behave(Behavior::DropAtConnect);
    clinic.plan_nurture(40).await;
    clinic.drain().await;
    assert_eq!((first.count(), second.count()), (0, 40));
    let messages = clinic.messages().await;
    assert!(
        messages.iter().all(|message| message.attempts == 1),
        "a route that is away costs no try"
    );
    assert!(
        messages
            .iter()
            .all(|message| message.route.as_deref() == Some("second"))
    );
    assert_eq!(second.message_ids().into_iter().collect::<HashSet<_>>().len(), 40);
    let listed = routes(&clinic).await;
    assert_eq!(listed[0]["state"], "RESTING");
    let said = listed[0]["reasons"][0].as_str().unwrap();
    assert!(
        said.contains("could not be reached") && !said.contains('@'),
        "{said}"
    );
    assert_eq!(listed[1]["state"], "UP");

    first.behave(Behavior::Accept);
    clinic.minutes_pass(2);
    clinic.plan_nurture(10).await;
    clinic.drain().await;
    assert_eq!(
        (first.count(), second.count()),
        (10, 40),
        "the first is used again"
    );
    assert_eq!(routes(&clinic).await[0]["state"], "UP");
}

#[tokio::test]
async fn a_mail_whose_answer_was_lost_is_never_sent_by_another_route() {
    let (first, second) = (SmtpSink::start().await, SmtpSink::start().await);
    let clinic = clinic(by(vec![route("first", &first, 1), route("second", &second, 2)])).await;
    first.behave(Behavior::StoredWithoutReply);
    clinic.plan_nurture(12).await;
    clinic.drain().await;
    clinic.minutes_pass(10);
    clinic.drain().await;
    assert_eq!((first.count(), second.count()), (12, 0));
    assert_eq!(in_state(&clinic, MessageState::Unknown).await.len(), 12);
}

#[tokio::test]
async fn the_state_of_a_route_outlives_the_worker_that_found_it_out() {
    let (first, second) = (SmtpSink::start().await, SmtpSink::start().await);
    let setup = || by(vec![route("first", &first, 1), route("second", &second, 2)]);
    let mut clinic = clinic(setup()).await;
    first.behave(Behavior::DropAtConnect);
    clinic.plan_nurture(4).await;
    clinic.drain().await;
    let asked = first.connections();
    clinic.worker = worker(&clinic, setup());
    clinic.plan_nurture(4).await;
    clinic.drain().await;
    assert_eq!(first.connections(), asked, "the new worker does not try it");
    assert_eq!(second.count(), 8);
}

#[tokio::test]
async fn a_person_pauses_a_route_and_resumes_it() {
    let sink = SmtpSink::start().await;
    let clinic = clinic(by(vec![route("main", &sink, 1)])).await;
    clinic.plan_nurture(3).await;
    clinic.drain().await;
    let paused = clinic
        .change(
            OPS,
            "pauseSendingRoute",
            json!({ "name": "main", "note": "Moving house" }),
        )
        .await;
    assert_eq!(paused["route"]["state"], "PAUSED");
    clinic.plan_nurture(3).await;
    clinic.drain().await;
    assert_eq!(sink.count(), 3);
    let listed = routes(&clinic).await;
    assert_eq!(listed[0]["state"], "PAUSED");
    assert_eq!(listed[0]["reasons"][0], "A person paused it: Moving house");
    clinic
        .change(OPS, "resumeSendingRoute", json!({ "name": "main" }))
        .await;
    clinic.drain().await;
    assert_eq!(sink.count(), 6);
}

#[tokio::test]
async fn what_a_provider_may_not_get_now_waits_its_turn_in_order() {
    let sink = SmtpSink::start().await;
    let limits = Limits {
        domains: vec![DomainLimit {
            domains: vec!["example.org".to_owned()],
            rate: Rate {
                per_second: Some(4),
                per_hour: None,
            },
        }],
        warm_up: None,
    };
    let outbound = Outbound {
        limits,
        ..by(vec![route("main", &sink, 1)])
    };
    let clinic = clinic(outbound).await;
    clinic.plan_nurture(12).await;
    clinic.drain().await;
    assert_eq!(sink.count(), 4);
    let waiting = in_state(&clinic, MessageState::Deferred).await;
    assert_eq!(
        (waiting.len(), reasons(&waiting)),
        (8, HashSet::from([GateReason::Throttled]))
    );
    assert!(
        waiting.is_sorted_by_key(|message| message.due_at),
        "each has a turn of its own"
    );
    assert_eq!(waiting[7].due_at - clinic.now(), TimeDelta::seconds(2));
    let looks = clinic
        .messages()
        .await
        .iter()
        .map(|message| message.fence)
        .sum::<i64>();
    clinic.live_until(clinic.now() + TimeDelta::seconds(10)).await;
    assert_eq!(sink.count(), 12);
    let more = clinic
        .messages()
        .await
        .iter()
        .map(|message| message.fence)
        .sum::<i64>()
        - looks;
    assert_eq!(more, 8, "each was looked at once more, at its turn");
}

#[tokio::test]
async fn two_workers_keep_to_the_rate_of_a_route_together() {
    let sink = SmtpSink::start().await;
    let limited = || RouteSetup {
        rate: Rate {
            per_second: Some(10),
            per_hour: None,
        },
        ..route("main", &sink, 1)
    };
    let clinic = clinic(by(vec![limited()])).await;
    let other = worker(&clinic, by(vec![limited()]));
    clinic.plan_nurture(30).await;
    for second in 1..=4 {
        let (one, two) = tokio::join!(clinic.worker.drain(), other.drain());
        one.unwrap();
        two.unwrap();
        assert!(sink.count() <= 10 * second, "{} in second {second}", sink.count());
        clinic.clock.advance(TimeDelta::seconds(1));
    }
    clinic.drain().await;
    assert_eq!(sink.count(), 30);
    let tries: i32 = clinic
        .messages()
        .await
        .iter()
        .map(|message| message.attempts)
        .sum();
    assert_eq!(tries, 30, "what has to wait is not even claimed");
}

#[tokio::test]
async fn a_new_domain_sends_so_many_on_its_first_day_and_so_many_on_its_second() {
    let sink = SmtpSink::start().await;
    let outbound = Outbound {
        limits: Limits {
            domains: Vec::new(),
            warm_up: Some(WarmUp {
                start: NaiveDate::from_ymd_opt(2026, 3, 3).unwrap(),
                per_day: vec![10, 25],
            }),
        },
        ..by(vec![route("main", &sink, 1)])
    };
    let clinic = clinic(outbound).await;
    clinic.plan_nurture(60).await;
    clinic.drain().await;
    assert_eq!(sink.count(), 10);
    let waiting = in_state(&clinic, MessageState::Deferred).await;
    assert_eq!(
        (waiting.len(), reasons(&waiting)),
        (50, HashSet::from([GateReason::WarmUp]))
    );
    clinic.live_until(at("2026-03-03T23:00:00Z")).await;
    assert_eq!(sink.count(), 10);
    clinic.live_until(at("2026-03-04T23:00:00Z")).await;
    assert_eq!(sink.count(), 35);
    clinic.live_until(at("2026-03-05T23:00:00Z")).await;
    assert_eq!(sink.count(), 60, "after the last day there is no limit");
    assert_eq!(sink.message_ids().into_iter().collect::<HashSet<_>>().len(), 60);
}

#[tokio::test]
async fn what_comes_back_by_mail_counts_once_against_the_route_by_which_the_mail_went() {
    let sink = SmtpSink::start().await;
    let clinic = clinic(by(vec![route("main", &sink, 1)])).await;
    clinic.plan_nurture(5).await;
    clinic.drain().await;
    let sent = in_state(&clinic, MessageState::Accepted).await;
    comes(&clinic, &complaint(&sent[0])).await;
    comes(&clinic, &complaint(&sent[0]).replace("FW", "again")).await;
    clinic.drain().await;
    let query = "{ deliveryStats(from: \"2026-03-03T00:00:00Z\", until: \"2026-03-04T00:00:00Z\") \
                 { route accepted complained } }";
    let lines = clinic.graphql(OPS, query, json!({})).await.data("deliveryStats");
    assert_eq!(
        lines,
        json!([{ "route": "main", "accepted": 5, "complained": 1 }])
    );
}

#[tokio::test]
async fn too_many_complaints_stop_a_route_within_a_batch_tell_staff_once_and_end_by_themselves() {
    let sink = SmtpSink::start().await;
    let outbound = Outbound {
        reputation: ReputationRules {
            min_volume: 100,
            ..ReputationRules::default()
        },
        ..by(vec![route("main", &sink, 1)])
    };
    let clinic = clinic(outbound).await;
    clinic.plan_nurture(300).await;
    clinic.drain().await;
    assert_eq!(sink.count(), 300);
    let sent = in_state(&clinic, MessageState::Accepted).await;
    evidence(&clinic, &sent[..1], Evidence::Complaint).await;
    clinic.plan_nurture(20).await;
    clinic.drain().await;
    // One of 300 is a third of a percent.
    assert_eq!(sink.count() - alerts(&sink), 300, "not one more went out");
    let listed = routes(&clinic).await;
    assert_eq!(
        (&listed[0]["state"], &listed[0]["stopReason"]),
        (&json!("STOPPED"), &json!("COMPLAINTS"))
    );
    assert!(
        listed[0]["reasons"][0]
            .as_str()
            .unwrap()
            .contains("1 complaints in 300 mails")
    );
    let waiting = in_state(&clinic, MessageState::Deferred).await;
    assert_eq!(
        (waiting.len(), reasons(&waiting)),
        (20, HashSet::from([GateReason::SendingStopped]))
    );
    assert_eq!(alerts(&sink), 2, "the administrator and marketing operations");

    evidence(&clinic, &sent[1..2], Evidence::Complaint).await;
    clinic.minutes_pass(20);
    clinic.drain().await;
    assert_eq!(alerts(&sink), 2, "of one stop they are told once");
    // The day after, the complaints are out of the window.
    clinic.clock.set(at("2026-03-04T17:00:00Z"));
    clinic.drain().await;
    assert_eq!(routes(&clinic).await[0]["state"], "UP");
    assert_eq!(sink.count() - alerts(&sink), 320);
}

/// Mails that told staff of a stop.
fn alerts(sink: &SmtpSink) -> usize {
    let told = |data: &[u8]| String::from_utf8_lossy(data).contains("Bulk mail by main is stopped");
    sink.received().iter().filter(|mail| told(&mail.data)).count()
}

#[tokio::test]
async fn dead_addresses_stop_bulk_mail_and_a_person_may_let_it_run_again() {
    let sink = SmtpSink::start().await;
    let outbound = Outbound {
        reputation: ReputationRules {
            min_volume: 40,
            ..ReputationRules::default()
        },
        ..by(vec![route("main", &sink, 1)])
    };
    let clinic = clinic(outbound).await;
    sink.behave(Behavior::RefuseRecipient {
        reply: "550 5.1.1 No such user".to_owned(),
        prefix: "person1".to_owned(),
    });
    clinic.plan_nurture(50).await;
    clinic.drain().await;
    clinic.plan_nurture(50).await;
    clinic.drain().await;
    assert_eq!(routes(&clinic).await[0]["stopReason"], "BOUNCES");
    assert_eq!(sink.count() - alerts(&sink), 39, "eleven addresses are dead");
    sink.behave(Behavior::Accept);
    clinic
        .change(OPS, "resumeSendingRoute", json!({ "name": "main" }))
        .await;
    clinic.drain().await;
    let stops = clinic
        .graphql(OPS, "{ sendingStops { domain } }", json!({}))
        .await;
    assert_eq!(
        stops.data("sendingStops"),
        json!([]),
        "the stop of the domain went with it"
    );
    assert_eq!(in_state(&clinic, MessageState::Deferred).await.len(), 0);
}

#[tokio::test]
async fn a_refused_sender_pauses_the_campaign_and_staff_are_told() {
    let sink = SmtpSink::start().await;
    let clinic = clinic(by(vec![route("main", &sink, 1)])).await;
    let campaign = clinic.campaign("sleep-spring").await;
    let before = campaign::Entity::find_by_id(campaign)
        .one(clinic.db())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(before.state, CampaignState::Live);
    let contact = clinic.subscriber("Ada").await;
    clinic.plan_mail(contact, Some(campaign), clinic.now()).await;
    sink.behave(Behavior::RefuseMessage(
        "550 5.7.26 Unauthenticated mail is not accepted".to_owned(),
    ));
    clinic.worker.drain().await.unwrap();
    sink.behave(Behavior::Accept);
    clinic.minutes_pass(31);
    clinic.drain().await;
    let after = campaign::Entity::find_by_id(campaign)
        .one(clinic.db())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(after.state, CampaignState::Paused);
    assert_eq!(
        suppression::Entity::find().all(clinic.db()).await.unwrap().len(),
        0
    );
    let kinds = clinic.messages().await;
    let alerts = kinds
        .iter()
        .filter(|message| message.kind == MessageKind::SendingAlert);
    assert_eq!(alerts.count(), 2);
}

#[tokio::test]
async fn figures_are_told_by_route_and_provider_and_not_to_strangers() {
    let sink = SmtpSink::start().await;
    let clinic = clinic(by(vec![route("main", &sink, 1)])).await;
    sink.behave_times(1, Behavior::RefuseMessage("451 4.3.0 later".to_owned()));
    clinic.plan_nurture(10).await;
    clinic.drain().await;
    let sent = in_state(&clinic, MessageState::Accepted).await;
    evidence(&clinic, &sent[..1], Evidence::HardBounce).await;
    let query = "{ deliveryStats(from: \"2026-03-03T00:00:00Z\", until: \"2026-03-04T00:00:00Z\") \
                 { hour route lane domain accepted refused deferred bounced complained latencyP50Ms latency { count } } }";
    let lines = clinic.graphql(OPS, query, json!({})).await.data("deliveryStats");
    assert_eq!(lines.as_array().unwrap().len(), 1);
    let line = &lines[0];
    for (field, wanted) in [
        ("hour", json!("2026-03-03T15:00:00Z")),
        ("route", json!("main")),
        ("lane", json!("BULK")),
        ("domain", json!("other")),
        ("accepted", json!(9)),
        ("refused", json!(0)),
        ("deferred", json!(1)),
        ("bounced", json!(1)),
        ("complained", json!(0)),
    ] {
        assert_eq!(line[field], wanted, "{field}");
    }
    let answers: i64 = line["latency"]
        .as_array()
        .unwrap()
        .iter()
        .map(|class| class["count"].as_i64().unwrap())
        .sum();
    assert_eq!(answers, 10, "every answer was timed");
    let long = query.replace("2026-03-03T00", "2025-03-03T00");
    assert_eq!(
        clinic.graphql(OPS, &long, json!({})).await.code(),
        "BAD_USER_INPUT"
    );
    clinic.live_until(at("2026-03-03T16:00:00Z")).await;
}

#[tokio::test]
async fn every_mail_is_signed_and_has_a_return_path_that_names_it() {
    let sink = SmtpSink::start().await;
    let key = include_bytes!("../../worker/src/mail/dkim/test_rsa.pem");
    let dkim = Dkim::from_pem("clinic.example", "lead1", key).unwrap();
    let outbound = Outbound {
        postage: Postage::new(Some(dkim), Some("bounces.clinic.example")).unwrap(),
        ..by(vec![route("main", &sink, 1)])
    };
    let clinic = clinic(outbound).await;
    clinic.plan_nurture(2).await;
    clinic.drain().await;
    let messages = clinic.messages().await;
    for mail in sink.received() {
        let (local, domain) = mail.from.rsplit_once('@').unwrap();
        assert_eq!(domain, "bounces.clinic.example");
        let id = verp::parse(&clinic.hospital.secrets, local).expect("the return path names a message");
        let message = messages.iter().find(|message| message.id == id).unwrap();
        assert_eq!(mail.message_id, format!("<{}>", message.rfc_message_id));
        assert!(
            mail.data
                .starts_with(b"DKIM-Signature: v=1; a=rsa-sha256; s=lead1; d=clinic.example")
        );
    }
}
