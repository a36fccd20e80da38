use sea_orm::PaginatorTrait;
use serde_json::json;

use super::*;
use crate::clock::FixedClock;
use crate::ground::Ground;

async fn stand() -> (Ground, Hospital, FixedClock) {
    let ground = Ground::at("2026-11-23T14:00:00Z").await;
    let (h, clock) = (ground.h.clone(), ground.clock.clone());
    (ground, h, clock)
}

const KEY: Key<'static> = Key {
    principal: "token:1",
    operation: "graphql",
    key: "k-1",
};

async fn is_conflict(h: &Hospital, key: Key<'_>, hash: &str) -> bool {
    match begin(h, key, hash).await {
        Err(Error::Refused(refusals)) => refusals[0].code == Code::IdempotencyConflict,
        _ => false,
    }
}

#[tokio::test]
async fn a_repeat_hears_what_the_first_one_heard() {
    let (_ground, h, clock) = stand().await;
    assert_eq!(begin(&h, KEY, "a").await.unwrap(), Begun::First);
    assert_eq!(begin(&h, KEY, "a").await.unwrap(), Begun::Running);
    finish(&h, KEY, json!("the answer")).await.unwrap();
    clock.advance(TimeDelta::hours(KEPT_HOURS) - TimeDelta::microseconds(1));
    assert_eq!(
        begin(&h, KEY, "a").await.unwrap(),
        Begun::Answered(json!("the answer"))
    );
}

#[tokio::test]
async fn another_request_under_the_same_key_is_a_conflict_and_another_principal_is_not() {
    let (_ground, h, _) = stand().await;
    assert_eq!(begin(&h, KEY, "a").await.unwrap(), Begun::First);
    assert!(is_conflict(&h, KEY, "b").await);
    finish(&h, KEY, json!(1)).await.unwrap();
    assert!(is_conflict(&h, KEY, "b").await);
    assert_eq!(
        begin(
            &h,
            Key {
                principal: "token:2",
                ..KEY
            },
            "b"
        )
        .await
        .unwrap(),
        Begun::First
    );
    assert_eq!(
        begin(
            &h,
            Key {
                operation: "form",
                ..KEY
            },
            "b"
        )
        .await
        .unwrap(),
        Begun::First
    );
}

#[tokio::test]
async fn after_a_day_a_key_may_be_used_anew() {
    let (_ground, h, clock) = stand().await;
    begin(&h, KEY, "a").await.unwrap();
    finish(&h, KEY, json!(1)).await.unwrap();
    clock.advance(TimeDelta::hours(KEPT_HOURS));
    assert_eq!(begin(&h, KEY, "b").await.unwrap(), Begun::First);
    assert_eq!(
        begin(&h, KEY, "b").await.unwrap(),
        Begun::Running,
        "the old answer is gone"
    );
}

#[tokio::test]
async fn a_request_that_died_is_taken_over_after_a_minute_and_one_answer_is_kept() {
    let (_ground, h, clock) = stand().await;
    assert_eq!(begin(&h, KEY, "a").await.unwrap(), Begun::First);
    clock.advance(TimeDelta::seconds(TAKE_OVER_SECS) - TimeDelta::microseconds(1));
    assert_eq!(begin(&h, KEY, "a").await.unwrap(), Begun::Running);
    clock.advance(TimeDelta::microseconds(1));
    assert_eq!(begin(&h, KEY, "a").await.unwrap(), Begun::First);
    assert_eq!(begin(&h, KEY, "a").await.unwrap(), Begun::Running);
    finish(&h, KEY, json!("one")).await.unwrap();
    finish(&h, KEY, json!("late")).await.unwrap();
    forget(&h, KEY).await.unwrap();
    assert_eq!(begin(&h, KEY, "a").await.unwrap(), Begun::Answered(json!("one")));
}

#[tokio::test]
async fn a_request_that_came_to_nothing_may_be_tried_again() {
    let (_ground, h, _) = stand().await;
    begin(&h, KEY, "a").await.unwrap();
    forget(&h, KEY).await.unwrap();
    assert_eq!(begin(&h, KEY, "b").await.unwrap(), Begun::First);
}

#[tokio::test]
async fn rows_past_their_time_are_cleared_a_hundred_at_a_time() {
    let (_ground, h, clock) = stand().await;
    for n in 0..150 {
        begin(
            &h,
            Key {
                key: &format!("k-{n}"),
                ..KEY
            },
            "a",
        )
        .await
        .unwrap();
    }
    clock.advance(TimeDelta::hours(KEPT_HOURS));
    begin(&h, Key { key: "new", ..KEY }, "a").await.unwrap();
    assert_eq!(Entity::find().count(&h.db).await.unwrap(), 51);
}
