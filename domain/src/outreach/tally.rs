//! Counts what came of mails, by route, lane, mailbox provider and hour.
//!
//! The counts are added up in the transaction that writes what is counted, so they are never behind and nothing has to be
//! scanned to know them. An hour has several rows: transactions that count at one moment mostly take different ones.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use entity::message::Lane;
use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement, Value};

use crate::error::Result;
use crate::hospital::Hospital;

/// How long the counts are kept: a month can be compared with that of the year before.
const KEPT: TimeDelta = TimeDelta::days(400);

/// Rows that an hour of one route, lane and provider is spread over.
const SHARDS: u32 = 8;

/// What can be counted, by the names of its columns. Outcomes first, then answers by how long they took.
pub(super) const COLUMNS: [&str; 19] = [
    "accepted",
    "refused",
    "dead",
    "deferred",
    "unknown",
    "bounced_hard",
    "bounced_soft",
    "complained",
    "took_10_ms",
    "took_25_ms",
    "took_50_ms",
    "took_100_ms",
    "took_250_ms",
    "took_500_ms",
    "took_1_s",
    "took_2500_ms",
    "took_10_s",
    "took_30_s",
    "took_longer",
];

/// Columns before those of the answers.
const OUTCOMES: usize = 8;

/// Upper edges of the classes of answers, in milliseconds; the last class has none.
pub const EDGES_MS: [u32; 10] = [10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000, 30_000];

/// Something that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// The mail server took it.
    Accepted,
    /// The mail server refused it for good; the address may be dead.
    Refused {
        /// Whether the address does not exist.
        dead: bool,
    },
    /// The mail server asked to come back, or the connection broke.
    Deferred,
    /// No answer came.
    Unknown,
    /// Reported later as undeliverable for good.
    BouncedHard,
    /// Reported later as undeliverable for now.
    BouncedSoft,
    /// Reported as spam.
    Complained,
}

impl Counted {
    /// Places in [`COLUMNS`].
    const fn places(self) -> (usize, Option<usize>) {
        match self {
            Self::Accepted => (0, None),
            Self::Refused { dead: false } => (1, None),
            Self::Refused { dead: true } => (1, Some(2)),
            Self::Deferred => (3, None),
            Self::Unknown => (4, None),
            Self::BouncedHard => (5, None),
            Self::BouncedSoft => (6, None),
            Self::Complained => (7, None),
        }
    }

    /// Whether it may cost the sender's good name, so that the route has to be judged again.
    pub(super) const fn is_bad(self) -> bool {
        matches!(
            self,
            Self::Refused { dead: true } | Self::BouncedHard | Self::Complained
        )
    }
}

/// Counts of one transaction, added up before they are written. Sorted, so that transactions which write the same rows take
/// them in the same order.
#[derive(Default)]
pub(super) struct Tally(BTreeMap<(String, &'static str, &'static str), [i64; COLUMNS.len()]>);

impl Tally {
    /// Counts one mail; `took` is how long the answer of the mail server took.
    pub(super) fn add(
        &mut self,
        route: &str,
        lane: Lane,
        provider: &'static str,
        what: Counted,
        took: Option<Duration>,
    ) {
        let key = (route.to_owned(), lane.as_str(), provider);
        let counts = self.0.entry(key).or_insert([0; COLUMNS.len()]);
        let (first, second) = what.places();
        counts[first] += 1;
        if let Some(second) = second {
            counts[second] += 1;
        }
        if let Some(took) = took {
            counts[OUTCOMES + class_of(took)] += 1;
        }
    }

