//! A lane on Redis: one queue of apalis-redis, and the housekeeping it leaves to its user.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use apalis::prelude::{BackendExt, PollSnapshot, PollStrategy, PollWith, TaskSink};
use apalis_redis::{Config, RedisStorage};
use domain::nudge::Lane;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use serde_json::Value;
use tokio::time::{Interval, MissedTickBehavior};

use super::{BoxError, Pushed, QueueError};

/// How often a worker says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// After so many missed heartbeats the jobs of a dead worker go back to the queue.
const MISSED_HEARTBEATS: usize = 6;

/// How long Redis keeps the description of a worker that no longer renews it.
const WORKER_MEMORY_SECS: u64 = 3_600;

/// How many finished jobs one call removes: far below what a Lua call can unpack.
const TIDY_BATCH: usize = 500;

/// Removes what apalis-redis keeps of finished jobs: the payload, the result, and the mark that it is done.
const TIDY_FINISHED: &str = "
local ids = redis.call('SPOP', KEYS[1], ARGV[1])
for _, id in ipairs(ids) do
    redis.call('HDEL', KEYS[2], id)
    redis.call('DEL', KEYS[3] .. ':' .. id)
end
return #ids";

/// How a process talks to Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedisSettings {
    /// How often an idle worker asks for jobs. apalis-redis does not wake a worker on a push, so half of this is the
    /// usual wait. At least a millisecond.
    pub poll_interval: Duration,
    /// The longest wait for an answer. The half second of the redis crate is too short for a busy server.
    pub response_timeout: Duration,
    /// The longest wait for a connection.
    pub connection_timeout: Duration,
}

impl Default for RedisSettings {
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_millis(25),
            response_timeout: Duration::from_secs(5),
            connection_timeout: Duration::from_secs(2),
        }
    }
}

/// One lane on Redis. Both lanes share one connection, which mends itself.
#[derive(Debug)]
pub(super) struct RedisLane {
    connection: ConnectionManager,
    storage: RedisStorage<Value>,
    poll_interval: Duration,
}

/// Wakes an idle worker at an interval.
///
/// apalis's own interval loses a wakeup when its tick and the answer of a fetch come in one poll: it arms the next tick
/// without registering for it, and the worker sleeps until its heartbeat. This asks for ticks until none is due.
#[derive(Debug)]
pub(super) struct Ticking(Interval);

impl Ticking {
    pub(super) fn every(interval: Duration) -> Self {
        let mut ticks = tokio::time::interval(interval.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self(ticks)
    }
}

impl PollStrategy for Ticking {
    fn poll_drive(&mut self, cx: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        let mut due = Poll::Pending;
        while self.0.poll_tick(cx).is_ready() {
            due = Poll::Ready(Some(()));
        }
        due
    }
}

/// A connection that is made on its first use and made again when it breaks.
pub(super) fn connect(url: &str, settings: RedisSettings) -> Result<ConnectionManager, QueueError> {
    let client = redis::Client::open(url).map_err(|e| QueueError::Address(e.into()))?;
    // Few and short retries: the callers have a pace of their own, and must not hang on a Redis that is away.
    let config = ConnectionManagerConfig::new()
        .set_response_timeout(Some(settings.response_timeout))
        .set_connection_timeout(Some(settings.connection_timeout))
        .set_number_of_retries(2)
        .set_max_delay(Duration::from_millis(500));
    ConnectionManager::new_lazy_with_config(client, config).map_err(|e| QueueError::Address(e.into()))
}

impl RedisLane {
    pub(super) fn new(
        connection: ConnectionManager,
        prefix: &str,
        lane: Lane,
        settings: RedisSettings,
    ) -> Self {
        let config = Config::default()
            .queue(format!("{prefix}:{}", lane.name()))
            // A job that was fetched ahead would wait behind a slow one and keep its worker from its heartbeat.
            .batch_size(1)
            .heartbeat_interval(HEARTBEAT)
            .missed_heartbeats(MISSED_HEARTBEATS)
            // A nudge taken twice does no harm, so the lease of each job is not worth its two calls.
            .lock_tasks(false)
            .emit_events(false);
        let storage = RedisStorage::new(connection.clone()).with_config(config);
        Self {
            connection,
            storage,
            poll_interval: settings.poll_interval,
        }
    }

    /// A fresh backend for one worker.
    pub(super) fn backend(&self) -> PollWith<RedisStorage<Value>, Ticking> {
        self.storage
            .clone()
            .poll_with_strategy(Ticking::every(self.poll_interval))
    }

    pub(super) async fn push(&self, payload: Value, limit: u64) -> Result<Pushed, QueueError> {
        if self.len().await? >= limit {
            return Ok(Pushed::Full);
        }
        self.storage.clone().push(payload).await.map_err(unreachable)?;
        Ok(Pushed::Queued)
    }

    /// Jobs ready to be taken, and jobs that the next fetch makes ready (apalis-redis pushes every job there).
    pub(super) async fn len(&self) -> Result<u64, QueueError> {
        let config = self.storage.get_config();
        let (ready, scheduled): (u64, u64) = redis::pipe()
            .llen(config.active_jobs_list())
            .zcard(config.scheduled_jobs_set())
            .query_async(&mut self.connection.clone())
            .await
            .map_err(unreachable)?;
        Ok(ready + scheduled)
    }

    pub(super) async fn ping(&self) -> Result<(), QueueError> {
        redis::cmd("PING")
            .query_async::<()>(&mut self.connection.clone())
            .await
            .map_err(unreachable)
    }

    /// Removes finished jobs, which apalis-redis keeps for ever, and lets Redis forget this worker's description an
    /// hour after the worker is gone.
    pub(super) async fn tidy(&self, worker_name: &str) -> Result<(), QueueError> {
        let config = self.storage.get_config();
        let mut connection = self.connection.clone();
        loop {
            let removed: usize = redis::cmd("EVAL")
                .arg(TIDY_FINISHED)
                .arg(3)
                .arg(config.done_jobs_set())
                .arg(config.job_data_hash())
                .arg(config.job_meta_hash())
                .arg(TIDY_BATCH)
                .query_async(&mut connection)
                .await
                .map_err(unreachable)?;
            if removed < TIDY_BATCH {
                break;
            }
        }
        redis::cmd("EXPIRE")
            .arg(format!("{}:workers:metadata:{worker_name}", config.queue))
            .arg(WORKER_MEMORY_SECS)
            .query_async::<()>(&mut connection)
            .await
            .map_err(unreachable)
    }

    /// Signs a stopped worker off, unless jobs are still in its hands: then they go back when its heartbeat runs out.
    /// (apalis-redis removes another name than the one it signed on with.)
    pub(super) async fn sign_off(&self, worker_name: &str) -> Result<(), QueueError> {
        let config = self.storage.get_config();
        let mut connection = self.connection.clone();
        let in_hand: u64 = redis::cmd("SCARD")
            .arg(format!("{}:{worker_name}", config.inflight_jobs_set()))
            .query_async(&mut connection)
            .await
            .map_err(unreachable)?;
        if in_hand > 0 {
            return Ok(());
        }
        redis::pipe()
            .zrem(config.workers_set(), worker_name)
            .ignore()
            .del(format!("{}:workers:metadata:{worker_name}", config.queue))
            .ignore()
            .query_async::<()>(&mut connection)
            .await
            .map_err(unreachable)
    }
}

fn unreachable(error: impl Into<BoxError>) -> QueueError {
    QueueError::Unreachable(error.into())
}
