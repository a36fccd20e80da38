//! A queue with its pusher, its workers and a handler that tells when it is called.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::nudge::Subject;
use futures_util::future::BoxFuture;
use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, LocalRecorderGuard, Metadata, Recorder, SharedString, Unit,
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::super::{
    BoxError, LaneSettings, NudgeHandler, Pusher, PusherSettings, Queue, WorkerGone, run_workers,
};

/// The bound of every wait: only a broken queue reaches it.
pub(super) async fn patiently<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), wait)
        .await
        .expect("waited half a minute for nothing")
}

pub(super) fn settings() -> LaneSettings {
    LaneSettings {
        job_timeout: Duration::from_secs(30),
        ..LaneSettings::default()
    }
}

type Act = dyn Fn(Subject, CancellationToken) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync;

struct Teller {
    tell: UnboundedSender<Subject>,
    act: Box<Act>,
}

#[async_trait]
impl NudgeHandler for Teller {
    async fn look_at(&self, subject: Subject, stop: &CancellationToken) -> Result<(), BoxError> {
        let _ = self.tell.send(subject);
        (self.act)(subject, stop.clone()).await
    }
}

pub(super) struct Stand {
    pub(super) queue: Queue,
    pub(super) pusher: Pusher,
    pub(super) stop: CancellationToken,
    pub(super) workers: JoinHandle<Result<(), WorkerGone>>,
    pushing: JoinHandle<()>,
    started: UnboundedReceiver<Subject>,
}

/// A handler that tells of each call and then acts.
pub(super) fn teller<F, R>(act: F) -> (Arc<dyn NudgeHandler>, UnboundedReceiver<Subject>)
where
    F: Fn(Subject, CancellationToken) -> R + Send + Sync + 'static,
    R: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    let (tell, started) = unbounded_channel();
    (
        Arc::new(Teller {
            tell,
            act: Box::new(move |subject, stop| Box::pin(act(subject, stop))),
        }),
        started,
    )
}

impl Stand {
    pub(super) fn new<F, R>(queue: Queue, settings: LaneSettings, act: F) -> Self
    where
        F: Fn(Subject, CancellationToken) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let (handler, started) = teller(act);
        let stop = CancellationToken::new();
        let (pusher, pushing) = Pusher::start(queue.clone(), PusherSettings::default(), stop.clone());
        let workers = tokio::spawn(run_workers(queue.clone(), settings, handler, stop.clone()));
        Self {
            queue,
            pusher,
            stop,
            workers,
            pushing,
            started,
        }
    }

    /// The subject of the next call of the handler.
    pub(super) async fn started(&mut self) -> Subject {
        patiently(self.started.recv()).await.expect("the handler is gone")
    }

    /// Whether the handler is called within a moment; for nudges that an outage may have swallowed.
    pub(super) async fn started_soon(&mut self) -> Option<Subject> {
        tokio::time::timeout(Duration::from_millis(100), self.started.recv())
            .await
            .ok()
            .flatten()
    }

    /// Stops everything and waits for it; answers what is left of the handler's calls.
    pub(super) async fn stop(self) -> UnboundedReceiver<Subject> {
        self.stop.cancel();
        patiently(self.workers).await.unwrap().unwrap();
        patiently(self.pushing).await.unwrap();
        self.started
    }
}

/// What was counted on this thread, by name and labels.
#[derive(Clone, Default)]
pub(super) struct Counts(Arc<Mutex<HashMap<Key, Arc<AtomicU64>>>>);

impl Counts {
    pub(super) fn record(&self) -> LocalRecorderGuard<'_> {
        metrics::set_default_local_recorder(self)
    }

    pub(super) fn of(&self, name: &'static str, subject: &'static str, outcome: &'static str) -> u64 {
        let labels = [("subject", subject), ("outcome", outcome)];
        let counts = self.0.lock().unwrap();
        counts
            .get(&Key::from_parts(name, &labels))
            .map_or(0, |count| count.load(Ordering::SeqCst))
    }
}

impl Recorder for Counts {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::clone(self.0.lock().unwrap().entry(key.clone()).or_default()))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