    /// Writes the counts; `spread` is any number that differs between transactions.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn write(self, tx: &DatabaseTransaction, spread: u32, now: DateTime<Utc>) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let (hour, shard) = (hour_of(now), i32::try_from(spread % SHARDS).unwrap_or_default());
        let mut values: Vec<Value> = Vec::with_capacity(self.0.len() * (5 + COLUMNS.len()));
        let mut rows = Vec::with_capacity(self.0.len());
        for ((route, lane, provider), counts) in self.0 {
            let from = values.len() + 1;
            values.extend::<[Value; 5]>([
                route.into(),
                lane.into(),
                hour.into(),
                provider.into(),
                shard.into(),
            ]);
            values.extend(counts.into_iter().map(Value::from));
            let places: Vec<String> = (from..=values.len()).map(|n| format!("${n}")).collect();
            rows.push(format!("({})", places.join(", ")));
        }
        let sums: Vec<String> = COLUMNS
            .iter()
            .map(|column| format!("{column} = sending_tally.{column} + excluded.{column}"))
            .collect();
        let sql = format!(
            "INSERT INTO sending_tally (route, lane, hour, domain, shard, {}) VALUES {} \
             ON CONFLICT (route, lane, hour, domain, shard) DO UPDATE SET {}",
            COLUMNS.join(", "),
            rows.join(", "),
            sums.join(", ")
        );
        tx.execute_raw(Statement::from_sql_and_values(
            tx.get_database_backend(),
            sql,
            values,
        ))
        .await?;
        Ok(())
    }
}

/// Forgets the counts of the oldest hour that is past its time. Answers whether there may be more.
///
/// # Errors
/// When the database fails; nothing has changed then.
pub async fn forget_old(h: &Hospital) -> Result<bool> {
    let backend = h.db.get_database_backend();
    // One hour has a bounded number of rows, and the index on the hour finds both it and them.
    let sql = "DELETE FROM sending_tally WHERE hour = \
               (SELECT hour FROM sending_tally WHERE hour < $1 ORDER BY hour LIMIT 1)";
    let statement = Statement::from_sql_and_values(backend, sql, [(h.now() - KEPT).into()]);
    Ok(h.db.execute_raw(statement).await?.rows_affected() > 0)
}

/// The hour that an instant falls into.
pub(super) fn hour_of(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::hours(1)).unwrap_or(at)
}

/// The class of an answer that took so long.
fn class_of(took: Duration) -> usize {
    EDGES_MS.partition_point(|edge| took > Duration::from_millis(u64::from(*edge)))
}

#[cfg(test)]
mod tests {
    use entity::sending_tally;
    use sea_orm::{EntityTrait, QueryOrder, QuerySelect, TransactionTrait};

    use super::*;
    use crate::ground::Ground;

    #[tokio::test]
    async fn counts_are_forgotten_hour_by_hour_once_they_are_older_than_400_days() {
        let ground = Ground::at("2026-11-23T15:00:00Z").await;
        let count = async |days_ago: i64| {
            let tx = ground.h.db.begin().await.unwrap();
            for provider in ["gmail.com", "other"] {
                let mut tally = Tally::default();
                tally.add("main", Lane::Bulk, provider, Counted::Accepted, None);
                let at = ground.h.now() - TimeDelta::days(days_ago);
                tally.write(&tx, 0, at).await.unwrap();
            }
            tx.commit().await.unwrap();
        };
        for days_ago in [402, 401, 399, 0] {
            count(days_ago).await;
        }
        assert!(forget_old(&ground.h).await.unwrap());
        assert!(forget_old(&ground.h).await.unwrap());
        assert!(!forget_old(&ground.h).await.unwrap());
        let hours: Vec<DateTime<Utc>> = sending_tally::Entity::find()
            .select_only()
            .column(sending_tally::Column::Hour)
            .order_by_asc(sending_tally::Column::Hour)
            .into_tuple()
            .all(&ground.h.db)
            .await
            .unwrap();
        let ages: Vec<i64> = hours
            .iter()
            .map(|hour| (ground.h.now() - *hour).num_days())
            .collect();
        assert_eq!(ages, [399, 399, 0, 0]);
    }

    #[test]
    fn an_answer_belongs_to_the_first_class_that_it_fits_into() {
        let class = |millis| class_of(Duration::from_millis(millis));
        assert_eq!((class(0), class(10), class(11)), (0, 0, 1));
        assert_eq!((class(30_000), class(30_001)), (9, 10));
        assert_eq!(OUTCOMES + EDGES_MS.len() + 1, COLUMNS.len());
    }

    #[test]
    fn a_dead_address_is_a_refusal_too() {
        let mut tally = Tally::default();
        tally.add("main", Lane::Bulk, "other", Counted::Refused { dead: true }, None);
        tally.add(
            "main",
            Lane::Bulk,
            "other",
            Counted::Refused { dead: false },
            None,
        );
        let counts = tally.0.values().next().unwrap();
        assert_eq!((counts[1], counts[2]), (2, 1));
    }
}
