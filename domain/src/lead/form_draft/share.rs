//! How many mails with links to saved forms an address gets, whoever presses the button: anybody can type anybody's.

use chrono::{DateTime, TimeDelta, Utc};
use entity::form_draft_mail::{ActiveModel, Column, Entity};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::error::Result;
use crate::hospital::Hospital;
use crate::id::new_id;

/// Most mails with links to saved forms that an address gets within [`SHARE`].
pub const MAILS_MAX: usize = 3;
/// The time in which an address gets so many.
pub const SHARE: TimeDelta = TimeDelta::hours(24);
/// Most rows that one statement forgets.
const FORGET_MAX: u64 = 1_000;

/// When the next mail may go to an address to which the last ones went, or go, at `turns`, the latest first. None when
/// that is further away than one share: then more wait than are of use to anybody.
#[must_use]
pub fn next_turn(turns: &[DateTime<Utc>], now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let free = turns.get(MAILS_MAX - 1).map_or(now, |last| *last + SHARE);
    let turn = now.max(free);
    (turn - now <= SHARE).then_some(turn)
}

/// When a mail may go to an address, whose key the caller holds.
pub(super) async fn turn(
    tx: &DatabaseTransaction,
    h: &Hospital,
    email: &str,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    let turns: Vec<DateTime<Utc>> = Entity::find()
        .select_only()
        .column(Column::GoesAt)
        .filter(Column::EmailHash.eq(hash(h, email)))
        .order_by_desc(Column::GoesAt)
        .limit(MAILS_MAX as u64)
        .into_tuple()
        .all(tx)
        .await?;
    Ok(next_turn(&turns, now))
}

/// The row that counts a mail.
pub(super) fn counted(h: &Hospital, email: &str, goes_at: DateTime<Utc>) -> ActiveModel {
    ActiveModel {
        id: Set(new_id(goes_at)),
        email_hash: Set(hash(h, email)),
        goes_at: Set(goes_at),
    }
}

fn hash(h: &Hospital, email: &str) -> Vec<u8> {
    h.secrets.address_hash("saved form", email).to_vec()
}

/// Forgets the mails that count no more. Answers whether there may be more.
///
/// # Errors
/// When the database fails; nothing has changed then.
pub async fn forget_old(h: &Hospital) -> Result<bool> {
    let old: Vec<entity::id::FormDraftMailId> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::GoesAt.lt(h.now() - SHARE))
        .order_by_asc(Column::GoesAt)
        .limit(FORGET_MAX)
        .into_tuple()
        .all(&h.db)
        .await?;
    let full = old.len() as u64 == FORGET_MAX;
    if !old.is_empty() {
        Entity::delete_many()
            .filter(Column::Id.is_in(old))
            .exec(&h.db)
            .await?;
    }
    Ok(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    #[test]
    fn three_go_at_once_and_the_fourth_when_the_first_is_a_day_old() {
        let mut turns = Vec::new();
        let mut went = Vec::new();
        for minute in 0..6 {
            let turn = next_turn(&turns, at(minute)).unwrap();
            turns.insert(0, turn);
            went.push(turn);
        }
        let day = 24 * 60;
        assert_eq!(went, [0, 1, 2, day, day + 1, day + 2].map(at));
        assert_eq!(next_turn(&turns, at(6)), None, "two days are full");
        assert_eq!(next_turn(&turns, at(day)), Some(at(2 * day)));
        assert_eq!(next_turn(&turns, at(3 * day)), Some(at(3 * day)));
    }

    proptest::proptest! {
        #[test]
        fn no_day_has_more_than_its_share_and_nothing_goes_before_it_is_asked_for(
            waits in proptest::collection::vec(0_i64..2_000, 1..40),
        ) {
            let (mut turns, mut now) = (Vec::new(), at(0));
            for wait in waits {
                now += TimeDelta::minutes(wait);
                if let Some(turn) = next_turn(&turns, now) {
                    proptest::prop_assert!(turn >= now && turn - now <= SHARE);
                    turns.insert(0, turn);
                }
            }
            for (place, turn) in turns.iter().enumerate() {
                if let Some(before) = turns.get(place + MAILS_MAX) {
                    proptest::prop_assert!(*turn - *before >= SHARE);
                }
            }
        }
    }
}
