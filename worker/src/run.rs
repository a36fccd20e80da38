//! The worker process: looks at what is due, when it is nudged and when the sweep finds something.

mod drain;
mod mailroom;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::db::BATCH_MAX;
use domain::done::Done;
use domain::error::Error;
use domain::hospital::Hospital;
use domain::nudge::{Nudger, Subject};
use domain::outreach::plan::nudge_for;
use domain::outreach::release::pull_forward;
use domain::round;
use domain::signal::Signals;
use entity::message::Lane;
use futures_util::future::join_all;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::deliver::{Delivery, Outbound, Way};
use crate::mail::LetterheadError;
use crate::metrics;
use crate::queue::{BoxError, NudgeHandler, Queue, WorkerGone, run_workers};
use crate::settings::WorkerSettings;
use crate::sweep::Sweep;

pub use drain::Drained;
use mailroom::Mailroom;

/// How long one look at the mail waits for what goes by several ways.
const SHORT_LOOK: Duration = Duration::from_secs(1);

/// Batches of rows that one look takes at the most, before it makes room for others and asks to be called again.
const ROUNDS_MAX: usize = 50;

/// Mails and notices that are applied in one go: each is begun for a minute, and holds up to a mebibyte.
const INBOUND_BATCH: usize = 20;

/// Looks at what is due, whatever it is. Cheap to clone.
#[derive(Clone)]
pub struct Worker(Arc<Inner>);

struct Inner {
    hospital: Hospital,
    delivery: Delivery,
    settings: WorkerSettings,
    signals: Signals,
    nudger: Arc<dyn Nudger>,
    mailroom: Mailroom,
}

/// What one look did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Looked {
    /// Rows looked at.
    pub(crate) rows: usize,
    /// Whether there may be more.
    pub(crate) more: bool,
}

impl Worker {
    /// A worker of one installation. Nothing runs yet.
    ///
    /// # Errors
    /// When the sender or the public address of the site cannot stand in a mail.
    pub fn new(
        hospital: Hospital,
        outbound: impl Into<Outbound>,
        settings: WorkerSettings,
        signals: Signals,
        nudger: Arc<dyn Nudger>,
    ) -> Result<Self, LetterheadError> {
        let delivery = Delivery::new(hospital.clone(), outbound.into(), settings, signals.clone())?;
        let mailroom = Mailroom::new(&settings);
        Ok(Self(Arc::new(Inner {
            hospital,
            delivery,
            settings,
            signals,
            nudger,
            mailroom,
        })))
    }

    /// Works until `stop` is cancelled: takes nudges from `queue` and sweeps. Then it claims nothing more and settles
    /// what is going out, within [`WorkerSettings::shutdown_secs`].
    ///
    /// # Errors
    /// [`WorkerGone`] when the workers of the queue ended by themselves. Treat it as fatal.
    pub async fn run(&self, queue: Queue, stop: CancellationToken) -> Result<(), WorkerGone> {
        let sweep = Sweep::new(
            self.0.hospital.clone(),
            self.0.nudger.clone(),
            self.0.delivery.clone(),
            self.0.settings.sweep_secs,
        );
        let ends_with_us = stop.child_token();
        let sweeping = tokio::spawn(sweep.run(ends_with_us.clone()));
        let ended = run_workers(
            queue,
            self.0.settings.jobs,
            Arc::new(self.clone()),
            ends_with_us.clone(),
        )
        .await;
        // Also when the workers ended by themselves: whatever this worker has claimed is finished first.
        ends_with_us.cancel();
        self.0.mailroom.finish(self.0.settings.shutdown()).await;
        if let Err(panic) = sweeping.await {
            tracing::error!(error = panic.to_string(), "The sweep ended badly.");
        }
        ended
    }

    /// Looks at one subject once, as a nudge asks for.
    pub(crate) async fn look(&self, subject: Subject, stop: &CancellationToken) -> Result<Looked, Error> {
        let started = Instant::now();
        let looked = match subject {
            Subject::WaitingMail => self.mail(Lane::Waiting, stop).await,
            Subject::BulkMail => self.mail(Lane::Bulk, stop).await,
            Subject::Enrollments => self.enrollments(stop).await,
            Subject::FollowUps => self.follow_ups(stop).await,
            Subject::InboundMail => self.inbound_mail(stop).await,
            Subject::Mailings => self.mailings(stop).await,
            Subject::Capacity => self.capacity(stop).await,
        };
        metrics::looked(subject, started.elapsed());
        looked
    }

    /// Delivers what is due in a lane, by every way at once, so that none waits for a slower one.
    async fn mail(&self, lane: Lane, stop: &CancellationToken) -> Result<Looked, Error> {
        let ways = self.0.delivery.ways(lane).await?;
        // With several ways the look ends soon: the ones that are quick need not wait for the others to be asked again.
        let patience = if ways.len() > 1 {
            SHORT_LOOK
        } else {
            self.0.settings.look()
        };
        let mut rounds = Vec::with_capacity(ways.len());
        for way in ways {
            let name = way.as_ref().map_or("", |way| way.name());
            // Those who have the seats look again before they leave.
            let Some(seat) = self.0.mailroom.take_seat(lane, name) else {
                continue;
            };
            let (worker, stop) = (self.clone(), stop.clone());
            let round = async move { worker.mail_rounds(seat, way, &stop).await };
            rounds.push(self.0.mailroom.run_on(round, patience));
        }
        let mut sum = Looked::default();
        for looked in join_all(rounds).await {
            let looked = looked?;
            sum.rows += looked.rows;
            sum.more |= looked.more;
        }
        Ok(sum)
    }

