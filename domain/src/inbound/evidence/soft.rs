//! Mails that came back and may work later: how often in a row, and when to stop trying the address.

use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::Medium;
use entity::soft_bounce::{Column, Entity, Model};
use entity::suppression::{self, SuppressionReason};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};

use crate::error::Result;
use crate::hospital::Hospital;
use crate::id::new_id;

/// How often mails must come back before an address is suspended.
const FAILS: i32 = 3;
/// Over how long: a weekend with a full mailbox is no reason.
const OVER: TimeDelta = TimeDelta::hours(72);
/// After how long without one the count begins anew.
const FORGOTTEN: TimeDelta = TimeDelta::days(30);

/// Whether an address is to be suspended, by what has come back from it. Pure.
fn is_worn_out(count: &Model) -> bool {
    count.fails >= FAILS && count.last_at - count.first_at >= OVER
}

/// The count after one more. Pure.
fn counted(known: Option<Model>, hash: &[u8], now: DateTime<Utc>) -> Model {
    match known {
        Some(known) if now - known.last_at < FORGOTTEN => Model {
            fails: known.fails.saturating_add(1),
            last_at: known.last_at.max(now),
            ..known
        },
        known => Model {
            id: known.map_or_else(|| new_id(now), |known| known.id),
            address_hash: hash.to_vec(),
            fails: 1,
            first_at: now,
            last_at: now,
        },
    }
}

/// Counts one more, and answers whether the address is to be suspended. Its contact must be held.
pub(super) async fn count(
    tx: &DatabaseTransaction,
    h: &Hospital,
    address: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let hash = h.secrets.address_hash(Medium::Email.as_str(), address).to_vec();
    let known = Entity::find()
        .filter(Column::AddressHash.eq(hash.clone()))
        .lock(LockType::Update)
        .one(tx)
        .await?;
    let is_new = known.is_none();
    let count = counted(known, &hash, now);
    let worn_out = is_worn_out(&count);
    if is_new {
        count.into_active_model().insert(tx).await?;
    } else {
        let mut row = count.clone().into_active_model();
        (row.fails, row.first_at, row.last_at) = (Set(count.fails), Set(count.first_at), Set(count.last_at));
        row.update(tx).await?;
    }
    Ok(worn_out)
}

/// Something arrived at the address: the count is over, and so is a suspension.
pub(super) async fn lift(tx: &DatabaseTransaction, h: &Hospital, address: &str) -> Result<()> {
    let hash = h.secrets.address_hash(Medium::Email.as_str(), address).to_vec();
    Entity::delete_many()
        .filter(Column::AddressHash.eq(hash.clone()))
        .exec(tx)
        .await?;
    suppression::Entity::delete_many()
        .filter(suppression::Column::Medium.eq(Medium::Email))
        .filter(suppression::Column::AddressHash.eq(hash))
        .filter(suppression::Column::Reason.eq(SuppressionReason::SoftBounces))
        .exec(tx)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    fn after(hours: &[i64]) -> Model {
        let begin = Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap();
        let count = hours.iter().fold(None, |known, hour| {
            Some(counted(known, &[1], begin + TimeDelta::hours(*hour)))
        });
        count.unwrap()
    }

    #[test]
    fn an_address_is_suspended_after_three_in_three_days_and_not_before() {
        assert!(is_worn_out(&after(&[0, 30, 72])));
        assert!(!is_worn_out(&after(&[0, 30, 71])), "in less than three days");
        assert!(!is_worn_out(&after(&[0, 80])), "only twice");
        assert!(is_worn_out(&after(&[0, 1, 2, 90])));
    }

    #[test]
    fn what_came_back_long_ago_is_forgotten() {
        let count = after(&[0, 48, 48 + 30 * 24]);
        assert_eq!((count.fails, is_worn_out(&count)), (1, false));
    }
}
