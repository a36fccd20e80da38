//! How far mailings have come, and what became of their mails.
//!
//! A mail changes its state at many places, by many workers at once. The database writes down each change that counts
//! (`mailing_change`), whoever makes it, so none is forgotten and nobody waits for anybody; sweeps add them up. What is
//! read is the sums and what is not yet in them, so it is exact at every moment and costs the same for a mailing to ten as
//! for one to a million.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use entity::id::{LeadId, MailingId};
use entity::mailing::Audience;
use entity::mailing_progress::MailingWork;
use entity::message::MessageState;
use entity::{lead, mailing, mailing_change, mailing_progress};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement, Value,
};

use super::audience::first_lead;
use crate::db::{self, each::update_each};
use crate::error::{Error, Result};
use crate::hospital::Hospital;

/// Changes that are added up in one transaction.
pub const FOLD_MAX: usize = 2_000;

/// Whoever holds it adds up. The number is arbitrary and used for nothing else.
const FOLDER: i64 = 0x6d61_696c_696e_0001;

/// The states that are counted, by the order of their columns.
const COUNTED: [MessageState; 5] = [
    MessageState::Deferred,
    MessageState::Accepted,
    MessageState::Refused,
    MessageState::Withheld,
    MessageState::Unknown,
];

type Sums = [i64; COUNTED.len()];

/// How far a mailing has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// What workers have to do for it.
    pub work: MailingWork,
    /// Leads looked at.
    pub leads_looked_at: i64,
    /// About which part of the leads that is, from 0 to 1, by the days on which they came in.
    pub share: f64,
    /// Mails planned, whatever became of them.
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
    /// When all leads had been looked at.
    pub finished_at: Option<DateTime<Utc>>,
}

impl Progress {
    /// Mails that wait for their time, or go out at this moment.
    #[must_use]
    pub const fn waiting(&self) -> i64 {
        self.planned - self.deferred - self.accepted - self.refused - self.withheld - self.unknown
    }
}

/// How far these mailings have come; none for drafts. Every number is of one moment.
///
/// # Errors
/// When the database fails.
pub async fn progress_of(
    db: &DatabaseConnection,
    ids: &[MailingId],
) -> Result<HashMap<MailingId, Progress>, DbErr> {
    let tx = db::begin_read(db).await?;
    let rows = mailing_progress::Entity::find()
        .filter(mailing_progress::Column::MailingId.is_in(ids.iter().copied()))
        .all(&tx)
        .await?;
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let audiences: HashMap<MailingId, Audience> = mailing::Entity::find()
        .select_only()
        .columns([mailing::Column::Id, mailing::Column::Audience])
        .filter(mailing::Column::Id.is_in(ids.iter().copied()))
        .into_tuple()
        .all(&tx)
        .await?
        .into_iter()
        .collect();
    let changes: Vec<Change> = mailing_change::Entity::find()
        .select_only()
        .columns([
            mailing_change::Column::MailingId,
            mailing_change::Column::Was,
            mailing_change::Column::Became,
        ])
        .filter(mailing_change::Column::MailingId.is_in(ids.iter().copied()))
        .into_tuple()
        .all(&tx)
        .await?;
    let oldest: Option<LeadId> = lead::Entity::find()
        .select_only()
        .column(lead::Column::Id)
        .order_by_asc(lead::Column::Id)
        .limit(1)
        .into_tuple()
        .one(&tx)
        .await?;
    let sums = summed(changes);
    let of = |row: mailing_progress::Model| {
        let new = sums.get(&row.mailing_id).copied().unwrap_or_default();
        let begins = audiences
            .get(&row.mailing_id)
            .and_then(|audience| audience.received_from);
        let last = first_lead(begins).into_iter().chain(oldest).max();
        (row.mailing_id, read(&row, new, last))
    };
    Ok(rows.into_iter().map(of).collect())
}

/// What a row says together with what is not in it yet; `last` is the place at which planning ends.
fn read(row: &mailing_progress::Model, new: Sums, last: Option<LeadId>) -> Progress {
    let [deferred, accepted, refused, withheld, unknown] = new;
    Progress {
        work: row.work,
        leads_looked_at: row.looked_at,
        share: match row.finished_at {
            Some(_) => 1.0,
            None => share(
                row.from_lead_id,
                row.before_lead_id,
                last.unwrap_or(row.from_lead_id),
            ),
        },
        planned: row.planned,
        deferred: row.deferred + deferred,
        accepted: row.accepted + accepted,
        refused: row.refused + refused,
        withheld: row.withheld + withheld,
        unknown: row.unknown + unknown,
        finished_at: row.finished_at,
    }
}

