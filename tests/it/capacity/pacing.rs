//! The pace at which promotion goes out.

use chrono::TimeDelta;
use domain::outreach::claim::claim;
use domain::round;
use entity::capacity_tick;
use entity::message::{Lane, MessageState};
use sea_orm::EntityTrait;
use serde_json::json;

use super::{Heart, LEAD, MONDAYS, apply_line, day, instant};
use crate::harness::{Clinic, OPS, at, pat};

#[tokio::test]
async fn slots_cut_from_forty_to_ten_are_a_quarter_of_the_releases_and_nobody_is_lost() {
    let heart = Heart::new().await;
    let clinic = &heart.clinic;
    heart.open(40).await;
    let mails = heart.promote(100).await;
    clinic.drain().await;
    assert_eq!(heart.sent().await, 40);
    let days = |parts: &[(&str, usize)]| -> Vec<_> {
        parts.iter().map(|(date, count)| (day(date), *count)).collect()
    };
    assert_eq!(
        heart.days().await,
        days(&[("2026-03-04", 40), ("2026-03-05", 20)])
    );

    // In the night before the second day there are ten.
    clinic.clock.set(at("2026-03-04T05:00:00Z"));
    heart.open(10).await;
    clinic.drain().await;
    assert_eq!(
        heart.days().await,
        days(&[
            ("2026-03-04", 10),
            ("2026-03-05", 10),
            ("2026-03-06", 10),
            ("2026-03-07", 10),
            ("2026-03-08", 10),
            ("2026-03-09", 10)
        ])
    );
    clinic.live_until(at("2026-03-05T03:00:00Z")).await;
    assert_eq!(heart.sent().await, 50, "a quarter of the forty of the day before");
    let held = heart.holds().await;
    assert_eq!(held.len(), 50);
    let in_order: Vec<String> = mails[50..].iter().map(ToString::to_string).collect();
    assert_eq!(
        held.iter().map(|(id, ..)| id.clone()).collect::<Vec<_>>(),
        in_order
    );
    assert!(held.iter().all(|(_, _, reason)| reason == "CAPACITY"));

    // The mail itself says why and until when.
    let said = heart.said(mails[99]).await;
    assert_eq!(
        (&said["state"], &said["decision"]["outcome"]),
        (&json!("DEFERRED"), &json!("DEFER"))
    );
    let reason = &said["decision"]["reasons"][0];
    assert_eq!(reason["code"], "CAPACITY");
    assert_eq!(
        reason["text"],
        "The coming weeks hold no more visits: it waits for its turn."
    );
    // Midnight at the lake.
    assert_eq!(instant(&reason["until"]), at("2026-03-09T05:00:00Z"));

    // Nobody is lost: on Sundays nothing goes, so the last go a day later.
    clinic.live_until(at("2026-03-12T23:00:00Z")).await;
    assert_eq!((heart.sent().await, heart.holds().await.len()), (100, 0));
    let most = capacity_tick::Entity::find().all(clinic.db()).await.unwrap();
    let counts: Vec<i32> = most.iter().map(|tick| tick.let_go).collect();
    assert_eq!(counts.iter().sum::<i32>(), 100, "{counts:?}");
    assert_eq!(
        counts.iter().filter(|count| **count > 10).count(),
        1,
        "{counts:?}"
    );
}

#[tokio::test]
async fn a_cut_takes_effect_in_the_next_tick_and_a_rise_lets_go_in_the_same_minute() {
    let heart = Heart::new().await;
    let clinic = &heart.clinic;
    heart.open(5).await;
    let mails = heart.promote(30).await;
    clinic.drain().await;
    assert_eq!(heart.sent().await, 5);
    assert_eq!(heart.holds().await[24].1, day("2026-03-08"));
    clinic.minutes_pass(1);
    heart.open(20).await;
    clinic.drain().await;
    assert_eq!(heart.sent().await, 20, "fifteen more, at once");
    assert_eq!(heart.days().await, [(day("2026-03-04"), 10)]);
    clinic.minutes_pass(1);
    heart.open(2).await;
    clinic.drain().await;
    assert_eq!(heart.sent().await, 20, "what went is gone");
    assert_eq!(heart.holds().await[9].1, day("2026-03-08"));
    assert_eq!(
        heart.said(mails[29]).await["decision"]["reasons"][0]["until"],
        json!("2026-03-08T06:00:00Z")
    );
    // Nothing is open any more: no day can be told, and everybody still waits.
    heart.open(0).await;
    clinic.drain().await;
    assert_eq!(heart.days().await, [(None, 10)]);
    clinic.live_until(clinic.now() + TimeDelta::days(3)).await;
    assert_eq!((heart.sent().await, heart.holds().await.len()), (20, 10));
}

