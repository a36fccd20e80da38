//! What a service line can hold against what is coming anyway, and who waits.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::capacity::{self, Model as Week};
use entity::capacity_pace::{Column, Entity, Model as Pace, PaceStop};
use entity::id::{FacilityId, ServiceLineId};
use entity::{capacity_tick, capacity_turn};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::lay::pool_of;
use super::pace::{Ahead, MICRO, ahead, allowance, allowance_of};
use super::read::week_of;
use super::{Pool, day_at, monday_of, policy_of};
use crate::db;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::viewer::Viewer;

/// Most places that are shown at once.
pub const PLACES_MAX: u64 = 200;
/// Most weeks that are shown of a place.
pub const WEEKS_MAX: i64 = 53;

/// What is looked at.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// These service lines; all if none are named.
    pub service_line_ids: Vec<ServiceLineId>,
    /// These facilities; all if none are named.
    pub facility_ids: Vec<FacilityId>,
    /// How many weeks are shown, the present one included.
    pub weeks: i64,
}

/// A service line at a facility.
#[derive(Clone, Debug)]
pub struct Outlook {
    /// Its pace, as it was last reckoned.
    pub pace: Pace,
    /// The day that it is there.
    pub today: NaiveDate,
    /// What was said of its weeks, the present one first.
    pub weeks: Vec<WeekOutlook>,
    /// Visits that are open in the weeks that are looked ahead; of the present week the share of its days that are left.
    pub open_slots: f64,
    /// Mails that were let go today.
    pub let_go: i64,
    /// Mails that wait in line.
    pub held: i64,
    /// The day on which the first of them is let go, if any day can be told.
    pub next_release: Option<NaiveDate>,
}

/// A week of a service line at a facility.
#[derive(Clone, Debug)]
pub struct WeekOutlook {
    /// What was said.
    pub week: Week,
    /// Visits that the leads in the funnel will take of it; none beyond the weeks that are looked ahead, and without
    /// enough evidence.
    pub expected: Option<f64>,
    /// Demand-making mails that may go from now to its end, of its days alone; none beyond the weeks that are looked ahead.
    pub allowance: Option<i64>,
}

impl Outlook {
    /// Where it is.
    #[must_use]
    pub fn pool(&self) -> Pool {
        pool_of(&self.pace)
    }

    /// Mails that may go today, those that were let go included.
    #[must_use]
    pub fn allowance_today(&self) -> i64 {
        allowance(self.pace.rate_micro, self.today)
    }
}

/// A number of millionths.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "it is shown to people, and no line has as many visits as a float counts exactly"
)]
pub fn of_micro(number: i64) -> f64 {
    number as f64 / MICRO as f64
}

#[derive(FromQueryResult)]
struct Line {
    service_line_id: ServiceLineId,
    facility_id: FacilityId,
    held: i64,
    next_release: Option<NaiveDate>,
}

/// The places of the filter that somebody has spoken of, by line and facility; at most [`PLACES_MAX`].
///
/// # Errors
/// [`Error::Refused`] when too many weeks are asked for, [`Error::Missing`] for a viewer without a role, or a fault of the
/// database.
pub async fn look(h: &Hospital, viewer: &Viewer, filter: Filter) -> Result<Vec<Outlook>> {
    if viewer.role().is_none() {
        return Err(Error::Missing { noun: "capacity" });
    }
    if !(1..=WEEKS_MAX).contains(&filter.weeks) {
        return Err(Error::refused(Code::Invalid, "weeks", "Ask for 1 to 53 weeks."));
    }
    let playbook = h.playbook().await?;
    let tx = db::begin_read(&h.db).await?;
    let now = h.now();
    let mut select = Entity::find();
    if !filter.service_line_ids.is_empty() {
        select = select.filter(Column::ServiceLineId.is_in(filter.service_line_ids));
    }
    if !filter.facility_ids.is_empty() {
        select = select.filter(Column::FacilityId.is_in(filter.facility_ids));
    }
    let paces = select
        .order_by_asc(Column::ServiceLineId)
        .order_by_asc(Column::FacilityId)
        .limit(PLACES_MAX)
        .all(&tx)
        .await?;
    if paces.is_empty() {
        return Ok(Vec::new());
    }
    let mut weeks = weeks(&tx, &paces, now, filter.weeks).await?;
    let lines = lines(&tx, &paces).await?;
    let let_go = let_go(&tx, &paces, now).await?;
    tx.commit().await?;
    let outlooks = paces.into_iter().filter_map(|pace| {
        let pool = pool_of(&pace);
        let today = day_at(&playbook, pool.1, now);
        let policy = policy_of(playbook.lines.get(&pool.0)?);
        let said = weeks.remove(&pool).unwrap_or_default();
        let line = lines.get(&pool);
        Some(outlook(
            pace,
            said,
            today,
            policy.weeks,
            line,
            let_go.get(&(pool, today)).copied().unwrap_or_default(),
        ))
    });
    Ok(outlooks.collect())
}

