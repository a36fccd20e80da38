//! A lane inside the process: a bounded channel as an apalis backend.
//!
//! apalis's own `MemoryStorage` cannot be cloned and closes its channel when a worker stops, so a worker could not be
//! started again on the same queue. This keeps the receiver outside the worker.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use apalis::prelude::{Backend, Identity, Task, TaskBuilder, TaskId, WorkerContext};
use apalis_core::backend::{BackendConfig, finalize::Ephemeral};
use serde_json::Value;
use tokio::sync::mpsc;

use super::Pushed;

/// The most a channel holds, whatever the pusher's limit.
const CAPACITY: usize = 1_000;

/// One lane in process; all clones are one channel.
#[derive(Clone, Debug)]
pub(super) struct ChannelLane {
    sender: mpsc::Sender<Value>,
    receiver: Arc<Mutex<mpsc::Receiver<Value>>>,
    taken: Arc<AtomicU64>,
}

impl ChannelLane {
    pub(super) fn new() -> Self {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        Self {
            sender,
            receiver: Arc::new(Mutex::new(receiver)),
            taken: Arc::default(),
        }
    }

    pub(super) fn push(&self, payload: Value, limit: u64) -> Pushed {
        if self.len() >= limit || self.sender.try_send(payload).is_err() {
            Pushed::Full
        } else {
            Pushed::Queued
        }
    }

    pub(super) fn len(&self) -> u64 {
        (self.sender.max_capacity() - self.sender.capacity()) as u64
    }
}

impl Backend for ChannelLane {
    type Task = Task<Value>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Option<Result<Self::Task, Infallible>>> {
        let mut receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner);
        let payload = ready!(receiver.poll_recv(cx));
        Poll::Ready(payload.map(|payload| {
            let id = TaskId::from_int(self.taken.fetch_add(1, Ordering::Relaxed));
            Ok(TaskBuilder::new(payload).task_id(id).build())
        }))
    }

    fn poll_close(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for ChannelLane {
    type Args = Value;
    type Id = u64;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Identity {
        Identity::new()
    }
}
