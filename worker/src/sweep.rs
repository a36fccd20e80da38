//! Finds what is due and nudges, whether or not anybody else did.
//!
//! Nudges may be lost; rows are not. Every process with a worker sweeps: it asks a few questions that an index answers,
//! and takes up what dead workers left behind. The work itself is done by who takes the nudge, so any number of sweeps
//! do no harm.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use domain::consent::seal::{self, SEAL_MAX};
use domain::db::BATCH_MAX;
use domain::due;
use domain::error::{Chain, Error};
use domain::hospital::Hospital;
use domain::inbound::retain::keep_to_limits;
use domain::lead::form_draft::share;
use domain::nudge::Nudger;
use domain::outreach::click;
use domain::outreach::mailing::count::{self, FOLD_MAX};
use domain::outreach::recover::expired_leases;
use domain::outreach::tally;
use domain::privacy::retention;
use domain::sequence::watchdog::{self, StuckReason};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::deliver::Delivery;
use crate::metrics;

/// The longest wait between two sweeps while the database is away.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How often a process looks for data that is past its retention, which is counted in days.
const RETENTION_EVERY: Duration = Duration::from_hours(1);

/// Batches of expired leases that one sweep takes up.
const RECOVER_ROUNDS_MAX: usize = 20;

/// How often the watchdog looks for enrollments that do not move, and stopped routes are looked at.
const WATCH_EVERY: Duration = Duration::from_secs(60);

/// Enrollments that do not move of which one look of the watchdog tells in the log.
const TOLD_MAX: usize = 20;

/// Batches of the consent ledger that one sweep seals. More wait for the next, so that mail is not kept waiting.
const SEAL_ROUNDS_MAX: usize = 10;

/// Batches of changed mails that one sweep adds to the counts of mailings.
const COUNT_ROUNDS_MAX: usize = 10;

/// Batches of visits of links that one sweep judges.
const JUDGE_ROUNDS_MAX: usize = 10;

/// The sweep of one process.
pub(crate) struct Sweep {
    hospital: Hospital,
    nudger: Arc<dyn Nudger>,
    delivery: Delivery,
    every: Duration,
    /// Whether the last sweep could not seal.
    seal_fails: AtomicBool,
}

impl Sweep {
    pub(crate) fn new(
        hospital: Hospital,
        nudger: Arc<dyn Nudger>,
        delivery: Delivery,
        sweep_secs: u32,
    ) -> Self {
        Self {
            hospital,
            nudger,
            delivery,
            every: Duration::from_secs(sweep_secs.max(1).into()),
            seal_fails: AtomicBool::new(false),
        }
    }

    /// Sweeps until `stop` is cancelled. A database that is away makes it slower, never ends it, and is told of once.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut away = false;
        let mut watched = None;
        let mut retained: Option<Instant> = None;
        // Processes that start together do not sweep together.
        let mut wait = self.every.mul_f64(chance());
        while stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_some() {
            let mut swept = self.once(&mut watched).await;
            if swept.is_ok() && retained.is_none_or(|at| at.elapsed() >= RETENTION_EVERY) {
                retained = Some(Instant::now());
                swept = self.retain(&stop).await;
            }
            match swept {
                Ok(()) => {
                    if away {
                        tracing::info!("The sweep reaches the database again.");
                    }
                    (away, wait) = (false, self.every);
                }
                Err(error) => {
                    if !away {
                        let error = Chain(&error).to_string();
                        tracing::error!(
                            error,
                            "The sweep failed; it goes on at a slower pace until it works again."
                        );
                    }
                    (away, wait) = (true, LONGEST_WAIT.min(wait.max(self.every) * 2));
                }
            }
        }
    }

    /// Takes out what is past its time: personal data, and counts.
    async fn retain(&self, stop: &CancellationToken) -> Result<(), Error> {
        let mut more = true;
        while more && !stop.is_cancelled() {
            more = keep_to_limits(&self.hospital).await?;
            more |= tally::forget_old(&self.hospital).await?;
            more |= share::forget_old(&self.hospital).await?;
            for swept in retention::sweep(&self.hospital).await? {
                more |= swept.rows == retention::BATCH;
                if swept.rows > 0 {
                    let kind = swept.kind.as_str();
                    tracing::info!(kind, rows = swept.rows, "Data past its retention was taken out.");
                }
            }
        }
        Ok(())
    }

    /// One sweep; `watched` is when the watchdog last looked.
    async fn once(&self, watched: &mut Option<Instant>) -> Result<(), Error> {
        recover(&self.hospital, &*self.nudger).await?;
        if watched.is_none_or(|at| at.elapsed() >= WATCH_EVERY) {
            watch(&self.hospital).await?;
            for subject in self.delivery.review_routes().await?.nudges {
                self.nudger.nudge(subject);
            }
            *watched = Some(Instant::now());
        }
        let now = self.hospital.now();
        for (subject, oldest) in due::oldest(&self.hospital.db).await? {
            let waited = oldest.map_or(TimeDelta::zero(), |oldest| now - oldest);
            metrics::queue_age(subject, waited.max(TimeDelta::zero()).as_seconds_f64());
            if oldest.is_some_and(|oldest| oldest <= now) {
                self.nudger.nudge(subject);
            }
        }
        self.seal().await;
        count_mailings(&self.hospital).await?;
        judge_clicks(&self.hospital).await?;
        Ok(())
    }
}

