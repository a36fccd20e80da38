//! A batch of mail on its way: claim → gate → write → hand off → send → settle.
//!
//! The gate is asked inside the claim; what comes out of it may go. A batch goes out in chunks, two at a time, so that
//! one is on the wire while the other is written down. A message is marked as handed off just before its bytes go out
//! and settled soon after; what a dying worker leaves in between is what nobody can know, and it is at most
//! [`LaneDelivery::concurrency`](crate::settings::LaneDelivery::concurrency) messages a batch.

mod ways;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use domain::done::Done;
use domain::error::{Chain, Error};
use domain::hospital::Hospital;
use domain::outreach::claim::{Sendable, claim};
use domain::outreach::hand_off::{give_back, hand_off, renew};
use domain::outreach::reputation::ReputationRules;
use domain::outreach::settle::{Outcome, Settled, Settlement, settle, unwritable};
use domain::outreach::throttle::{self, Limits};
use domain::playbook::Playbook;
use domain::signal::Signals;
use entity::message::Lane;
use futures_util::stream::{self, FuturesUnordered, StreamExt};
use tokio::sync::OnceCell;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::mail::{LetterheadError, Mail, Postage, Writer};
use crate::metrics;
use crate::route::{Route, RouteSetup};
use crate::settings::WorkerSettings;
use crate::smtp::SmtpPool;

/// Chunks of a batch that are worked on at once.
const CHUNKS_AT_ONCE: usize = 2;
/// How often a chunk with a slow message settles those that are through, and prolongs the lease of the others.
const SETTLE_EVERY: Duration = Duration::from_secs(2);
/// First and longest wait before what became of a chunk is written again after a fault.
const WRITE_WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Where mail goes.
#[derive(Clone, Debug)]
pub enum Transport {
    /// To one mail server.
    Smtp(SmtpPool),
    /// To several mail servers.
    Routes(Vec<RouteSetup>),
    /// Nowhere: it is kept and can be read in the outbox.
    Capture,
}

/// How mail leaves: where to, and how it is stamped.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// Where it goes.
    pub transport: Transport,
    /// Its return path and its signature.
    pub postage: Postage,
    /// How much may go.
    pub limits: Limits,
    /// When a route stops to keep its good name.
    pub reputation: ReputationRules,
}

impl From<Transport> for Outbound {
    fn from(transport: Transport) -> Self {
        Self {
            transport,
            postage: Postage::default(),
            limits: Limits::default(),
            reputation: ReputationRules::default(),
        }
    }
}

/// Delivers batches. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Delivery(Arc<Inner>);

struct Inner {
    hospital: Hospital,
    /// None when mail is kept instead of sent.
    routes: Option<Vec<Arc<Route>>>,
    /// Whether the routes are written down.
    announced: OnceCell<()>,
    limits: Limits,
    reputation: ReputationRules,
    writer: Writer,
    settings: WorkerSettings,
    signals: Signals,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Messages looked at.
    pub(crate) looked_at: usize,
    /// Messages that went out.
    pub(crate) accepted: usize,
    /// Whether more may be due.
    pub(crate) full: bool,
}

/// A route by which mail goes; none when it is kept.
pub(crate) type Way = Option<Arc<Route>>;

/// A message that is written and may be handed off.
type Written = (Sendable, Mail);

impl Delivery {
    pub(crate) fn new(
        hospital: Hospital,
        outbound: Outbound,
        settings: WorkerSettings,
        signals: Signals,
    ) -> Result<Self, LetterheadError> {
        let setups = match outbound.transport {
            Transport::Capture => None,
            Transport::Smtp(pool) => Some(vec![RouteSetup::main(pool)]),
            Transport::Routes(setups) => Some(setups),
        };
        let routes = setups.map(|setups| {
            setups
                .into_iter()
                .map(|setup| Arc::new(Route::new(setup)))
                .collect()
        });
        Ok(Self(Arc::new(Inner {
            writer: Writer::new(&hospital, outbound.postage)?,
            hospital,
            routes,
            announced: OnceCell::new(),
            limits: outbound.limits,
            reputation: outbound.reputation,
            settings,
            signals,
        })))
    }

