//! How far a mailing has come. Workers write it; people change the mailing.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{LeadId, MailingId, MessageId};

text_enum!(/// What workers have to do for a mailing.
MailingWork {
    /// To look at leads and plan mails.
    Planning = "PLANNING",
    /// To withhold what is planned, because it was stopped.
    Withholding = "WITHHOLDING",
    /// Nothing.
    Done = "DONE",
});

/// How far a mailing has come.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mailing_progress")]
pub struct Model {
    /// The mailing.
    #[sea_orm(primary_key, auto_increment = false)]
    pub mailing_id: MailingId,
    /// What is to be done next.
    pub work: MailingWork,
    /// The place in the order of leads where it began: that of the moment at which it was started.
    pub from_lead_id: LeadId,
    /// Leads of ids below this are still to be looked at.
    pub before_lead_id: LeadId,
    /// Up to which message everything is withheld that was planned.
    pub withheld_to_id: Option<MessageId>,
    /// Leads looked at.
    pub looked_at: i64,
    /// Mails planned.
    pub planned: i64,
    /// Of these: waiting because the gate or a mail server said so.
    pub deferred: i64,
    /// Of these: taken by a mail server.
    pub accepted: i64,
    /// Of these: refused for good.
    pub refused: i64,
    /// Of these: withheld for good.
    pub withheld: i64,
    /// Of these: nobody knows.
    pub unknown: i64,
    /// When to go on.
    pub due_at: DateTime<Utc>,
    /// When all leads had been looked at.
    pub finished_at: Option<DateTime<Utc>>,
}

impl ActiveModelBehavior for ActiveModel {}
