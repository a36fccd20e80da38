//! What came back about messages: a mail in a mailbox, or a provider's notice. Stored as it came, then applied.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{InboundMailId, MessageId};

text_enum!(/// By which door it came.
InboundSource {
    /// A directory in the Maildir format.
    Maildir = "MAILDIR",
    /// Amazon SES, over SNS.
    Ses = "SES",
    /// The event webhook of SendGrid.
    Sendgrid = "SENDGRID",
    /// Postmark's webhooks.
    Postmark = "POSTMARK",
});

text_enum!(/// What was read in it.
InboundKind {
    /// A message was not delivered.
    Bounce = "BOUNCE",
    /// The recipient reported a message as unwanted.
    Complaint = "COMPLAINT",
    /// A program answered in the recipient's name.
    AutoReply = "AUTO_REPLY",
    /// A person answered.
    Reply = "REPLY",
    /// A person asked for no more.
    Unsubscribe = "UNSUBSCRIBE",
    /// Anything else.
    Other = "OTHER",
});

text_enum!(/// What a bounce is about.
BounceClass {
    /// The address does not exist.
    Hard = "HARD",
    /// It may work later.
    Soft = "SOFT",
    /// The mail is at fault.
    Content = "CONTENT",
    /// The sender is at fault, or is taken to be.
    Blocked = "BLOCKED",
});

text_enum!(/// How far it has come.
InboundState {
    /// Stored, and not yet applied.
    Received = "RECEIVED",
    /// What follows from it is done.
    Applied = "APPLIED",
    /// It is about no message or contact that is known here.
    Unmatched = "UNMATCHED",
    /// Nothing follows from it.
    Ignored = "IGNORED",
    /// It could not be applied, however often it was tried.
    Failed = "FAILED",
});

/// What came back about messages: a mail in a mailbox, or a provider's notice. Stored as it came, then applied.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "inbound_mail")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InboundMailId,
    /// By which door it came.
    pub source: InboundSource,
    /// What tells a repetition: the same mail or notice is stored once.
    #[sea_orm(unique)]
    pub dedupe_key: String,
    /// The mail or the notice as it came, cut at a limit; none when its time is over or the person was erased.
    pub raw: Option<Vec<u8>>,
    /// How far it has come.
    pub state: InboundState,
    /// What was read in it; none before it was.
    pub kind: Option<InboundKind>,
    /// For a bounce, what it is about.
    pub class: Option<BounceClass>,
    /// For a bounce, the enhanced status code (RFC 3463).
    pub status: Option<String>,
    /// Why it was read and treated so, without personal data.
    pub reason: Option<String>,
    /// The message that it is about, the first of several.
    pub message_id: Option<MessageId>,
    /// When to look at it, or again.
    pub due_at: DateTime<Utc>,
    /// How often it was begun to be applied.
    pub attempts: i32,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// When nothing more was to be done about it.
    pub applied_at: Option<DateTime<Utc>>,
}

impl ActiveModelBehavior for ActiveModel {}
