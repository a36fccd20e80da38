//! How much mail may go: so many to a mailbox provider, so many by a route, so many a day while a sending domain is new.
//!
//! A limit is a promise that holds over all workers, so how much of it is used up is a row, read and written once for a
//! batch. (A share for each process would leave unused what an idle one holds, and a share over its limit when one more
//! starts.) What may not go to its provider now is deferred, each mail to a time of its own, so nothing is looked at
//! twice in vain and the order is kept. Mail that somebody waits for uses up the same allowance, but does not stand in
//! line for it. For a route as a whole less is claimed.

mod bucket;
mod rows;

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::message::{GateReason, Lane};
use sea_orm::DatabaseTransaction;

use super::claim::Sendable;
use super::provider::domain_of;
use crate::db;
use crate::error::Result;
use crate::hospital::Hospital;

pub use bucket::{Bucket, Pace};

/// How many mails may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// Most mails in a second.
    pub per_second: Option<u32>,
    /// Most mails in an hour.
    pub per_hour: Option<u32>,
}

impl Rate {
    fn paces(self) -> impl Iterator<Item = (&'static str, Pace)> {
        let second = self.per_second.map(|n| ("second", Pace::per_second(n)));
        let hour = self.per_hour.map(|n| ("hour", Pace::per_hour(n)));
        second.into_iter().chain(hour)
    }

    /// Whether it limits anything.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.per_second.is_none() && self.per_hour.is_none()
    }
}

/// A limit for the domains of a mailbox provider together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainLimit {
    /// The domains, in lower case.
    pub domains: Vec<String>,
    /// How many mails may go to them.
    pub rate: Rate,
}

/// How a new sending domain is made known: so many bulk mails on its first day, so many on its second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarmUp {
    /// The first day, in UTC.
    pub start: NaiveDate,
    /// Most mails of each day; after the last there is no limit.
    pub per_day: Vec<u32>,
}

impl WarmUp {
    /// Most mails of a day; none when it is over. Before it has begun the first day's number holds.
    #[must_use]
    pub fn limit(&self, day: NaiveDate) -> Option<u32> {
        let days = day.signed_duration_since(self.start).num_days().max(0);
        self.per_day
            .get(usize::try_from(days).unwrap_or(usize::MAX))
            .copied()
    }
}

/// All limits but those of routes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// By domains of recipients.
    pub domains: Vec<DomainLimit>,
    /// Of the sending domain.
    pub warm_up: Option<WarmUp>,
}

impl Limits {
    fn of(&self, address: &str) -> Option<&DomainLimit> {
        let domain = domain_of(address);
        self.domains.iter().find(|limit| limit.domains.contains(&domain))
    }
}

/// A mail that may not go now.
struct Held {
    sendable: Sendable,
    reason: GateReason,
    until: DateTime<Utc>,
}

/// Of claimed mails those that may go now, in their order. The others are deferred, each until its turn.
///
/// # Errors
/// When the database fails; the mails then come back when their lease ends.
pub async fn admit(
    h: &Hospital,
    limits: &Limits,
    lane: Lane,
    sendables: Vec<Sendable>,
) -> Result<Vec<Sendable>> {
    let limited = sendables
        .iter()
        .any(|sendable| limits.of(sendable.address()).is_some());
    let warm_up = limits.warm_up.as_ref().filter(|_| lane == Lane::Bulk);
    let today = h.now().date_naive();
    let day_limit = warm_up.and_then(|warm_up| warm_up.limit(today));
    if sendables.is_empty() || (!limited && day_limit.is_none()) {
        return Ok(sendables);
    }
    let tx = db::begin_write(&h.db).await?;
    let now = h.now();
    let mut allowances = read_allowances(&tx, limits, &sendables, now).await?;
    let domain = h.site.mail_domain().to_ascii_lowercase();
    let sent_before = match day_limit {
        Some(_) => rows::sent_on(&tx, &domain, today).await?,
        None => 0,
    };
    let mut left = day_limit.map(|limit| i64::from(limit).saturating_sub(sent_before).max(0));
    let (mut go, mut held) = (Vec::with_capacity(sendables.len()), Vec::new());
    for sendable in sendables {
        if left == Some(0) {
            held.push(Held {
                sendable,
                reason: GateReason::WarmUp,
                until: next_day(now),
            });
            continue;
        }
        match turn(&mut allowances, limits, lane, &sendable, now) {
            Some(until) => held.push(Held {
                sendable,
                reason: GateReason::Throttled,
                until,
            }),
            None => {
                left = left.map(|left| left - 1);
                go.push(sendable);
            }
        }
    }
    rows::write_buckets(&tx, &allowances).await?;
    if day_limit.is_some() {
        rows::count_day(&tx, &domain, today, go.len()).await?;
    }
    rows::defer(&tx, &held, now).await?;
    tx.commit().await?;
    Ok(go)
}

