//! What came of the mails of one hour, by route, lane and mailbox provider. Only numbers.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::message::Lane;

/// What came of the mails of one hour, by route, lane and mailbox provider, in several rows that add up.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sending_tally")]
pub struct Model {
    /// The route.
    #[sea_orm(primary_key, auto_increment = false)]
    pub route: String,
    /// The lane.
    #[sea_orm(primary_key, auto_increment = false)]
    pub lane: Lane,
    /// When the hour began.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hour: DateTime<Utc>,
    /// The mailbox provider by its best known domain, or `other`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub domain: String,
    /// Which of the rows that add up.
    #[sea_orm(primary_key, auto_increment = false)]
    pub shard: i32,
    /// Taken by the mail server.
    pub accepted: i64,
    /// Refused for good, at once.
    pub refused: i64,
    /// Of the refused: because the address does not exist.
    pub dead: i64,
    /// To be tried again later.
    pub deferred: i64,
    /// Nobody knows.
    pub unknown: i64,
    /// Accepted first and reported later as undeliverable for good.
    pub bounced_hard: i64,
    /// Accepted first and reported later as undeliverable for now.
    pub bounced_soft: i64,
    /// Reported as spam by the recipient.
    pub complained: i64,
    /// Answers within 10 ms.
    pub took_10_ms: i64,
    /// Answers within 25 ms, but not faster.
    pub took_25_ms: i64,
    /// Answers within 50 ms, but not faster.
    pub took_50_ms: i64,
    /// Answers within 100 ms, but not faster.
    pub took_100_ms: i64,
    /// Answers within 250 ms, but not faster.
    pub took_250_ms: i64,
    /// Answers within 500 ms, but not faster.
    pub took_500_ms: i64,
    /// Answers within a second, but not faster.
    pub took_1_s: i64,
    /// Answers within 2.5 s, but not faster.
    pub took_2500_ms: i64,
    /// Answers within 10 s, but not faster.
    pub took_10_s: i64,
    /// Answers within 30 s, but not faster.
    pub took_30_s: i64,
    /// Slower answers.
    pub took_longer: i64,
}

impl ActiveModelBehavior for ActiveModel {}