impl Sweep {
    /// Seals the consent ledger. A row that cannot be sealed stops the chain, not the mail; it is told of once.
    async fn seal(&self) {
        match seal(&self.hospital).await {
            Ok(_) => self.seal_fails.store(false, Ordering::Relaxed),
            Err(error) => {
                if !self.seal_fails.swap(true, Ordering::Relaxed) {
                    let error = Chain(&error).to_string();
                    tracing::error!(
                        error,
                        "The consent ledger could not be sealed; the next sweep tries again."
                    );
                }
            }
        }
    }
}

/// Seals what was written into the consent ledger since the last sweep. Answers how many events there were.
pub(crate) async fn seal(h: &Hospital) -> Result<usize, Error> {
    let mut total = 0;
    for _ in 0..SEAL_ROUNDS_MAX {
        let sealed = seal::seal(h).await?;
        total += sealed;
        metrics::sealed(sealed);
        if sealed < SEAL_MAX {
            break;
        }
    }
    metrics::unsealed(seal::unsealed(&h.db).await?);
    Ok(total)
}

/// Adds what became of mailings' mails since the last sweep to their counts.
pub(crate) async fn count_mailings(h: &Hospital) -> Result<(), Error> {
    for _ in 0..COUNT_ROUNDS_MAX {
        if count::fold(h).await? < FOLD_MAX {
            break;
        }
    }
    Ok(())
}

/// Judges who visited the links of mails.
pub(crate) async fn judge_clicks(h: &Hospital) -> Result<(), Error> {
    for _ in 0..JUDGE_ROUNDS_MAX {
        if click::judge_due(h).await? < click::JUDGE_MAX {
            break;
        }
    }
    Ok(())
}

/// Takes up what dead workers left behind. Answers how many messages there were.
pub(crate) async fn recover(h: &Hospital, nudger: &dyn Nudger) -> Result<usize, Error> {
    let mut total = 0;
    for _ in 0..RECOVER_ROUNDS_MAX {
        let done = expired_leases(h, BATCH_MAX).await?;
        let recovered = done.value;
        if recovered.total() == 0 {
            break;
        }
        total += recovered.total();
        metrics::recovered(recovered);
        tracing::warn!(
            planned = recovered.planned,
            sent_again = recovered.sent_again,
            unknown = recovered.unknown,
            "Messages of a lost worker were taken up."
        );
        for subject in done.nudges {
            nudger.nudge(subject);
        }
        if recovered.total() < BATCH_MAX {
            break;
        }
    }
    Ok(total)
}

/// Says which enrollments do not move, and why. Ids only: what they are about is nobody's business in a log.
async fn watch(h: &Hospital) -> Result<(), Error> {
    let stuck = watchdog::look(h).await?;
    for reason in StuckReason::ALL {
        let of_reason = stuck.iter().filter(|one| one.reason == reason);
        metrics::stuck(reason, of_reason.count());
    }
    for one in stuck.iter().take(TOLD_MAX) {
        tracing::warn!(
            enrollment = %one.id, step = one.step_key, reason = one.reason.name(), due_at = %one.due_at,
            "An enrollment is due and does not move."
        );
    }
    if stuck.len() > TOLD_MAX {
        let more = stuck.len() - TOLD_MAX;
        tracing::warn!(more, "Further enrollments are due and do not move.");
    }
    Ok(())
}

/// A number from 0 to 1 that differs between processes.
fn chance() -> f64 {
    let seed = RandomState::new().build_hasher().finish();
    f64::from((seed >> 32) as u32) / f64::from(u32::MAX)
}