fn outlook(
    pace: Pace,
    said: Vec<Week>,
    today: NaiveDate,
    horizon: u32,
    line: Option<&Line>,
    let_go: i64,
) -> Outlook {
    let rows: Vec<_> = said.iter().map(week_of).collect();
    let parts = ahead(today, &rows, horizon);
    let days: u32 = parts.iter().map(|part| part.days).sum();
    let part_of = |week: &Week| parts.iter().find(|part| part.week.monday == week.monday);
    let this = monday_of(today);
    let weeks = said
        .iter()
        .filter(|week| week.monday >= this)
        .map(|week| WeekOutlook {
            expected: part_of(week)
                .zip(pace.demand_micro)
                .map(|(part, demand)| of_micro(demand) * f64::from(part.days) / f64::from(days.max(1))),
            allowance: part_of(week).map(|part| {
                let first = week.monday.max(today);
                allowance_of(pace.rate_micro, first, part.days.into())
            }),
            week: week.clone(),
        })
        .collect();
    Outlook {
        pace,
        today,
        weeks,
        open_slots: parts.iter().map(slots).sum(),
        let_go,
        held: line.map_or(0, |line| line.held),
        next_release: line.and_then(|line| line.next_release),
    }
}

fn slots(part: &Ahead) -> f64 {
    f64::from(part.week.open_slots) * f64::from(part.days) / 7.0
}

/// What was said of weeks: those that are shown, and the last before them.
async fn weeks(
    tx: &DatabaseTransaction,
    paces: &[Pace],
    now: DateTime<Utc>,
    weeks: i64,
) -> Result<HashMap<Pool, Vec<Week>>> {
    // A day on either side, because places lie in different zones.
    let this = monday_of(now.date_naive() - TimeDelta::days(1));
    let rows = capacity::Entity::find()
        .filter(capacity::Column::ServiceLineId.is_in(paces.iter().map(|pace| pace.service_line_id)))
        .filter(capacity::Column::FacilityId.is_in(paces.iter().map(|pace| pace.facility_id)))
        .filter(capacity::Column::Monday.gte(this - TimeDelta::weeks(WEEKS_MAX)))
        .filter(capacity::Column::Monday.lt(this + TimeDelta::weeks(weeks + 1)))
        .order_by_asc(capacity::Column::Monday)
        .all(tx)
        .await?;
    let mut found: HashMap<Pool, Vec<Week>> = HashMap::new();
    for row in rows {
        let pool = (row.service_line_id, row.facility_id);
        found.entry(pool).or_default().push(row);
    }
    Ok(found)
}

/// How many wait, and when the first goes. One statement over the places of the lines that are shown.
async fn lines(tx: &DatabaseTransaction, paces: &[Pace]) -> Result<HashMap<Pool, Line>> {
    use capacity_turn::Column::{DueOn, FacilityId, MessageId, ServiceLineId};
    let rows = capacity_turn::Entity::find()
        .select_only()
        .columns([ServiceLineId, FacilityId])
        .column_as(MessageId.count(), "held")
        .column_as(DueOn.min(), "next_release")
        .filter(ServiceLineId.is_in(paces.iter().map(|pace| pace.service_line_id)))
        .group_by(ServiceLineId)
        .group_by(FacilityId)
        .into_model::<Line>()
        .all(tx)
        .await?;
    let pool = |row: &Line| (row.service_line_id, row.facility_id);
    Ok(rows.into_iter().map(|row| (pool(&row), row)).collect())
}

/// What was let go on the days around now.
async fn let_go(
    tx: &DatabaseTransaction,
    paces: &[Pace],
    now: DateTime<Utc>,
) -> Result<HashMap<(Pool, NaiveDate), i64>> {
    use capacity_tick::Column::{Day, ServiceLineId};
    let around = now.date_naive();
    let rows = capacity_tick::Entity::find()
        .filter(ServiceLineId.is_in(paces.iter().map(|pace| pace.service_line_id)))
        .filter(Day.between(around - TimeDelta::days(1), around + TimeDelta::days(1)))
        .all(tx)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let pool = (row.service_line_id, row.facility_id);
            ((pool, row.day), row.let_go.into())
        })
        .collect())
}

/// The places where promotion has stopped, and why; there are few places at all.
///
/// # Errors
/// When the database fails.
pub async fn stops(conn: &impl ConnectionTrait) -> Result<HashMap<Pool, PaceStop>> {
    let paces = Entity::find()
        .filter(Column::Stopped.is_not_null())
        .all(conn)
        .await?;
    Ok(paces
        .iter()
        .filter_map(|pace| Some((pool_of(pace), pace.stopped?)))
        .collect())
}