/// Which part of the way from the first place to the last lies behind the present one, by the times in the ids.
fn share(from: LeadId, here: LeadId, last: LeadId) -> f64 {
    let [from, here, last] = [from, here, last].map(at_secs);
    let whole = from - last;
    if whole > 0.0 {
        ((from - here) / whole).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

fn at_secs(id: LeadId) -> f64 {
    let (secs, nanos) = id.0.get_timestamp().map_or((0, 0), |at| at.to_unix());
    std::time::Duration::new(secs, nanos).as_secs_f64()
}

/// A mailing, and the states before and after.
type Change = (MailingId, MessageState, MessageState);

/// What changes add to the counts of each mailing, in the order of the mailings.
fn summed(changes: Vec<Change>) -> BTreeMap<MailingId, Sums> {
    let mut sums: BTreeMap<MailingId, Sums> = BTreeMap::new();
    for (mailing, was, became) in changes {
        let of_mailing = sums.entry(mailing).or_default();
        for (state, step) in [(was, -1), (became, 1)] {
            if let Some(place) = COUNTED.iter().position(|counted| *counted == state) {
                of_mailing[place] += step;
            }
        }
    }
    sums
}

/// Adds at most [`FOLD_MAX`] changes to the counts. Answers how many there were; none when somebody else is at it.
///
/// # Errors
/// When the database fails; nothing has changed then.
pub async fn fold(h: &Hospital) -> Result<usize> {
    // Most sweeps find nothing. They need not take SQLite's write lock to see that.
    if mailing_change::Entity::find().one(&h.db).await?.is_none() {
        return Ok(0);
    }
    let tx = db::begin_write(&h.db).await?;
    if !db::try_lock_key(&tx, FOLDER).await? {
        return Ok(0);
    }
    let sql = "DELETE FROM mailing_change WHERE id IN (SELECT id FROM mailing_change LIMIT $1) \
               RETURNING mailing_id, was, became";
    let limit = i64::try_from(FOLD_MAX).map_err(|_| Error::fault("a batch has a small size"))?;
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, [limit.into()]);
    let changes: Vec<Change> = tx
        .query_all_raw(statement)
        .await?
        .iter()
        .map(|row| {
            Ok((
                row.try_get_by_index(0)?,
                row.try_get_by_index(1)?,
                row.try_get_by_index(2)?,
            ))
        })
        .collect::<Result<_, DbErr>>()?;
    let found = changes.len();
    let rows: Vec<[Value; 6]> = summed(changes)
        .into_iter()
        .map(|(mailing, [deferred, accepted, refused, withheld, unknown])| {
            [
                mailing.into(),
                deferred.into(),
                accepted.into(),
                refused.into(),
                withheld.into(),
                unknown.into(),
            ]
        })
        .collect();
    let sql = "UPDATE mailing_progress SET deferred = mailing_progress.deferred + v.column2, \
               accepted = mailing_progress.accepted + v.column3, refused = mailing_progress.refused + v.column4, \
               withheld = mailing_progress.withheld + v.column5, unknown = mailing_progress.unknown + v.column6 \
               FROM ({rows}) AS v WHERE mailing_progress.mailing_id = v.column1 \
               RETURNING mailing_progress.mailing_id";
    update_each(&tx, sql, Vec::new(), rows).await?;
    tx.commit().await?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::{Builder, Uuid};

    use super::*;

    fn came(days: i64) -> LeadId {
        let at = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000 + days);
        let millis = u64::try_from(at.timestamp_millis()).unwrap();
        LeadId(Builder::from_unix_timestamp_millis(millis, &[7; 10]).into_uuid())
    }

    #[test]
    fn the_share_is_that_of_the_days_that_lie_behind() {
        assert_eq!(share(came(100), came(100), came(0)), 0.0);
        assert_eq!(share(came(100), came(75), came(0)), 0.25);
        assert_eq!(share(came(100), came(0), came(0)), 1.0);
        assert_eq!(share(came(100), came(-5), came(0)), 1.0, "never more than all");
        assert_eq!(share(came(100), came(100), came(100)), 0.0, "there was nobody");
    }

    #[test]
    fn a_mail_leaves_the_count_of_one_state_for_that_of_the_next() {
        use MessageState::{Accepted, Claimed, Deferred, Planned, Refused, Unknown};
        let mailing = MailingId(Uuid::from_u128(7));
        let sums = summed(vec![
            (mailing, Planned, Deferred),
            (mailing, Planned, Deferred),
            (mailing, Deferred, Claimed),
            (mailing, Claimed, Unknown),
            (mailing, Unknown, Accepted),
            (mailing, Accepted, Refused),
        ]);
        assert_eq!(sums[&mailing], [1, 0, 1, 0, 0]);
    }
}
