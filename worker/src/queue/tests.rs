//! The same stories on both queues, and what only Redis can suffer.

mod redis_server;
mod redis_stories;
mod stand;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::nudge::{Lane, Nudger, Subject};
use serde_json::json;
use tokio::sync::{Notify, Semaphore};

use super::*;
use tokio_util::sync::CancellationToken;

use stand::{Counts, Stand, patiently, settings, teller};

/// Runs every story on a queue in process and on a queue of its own on Redis.
macro_rules! on_both_queues {
    ($($story:ident),+ $(,)?) => {
        mod in_process {
            $(#[tokio::test] async fn $story() {
                super::$story(super::Queue::in_process()).await;
            })+
        }
        mod on_redis {
            $(#[tokio::test] async fn $story() {
                let redis = super::redis_server::TestRedis::shared().await;
                super::$story(redis.queue().await).await;
                redis.forget().await;
            })+
        }
    };
}

on_both_queues!(
    a_nudge_wakes_a_handler,
    a_job_that_fails_panics_or_hangs_is_counted_and_the_worker_goes_on,
    a_stop_waits_for_the_running_handler_and_starts_no_other,
    a_stop_ends_at_its_limit_although_a_handler_hangs,
    many_nudges_become_one,
    a_stopping_pusher_gives_its_last_nudge,
    a_full_lane_drops_the_nudge_and_counts_it,
    a_busy_bulk_lane_does_not_delay_the_waiting_lane,
    no_more_handlers_run_than_there_are_seats,
    an_unreadable_payload_is_dropped_and_the_worker_goes_on,
    workers_can_be_started_again_on_the_same_queue,
    a_lane_filled_to_its_limit_drains,
);

async fn a_nudge_wakes_a_handler(queue: Queue) {
    let mut stand = Stand::new(queue, settings(), async |_, _| Ok(()));
    for subject in Subject::ALL {
        stand.pusher.nudge(subject);
        assert_eq!(stand.started().await, subject);
    }
    stand.stop().await;
}

async fn a_job_that_fails_panics_or_hangs_is_counted_and_the_worker_goes_on(queue: Queue) {
    let counts = Counts::default();
    let _recording = counts.record();
    let settings = LaneSettings {
        waiting_concurrency: 1,
        bulk_concurrency: 1,
        job_timeout: Duration::from_millis(50),
        ..settings()
    };
    let mut stand = Stand::new(queue, settings, async |subject, _| match subject {
        Subject::WaitingMail => panic!("on purpose"),
        Subject::FollowUps => std::future::pending().await,
        Subject::BulkMail => Err("on purpose".into()),
        Subject::Enrollments | Subject::InboundMail | Subject::Mailings | Subject::Capacity => Ok(()),
    });
    for _ in 0..2 {
        for subject in Subject::ALL {
            stand.pusher.nudge(subject);
            assert_eq!(stand.started().await, subject);
        }
    }
    stand.stop().await;
    for (subject, outcome) in [
        ("WAITING_MAIL", "panic"),
        ("FOLLOW_UPS", "timeout"),
        ("BULK_MAIL", "fault"),
        ("ENROLLMENTS", "ok"),
        ("INBOUND_MAIL", "ok"),
    ] {
        assert_eq!(
            counts.of("leadward_jobs_total", subject, outcome),
            2,
            "{subject} {outcome}"
        );
    }
}

async fn a_stop_waits_for_the_running_handler_and_starts_no_other(queue: Queue) {
    let (saw_stop, gate, finished) = (
        Arc::new(Notify::new()),
        Arc::new(Notify::new()),
        Arc::new(AtomicBool::new(false)),
    );
    let hand = (Arc::clone(&saw_stop), Arc::clone(&gate), Arc::clone(&finished));
    let settings = LaneSettings {
        waiting_concurrency: 1,
        ..settings()
    };
    let mut stand = Stand::new(queue, settings, move |_, stop| {
        let (saw_stop, gate, finished) = hand.clone();
        async move {
            stop.cancelled().await;
            saw_stop.notify_one();
            gate.notified().await;
            finished.store(true, Ordering::SeqCst);
            Ok(())
        }
    });
    stand.pusher.nudge(Subject::WaitingMail);
    stand.started().await;
    // Waits behind the first one, which has the only seat.
    stand.queue.push(Subject::FollowUps, 10).await.unwrap();

    stand.stop.cancel();
    patiently(saw_stop.notified()).await;
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
        assert!(
            !stand.workers.is_finished(),
            "the workers ended before their handler"
        );
    }
    gate.notify_one();
    let mut started = stand.stop().await;
    assert!(finished.load(Ordering::SeqCst));
    assert!(started.try_recv().is_err(), "a job was started after the stop");
}

