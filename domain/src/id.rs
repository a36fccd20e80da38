//! The one place that makes ids.

use std::sync::Mutex;

use chrono::{DateTime, Utc};
use entity::id::TypedId;
use uuid::timestamp::context::ContextV7;
use uuid::{Timestamp, Uuid};

/// Keeps ids of one millisecond in the order in which they were made, since the order of an event's id is the order
/// of events.
static CONTEXT: Mutex<ContextV7> = Mutex::new(ContextV7::new());

tokio::task_local! {
    /// The same for the ids of a world with a clock of its own.
    static APART: Mutex<ContextV7>;
}

/// A new id of the instant `now`.
pub fn new_id<T: TypedId>(now: DateTime<Utc>) -> T {
    let secs = u64::try_from(now.timestamp()).unwrap_or(0);
    let nanos = now.timestamp_subsec_nanos();
    let timestamp = APART
        .try_with(|own| Timestamp::from_unix(own, secs, nanos))
        .unwrap_or_else(|_| Timestamp::from_unix(&CONTEXT, secs, nanos));
    T::from_uuid(Uuid::new_v7(timestamp))
}

/// Runs `world`, whose clock runs ahead of the hospital's, with ids of its own.
///
/// Ids never go back: the context remembers the latest instant that it was told, and an earlier one gets that instead.
/// An id of next month would make every later id of this process one of next month.
pub async fn apart<F: Future>(world: F) -> F::Output {
    APART.scope(Mutex::new(ContextV7::new()), world).await
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use entity::id::LeadEventId;

    use super::*;

    #[test]
    fn ids_of_one_instant_sort_in_the_order_they_were_made() {
        let now = Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap();
        let ids: Vec<LeadEventId> = (0..1000).map(|_| new_id(now)).collect();
        assert!(ids.is_sorted());
    }

    #[tokio::test]
    async fn ids_of_a_world_that_runs_ahead_leave_those_of_the_world_around_it_in_their_time() {
        let now = Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap();
        let next_year = now + chrono::TimeDelta::days(365);
        // The outer world stands for the process, whose ids other tests make at times of their own.
        let (ahead, here) = apart(async {
            let ahead: LeadEventId = apart(async { new_id(next_year) }).await;
            (ahead, new_id::<LeadEventId>(now))
        })
        .await;
        let made_at = |id: LeadEventId| id.0.get_timestamp().unwrap().to_unix().0;
        assert_eq!(made_at(ahead), next_year.timestamp().unsigned_abs());
        assert_eq!(made_at(here), now.timestamp().unsigned_abs());
    }
}
