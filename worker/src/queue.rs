//! The queue: apalis workers that are reminded to look at the database, over Redis or in process.
//!
//! A job is only a [`Nudge`]: "look at what is due, now". Retries, delays, attempts and leases are rows, so this module
//! owes nobody that a job arrives, or arrives once. That is what makes it small, and what lets Redis be flushed,
//! restarted or lost in the middle of a run.
//!
//! - [`Queue`]: where nudges wait. One of apalis-redis's queues a lane, or a channel a lane.
//! - [`Pusher`]: gives nudges to the queue, at most one a subject in a short while.
//! - [`run_workers`]: one apalis worker a lane, calling a [`NudgeHandler`].

mod in_process;
mod looking;
mod pusher;
mod redis_lane;
mod workers;

#[cfg(test)]
mod tests;

use std::{error::Error, sync::Arc, time::Duration};

use domain::nudge::{Lane, Nudge, Subject};
use serde_json::Value;

pub use looking::NudgeHandler;
pub use pusher::{Pusher, PusherSettings};
pub use redis_lane::RedisSettings;
pub use workers::{LaneSettings, WorkerGone, run_workers};

use in_process::ChannelLane;
use redis_lane::RedisLane;

/// An error of a handler or a backend, whatever its crate.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The longest a question of a health check or a metric may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// Where nudges wait for a worker. Cheap to clone; all clones are one queue.
#[derive(Clone, Debug)]
pub struct Queue {
    waiting: LaneHome,
    bulk: LaneHome,
}

/// Where the nudges of one lane wait.
#[derive(Clone, Debug)]
enum LaneHome {
    InProcess(ChannelLane),
    Redis(Arc<RedisLane>),
}

/// Nudges that no worker has taken yet, by lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueDepth {
    /// In the lane somebody waits for.
    pub waiting: u64,
    /// In the lane nobody waits for.
    pub bulk: u64,
}

impl QueueDepth {
    /// The depth of one lane.
    #[must_use]
    pub const fn of(self, lane: Lane) -> u64 {
        match lane {
            Lane::Waiting => self.waiting,
            Lane::Bulk => self.bulk,
        }
    }
}

/// Why the queue did not do as asked. Never a reason to fail a request: the rows are in the database.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The Redis address is not one; the source says what is wrong with it.
    #[error("the address of the queue cannot be used")]
    Address(#[source] BoxError),
    /// Redis is away, refuses, or broke off.
    #[error("the queue cannot be reached")]
    Unreachable(#[source] BoxError),
    /// Redis took the question and did not answer within the limit.
    #[error("the queue did not answer in time")]
    Silent,
}

/// What became of a nudge that was pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pushed {
    Queued,
    /// The lane holds as many as it may; this one was dropped.
    Full,
}

impl Queue {
    /// A queue inside this process: nothing to install, gone with the process.
    #[must_use]
    pub fn in_process() -> Self {
        Self {
            waiting: LaneHome::InProcess(ChannelLane::new()),
            bulk: LaneHome::InProcess(ChannelLane::new()),
        }
    }

    /// A queue on Redis, shared by every process with the same `url` and `prefix`. All keys begin with
    /// `{prefix}:waiting:` or `{prefix}:bulk:`.
    ///
    /// Does not wait for Redis: a process must be able to take leads while Redis is away. Ask [`Queue::ping`] to know.
    ///
    /// # Errors
    /// [`QueueError::Address`] when `url` is not a Redis address.
    pub async fn redis(url: &str, prefix: &str, settings: RedisSettings) -> Result<Self, QueueError> {
        let connection = redis_lane::connect(url, settings)?;
        let home = |lane| {
            LaneHome::Redis(Arc::new(RedisLane::new(
                connection.clone(),
                prefix,
                lane,
                settings,
            )))
        };
        Ok(Self {
            waiting: home(Lane::Waiting),
            bulk: home(Lane::Bulk),
        })
    }

    /// How many nudges wait in each lane, read from Redis's own keys (the statistics of apalis-redis fail).
    ///
    /// # Errors
    /// [`QueueError::Unreachable`] or [`QueueError::Silent`] within two seconds when Redis is away.
    pub async fn depth(&self) -> Result<QueueDepth, QueueError> {
        let both = async { tokio::try_join!(self.waiting.len(), self.bulk.len()) };
        let (waiting, bulk) = within_limit(both).await?;
        Ok(QueueDepth { waiting, bulk })
    }

    /// Whether the queue can be reached, for readiness.
    ///
    /// # Errors
    /// [`QueueError::Unreachable`] or [`QueueError::Silent`] within two seconds when it cannot.
    pub async fn ping(&self) -> Result<(), QueueError> {
        match &self.waiting {
            LaneHome::InProcess(_) => Ok(()),
            LaneHome::Redis(lane) => within_limit(lane.ping()).await,
        }
    }

    /// Pushes one nudge unless its lane already holds `limit`. The limit is not exact between processes; it is there
    /// because ten thousand due jobs break a queue of apalis-redis for good.
    async fn push(&self, subject: Subject, limit: u64) -> Result<Pushed, QueueError> {
        let payload = serde_json::to_value(Nudge::about(subject)).expect("two plain fields always serialize");
        self.home(subject.lane()).push(payload, limit).await
    }

    const fn home(&self, lane: Lane) -> &LaneHome {
        match lane {
            Lane::Waiting => &self.waiting,
            Lane::Bulk => &self.bulk,
        }
    }
}

impl LaneHome {
    async fn push(&self, payload: Value, limit: u64) -> Result<Pushed, QueueError> {
        match self {
            Self::InProcess(lane) => Ok(lane.push(payload, limit)),
            Self::Redis(lane) => lane.push(payload, limit).await,
        }
    }

    async fn len(&self) -> Result<u64, QueueError> {
        match self {
            Self::InProcess(lane) => Ok(lane.len()),
            Self::Redis(lane) => lane.len().await,
        }
    }
}

async fn within_limit<T>(answer: impl Future<Output = Result<T, QueueError>>) -> Result<T, QueueError> {
    tokio::time::timeout(ANSWER_LIMIT, answer)
        .await
        .unwrap_or(Err(QueueError::Silent))
}

/// An error and its sources on one line, for a log field. Some libraries print their source too: it is not repeated.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        source = cause.source();
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
