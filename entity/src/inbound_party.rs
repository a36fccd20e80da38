//! Somebody whom what came back is about: so that an erasure or an export of a contact finds it.

use sea_orm::entity::prelude::*;

use crate::id::{ContactId, InboundMailId, InboundPartyId};

/// Somebody whom what came back is about: so that an erasure or an export of a contact finds it.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "inbound_party")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InboundPartyId,
    /// What came back. The row goes with it.
    pub inbound_id: InboundMailId,
    /// Keyed hash of the normalized address that stands in it.
    pub address_hash: Option<Vec<u8>>,
    /// The contact that was found.
    pub contact_id: Option<ContactId>,
}

impl ActiveModelBehavior for ActiveModel {}