    /// Delivers one batch of what is due in a lane by one way.
    pub(crate) async fn batch(&self, lane: Lane, way: Way, stop: &CancellationToken) -> Result<Batch, Error> {
        if stop.is_cancelled() {
            return Ok(Batch::default());
        }
        let this = &*self.0;
        let at_once = this.settings.lane(lane);
        let concurrency = way
            .as_ref()
            .map_or(at_once.concurrency, |way| way.concurrency(at_once.concurrency));
        let Some(permit) = this.permit(lane, way.as_ref(), concurrency).await? else {
            return Ok(Batch::default());
        };
        let playbook = this.hospital.playbook().await?;
        let began = Instant::now();
        let claimed = claim(&this.hospital, lane, permit.most, this.settings.lease_secs).await?;
        metrics::claimed(lane, &claimed);
        this.return_unused(
            way.as_ref(),
            permit.most - claimed.sendables.len().min(permit.most),
        )
        .await?;
        let mut batch = Batch {
            looked_at: claimed.looked_at,
            accepted: 0,
            full: claimed.full,
        };
        let sendables = self.admit(lane, way.as_ref(), permit, claimed.sendables).await?;
        let chunk_size = concurrency.div_ceil(CHUNKS_AT_ONCE).max(1);
        // Each chunk is a task of its own: written and sent on every core, and finished even if this future is dropped.
        let mut chunks = stream::iter(in_chunks(sendables, chunk_size))
            .map(|chunk| {
                let chunk = self
                    .clone()
                    .chunk(lane, way.clone(), chunk, playbook.clone(), stop.clone());
                tokio::spawn(chunk)
            })
            .buffer_unordered(CHUNKS_AT_ONCE);
        let mut first_fault = None;
        while let Some(ended) = chunks.next().await {
            match ended.map_err(|panic| Error::Fault(Box::new(panic))).flatten() {
                Ok(settled) => batch.accepted += settled.accepted,
                Err(error) => first_fault = first_fault.or(Some(error)),
            }
        }
        if let Some(way) = &way
            && claimed.looked_at == permit.most
        {
            way.learn(lane, permit.most, began.elapsed());
        }
        first_fault.map_or(Ok(batch), Err)
    }

    /// Write → hand off → send → settle, for as many messages as go out at once.
    async fn chunk(
        self,
        lane: Lane,
        way: Way,
        chunk: Vec<Sendable>,
        playbook: Arc<Playbook>,
        stop: CancellationToken,
    ) -> Result<Settled, Error> {
        let this = &*self.0;
        if stop.is_cancelled() || way.as_ref().is_some_and(|way| way.is_down()) {
            give_back(&this.hospital, &chunk.iter().collect::<Vec<_>>()).await?;
            throttle::not_sent(&this.hospital, &this.limits, lane, chunk.len()).await?;
            return Ok(Settled::default());
        }
        let claimed = chunk.len();
        let mut written = this.write(lane, chunk, &playbook).await?;
        let lease_secs = this.settings.send_lease_secs;
        let sendables: Vec<&Sendable> = written.iter().map(|(sendable, _)| sendable).collect();
        match hand_off(&this.hospital, &sendables, lease_secs).await {
            Ok(allowed) => written.retain(|(sendable, _)| allowed.contains(&sendable.id())),
            Err(error) => {
                // The mark may be written or not. Nothing went out, so it is taken back while that is still known.
                this.patiently("given back", || give_back(&this.hospital, &sendables))
                    .await;
                return Err(error);
            }
        }
        let settled = this.send(lane, way.as_deref(), &written).await;
        let unsent = claimed - written.len() + settled.planned;
        throttle::not_sent(&this.hospital, &this.limits, lane, unsent).await?;
        Ok(settled)
    }
}

impl Inner {
    /// Writes the mails of a chunk. Those that cannot be written are withheld for good.
    async fn write(
        &self,
        lane: Lane,
        chunk: Vec<Sendable>,
        playbook: &Playbook,
    ) -> Result<Vec<Written>, Error> {
        let now = self.hospital.now();
        let mut written = Vec::with_capacity(chunk.len());
        let mut failed = Vec::new();
        for sendable in chunk {
            match self.writer.write(&self.hospital, playbook, &sendable, now) {
                Ok(mail) => written.push((sendable, mail)),
                Err(why) => failed.push((sendable, why)),
            }
        }
        if !failed.is_empty() {
            for (sendable, why) in &failed {
                let message = sendable.id().to_string();
                tracing::error!(
                    message,
                    why = why.to_string(),
                    "A mail cannot be written and is withheld."
                );
            }
            let withheld: Vec<_> = failed
                .iter()
                .map(|(sendable, why)| (sendable, why.reason()))
                .collect();
            unwritable(&self.hospital, &withheld).await?;
            metrics::unwritable(lane, withheld.len());
        }
        Ok(written)
    }

