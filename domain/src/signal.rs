//! What has just happened, told to whoever is listening: GraphQL subscriptions, in this process and others.
//!
//! A signal carries ids only. It is sent after the commit, may be lost, and is never the reason that work is done.

use std::sync::Arc;

use entity::id::{FollowUpId, LeadEventId, LeadId};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

/// Signals that a slow listener may fall behind before it misses some.
const BUFFER: usize = 4096;

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub enum Signal {
    /// A lead came in.
    LeadReceived {
        /// The lead.
        lead_id: LeadId,
    },
    /// An event was added to a lead.
    LeadChanged {
        /// The lead.
        lead_id: LeadId,
        /// The event.
        event_id: LeadEventId,
    },
    /// A follow-up was opened or changed.
    FollowUpChanged {
        /// The follow-up.
        follow_up_id: FollowUpId,
    },
}

/// Carries signals to other processes. Never blocks and never fails: what cannot be carried is dropped.
pub trait Carrier: Send + Sync {
    /// Takes a signal along.
    fn carry(&self, signal: Signal);
}

/// The process's own exchange of signals.
#[derive(Clone)]
pub struct Signals {
    local: broadcast::Sender<Signal>,
    carrier: Option<Arc<dyn Carrier>>,
}

impl Default for Signals {
    fn default() -> Self {
        Self {
            local: broadcast::Sender::new(BUFFER),
            carrier: None,
        }
    }
}

impl Signals {
    /// An exchange that also tells other processes.
    pub fn carried_by(carrier: Arc<dyn Carrier>) -> Self {
        Self {
            carrier: Some(carrier),
            ..Self::default()
        }
    }

    /// Tells everybody. Call it after the commit.
    pub fn tell(&self, signals: &[Signal]) {
        for signal in signals {
            self.tell_here(*signal);
            if let Some(carrier) = &self.carrier {
                carrier.carry(*signal);
            }
        }
    }

    /// Tells the listeners of this process only: for signals that came from another one.
    pub fn tell_here(&self, signal: Signal) {
        // An error means that nobody listens, which is well.
        let _ = self.local.send(signal);
    }

    /// How many listen in this process.
    pub fn listeners(&self) -> usize {
        self.local.receiver_count()
    }

    /// Listens from now on.
    pub fn listen(&self) -> broadcast::Receiver<Signal> {
        self.local.subscribe()
    }
}
