//! One apalis worker a lane, started again when it falls.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use apalis::prelude::{Monitor, MonitorError, ParallelizeExt, WorkerBuilder, WorkerBuilderExt};
use domain::nudge::Lane;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{LaneHome, NudgeHandler, Queue, QueueError, chain, looking::Desk};

/// The wait before a fallen worker is started again; doubled by each fall in a row.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// The longest wait before a fallen worker is started again.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// A worker that lived this long had recovered; its next fall is a new one.
const RECOVERED_AFTER: Duration = Duration::from_secs(10);

/// How often finished jobs are removed from Redis.
const TIDY_INTERVAL: Duration = Duration::from_secs(5);

/// How much a process works at once, and how long a job may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneSettings {
    /// Handlers running at once in the lane somebody waits for; at least one runs.
    pub waiting_concurrency: usize,
    /// Handlers running at once in the lane nobody waits for; at least one runs.
    pub bulk_concurrency: usize,
    /// After this a handler is dropped. Longer than the longest batch; shorter than a lease.
    pub job_timeout: Duration,
    /// After a stop, how long running handlers have to finish.
    pub shutdown_timeout: Duration,
}

impl Default for LaneSettings {
    fn default() -> Self {
        Self {
            waiting_concurrency: 4,
            bulk_concurrency: 4,
            job_timeout: Duration::from_secs(60),
            shutdown_timeout: Duration::from_secs(10),
        }
    }
}

impl LaneSettings {
    const fn concurrency(self, lane: Lane) -> usize {
        let wanted = match lane {
            Lane::Waiting => self.waiting_concurrency,
            Lane::Bulk => self.bulk_concurrency,
        };
        // None would take jobs and never run them.
        if wanted == 0 { 1 } else { wanted }
    }
}

/// A worker ended although nobody asked it to and nothing failed. The process should end too: without its workers it
/// looks healthy and does nothing.
#[derive(Debug, thiserror::Error)]
#[error("the worker of the {lane} lane ended by itself")]
pub struct WorkerGone {
    lane: &'static str,
}

/// Runs the workers of both lanes until `stop` is cancelled, then starts no new job and gives the running handlers
/// [`LaneSettings::shutdown_timeout`] to finish.
///
/// A Redis that restarts, is flushed or goes away does not end this: the workers are started again, at a slowing pace,
/// until it is back.
///
/// # Errors
/// [`WorkerGone`] when a worker ended by itself. Treat it as fatal.
pub async fn run_workers(
    queue: Queue,
    settings: LaneSettings,
    handler: Arc<dyn NudgeHandler>,
    stop: CancellationToken,
) -> Result<(), WorkerGone> {
    let run = |lane| {
        let concurrency = settings.concurrency(lane);
        let desk = Desk::new(
            Arc::clone(&handler),
            concurrency,
            settings.job_timeout,
            stop.clone(),
        );
        let home = queue.home(lane).clone();
        let (stop, deadline) = (stop.clone(), OnceLock::new());
        LaneRun {
            lane,
            home,
            desk,
            concurrency,
            shutdown_timeout: settings.shutdown_timeout,
            stop,
            deadline,
        }
    };
    tokio::try_join!(run(Lane::Waiting).keep_going(), run(Lane::Bulk).keep_going())?;
    Ok(())
}

struct LaneRun {
    lane: Lane,
    home: LaneHome,
    desk: Desk,
    concurrency: usize,
    shutdown_timeout: Duration,
    stop: CancellationToken,
    /// When the time to stop is over; set when the stop is first seen.
    deadline: OnceLock<Instant>,
}

impl LaneRun {
    async fn keep_going(self) -> Result<(), WorkerGone> {
        let mut wait = FIRST_WAIT;
        loop {
            let name = worker_name(self.lane);
            let started = Instant::now();
            let ended = self.run_one(&name).await;
            if self.stop.is_cancelled() {
                self.finish(&name).await;
                return Ok(());
            }
            let Err(error) = ended else {
                return Err(WorkerGone {
                    lane: self.lane.name(),
                });
            };
            if started.elapsed() > RECOVERED_AFTER {
                wait = FIRST_WAIT;
            }
            self.tell_of_a_fall(&error, wait);
            // The jobs in its hands run on; they are counted by the desk. apalis's own restart has no pace: it spins
            // for as long as Redis refuses.
            let _: Option<()> = self.stop.run_until_cancelled(tokio::time::sleep(wait)).await;
            wait = LONGEST_WAIT.min(wait * 2);
        }
    }

