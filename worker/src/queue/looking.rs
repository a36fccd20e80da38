//! One nudge looked at: whatever the handler does, apalis only ever sees a job that is done.

use std::{error::Error, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::nudge::{Nudge, Subject};
use futures_util::FutureExt;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{BoxError, chain};

/// Does what is due. Called again and again with the same subject, by several workers at once: it claims rows, and finds
/// none when another was faster.
#[async_trait]
pub trait NudgeHandler: Send + Sync {
    /// Looks at what is due in `subject` and does it. When `stop` is cancelled it should claim nothing more and finish
    /// what it holds. It is dropped at the job timeout, so what it has claimed must be found again by its lease.
    ///
    /// # Errors
    /// A fault of the infrastructure. It is logged here with its chain and counted; retries are the rows' business.
    async fn look_at(&self, subject: Subject, stop: &CancellationToken) -> Result<(), BoxError>;
}

/// Runs the handler for one lane: bounded, timed, and with its panics caught.
///
/// The bounds are here and not in apalis's layers, because those leave a job "running" for ever after a timeout or a
/// panic, and forget the jobs of a worker that is started again while they run.
#[derive(Clone)]
pub(super) struct Desk {
    handler: Arc<dyn NudgeHandler>,
    seats: Arc<Semaphore>,
    running: TaskTracker,
    job_timeout: Duration,
    stop: CancellationToken,
}

impl Desk {
    pub(super) fn new(
        handler: Arc<dyn NudgeHandler>,
        concurrency: usize,
        job_timeout: Duration,
        stop: CancellationToken,
    ) -> Self {
        let seats = Arc::new(Semaphore::new(concurrency));
        Self {
            handler,
            seats,
            running: TaskTracker::new(),
            job_timeout,
            stop,
        }
    }

    /// Looks at what the payload asks for. A payload this process cannot read is dropped.
    pub(super) async fn look(self, payload: Value) {
        let Ok(nudge) = serde_json::from_value::<Nudge>(payload) else {
            count("UNKNOWN", "unreadable");
            tracing::warn!(
                "A nudge could not be read and is dropped; is a newer version running beside this one?"
            );
            return;
        };
        let _counted = self.running.token();
        let seat = self.stop.run_until_cancelled(self.seats.acquire()).await;
        if seat.is_none() || self.stop.is_cancelled() {
            return;
        }
        let subject = nudge.subject();
        let look = AssertUnwindSafe(async { self.handler.look_at(subject, &self.stop).await }).catch_unwind();
        let outcome = match tokio::time::timeout(self.job_timeout, look).await {
            Ok(Ok(Ok(()))) => "ok",
            Ok(Ok(Err(error))) => {
                let source: &(dyn Error + 'static) = error.as_ref();
                tracing::error!(subject = subject.name(), error = chain(source), "A job failed.");
                "fault"
            }
            Ok(Err(_panic)) => {
                // The panic hook has printed the message and the place.
                tracing::error!(subject = subject.name(), "A job panicked.");
                "panic"
            }
            Err(_elapsed) => {
                let limit_secs = self.job_timeout.as_secs_f64();
                tracing::error!(
                    subject = subject.name(),
                    limit_secs,
                    "A job took too long and was dropped."
                );
                "timeout"
            }
        };
        count(subject.name(), outcome);
    }

    /// Ends when no handler runs.
    pub(super) async fn empty(&self) {
        self.running.close();
        self.running.wait().await;
    }

    /// How many handlers run or wait for a seat.
    pub(super) fn busy(&self) -> usize {
        self.running.len()
    }
}

fn count(subject: &'static str, outcome: &'static str) {
    metrics::counter!("leadward_jobs_total", "subject" => subject, "outcome" => outcome).increment(1);
}
