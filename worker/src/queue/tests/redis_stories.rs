//! What only Redis can suffer: a flush, a restart, an absence, and what apalis-redis leaves behind.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use apalis::prelude::{PollSnapshot, PollStrategy};
use domain::nudge::{Lane, Nudger, Subject};
use tokio::sync::Notify;

use super::{
    super::{LaneHome, LaneSettings, Pusher, PusherSettings, Queue, RedisSettings, redis_lane::Ticking},
    CancellationToken,
    redis_server::TestRedis,
    stand::{Counts, Stand, patiently, settings},
};

/// Nudges until the handler is called: nudges given in an outage are lost, and the sweep of a real process gives more.
async fn nudge_until_started(stand: &mut Stand, subject: Subject) {
    patiently(async {
        loop {
            stand.pusher.nudge(subject);
            if stand.started_soon().await.is_some() {
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_flush_in_the_middle_stops_neither_new_nudges_nor_the_running_handler() {
    let redis = TestRedis::own().await;
    let (gate, finished) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let hand = (Arc::clone(&gate), Arc::clone(&finished));
    let mut stand = Stand::new(redis.queue().await, settings(), move |subject, _| {
        let (gate, finished) = hand.clone();
        async move {
            if subject == Subject::FollowUps {
                gate.notified().await;
                finished.fetch_add(1, Ordering::SeqCst);
            }
            Ok(())
        }
    });
    stand.pusher.nudge(Subject::FollowUps);
    stand.started().await;
    stand.queue.push(Subject::BulkMail, 10).await.unwrap();
    stand.started().await;

    redis.flush().await;
    for subject in [Subject::WaitingMail, Subject::BulkMail] {
        nudge_until_started(&mut stand, subject).await;
    }

    // The first handler runs since before the flush, for a worker that apalis has forgotten; a stop still waits for it.
    stand.stop.cancel();
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
        assert!(
            !stand.workers.is_finished(),
            "the workers ended before their handler"
        );
    }
    gate.notify_one();
    stand.stop().await;
    assert_eq!(finished.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn many_flushes_in_a_row_are_survived() {
    let redis = TestRedis::own().await;
    let mut stand = Stand::new(redis.queue().await, settings(), async |_, _| Ok(()));
    for _ in 0..5 {
        nudge_until_started(&mut stand, Subject::WaitingMail).await;
        redis.flush().await;
    }
    nudge_until_started(&mut stand, Subject::WaitingMail).await;
    stand.stop().await;
}

#[tokio::test]
async fn a_server_that_is_killed_and_started_again_is_used_again() {
    let mut redis = TestRedis::own().await;
    let counts = Counts::default();
    let _recording = counts.record();
    let mut stand = Stand::new(redis.queue().await, settings(), async |_, _| Ok(()));
    for subject in Subject::ALL {
        nudge_until_started(&mut stand, subject).await;
    }
    redis.kill().await;
    stand.queue.ping().await.unwrap_err();
    while counts.of("leadward_nudges_total", "WAITING_MAIL", "failed") == 0 {
        stand.pusher.nudge(Subject::WaitingMail);
        tokio::task::yield_now().await;
    }
    redis.start_again().await;
    for subject in Subject::ALL {
        nudge_until_started(&mut stand, subject).await;
    }
    stand.queue.ping().await.unwrap();
    stand.stop().await;
}

#[tokio::test]
async fn workers_that_start_before_their_server_find_it_later() {
    let mut redis = TestRedis::own().await;
    redis.kill().await;
    let mut stand = Stand::new(redis.queue().await, settings(), async |_, _| Ok(()));
    stand.queue.ping().await.unwrap_err();
    redis.start_again().await;
    nudge_until_started(&mut stand, Subject::WaitingMail).await;
    stand.stop().await;
}

#[tokio::test]
async fn a_stop_while_the_server_is_away_waits_for_the_running_handler_alone() {
    let mut redis = TestRedis::own().await;
    let finished = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&finished);
    let mut stand = Stand::new(redis.queue().await, settings(), move |_, stop| {
        let count = Arc::clone(&count);
        async move {
            stop.cancelled().await;
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
            count.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    });
    stand.pusher.nudge(Subject::WaitingMail);
    stand.started().await;
    redis.kill().await;
    stand.queue.ping().await.unwrap_err();
    stand.stop().await;
    assert_eq!(finished.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_absent_server_fails_the_questions_and_not_the_nudges() {
    let counts = Counts::default();
    let _recording = counts.record();
    let mut redis = TestRedis::own().await;
    redis.kill().await;
    let queue = redis.queue().await;
    queue.ping().await.unwrap_err();
    queue.depth().await.unwrap_err();
    let stop = CancellationToken::new();
    let (pusher, pushing) = Pusher::start(queue, PusherSettings::default(), stop.clone());
    for subject in Subject::ALL {
        pusher.nudge(subject);
    }
    while Subject::ALL
        .iter()
        .any(|s| counts.of("leadward_nudges_total", s.name(), "failed") == 0)
    {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    patiently(pushing).await.unwrap();
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_being_printed() {
    let error = Queue::redis("http://user:secret@somewhere", "p", RedisSettings::default())
        .await
        .unwrap_err();
    assert!(!super::super::chain(&error).contains("secret"));
}

#[tokio::test]
async fn an_idle_worker_is_woken_again_after_a_tick_that_was_due_when_it_looked() {
    let mut ticking = Ticking::every(Duration::from_millis(1));
    let mut looks = 0;
    patiently(poll_fn(|cx| {
        let _due = ticking.poll_drive(cx, &PollSnapshot::default());
        looks += 1;
        if looks == 5 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }))
    .await;
}

#[tokio::test]
async fn finished_jobs_and_stopped_workers_leave_nothing_in_redis() {
    let redis = TestRedis::shared().await;
    let settings = LaneSettings {
        bulk_concurrency: 1,
        ..settings()
    };
    let mut stand = Stand::new(redis.queue().await, settings, async |_, _| Ok(()));
    for _ in 0..20 {
        stand.queue.push(Subject::BulkMail, 100).await.unwrap();
        stand.queue.push(Subject::WaitingMail, 100).await.unwrap();
    }
    for _ in 0..40 {
        stand.started().await;
    }
    let queue = stand.queue.clone();
    stand.stop().await;
    for lane in Lane::ALL {
        let LaneHome::Redis(lane) = queue.home(lane) else {
            unreachable!("this queue is on Redis")
        };
        lane.tidy("nobody").await.unwrap();
    }
    // One flag a lane may stay; it does not grow.
    let left: Vec<_> = redis
        .keys()
        .await
        .into_iter()
        .filter(|key| !key.ends_with(":signal"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
    redis.forget().await;
}

#[tokio::test]
async fn two_prefixes_on_one_redis_do_not_take_each_others_jobs() {
    let (ours, theirs) = (TestRedis::shared().await, TestRedis::shared().await);
    let their_queue = theirs.queue().await;
    their_queue.push(Subject::WaitingMail, 10).await.unwrap();
    let mut stand = Stand::new(ours.queue().await, settings(), async |_, _| Ok(()));
    stand.pusher.nudge(Subject::FollowUps);
    assert_eq!(stand.started().await, Subject::FollowUps);
    stand.stop().await;
    assert_eq!(their_queue.depth().await.unwrap().waiting, 1);
    ours.forget().await;
    theirs.forget().await;
}
