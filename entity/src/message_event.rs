//! What happened to a message, never changed afterwards.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{MessageEventId, MessageId};

text_enum!(/// Kinds of things that happen to a message.
MessageEventKind {
    /// It was planned.
    Planned = "PLANNED",
    /// The gate deferred it.
    Deferred = "DEFERRED",
    /// The gate withheld it.
    Withheld = "WITHHELD",
    /// The mail server took it.
    Accepted = "ACCEPTED",
    /// The mail server refused it.
    Refused = "REFUSED",
    /// The mail server asked to come back later.
    RetryLater = "RETRY_LATER",
    /// Nobody knows whether it went out.
    Unknown = "UNKNOWN",
    /// It is sent again, with the same Message-ID.
    SentAgain = "SENT_AGAIN",
    /// The recipient unsubscribed by it.
    Unsubscribed = "UNSUBSCRIBED",
    /// The recipient's side says that it arrived.
    Delivered = "DELIVERED",
    /// It came back. The detail is the class and the status code: `HARD 5.1.1`. Once for each class.
    Bounced = "BOUNCED",
    /// The recipient reported it as unwanted. Once.
    Complained = "COMPLAINED",
    /// A person answered it.
    Replied = "REPLIED",
    /// A program answered it.
    AutoReplied = "AUTO_REPLIED",
});

/// What happened to a message, never changed afterwards.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message_event")]
pub struct Model {
    /// The id; its order is the order of events.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MessageEventId,
    /// The message.
    pub message_id: MessageId,
    /// What happened.
    pub kind: MessageEventKind,
    /// More, without personal data.
    pub detail: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
