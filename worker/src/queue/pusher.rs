//! Gives nudges to the queue without making anybody wait.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::nudge::{Nudger, Subject};
use futures_util::{FutureExt, future::join_all};
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{Pushed, Queue, QueueError, chain};

/// The longest a stopping pusher tries to give its last nudges.
const LAST_PUSH_LIMIT: Duration = Duration::from_secs(1);

/// How a [`Pusher`] spares the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PusherSettings {
    /// After a nudge, how long the next one about the same subject waits. All that come in between become one.
    pub coalesce: Duration,
    /// Nudges in a lane beyond which no more are pushed. Keep it far below 10,000, where apalis-redis breaks.
    pub queue_limit: u64,
}

impl Default for PusherSettings {
    fn default() -> Self {
        Self {
            coalesce: Duration::from_millis(20),
            queue_limit: 1_000,
        }
    }
}

/// Takes nudges from the doors and pushes them from a task of its own. Needs no workers in its process. Cheap to clone.
///
/// [`Nudger::nudge`] only marks the subject, so it never blocks and never fails. When the queue is away or full the
/// nudge is dropped, one warning is logged for the whole outage, and the sweep finds the rows.
#[derive(Clone, Debug)]
pub struct Pusher {
    // A `Notify` keeps one permit however often it is notified: it is the mark and the alarm in one.
    marks: Arc<[Notify; Subject::ALL.len()]>,
}

impl Pusher {
    /// Starts pushing to `queue`. When `stop` is cancelled, what is marked is pushed once more and the task ends: wait
    /// for it by the handle.
    #[must_use]
    pub fn start(queue: Queue, settings: PusherSettings, stop: CancellationToken) -> (Self, JoinHandle<()>) {
        let pusher = Self {
            marks: Arc::default(),
        };
        let marks = Arc::clone(&pusher.marks);
        let state = Mutex::new(State::Fine);
        let task = tokio::spawn(async move {
            let push = Push {
                queue,
                settings,
                state,
            };
            join_all(Subject::ALL.map(|subject| push.keep_going(subject, &marks[subject.index()], &stop)))
                .await;
        });
        (pusher, task)
    }
}

impl Nudger for Pusher {
    fn nudge(&self, subject: Subject) {
        self.marks[subject.index()].notify_one();
    }
}

/// How the last push went, so that an outage is logged once and not by every push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fine,
    Full,
    Away,
}

struct Push {
    queue: Queue,
    settings: PusherSettings,
    state: Mutex<State>,
}

impl Push {
    async fn keep_going(&self, subject: Subject, mark: &Notify, stop: &CancellationToken) {
        while stop.run_until_cancelled(mark.notified()).await.is_some() {
            self.push(subject).await;
            if stop
                .run_until_cancelled(tokio::time::sleep(self.settings.coalesce))
                .await
                .is_none()
            {
                break;
            }
        }
        if mark.notified().now_or_never().is_some() {
            // Nothing is lost when this takes too long: the rows are in the database.
            drop(tokio::time::timeout(LAST_PUSH_LIMIT, self.push(subject)).await);
        }
    }

    async fn push(&self, subject: Subject) {
        let result = self.queue.push(subject, self.settings.queue_limit).await;
        let outcome = match &result {
            Ok(Pushed::Queued) => "pushed",
            Ok(Pushed::Full) => "full",
            Err(_) => "failed",
        };
        metrics::counter!("leadward_nudges_total", "subject" => subject.name(), "outcome" => outcome)
            .increment(1);
        self.tell_of_a_change(subject, &result);
    }

    fn tell_of_a_change(&self, subject: Subject, result: &Result<Pushed, QueueError>) {
        let now = match result {
            Ok(Pushed::Queued) => State::Fine,
            Ok(Pushed::Full) => State::Full,
            Err(_) => State::Away,
        };
        let before = std::mem::replace(
            &mut *self.state.lock().unwrap_or_else(PoisonError::into_inner),
            now,
        );
        if before == now {
            return;
        }
        let (subject, lane) = (subject.name(), subject.lane().name());
        match result {
            Ok(Pushed::Queued) => tracing::info!(subject, lane, "Nudges reach the queue again."),
            Ok(Pushed::Full) => {
                tracing::warn!(
                    subject,
                    lane,
                    "The queue is full; nudges are dropped and the sweep finds the rows."
                );
            }
            Err(error) => tracing::warn!(
                subject,
                lane,
                error = chain(error),
                "A nudge did not reach the queue; nudges are dropped until it is back and the sweep finds the rows.",
            ),
        }
    }
}
