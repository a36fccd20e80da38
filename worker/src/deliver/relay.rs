//! Whether the relay can be reached. While it cannot, nothing is claimed: mail waits as rows, not in hands.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::outreach::settle::Outcome;
use tokio::time::Instant;

use crate::metrics;

/// First and longest rest after the relay could not be reached.
const RESTS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The relay as this process knows it.
#[derive(Debug, Default)]
pub(super) struct Relay(Mutex<Option<Away>>);

#[derive(Clone, Copy, Debug)]
struct Away {
    until: Instant,
    rest: Duration,
}

impl Relay {
    /// Whether it is left alone for now.
    pub(super) fn rests(&self) -> bool {
        self.away().is_some_and(|away| Instant::now() < away.until)
    }

    /// Learns from what became of a send.
    pub(super) fn saw(&self, outcome: &Outcome) {
        let mut away = self.away();
        match (outcome, *away) {
            (Outcome::NotTried, None) => {
                tracing::warn!("The mail server cannot be reached; mail waits.");
                metrics::relay_resting(true);
                *away = Some(Away {
                    until: Instant::now() + RESTS.0,
                    rest: RESTS.0,
                });
            }
            // Sends that began together fail together: the rest grows once.
            (Outcome::NotTried, Some(known)) if Instant::now() >= known.until => {
                let rest = RESTS.1.min(known.rest * 2);
                *away = Some(Away {
                    until: Instant::now() + rest,
                    rest,
                });
            }
            (Outcome::NotTried, Some(_)) | (_, None) => {}
            (_, Some(_)) => {
                tracing::info!("The mail server can be reached again.");
                metrics::relay_resting(false);
                *away = None;
            }
        }
    }

    fn away(&self) -> std::sync::MutexGuard<'_, Option<Away>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted() -> Outcome {
        Outcome::Accepted {
            response: "250 ok".to_owned(),
            kept: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_rests_longer_with_each_failure_and_not_at_all_after_a_success() {
        let relay = Relay::default();
        assert!(!relay.rests());
        relay.saw(&Outcome::NotTried);
        relay.saw(&Outcome::NotTried);
        assert!(relay.rests());
        tokio::time::advance(RESTS.0).await;
        assert!(!relay.rests(), "two failures of one moment count once");
        relay.saw(&Outcome::NotTried);
        tokio::time::advance(RESTS.0).await;
        assert!(relay.rests(), "the second rest is longer");
        relay.saw(&accepted());
        assert!(!relay.rests());
    }

    #[test]
    fn a_refusal_is_an_answer_too() {
        let relay = Relay::default();
        relay.saw(&Outcome::NotTried);
        relay.saw(&Outcome::Refused {
            response: "550 no".to_owned(),
            address_is_dead: false,
        });
        assert!(!relay.rests());
    }
}
