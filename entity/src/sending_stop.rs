//! A stop of all bulk mail of a sending domain, to keep its good name with the mailbox providers.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::SendingStopId;

/// The domain of a stop that holds for every domain.
pub const EVERY_DOMAIN: &str = "*";

text_enum!(/// Why bulk mail is stopped.
StopReason {
    /// Too many recipients reported mail as spam.
    Complaints = "COMPLAINTS",
    /// Too many addresses did not exist.
    Bounces = "BOUNCES",
    /// A mailbox provider refuses mail of the domain.
    Blocked = "BLOCKED",
    /// Somebody at the hospital decided so.
    Staff = "STAFF",
});

/// A stop of all bulk mail of a sending domain, to keep its good name with the mailbox providers.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sending_stop")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SendingStopId,
    /// The domain of the `From` address in lower case, or [`EVERY_DOMAIN`].
    #[sea_orm(unique)]
    pub domain: String,
    /// Why.
    pub reason: StopReason,
    /// More, in words. No personal data.
    pub note: Option<String>,
    /// The route whose bounces or complaints caused it; none when a person set it. It ends when the route may run again.
    pub route: Option<String>,
    /// Since when.
    pub since: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