async fn a_stop_ends_at_its_limit_although_a_handler_hangs(queue: Queue) {
    let settings = LaneSettings {
        shutdown_timeout: Duration::from_millis(50),
        ..settings()
    };
    let mut stand = Stand::new(queue, settings, async |_, _| std::future::pending().await);
    stand.pusher.nudge(Subject::WaitingMail);
    stand.started().await;
    stand.stop().await;
}

async fn many_nudges_become_one(queue: Queue) {
    let stop = CancellationToken::new();
    // Long enough that only the first push and the last one, on stopping, can happen.
    let settings = PusherSettings {
        coalesce: Duration::from_secs(3_600),
        ..PusherSettings::default()
    };
    let (pusher, pushing) = Pusher::start(queue.clone(), settings, stop.clone());
    for _ in 0..1_000 {
        pusher.nudge(Subject::WaitingMail);
    }
    while queue.depth().await.unwrap().waiting == 0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..1_000 {
        pusher.nudge(Subject::WaitingMail);
        tokio::task::yield_now().await;
    }
    assert_eq!(queue.depth().await.unwrap(), QueueDepth { waiting: 1, bulk: 0 });
    pusher.nudge(Subject::BulkMail);
    while queue.depth().await.unwrap().bulk == 0 {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    patiently(pushing).await.unwrap();
    assert_eq!(queue.depth().await.unwrap(), QueueDepth { waiting: 2, bulk: 1 });
}

async fn a_stopping_pusher_gives_its_last_nudge(queue: Queue) {
    let stop = CancellationToken::new();
    let (pusher, pushing) = Pusher::start(queue.clone(), PusherSettings::default(), stop.clone());
    pusher.nudge(Subject::Enrollments);
    stop.cancel();
    patiently(pushing).await.unwrap();
    assert_eq!(queue.depth().await.unwrap(), QueueDepth { waiting: 0, bulk: 1 });
}

async fn a_full_lane_drops_the_nudge_and_counts_it(queue: Queue) {
    let counts = Counts::default();
    let _recording = counts.record();
    for _ in 0..3 {
        assert_eq!(queue.push(Subject::BulkMail, 3).await.unwrap(), Pushed::Queued);
    }
    let stop = CancellationToken::new();
    let settings = PusherSettings {
        queue_limit: 3,
        ..PusherSettings::default()
    };
    let (pusher, pushing) = Pusher::start(queue.clone(), settings, stop.clone());
    pusher.nudge(Subject::Enrollments);
    pusher.nudge(Subject::WaitingMail);
    stop.cancel();
    patiently(pushing).await.unwrap();
    assert_eq!(queue.depth().await.unwrap(), QueueDepth { waiting: 1, bulk: 3 });
    assert_eq!(counts.of("leadward_nudges_total", "ENROLLMENTS", "full"), 1);
    assert_eq!(counts.of("leadward_nudges_total", "WAITING_MAIL", "pushed"), 1);
}

async fn a_busy_bulk_lane_does_not_delay_the_waiting_lane(queue: Queue) {
    let settings = LaneSettings {
        bulk_concurrency: 1,
        ..settings()
    };
    let mut stand = Stand::new(queue, settings, async |subject, stop| {
        if subject.lane() == Lane::Bulk {
            stop.cancelled().await;
        }
        Ok(())
    });
    stand.pusher.nudge(Subject::BulkMail);
    assert_eq!(stand.started().await, Subject::BulkMail);
    for _ in 0..5 {
        stand.queue.push(Subject::Enrollments, 100).await.unwrap();
    }
    stand.pusher.nudge(Subject::WaitingMail);
    assert_eq!(stand.started().await, Subject::WaitingMail);
    stand.stop().await;
}

async fn no_more_handlers_run_than_there_are_seats(queue: Queue) {
    let gate = Arc::new(Semaphore::new(0));
    let hold = Arc::clone(&gate);
    let settings = LaneSettings {
        waiting_concurrency: 2,
        ..settings()
    };
    let mut stand = Stand::new(queue, settings, move |subject, _| {
        let hold = Arc::clone(&hold);
        async move {
            if subject == Subject::WaitingMail {
                hold.acquire().await.unwrap().forget();
            }
            Ok(())
        }
    });
    for _ in 0..3 {
        stand.queue.push(Subject::WaitingMail, 10).await.unwrap();
    }
    stand.started().await;
    stand.started().await;
    // The other lane answers in the time of a fetch: the third, were it let in, would have started by then.
    stand.queue.push(Subject::BulkMail, 10).await.unwrap();
    assert_eq!(stand.started().await, Subject::BulkMail);
    gate.add_permits(1);
    assert_eq!(stand.started().await, Subject::WaitingMail);
    gate.add_permits(2);
    stand.stop().await;
}

async fn an_unreadable_payload_is_dropped_and_the_worker_goes_on(queue: Queue) {
    let counts = Counts::default();
    let _recording = counts.record();
    for payload in [
        json!({"v": 9, "look_at": "TEA_LEAVES"}),
        json!("not a nudge"),
        json!(null),
    ] {
        assert_eq!(queue.waiting.push(payload, 10).await.unwrap(), Pushed::Queued);
    }
    let mut stand = Stand::new(queue, settings(), async |_, _| Ok(()));
    while counts.of("leadward_jobs_total", "UNKNOWN", "unreadable") < 3 {
        tokio::task::yield_now().await;
    }
    stand.pusher.nudge(Subject::FollowUps);
    assert_eq!(stand.started().await, Subject::FollowUps);
    stand.stop().await;
}

async fn workers_can_be_started_again_on_the_same_queue(queue: Queue) {
    for _ in 0..3 {
        let mut stand = Stand::new(queue.clone(), settings(), async |_, _| Ok(()));
        stand.pusher.nudge(Subject::WaitingMail);
        assert_eq!(stand.started().await, Subject::WaitingMail);
        stand.stop().await;
    }
}

async fn a_lane_filled_to_its_limit_drains(queue: Queue) {
    let limit = PusherSettings::default().queue_limit;
    let pushes = (0..limit).map(|_| queue.push(Subject::BulkMail, limit));
    futures_util::future::try_join_all(pushes).await.unwrap();
    let settings = LaneSettings {
        bulk_concurrency: 16,
        ..settings()
    };
    let mut stand = Stand::new(queue, settings, async |_, _| Ok(()));
    for _ in 0..limit {
        stand.started().await;
    }
    assert_eq!(stand.queue.depth().await.unwrap(), QueueDepth::default());
    stand.stop().await;
}

#[tokio::test]
async fn a_job_that_waits_for_a_seat_is_not_started_after_a_stop() {
    let gate = Arc::new(Notify::new());
    let hold = Arc::clone(&gate);
    let (handler, mut started) = teller(move |_, _| {
        let hold = Arc::clone(&hold);
        async move {
            hold.notified().await;
            Ok(())
        }
    });
    let stop = CancellationToken::new();
    let desk = looking::Desk::new(handler, 1, Duration::from_secs(30), stop.clone());
    let payload = || serde_json::to_value(Nudge::about(Subject::BulkMail)).unwrap();
    let first = tokio::spawn(desk.clone().look(payload()));
    patiently(started.recv()).await.unwrap();
    let second = tokio::spawn(desk.clone().look(payload()));
    while desk.busy() < 2 {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    patiently(second).await.unwrap();
    assert_eq!(
        desk.busy(),
        1,
        "a stop drops the job that waits and not the one that runs"
    );
    gate.notify_one();
    patiently(first).await.unwrap();
    patiently(desk.empty()).await;
    assert!(started.try_recv().is_err(), "a job was started after the stop");
}
