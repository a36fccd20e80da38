//! Who delivers mail in this process. The seats of each lane and route are few, and what is delivered from one is finished even
//! when the job that began it is dropped: bytes that are on the wire have to be settled.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::error::Error;
use entity::message::Lane;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

use super::Looked;
use crate::settings::WorkerSettings;

pub(super) struct Mailroom {
    settings: WorkerSettings,
    tables: Mutex<HashMap<(Lane, String), Arc<Table>>>,
    at_work: TaskTracker,
}

/// The seats of a lane at one route.
struct Table {
    lane: Lane,
    seats: Arc<Semaphore>,
    /// Somebody was sent away because no seat was free.
    asked: AtomicBool,
}

/// A place to deliver from. Free again when dropped.
pub(super) struct Seat {
    table: Arc<Table>,
    _permit: OwnedSemaphorePermit,
}

impl Mailroom {
    pub(super) fn new(settings: &WorkerSettings) -> Self {
        Self {
            settings: *settings,
            tables: Mutex::default(),
            at_work: TaskTracker::new(),
        }
    }

    /// A free seat at a route, if there is one. If not, one who has a seat there will look again.
    pub(super) fn take_seat(&self, lane: Lane, route: &str) -> Option<Seat> {
        let table = self.table(lane, route);
        if let Ok(permit) = table.seats.clone().try_acquire_owned() {
            return Some(Seat {
                table: table.clone(),
                _permit: permit,
            });
        }
        table.asked.store(true, Ordering::Release);
        None
    }

    fn table(&self, lane: Lane, route: &str) -> Arc<Table> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let table = tables.entry((lane, route.to_owned())).or_insert_with(|| {
            Arc::new(Table {
                lane,
                seats: Arc::new(Semaphore::new(self.settings.lane(lane).batches.max(1))),
                asked: AtomicBool::new(false),
            })
        });
        table.clone()
    }

    /// Runs a delivery and waits for it for `patience`; after that it goes on by itself.
    pub(super) async fn run_on(
        &self,
        delivery: impl Future<Output = Result<Looked, Error>> + Send + 'static,
        patience: Duration,
    ) -> Result<Looked, Error> {
        let mut task = self.at_work.spawn(delivery);
        match tokio::time::timeout(patience, &mut task).await {
            Ok(ended) => ended.map_err(|panic| Error::Fault(Box::new(panic))).flatten(),
            // It keeps its seat. When it fails it logs by itself: faults of settling are logged where they happen, and
            // what it holds comes back when its leases end.
            Err(_) => Ok(Looked::default()),
        }
    }

    /// Waits for deliveries that went on after everybody's patience; false if there were none.
    pub(super) async fn quiet(&self) -> bool {
        if self.at_work.is_empty() {
            return false;
        }
        self.at_work.close();
        self.at_work.wait().await;
        self.at_work.reopen();
        true
    }

    /// Waits until all is settled, at most for `limit`.
    pub(super) async fn finish(&self, limit: Duration) {
        self.at_work.close();
        if tokio::time::timeout(limit, self.at_work.wait()).await.is_err() {
            let deliveries = self.at_work.len();
            tracing::warn!(
                deliveries,
                "Mail was still going out at the end of the time to stop; what is not settled becomes unknown."
            );
        }
    }
}

impl Seat {
    pub(super) fn lane(&self) -> Lane {
        self.table.lane
    }

    /// Whether somebody was sent away meanwhile; asking takes the request.
    pub(super) fn asked_again(&self) -> bool {
        self.table.asked.swap(false, Ordering::AcqRel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::LaneDelivery;

    fn room() -> Mailroom {
        let one = LaneDelivery {
            batch: 1,
            concurrency: 1,
            batches: 1,
        };
        Mailroom::new(&WorkerSettings {
            waiting: one,
            bulk: one,
            ..WorkerSettings::default()
        })
    }

    #[test]
    fn who_finds_no_seat_is_remembered_by_who_has_one() {
        let room = room();
        let seat = room.take_seat(Lane::Bulk, "main").unwrap();
        assert!(!seat.asked_again());
        assert!(room.take_seat(Lane::Bulk, "main").is_none());
        assert!(seat.asked_again());
        assert!(!seat.asked_again(), "once is enough");
        assert!(
            room.take_seat(Lane::Waiting, "main").is_some(),
            "the other lane has its own"
        );
        assert!(
            room.take_seat(Lane::Bulk, "other").is_some(),
            "and so has another route"
        );
        drop(seat);
        assert!(room.take_seat(Lane::Bulk, "main").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_delivery_goes_on_after_the_patience_and_is_waited_for_at_the_end() {
        let room = room();
        let (tell, told) = tokio::sync::oneshot::channel();
        let slow = async move {
            tokio::time::sleep(Duration::from_secs(90)).await;
            let _ = tell.send(());
            Ok(Looked { rows: 1, more: false })
        };
        let looked = room.run_on(slow, Duration::from_secs(30)).await.unwrap();
        assert_eq!(looked, Looked::default());
        room.finish(Duration::from_secs(120)).await;
        assert!(told.await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_drains_waits_for_a_slow_delivery_and_finds_nothing_at_work_after_it() {
        let room = room();
        assert!(!room.quiet().await);
        let (tell, mut told) = tokio::sync::oneshot::channel();
        let slow = async move {
            tokio::time::sleep(Duration::from_secs(90)).await;
            let _ = tell.send(());
            Ok(Looked::default())
        };
        room.run_on(slow, Duration::from_secs(30)).await.unwrap();
        assert!(room.quiet().await);
        assert_eq!(told.try_recv(), Ok(()));
        assert!(!room.quiet().await);
    }
}
