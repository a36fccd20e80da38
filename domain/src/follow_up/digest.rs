//! The morning digest: what a member of staff has to do today, by mail, once on each working day.
//!
//! When it comes is a row of each person, so it comes once with any number of workers, and a worker that was away for a day
//! does not send yesterday's. What it says is read when it goes out.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use entity::follow_up::Model;
use entity::id::{FacilityId, StaffId};
use entity::message::{self, MessageKind};
use entity::staff_digest::{Column, Entity};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, Statement, Value,
};

use crate::db::each::update_each;
use crate::db::{self, BATCH_MAX};
use crate::done::Done;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::nudge::Subject;
use crate::outreach::staff_notice;
use crate::playbook::Playbook;
use crate::report::day_start;
use crate::sla::calendar::{Calendar, HORIZON_DAYS};

#[cfg(test)]
mod tests;

/// When it comes, in minutes after midnight on the person's clock: before most desks open.
pub const MINUTE_OF_DAY: i64 = 7 * 60 + 30;
/// How long after that it is still worth sending.
pub const GOOD_FOR: TimeDelta = TimeDelta::hours(1);
/// Follow-ups that it names; of the others it tells the number.
pub const LINES_MAX: usize = 10;
/// Up to how many follow-ups of a person are counted.
pub const COUNT_MAX: usize = 100;

/// What a person has to do today.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Digest {
    /// The first [`LINES_MAX`], in the order of the work list.
    pub lines: Vec<Model>,
    /// How many are late, counted up to [`COUNT_MAX`] together with those of today.
    pub late: usize,
    /// How many more are due before the person's day ends.
    pub today: usize,
}

impl Digest {
    fn of(rows: Vec<Model>, now: DateTime<Utc>) -> Self {
        let late = rows.iter().filter(|row| row.due_at <= now).count();
        Self {
            late,
            today: rows.len() - late,
            lines: rows.into_iter().take(LINES_MAX).collect(),
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.late + self.today
    }

    /// The subject line: numbers alone, because it is read on locked screens.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("Your follow-ups today: {} late, {} due", self.late, self.today)
    }
}

/// The days on which somebody works: those on which a facility of one of their teams is open; for who is in no team, those
/// of the hospital's first facility.
struct Week {
    zone: Tz,
    calendars: Vec<Calendar>,
}

impl Week {
    fn of(playbook: &Playbook, staff_id: StaffId, zone: Tz) -> Self {
        let mut facilities: Vec<Option<FacilityId>> = playbook
            .members
            .iter()
            .filter(|(_, members)| members.contains(&staff_id))
            .filter_map(|(team, _)| playbook.teams.get(team))
            .map(|team| team.facility_id)
            .collect();
        if facilities.is_empty() {
            facilities.push(None);
        }
        facilities.sort_unstable();
        facilities.dedup();
        let calendars = facilities.into_iter().map(|id| playbook.calendar(id)).collect();
        Self { zone, calendars }
    }

    fn has(&self, date: NaiveDate) -> bool {
        let is_open = |calendar: &Calendar| !calendar.hours.on(date).ranges().is_empty();
        self.calendars.iter().any(is_open)
    }

    /// The digest's time on a working day. It is counted from the start of the day, so on a day on which clocks change it
    /// comes an hour off and never twice.
    fn morning(&self, date: NaiveDate) -> Option<DateTime<Utc>> {
        self.has(date)
            .then(|| day_start(self.zone, date) + TimeDelta::minutes(MINUTE_OF_DAY))
    }

    /// The digest's time on the day of `now`, if that is a working day.
    fn today(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.morning(now.with_timezone(&self.zone).date_naive())
    }

    /// The first digest's time after `now`; the end of the search if no day is a working day.
    fn next(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let today = now.with_timezone(&self.zone).date_naive();
        today
            .iter_days()
            .take(usize::try_from(HORIZON_DAYS).unwrap_or_default())
            .filter_map(|date| self.morning(date))
            .find(|at| *at > now)
            .unwrap_or(now + TimeDelta::days(HORIZON_DAYS))
    }
}

