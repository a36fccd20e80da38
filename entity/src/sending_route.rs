//! A mail server that mail may go through, as all workers know it. Its address and password are settings, not rows.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::sending_stop::StopReason;

/// A mail server that mail may go through, as all workers know it. Pause, rest and stop are told apart, because each ends
/// in a way of its own.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sending_route")]
pub struct Model {
    /// Its name in the settings.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// Whether it carries mail that somebody waits for.
    pub serves_waiting: bool,
    /// Whether it carries mail that nobody waits for.
    pub serves_bulk: bool,
    /// Routes of a higher number are used when none of a lower number can be.
    pub priority: i32,
    /// Most mails in a second.
    pub per_second: Option<i32>,
    /// Most mails in an hour.
    pub per_hour: Option<i32>,
    /// When a worker last started with it in its settings.
    pub announced_at: DateTime<Utc>,
    /// Since when a person holds it.
    pub paused_at: Option<DateTime<Utc>>,
    /// Why, in words. No personal data.
    pub pause_note: Option<String>,
    /// How often in a row it could not be reached.
    pub failures: i32,
    /// Until when it is left alone because it could not be reached.
    pub rest_until: Option<DateTime<Utc>>,
    /// What the network or the server said, without addresses.
    pub failure: Option<String>,
    /// Since when it carries no bulk mail, to keep its good name.
    pub stopped_at: Option<DateTime<Utc>>,
    /// Why.
    pub stop_reason: Option<StopReason>,
    /// The figures that it was stopped for, in words.
    pub stop_note: Option<String>,
    /// Whether bounces or complaints came that nobody has judged yet.
    pub unjudged: bool,
}

impl ActiveModelBehavior for ActiveModel {}
