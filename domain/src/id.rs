//! The one place that makes ids.

use std::sync::Mutex;

use chrono::{DateTime, Utc};
use entity::id::TypedId;
use uuid::timestamp::context::ContextV7;
use uuid::{Timestamp, Uuid};

/// Keeps ids of one millisecond in the order in which they were made, since the order of an event's id is the order
/// of events.
static CONTEXT: Mutex<ContextV7> = Mutex::new(ContextV7::new());

/// A new id of the instant `now`.
pub fn new_id<T: TypedId>(now: DateTime<Utc>) -> T {
    let secs = u64::try_from(now.timestamp()).unwrap_or(0);
    let timestamp = Timestamp::from_unix(&CONTEXT, secs, now.timestamp_subsec_nanos());
    T::from_uuid(Uuid::new_v7(timestamp))
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
}