    /// Sends mails that were handed off and settles each, the slow ones without holding up the others.
    async fn send(&self, lane: Lane, way: Option<&Route>, written: &[Written]) -> Settled {
        let mut sum = Settled::default();
        let mut on_the_wire: FuturesUnordered<_> = written
            .iter()
            .enumerate()
            .map(|(at, (_, mail))| async move { (at, self.carry(way, mail).await) })
            .collect();
        let mut through = Vec::with_capacity(written.len());
        let mut waiting: Vec<bool> = vec![true; written.len()];
        let mut tick = tokio::time::interval_at(Instant::now() + SETTLE_EVERY, SETTLE_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                sent = on_the_wire.next() => match sent {
                    Some((at, (outcome, took))) => {
                        waiting[at] = false;
                        through.push(settlement(&written[at], outcome, took));
                    }
                    None => break,
                },
                _ = tick.tick() => {
                    let slow = written.iter().zip(&waiting).filter(|(_, waits)| **waits);
                    let slow: Vec<&Sendable> = slow.map(|((sendable, _), _)| sendable).collect();
                    if let Err(error) = renew(&self.hospital, &slow, self.settings.send_lease_secs).await {
                        let error = Chain(&error).to_string();
                        tracing::warn!(error, "The lease of mail that is going out could not be prolonged.");
                    }
                    add(&mut sum, self.settle(lane, std::mem::take(&mut through)).await);
                }
            }
        }
        add(&mut sum, self.settle(lane, through).await);
        sum
    }

    /// Carries one mail by its way, or keeps it. Also answers how long the mail server took.
    async fn carry(&self, way: Option<&Route>, mail: &Mail) -> (Outcome, Option<Duration>) {
        let Some(way) = way else {
            return (wire::keep(mail), None);
        };
        let id = way.begins();
        let sent = way.setup.pool.send(&mail.envelope, &mail.raw).await;
        let took = way.answered(id);
        metrics::sent(took);
        self.saw(way, &sent).await;
        (wire::outcome(sent), Some(took))
    }

    /// Writes down what became of messages and tells of it.
    async fn settle(&self, lane: Lane, settlements: Vec<Settlement<'_>>) -> Settled {
        if settlements.is_empty() {
            return Settled::default();
        }
        let settled = self
            .patiently("settled", || settle(&self.hospital, &settlements))
            .await;
        let Some(Done { value, signals, .. }) = settled else {
            return Settled::default();
        };
        self.signals.tell(&signals);
        metrics::settled(lane, value);
        if value.lost > 0 {
            tracing::warn!(
                lost = value.lost,
                "Mail was settled too late: its lease had been taken over."
            );
        }
        value
    }

    /// Tries until the database takes it, or until the lease is over and the messages are unknown, which is then true.
    async fn patiently<T, F>(&self, what: &'static str, write: impl Fn() -> F) -> Option<T>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let give_up_at = Instant::now() + Duration::from_secs(self.settings.send_lease_secs.into());
        let (mut wait, longest) = WRITE_WAITS;
        let mut told = false;
        loop {
            let error = match write().await {
                Ok(value) => return Some(value),
                Err(error) => Chain(&error).to_string(),
            };
            if Instant::now() + wait >= give_up_at {
                tracing::error!(
                    error,
                    "Mail could not be {what}; it is unknown when its lease ends."
                );
                return None;
            }
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(
                    error,
                    "Mail could not be {what}; trying again while the lease lasts."
                );
            }
            tokio::time::sleep(wait).await;
            wait = longest.min(wait * 2);
        }
    }
}

fn settlement(written: &Written, outcome: Outcome, took: Option<Duration>) -> Settlement<'_> {
    Settlement {
        sendable: &written.0,
        subject: &written.1.subject,
        outcome,
        took,
    }
}

fn in_chunks(sendables: Vec<Sendable>, size: usize) -> Vec<Vec<Sendable>> {
    let mut chunks = Vec::with_capacity(sendables.len().div_ceil(size));
    let mut rest = sendables.into_iter();
    loop {
        let chunk: Vec<Sendable> = rest.by_ref().take(size).collect();
        if chunk.is_empty() {
            return chunks;
        }
        chunks.push(chunk);
    }
}

fn add(sum: &mut Settled, more: Settled) {
    sum.accepted += more.accepted;
    sum.refused += more.refused;
    sum.deferred += more.deferred;
    sum.unknown += more.unknown;
    sum.planned += more.planned;
    sum.lost += more.lost;
}
