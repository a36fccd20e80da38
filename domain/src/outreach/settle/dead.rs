//! Addresses that do not exist, as mail servers say at once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::enums::Medium;
use entity::id::SuppressionId;
use entity::suppression::{self, SuppressionReason};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait};

use crate::error::Result;
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::outreach::claim::Sendable;
use crate::outreach::suppress;

/// Nothing is sent to these addresses again.
pub(super) async fn suppress(
    h: &Hospital,
    tx: &DatabaseTransaction,
    dead: &[&Sendable],
    now: DateTime<Utc>,
) -> Result<()> {
    let mut hashes: HashMap<Vec<u8>, SuppressionId> = HashMap::new();
    for contact in dead.iter().filter_map(|sendable| sendable.contact()) {
        let Some(address) = contact.email_normalized.as_deref() else {
            continue;
        };
        let hash = h.secrets.address_hash(Medium::Email.as_str(), address).to_vec();
        hashes.entry(hash).or_insert_with(|| new_id(now));
    }
    if hashes.is_empty() {
        return Ok(());
    }
    let rows = hashes
        .into_iter()
        .map(|(address_hash, id)| suppression::ActiveModel {
            id: Set(id),
            medium: Set(Medium::Email),
            address_hash: Set(address_hash),
            reason: Set(SuppressionReason::HardBounce),
            created_at: Set(now),
        });
    // What lets requested replies through gives way: an address that does not exist stops all mail.
    let mut known = OnConflict::columns([suppression::Column::Medium, suppression::Column::AddressHash]);
    known.update_column(suppression::Column::Reason);
    known.action_and_where(suppression::Column::Reason.is_in(suppress::WEAKER_THAN_HARD_BOUNCE));
    suppression::Entity::insert_many(rows)
        .on_conflict(known)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
