//! A stretch of local time in which nurture may go, in a jurisdiction, on a weekday.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::entity::prelude::*;

use crate::id::SendWindowId;
use crate::sequence_version::Weekday;

/// A stretch of local time in which nurture may go, in a jurisdiction, on a weekday.
///
/// The window of a jurisdiction is all rows of its newest version; a weekday without a row is closed. Rows are never
/// changed: a new law is a new version, so that an old decision can be read with the window of its day.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "send_window")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SendWindowId,
    /// `HOUSE` for the hospital's own policy, `US`, or a state such as `US-FL`.
    pub jurisdiction: String,
    /// Counts up from 1 within the jurisdiction.
    pub version: i32,
    /// The local weekday.
    pub weekday: Weekday,
    /// First minute of the day, 0 to 1439.
    pub start_minute: i32,
    /// Minute of the day at which it is over, at most 1440.
    pub end_minute: i32,
    /// The text or decision it was taken from.
    pub source: String,
    /// When a person last held it against its source.
    pub reviewed_on: NaiveDate,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
