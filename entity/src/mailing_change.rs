//! A change of state of a mailing's mail that is not yet in its counts. The database adds it, whoever changes the state.

use sea_orm::entity::prelude::*;

use crate::id::{MailingChangeId, MailingId};
use crate::message::MessageState;

/// A change of state of a mailing's mail that is not yet in its counts.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mailing_change")]
pub struct Model {
    /// Chosen by the database, in no order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MailingChangeId,
    /// The mailing.
    pub mailing_id: MailingId,
    /// The state before.
    pub was: MessageState,
    /// The state after.
    pub became: MessageState,
}

impl ActiveModelBehavior for ActiveModel {}
