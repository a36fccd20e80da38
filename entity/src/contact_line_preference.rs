//! Whether a contact wants promotional mail about a service line. No row: the consent alone decides.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{ContactId, ContactLinePreferenceId, ServiceLineId};

/// Whether a contact wants promotional mail about a service line. No row: the consent alone decides.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contact_line_preference")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ContactLinePreferenceId,
    /// Whose wish it is.
    pub contact_id: ContactId,
    /// The service line; one row for each that the contact spoke about.
    pub service_line_id: ServiceLineId,
    /// Whether mail about it is wanted.
    pub wanted: bool,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
