//! The dry run: what a sequence would do to these leads over the next days, before anybody lets it.
//!
//! It does not guess. The rules and lists and all that the decisions about the chosen leads depend on are copied into
//! an empty database in memory, and there the very operations that do it for real do it on a clock that jumps from due
//! time to due time: enrollments advance, follow-ups become late, messages are claimed, decided by the gate, written and
//! settled as if the mail server had taken them. So a rule that is added later is in the dry run without a line here. The
//! answer is read from the copy, which is then forgotten.
//!
//! What it cannot know: what people will do meanwhile, what a mail server will refuse, and what others will change.

mod copy;
mod life;
mod log;
mod outcome;
mod read;
mod request;
mod samples;
mod world;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use entity::message::GateReason;
use sea_orm::DatabaseConnection;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::clock::FixedClock;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::id;
use crate::outreach::claim::Sendable;
use crate::playbook::Playbook;
use crate::viewer::Viewer;

pub use copy::{COPIED, LEFT_OUT};
pub use outcome::{Count, Entry, FollowUpEntry, Outcome, Reason, Simulation, TeamDay};
pub use request::{Chosen, Content, Enroll, Simulate, Version};
pub use samples::{SAMPLES, Sample, SampleLeads};

/// Longest period, in days.
pub const MAX_DAYS: i64 = 180;
/// Most leads of one dry run.
pub const MAX_LEADS: usize = 5_000;

/// Makes empty databases. The schema belongs to a crate that this one does not know.
#[async_trait]
pub trait BlankDatabase: Send + Sync {
    /// An empty database of this version: SQLite in memory, with one connection, gone when it is dropped.
    ///
    /// # Errors
    /// When there is no memory for it.
    async fn blank(&self) -> Result<DatabaseConnection>;
}

/// Writes mails as the worker does, and throws them away.
pub trait MailWriter: Send + Sync {
    /// The subject line of the mail, or why it cannot be written.
    ///
    /// # Errors
    /// The reason for which the worker would withhold the message.
    fn subject(
        &self,
        h: &Hospital,
        playbook: &Playbook,
        sendable: &Sendable,
        now: DateTime<Utc>,
    ) -> Result<String, GateReason>;
}

/// What one dry run may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Entries of the answer. A dry run that would have more stops there and says so.
    pub entries: usize,
    /// Time by the machine's clock. A dry run that would take longer stops there and says so.
    pub patience: Duration,
    /// Dry runs of one process at a time.
    pub at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 200_000,
            patience: Duration::from_secs(60),
            at_once: 2,
        }
    }
}

/// Makes dry runs. One a process, because it counts how many run at a time. Cheap to clone.
#[derive(Clone)]
pub struct Simulator {
    blank: Arc<dyn BlankDatabase>,
    writer: Arc<dyn MailWriter>,
    seats: Arc<Semaphore>,
    limits: Limits,
}

impl Simulator {
    /// A simulator.
    #[must_use]
    pub fn new(blank: Arc<dyn BlankDatabase>, writer: Arc<dyn MailWriter>, limits: Limits) -> Self {
        Self {
            blank,
            writer,
            seats: Arc::new(Semaphore::new(limits.at_once)),
            limits,
        }
    }

    /// Simulates. Nothing is written to the hospital's database; it is read in one transaction that sees one state.
    ///
    /// It runs on a task of its own, which ends when the answer is no longer waited for.
    ///
    /// # Errors
    /// [`Error::Missing`] when the viewer may not see the sequence; [`Error::Refused`] with everything that is wrong
    /// with the request, with the draft as publishing it would say it, or when too many dry runs are under way.
    pub async fn simulate(&self, h: &Hospital, viewer: &Viewer, request: Simulate) -> Result<Simulation> {
        let Ok(seat) = self.seats.clone().try_acquire_owned() else {
            let message = "Other dry runs are under way. Try again in a minute.";
            return Err(Error::refused(Code::NotAllowedNow, "", message));
        };
        let (this, h, viewer) = (self.clone(), h.clone(), viewer.clone());
        // Dropping the set ends the task.
        let mut tasks = JoinSet::new();
        let world = id::apart(async move {
            let _seat = seat;
            this.run(&h, &viewer, request).await
        });
        // What the operations log then says of itself that it did not happen.
        tasks.spawn(world.instrument(tracing::info_span!("dry_run")));
        let ended = tasks.join_next().await;
        let ended = ended.ok_or_else(|| Error::fault("a dry run ended without an answer"))?;
        ended.map_err(|panic| Error::Fault(Box::new(panic))).flatten()
    }

    async fn run(&self, h: &Hospital, viewer: &Viewer, request: Simulate) -> Result<Simulation> {
        let started = Instant::now();
        let now = h.now();
        let request = request.checked(now)?;
        let copied = copy::copy(h, viewer, &request, &*self.blank).await?;
        let clock = FixedClock::at(now);
        let copy = Hospital {
            db: copied.db.clone(),
            clock: Arc::new(clock.clone()),
            secrets: h.secrets.clone(),
            site: h.site.clone(),
            playbooks: world::playbooks(),
        };
        let life = life::Life {
            h: &copy,
            clock: &clock,
            writer: &*self.writer,
            limits: self.limits,
            started,
        };
        world::unfold(&life, request, copied).await
    }
}