#[tokio::test]
async fn two_workers_at_one_moment_let_go_no_more_than_may_and_who_dies_loses_and_doubles_nobody() {
    let heart = Heart::new().await;
    let clinic = &heart.clinic;
    heart.open(7).await;
    heart.promote(40).await;
    let _ = round::capacity(&clinic.hospital).await.unwrap();
    let mut gone = 0;
    // What a claim held at this moment is asked about again by the next.
    for _ in 0..6 {
        let (one, two) = tokio::join!(
            claim(&clinic.hospital, Lane::Bulk, 9, 120),
            claim(&clinic.hospital, Lane::Bulk, 9, 120)
        );
        gone += one.unwrap().sendables.len() + two.unwrap().sendables.len();
    }
    assert_eq!(gone, 7);
    assert_eq!(heart.holds().await.len(), 33);
    assert_eq!(heart.sent().await, 0);
    // Both died before they handed anything off.
    clinic.minutes_pass(3);
    clinic.drain().await;
    assert_eq!(heart.sent().await, 7, "those who had their turn need no other");
    assert_eq!(heart.outlook().await["releasedToday"], 7);
    clinic.live_until(at("2026-03-05T03:00:00Z")).await;
    assert_eq!((heart.sent().await, heart.holds().await.len()), (14, 26));
}

#[tokio::test]
async fn care_that_was_asked_for_and_what_makes_no_demand_never_wait() {
    let heart = Heart::new().await;
    let clinic = &heart.clinic;
    heart.open(0).await;
    let held = heart.promote_to("Hal").await;
    // Somebody asks, and is answered.
    let fields = [
        ("given_name", "Ida"),
        ("phone", "(608) 555-0123"),
        ("email", "ida@example.org"),
    ];
    clinic.submit_form("heart", &fields).await;
    // Marketing of a campaign that makes no demand.
    let sleep = clinic.campaign("sleep-spring").await;
    let dana = clinic.subscriber("Dana").await;
    let other = clinic.plan_mail(dana, Some(sleep), clinic.now()).await;
    // Care, by the same campaign and about the same line.
    let lead = heart.asks(dana).await;
    let care = heart.mail(dana, lead).await;
    set_purpose(clinic, care).await;
    // Another line, of which nobody spoke.
    clinic.submit_form("sleep-study", &pat()).await;
    clinic.drain().await;
    assert_eq!(clinic.subjects_to("ida@example.org").await.len(), 1);
    assert_eq!(clinic.message(other).await.state, MessageState::Accepted);
    let said = heart.said(care).await;
    assert_eq!(said["decision"]["reasons"][0]["code"], "NO_CONSENT", "{said:#}");
    assert_eq!(clinic.message(held).await.state, MessageState::Deferred);
    let explained = heart.said(held).await;
    assert_eq!(explained["decision"]["reasons"][0]["code"], "CAPACITY");
}

/// The gate has nothing to say about capacity to a mail that coordinates care: it asks for that consent alone.
async fn set_purpose(clinic: &Clinic, id: entity::id::MessageId) {
    use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};
    let mut row = clinic.message(id).await.into_active_model();
    row.purpose = Set(entity::enums::Purpose::CareCoordination);
    row.update(clinic.db()).await.unwrap();
}

#[tokio::test]
async fn a_campaign_that_makes_no_demand_any_more_lets_go_what_waits() {
    let heart = Heart::new().await;
    let clinic = &heart.clinic;
    heart.open(1).await;
    heart.promote(4).await;
    clinic.drain().await;
    assert_eq!((heart.sent().await, heart.holds().await.len()), (1, 3));
    let mark = json!({ "campaignId": heart.campaign.to_string(), "demandMaking": false });
    clinic.change(OPS, "updateCampaign", mark).await;
    clinic.drain().await;
    assert_eq!((heart.sent().await, heart.holds().await.len()), (4, 0));
    assert_eq!(heart.outlook().await["releasedToday"], 1);
}

#[tokio::test]
async fn promotion_stops_by_the_line_s_own_limits_and_says_why() {
    let heart = Heart::with(json!({ "maxWaitDays": 21, "minOpenSlots": 3 })).await;
    let clinic = &heart.clinic;
    let say = async |slots: i32, wait: i32| {
        let weeks = json!([{ "monday": MONDAYS[0], "openSlots": slots, "waitDays": wait }]);
        let input = heart.input("lakeside", weeks).await;
        clinic.change(LEAD, "setCapacity", input).await;
        clinic.drain().await;
    };
    say(7, 22).await;
    let mail = heart.promote_to("Hal").await;
    clinic.drain().await;
    let reason = async || heart.said(mail).await["decision"]["reasons"][0]["code"].clone();
    assert_eq!(reason().await, "CAPACITY_WAIT");
    assert_eq!(heart.outlook().await["stopped"], "LONG_WAIT");
    assert_eq!(heart.holds().await[0].1, None);
    say(2, 5).await;
    assert_eq!(reason().await, "CAPACITY_SLOTS");
    assert_eq!(heart.holds().await[0].2, "CAPACITY_SLOTS");
    // The line becomes more patient.
    apply_line(clinic, json!({ "minOpenSlots": 2 })).await;
    clinic.drain().await;
    assert_eq!(clinic.message(mail).await.state, MessageState::Accepted);
}
