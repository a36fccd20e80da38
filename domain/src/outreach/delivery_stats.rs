//! What came of mails, hour by hour, for people: read from the counters, never from the messages.

use chrono::{DateTime, TimeDelta, Utc};
use entity::message::Lane;
use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};

use super::tally::{COLUMNS, hour_of};
use crate::error::{Code, Error, Result};
use crate::viewer::Viewer;

pub use super::tally::EDGES_MS;

/// The longest time that is asked about at once.
pub const DAYS_MAX: i64 = 31;
/// Most lines of an answer.
pub const LINES_MAX: usize = 1_000;
/// Where the classes of answers begin among the counters.
const CLASSES_FROM: usize = COLUMNS.len() - EDGES_MS.len() - 1;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// From this instant; its hour counts as a whole.
    pub from: DateTime<Utc>,
    /// Up to this instant.
    pub until: DateTime<Utc>,
    /// Of one route; none for all.
    pub route: Option<String>,
}

/// What came of the mails of an hour by one route, in one lane, to one mailbox provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When the hour began.
    pub hour: DateTime<Utc>,
    /// The route.
    pub route: String,
    /// The lane.
    pub lane: Lane,
    /// The mailbox provider by its best known domain, or `other`.
    pub domain: String,
    /// Taken by the mail server.
    pub accepted: i64,
    /// Refused for good.
    pub refused: i64,
    /// To be tried again later.
    pub deferred: i64,
    /// Nobody knows.
    pub unknown: i64,
    /// Reported later as undeliverable, or refused at once because the address does not exist.
    pub bounced: i64,
    /// Reported as spam.
    pub complained: i64,
    /// Answers of the mail server by how long they took: one number for each of [`EDGES_MS`] and one for all that took
    /// longer. Such numbers add up over lines.
    pub took: Vec<i64>,
}

impl Line {
    /// The time within which a share of the answers came, in milliseconds: the upper edge of its class. None without
    /// answers, or when it lies beyond the last edge.
    #[must_use]
    pub fn within_ms(&self, share: f64) -> Option<u32> {
        within_ms(&self.took, share)
    }
}

fn within_ms(took: &[i64], share: f64) -> Option<u32> {
    let all: i64 = took.iter().sum();
    let wanted = (all as f64 * share).ceil().max(1.0) as i64;
    let mut sum = 0;
    for (count, edge) in took.iter().zip(EDGES_MS) {
        sum += count;
        if sum >= wanted {
            return Some(edge);
        }
    }
    None
}

/// The lines of a time, the latest hour first; at most [`LINES_MAX`].
///
/// # Errors
/// [`Error::Missing`] for a viewer without a role; [`Error::Refused`] when the time is longer than [`DAYS_MAX`] days or
/// ends before it begins; or a fault of the database.
pub async fn lines(conn: &impl ConnectionTrait, viewer: &Viewer, asked: Asked) -> Result<Vec<Line>> {
    if viewer.role().is_none() {
        return Err(Error::Missing { noun: "figures" });
    }
    if asked.until <= asked.from {
        return Err(Error::refused(
            Code::Invalid,
            "until",
            "It must be later than from.",
        ));
    }
    if asked.until - asked.from > TimeDelta::days(DAYS_MAX) {
        return Err(Error::refused(
            Code::TooLarge,
            "from",
            "At most 31 days can be asked about.",
        ));
    }
    let sums: Vec<String> = COLUMNS
        .iter()
        .map(|column| format!("CAST(SUM({column}) AS bigint) AS {column}"))
        .collect();
    let of_route = if asked.route.is_some() {
        "AND route = $4"
    } else {
        ""
    };
    let sql = format!(
        "SELECT hour, route, lane, domain, {} FROM sending_tally WHERE hour >= $1 AND hour < $2 {of_route} \
         GROUP BY hour, route, lane, domain ORDER BY hour DESC, route, lane, domain LIMIT $3",
        sums.join(", ")
    );
    let limit = i64::try_from(LINES_MAX).unwrap_or(i64::MAX);
    let mut values: Vec<Value> = vec![hour_of(asked.from).into(), asked.until.into(), limit.into()];
    values.extend(asked.route.map(Value::from));
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, values);
    let rows = conn.query_all_raw(statement).await?;
    rows.iter().map(line).collect()
}

fn line(row: &QueryResult) -> Result<Line> {
    let count = |column: &str| -> Result<i64> { Ok(row.try_get("", column)?) };
    Ok(Line {
        hour: row.try_get("", "hour")?,
        route: row.try_get("", "route")?,
        lane: row.try_get("", "lane")?,
        domain: row.try_get("", "domain")?,
        accepted: count("accepted")?,
        refused: count("refused")?,
        deferred: count("deferred")?,
        unknown: count("unknown")?,
        bounced: count("bounced_hard")? + count("bounced_soft")? + count("dead")?,
        complained: count("complained")?,
        took: COLUMNS[CLASSES_FROM..]
            .iter()
            .map(|column| count(column))
            .collect::<Result<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_answers_came_within_the_edge_of_its_class() {
        let mut took = vec![0; EDGES_MS.len() + 1];
        assert_eq!(within_ms(&took, 0.5), None);
        (took[0], took[3], took[10]) = (5, 4, 1);
        assert_eq!(
            (within_ms(&took, 0.5), within_ms(&took, 0.9)),
            (Some(10), Some(100))
        );
        assert_eq!(within_ms(&took, 0.99), None, "it took longer than can be said");
    }

    #[test]
    fn the_classes_are_the_last_counters() {
        assert_eq!(COLUMNS[CLASSES_FROM], "took_10_ms");
    }
}