    /// Runs one worker until it falls, or until it has stopped because it was asked to.
    async fn run_one(&self, name: &str) -> Result<(), MonitorError> {
        let monitor = self.monitor(name);
        let control = monitor.context();
        let mut running = std::pin::pin!(monitor.run());
        tokio::select! {
            ended = &mut running => return ended,
            () = self.keep_tidy(name) => {}
            () = self.stop.cancelled() => {}
        }
        control.shutdown()?;
        // Bounded, because a worker whose Redis is away cannot sign its last jobs off.
        tokio::time::timeout_at(self.deadline(), running)
            .await
            .unwrap_or(Ok(()))
    }

    /// apalis's monitor with this lane's worker. One a lane, so that a fall in one is seen at once.
    fn monitor(&self, name: &str) -> Monitor {
        let (name, concurrency, desk) = (name.to_owned(), self.concurrency, self.desk.clone());
        // The two arms differ in their types alone.
        match self.home.clone() {
            LaneHome::InProcess(lane) => Monitor::new().register(move |_restarts| {
                let desk = desk.clone();
                WorkerBuilder::new(name.clone())
                    .backend(lane.clone())
                    .concurrency(concurrency)
                    .parallelize(tokio::spawn)
                    .build(move |payload| desk.clone().look(payload))
            }),
            LaneHome::Redis(lane) => Monitor::new().register(move |_restarts| {
                let desk = desk.clone();
                WorkerBuilder::new(name.clone())
                    .backend(lane.backend())
                    .concurrency(concurrency)
                    .parallelize(tokio::spawn)
                    .build(move |payload| desk.clone().look(payload))
            }),
        }
    }

    /// Waits for handlers that outlived their worker, then signs off.
    async fn finish(&self, name: &str) {
        let lane = self.lane.name();
        if tokio::time::timeout_at(self.deadline(), self.desk.empty())
            .await
            .is_err()
        {
            let left = self.desk.busy();
            tracing::warn!(
                lane,
                left,
                "Jobs were still running at the end of the time to stop; their leases run out."
            );
        }
        if let LaneHome::Redis(redis) = &self.home {
            let signed_off = super::within_limit(redis.sign_off(name)).await;
            log_quietly(lane, signed_off);
        }
    }

    fn deadline(&self) -> Instant {
        *self
            .deadline
            .get_or_init(|| Instant::now() + self.shutdown_timeout)
    }

    /// Removes finished jobs from Redis every few seconds. Never ends.
    async fn keep_tidy(&self, name: &str) {
        let LaneHome::Redis(redis) = &self.home else {
            return std::future::pending().await;
        };
        let mut ticks = tokio::time::interval(TIDY_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            log_quietly(self.lane.name(), redis.tidy(name).await);
        }
    }

    fn tell_of_a_fall(&self, error: &MonitorError, wait: Duration) {
        let (lane, error) = (self.lane.name(), chain(error));
        if wait == FIRST_WAIT {
            tracing::warn!(
                lane,
                error,
                "A worker fell and is started again, until the queue is back."
            );
        } else {
            tracing::debug!(lane, error, "A worker fell again.");
        }
    }
}

/// Housekeeping that fails is tried again; the worker itself tells of an outage.
fn log_quietly(lane: &'static str, result: Result<(), QueueError>) {
    if let Err(error) = result {
        tracing::debug!(lane, error = chain(&error), "Housekeeping in the queue failed.");
    }
}

/// A name no other worker has had: Redis refuses a name again while it still remembers the worker that bore it.
#[expect(
    clippy::disallowed_methods,
    reason = "a worker's name is kept nowhere and no rule depends on it"
)]
fn worker_name(lane: Lane) -> String {
    format!("{}-{}", lane.name(), Uuid::now_v7())
}