/// Gives back to the day what was admitted and did not go out after all.
///
/// # Errors
/// When the database fails; the day then has a little less.
pub async fn not_sent(h: &Hospital, limits: &Limits, lane: Lane, mails: usize) -> Result<()> {
    let today = h.now().date_naive();
    let counted = limits
        .warm_up
        .as_ref()
        .is_some_and(|warm_up| warm_up.limit(today).is_some());
    if mails > 0 && lane == Lane::Bulk && counted {
        let domain = h.site.mail_domain().to_ascii_lowercase();
        rows::uncount_day(&h.db, &domain, today, mails).await?;
    }
    Ok(())
}

/// Takes up to `wanted` mails of a route's rate. Bulk mail leaves a fifth to those who wait.
///
/// # Errors
/// When the database fails.
pub async fn take(h: &Hospital, route: &str, rate: Rate, lane: Lane, wanted: usize) -> Result<usize> {
    if rate.is_none() {
        return Ok(wanted);
    }
    let tx = db::begin_write(&h.db).await?;
    let now = h.now();
    let paces = route_paces(route, rate);
    let mut buckets = rows::read_buckets(&tx, paces.keys().cloned().collect(), now).await?;
    let mut granted = u32::try_from(wanted).unwrap_or(u32::MAX);
    for (key, pace) in &paces {
        let pace = if lane == Lane::Bulk {
            pace.yielding()
        } else {
            *pace
        };
        granted = granted.min(buckets[key].free(pace, now));
    }
    if granted > 0 {
        for (key, bucket) in &mut buckets {
            bucket.take(paces[key], granted, now);
        }
        rows::write_buckets(&tx, &buckets).await?;
    }
    tx.commit().await?;
    Ok(granted as usize)
}

/// Gives back what was taken of a route's rate and not used.
///
/// # Errors
/// When the database fails; the rate is then used up for a moment longer.
pub async fn give_back(h: &Hospital, route: &str, rate: Rate, unused: usize) -> Result<()> {
    if rate.is_none() || unused == 0 {
        return Ok(());
    }
    let tx = db::begin_write(&h.db).await?;
    let paces = route_paces(route, rate);
    let mut buckets = rows::read_buckets(&tx, paces.keys().cloned().collect(), h.now()).await?;
    for (key, bucket) in &mut buckets {
        bucket.give_back(paces[key], u32::try_from(unused).unwrap_or(u32::MAX));
    }
    rows::write_buckets(&tx, &buckets).await?;
    tx.commit().await?;
    Ok(())
}

fn route_paces(route: &str, rate: Rate) -> HashMap<String, Pace> {
    rate.paces()
        .map(|(span, pace)| (format!("route/{route}/{span}"), pace))
        .collect()
}

fn domain_keys(limit: &DomainLimit) -> impl Iterator<Item = (String, Pace)> {
    let name = limit.domains.first().cloned().unwrap_or_default();
    limit
        .rate
        .paces()
        .map(move |(span, pace)| (format!("domain/{name}/{span}"), pace))
}

async fn read_allowances(
    tx: &DatabaseTransaction,
    limits: &Limits,
    sendables: &[Sendable],
    now: DateTime<Utc>,
) -> Result<HashMap<String, Bucket>> {
    let mut keys: Vec<String> = sendables
        .iter()
        .filter_map(|sendable| limits.of(sendable.address()))
        .flat_map(|limit| domain_keys(limit).map(|(key, _)| key))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    rows::read_buckets(tx, keys, now).await
}

/// When it is a mail's turn; none when it may go now. A mail that has stood in line passes those that have not.
fn turn(
    buckets: &mut HashMap<String, Bucket>,
    limits: &Limits,
    lane: Lane,
    sendable: &Sendable,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let limit = limits.of(sendable.address())?;
    let may_go = lane == Lane::Waiting
        || domain_keys(limit).all(|(key, pace)| {
            let bucket = &buckets[&key];
            (sendable.has_lined_up() || !bucket.has_line(now)) && bucket.free(pace, now) > 0
        });
    let mut until = None;
    for (key, pace) in domain_keys(limit) {
        if let Some(bucket) = buckets.get_mut(&key) {
            if may_go {
                bucket.take(pace, 1, now);
            } else {
                until = until.max(Some(bucket.line_up(pace, now)));
            }
        }
    }
    until
}

fn next_day(now: DateTime<Utc>) -> DateTime<Utc> {
    let tomorrow = now.date_naive() + TimeDelta::days(1);
    tomorrow.and_time(chrono::NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warm_up_has_a_number_for_each_day_and_an_end() {
        let day = |n| NaiveDate::from_ymd_opt(2026, 12, n).unwrap();
        let warm_up = WarmUp {
            start: day(1),
            per_day: vec![50, 100],
        };
        let limits: Vec<_> = (1..=3).map(|n| warm_up.limit(day(n))).collect();
        assert_eq!(limits, [Some(50), Some(100), None]);
        let before = NaiveDate::from_ymd_opt(2026, 11, 27).unwrap();
        assert_eq!(warm_up.limit(before), Some(50));
    }
}