/// Plans the digest of everybody whose morning has come and who has something to do, and sets the next morning of all of
/// them. Answers how many were looked at, at most [`BATCH_MAX`].
///
/// # Errors
/// When the database fails.
pub async fn plan_due(h: &Hospital) -> Result<Done<usize>> {
    let playbook = h.playbook().await?;
    let now = h.now();
    let tx = db::begin_write(&h.db).await?;
    let due = Entity::find()
        .filter(Column::NextAt.lte(now))
        .order_by_asc(Column::NextAt)
        .limit(BATCH_MAX as u64)
        // SQLite has one writer at a time, and leaves this out.
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(&tx)
        .await?;
    if due.is_empty() {
        return Ok(Done::quiet(0));
    }
    let looked_at = due.len();
    let mut next = Vec::with_capacity(looked_at);
    let mut mornings = BTreeMap::new();
    for row in due {
        let Some(zone) = zone_of(&playbook, row.staff_id) else {
            // Who has left is looked at once a day, because people come back.
            next.push([row.staff_id.into(), (now + TimeDelta::days(1)).into()]);
            continue;
        };
        let week = Week::of(&playbook, row.staff_id, zone);
        next.push([row.staff_id.into(), week.next(now).into()]);
        let in_time = |at: &DateTime<Utc>| row.next_at <= *at && *at <= now && now < *at + GOOD_FOR;
        if let Some(morning) = week.today(now).filter(in_time)
            && !playbook.is_away(row.staff_id, now)
        {
            mornings.insert(row.staff_id, morning);
        }
    }
    let sql = "UPDATE staff_digest SET next_at = v.column2 FROM ({rows}) AS v \
               WHERE staff_digest.staff_id = v.column1 RETURNING staff_digest.staff_id";
    update_each(&tx, sql, Vec::new(), next).await?;
    let planned = plan(h, &tx, &playbook, &mornings, now).await?;
    tx.commit().await?;
    Ok(Done {
        value: looked_at,
        signals: Vec::new(),
        nudges: (planned > 0)
            .then_some(Subject::WaitingMail)
            .into_iter()
            .collect(),
    })
}

async fn plan(
    h: &Hospital,
    tx: &DatabaseTransaction,
    playbook: &Playbook,
    mornings: &BTreeMap<StaffId, DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<usize> {
    let staff: Vec<StaffId> = mornings.keys().copied().collect();
    let digests = read(tx, playbook, &staff, now).await?;
    let notices = mornings.iter().filter_map(|(id, morning)| {
        let subject = digests.get(id)?.subject();
        let origin = format!("digest/{}", morning.timestamp());
        let kind = MessageKind::FollowUpDigest;
        let notice = staff_notice::about_no_lead(&h.site, kind, *id, &subject, &origin, now);
        Some(message::ActiveModel {
            expires_at: Set(*morning + GOOD_FOR),
            ..notice
        })
    });
    staff_notice::plan(tx, notices.collect(), now).await
}

/// What these people have to do before their day ends; who has nothing to do is not in it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn read(
    conn: &impl ConnectionTrait,
    playbook: &Playbook,
    staff: &[StaffId],
    now: DateTime<Utc>,
) -> Result<HashMap<StaffId, Digest>> {
    let ends: HashMap<StaffId, DateTime<Utc>> = staff
        .iter()
        .filter_map(|id| Some((*id, day_end(zone_of(playbook, *id)?, now))))
        .collect();
    let Some(latest) = ends.values().max() else {
        return Ok(HashMap::new());
    };
    let mut values: Vec<Value> = vec![(*latest).into()];
    values.extend(ends.keys().map(|id| Value::from(*id)));
    let places: Vec<String> = (2..=values.len()).map(|place| format!("${place}")).collect();
    let sql = format!(
        "SELECT * FROM (SELECT follow_up.*, row_number() OVER (PARTITION BY assignee_id ORDER BY rank, due_at, id) AS place \
         FROM follow_up WHERE state = 'OPEN' AND due_at < $1 AND assignee_id IN ({})) AS mine \
         WHERE place <= {COUNT_MAX} ORDER BY assignee_id, place",
        places.join(", ")
    );
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, values);
    let mut rows: HashMap<StaffId, Vec<Model>> = HashMap::new();
    for row in Model::find_by_statement(statement).all(conn).await? {
        let Some(assignee) = row.assignee_id else { continue };
        if ends.get(&assignee).is_some_and(|end| row.due_at < *end) {
            rows.entry(assignee).or_default().push(row);
        }
    }
    let digests = rows.into_iter().map(|(id, rows)| (id, Digest::of(rows, now)));
    Ok(digests.collect())
}

/// Gives everybody who is new a row; the first digest comes on the next working morning.
///
/// # Errors
/// When the database fails.
pub(crate) async fn expect_everybody(tx: &DatabaseTransaction) -> Result<()> {
    let sql = "INSERT INTO staff_digest (staff_id, next_at) SELECT staff.id, staff.created_at FROM staff \
               WHERE NOT EXISTS (SELECT 1 FROM staff_digest WHERE staff_digest.staff_id = staff.id) \
               ON CONFLICT DO NOTHING";
    tx.execute_unprepared(sql).await?;
    Ok(())
}

/// The zone of somebody who works here.
fn zone_of(playbook: &Playbook, staff_id: StaffId) -> Option<Tz> {
    let staff = playbook.staff.get(&staff_id)?;
    Some(staff.time_zone.parse().unwrap_or(Tz::UTC))
}

fn day_end(zone: Tz, now: DateTime<Utc>) -> DateTime<Utc> {
    let today = now.with_timezone(&zone).date_naive();
    today
        .succ_opt()
        .map_or(now + TimeDelta::days(1), |tomorrow| day_start(zone, tomorrow))
}