    async fn mail_rounds(
        &self,
        seat: mailroom::Seat,
        way: Way,
        stop: &CancellationToken,
    ) -> Result<Looked, Error> {
        let lane = seat.lane();
        if lane == Lane::Bulk {
            self.release_held(stop).await?;
        }
        let until = Instant::now() + self.0.settings.look();
        let mut looked = Looked::default();
        loop {
            let batch = self.0.delivery.batch(lane, way.clone(), stop).await?;
            looked.rows += batch.looked_at;
            looked.more = batch.full;
            if stop.is_cancelled() || Instant::now() >= until {
                break;
            }
            if batch.full {
                // There is work for another seat, here or in another process.
                self.0.nudger.nudge(nudge_for(lane));
            } else if !seat.asked_again() {
                break;
            }
        }
        if looked.more && !stop.is_cancelled() {
            self.0.nudger.nudge(nudge_for(lane));
        }
        Ok(looked)
    }

    /// Makes due what holds that ended have kept back.
    async fn release_held(&self, stop: &CancellationToken) -> Result<(), Error> {
        for _ in 0..ROUNDS_MAX {
            if stop.is_cancelled() || !pull_forward(&self.0.hospital, BATCH_MAX).await? {
                return Ok(());
            }
            // Reminders are held by pauses too.
            self.0.nudger.nudge(nudge_for(Lane::Waiting));
        }
        self.0.nudger.nudge(nudge_for(Lane::Bulk));
        Ok(())
    }

    /// Begins enrollments whose day has come, goes on with moves to other versions, and moves enrollments on.
    async fn enrollments(&self, stop: &CancellationToken) -> Result<Looked, Error> {
        let (h, rows) = (&self.0.hospital, self.0.settings.rows);
        let mut looked = Looked::default();
        for _ in 0..ROUNDS_MAX {
            let round = self.tell(round::enrollments(h, rows).await?);
            looked.rows += round.rows;
            looked.more = round.more;
            if !looked.more || stop.is_cancelled() {
                break;
            }
        }
        if looked.more && !stop.is_cancelled() {
            self.0.nudger.nudge(Subject::Enrollments);
        }
        Ok(looked)
    }

    /// Reminds of follow-ups, and finds what is late.
    async fn follow_ups(&self, stop: &CancellationToken) -> Result<Looked, Error> {
        let h = &self.0.hospital;
        let mut looked = Looked::default();
        for _ in 0..ROUNDS_MAX {
            let round = self.tell(round::follow_ups(h).await?);
            looked.rows += round.rows;
            looked.more = round.more;
            if !looked.more || stop.is_cancelled() {
                break;
            }
        }
        if looked.more && !stop.is_cancelled() {
            self.0.nudger.nudge(Subject::FollowUps);
        }
        Ok(looked)
    }

    /// Applies what came back about mails.
    async fn inbound_mail(&self, stop: &CancellationToken) -> Result<Looked, Error> {
        let h = &self.0.hospital;
        let mut looked = Looked::default();
        for _ in 0..ROUNDS_MAX {
            let round = self.tell(round::inbound_mail(h, INBOUND_BATCH).await?);
            looked.rows += round.rows;
            looked.more = round.more;
            if !looked.more || stop.is_cancelled() {
                break;
            }
        }
        if looked.more && !stop.is_cancelled() {
            self.0.nudger.nudge(Subject::InboundMail);
        }
        Ok(looked)
    }

    /// Goes on with mailings, a short step at a time.
    async fn mailings(&self, stop: &CancellationToken) -> Result<Looked, Error> {
        let h = &self.0.hospital;
        let mut looked = Looked::default();
        for _ in 0..ROUNDS_MAX {
            let round = self.tell(round::mailings(h).await?);
            looked.rows += round.rows;
            looked.more = round.more;
            if !looked.more || stop.is_cancelled() {
                break;
            }
        }
        if looked.more && !stop.is_cancelled() {
            self.0.nudger.nudge(Subject::Mailings);
        }
        Ok(looked)
    }

    /// Reckons paces anew and lays out lines, a batch at a time.
    async fn capacity(&self, stop: &CancellationToken) -> Result<Looked, Error> {
        let h = &self.0.hospital;
        let mut looked = Looked::default();
        for _ in 0..ROUNDS_MAX {
            let round = self.tell(round::capacity(h).await?);
            looked.rows += round.rows;
            looked.more = round.more;
            if !looked.more || stop.is_cancelled() {
                break;
            }
        }
        if looked.more && !stop.is_cancelled() {
            self.0.nudger.nudge(Subject::Capacity);
        }
        Ok(looked)
    }

    /// Passes on what there is to tell after a commit.
    pub(crate) fn tell<T>(&self, done: Done<T>) -> T {
        self.0.signals.tell(&done.signals);
        for subject in done.nudges {
            self.0.nudger.nudge(subject);
        }
        done.value
    }
}

#[async_trait]
impl NudgeHandler for Worker {
    async fn look_at(&self, subject: Subject, stop: &CancellationToken) -> Result<(), BoxError> {
        self.look(subject, stop).await?;
        Ok(())
    }
}
