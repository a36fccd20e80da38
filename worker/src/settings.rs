//! How much a worker process does at once, and how long it waits for what.

use std::time::Duration;

use entity::message::Lane;

use crate::queue::LaneSettings;

/// How a lane's mail is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneDelivery {
    /// Messages claimed at once, at most 500.
    pub batch: usize,
    /// Messages of one batch on the wire at once. Also the most that one lost batch can leave unknown.
    pub concurrency: usize,
    /// Batches at once: while one waits for the database, another keeps the wire busy.
    pub batches: usize,
}

/// Settings of a worker process. The command line makes them from flags and environment variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerSettings {
    /// Mail that somebody waits for. Small batches, so that several processes share a burst; 50, 8 and 4.
    pub waiting: LaneDelivery,
    /// Mail that nobody waits for. 500, 64 and 2.
    pub bulk: LaneDelivery,
    /// How long a claimed message is this worker's before it goes out, in seconds. Longer than a batch takes; what is
    /// left of a slower batch is claimed again. 120.
    pub lease_secs: u32,
    /// How long a message that is going out is this worker's, in seconds. Prolonged while the mail server takes its
    /// time, so it only says how soon a dead worker is noticed. 60.
    pub send_lease_secs: u32,
    /// How often the sweep looks for what is due, in seconds. 1.
    pub sweep_secs: u32,
    /// How long one look at the mail goes on before it makes room for others, in seconds. Shorter than
    /// [`LaneSettings::job_timeout`]. 30.
    pub look_secs: u32,
    /// After a stop, how long mail that is going out has to be settled, in seconds. 30.
    pub shutdown_secs: u32,
    /// Enrollments and other rows taken at once, at most 500. 200.
    pub rows: usize,
    /// The workers of the queue.
    pub jobs: LaneSettings,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            waiting: LaneDelivery {
                batch: 50,
                concurrency: 8,
                batches: 4,
            },
            bulk: LaneDelivery {
                batch: 500,
                concurrency: 64,
                batches: 2,
            },
            lease_secs: 120,
            send_lease_secs: 60,
            sweep_secs: 1,
            look_secs: 30,
            shutdown_secs: 30,
            rows: 200,
            jobs: LaneSettings::default(),
        }
    }
}

impl WorkerSettings {
    /// How mail of this lane is delivered.
    #[must_use]
    pub const fn lane(&self, lane: Lane) -> LaneDelivery {
        match lane {
            Lane::Waiting => self.waiting,
            Lane::Bulk => self.bulk,
        }
    }

    /// How long one look at the mail goes on.
    #[must_use]
    pub fn look(&self) -> Duration {
        Duration::from_secs(self.look_secs.max(1).into())
    }

    /// How long a stop may take.
    #[must_use]
    pub fn shutdown(&self) -> Duration {
        Duration::from_secs(self.shutdown_secs.into())
    }
}
