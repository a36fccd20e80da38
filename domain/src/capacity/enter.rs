//! Somebody says how many visits are open in which weeks.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc, Weekday};
use entity::capacity::{Column, Entity, Model};
use entity::id::{FacilityId, ServiceLineId};
use entity::{capacity_event, capacity_pace};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter};

use super::{Pool, monday_of, pace};
use crate::db::{self, BATCH_MAX};
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::nudge::Subject;
use crate::playbook::Playbook;
use crate::viewer::{Actor, Viewer};

/// Most weeks that are said at once.
pub const WEEKS_MAX: usize = 53;
/// How many weeks ahead can be spoken of.
pub const AHEAD_MAX: i64 = 104;

/// What is said of some weeks of a line at a facility.
#[derive(Clone, Debug)]
pub struct SetCapacity {
    /// The service line.
    pub service_line_id: ServiceLineId,
    /// The facility.
    pub facility_id: FacilityId,
    /// The weeks, each once. Those that are not named stay as they are.
    pub weeks: Vec<WeekSaid>,
}

/// What is said of a week.
#[derive(Clone, Copy, Debug)]
pub struct WeekSaid {
    /// Its Monday.
    pub monday: NaiveDate,
    /// Visits that can still be booked in it.
    pub open_slots: i32,
    /// Days that people wait for a visit.
    pub wait_days: Option<i32>,
    /// The version that was read, to find out if somebody was faster; 0 when there was none.
    pub version: Option<i64>,
}

/// A week with its place, and the input field that named it.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) pool: Pool,
    pub(super) week: WeekSaid,
    pub(super) field: String,
}

/// Writes down what is said. The pace is reckoned anew by the next sweep.
///
/// # Errors
/// [`Error::Missing`] for a viewer without a role; every refusal at once; or a fault of the database.
pub async fn set(h: &Hospital, viewer: &Viewer, input: SetCapacity) -> Result<Done<Pool>> {
    if viewer.role().is_none() {
        return Err(Error::Missing { noun: "service-line" });
    }
    let playbook = h.playbook().await?;
    let pool = (input.service_line_id, input.facility_id);
    let refusals = check(&playbook, &input, h.now());
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let said = input.weeks.into_iter().enumerate().map(|(place, week)| Said {
        pool,
        week,
        field: format!("weeks.{place}"),
    });
    let tx = db::begin_write(&h.db).await?;
    write(&tx, said.collect(), viewer.actor(), h.now()).await?;
    tx.commit().await?;
    Ok(Done {
        value: pool,
        signals: Vec::new(),
        nudges: vec![Subject::Capacity],
    })
}

fn check(playbook: &Playbook, input: &SetCapacity, now: DateTime<Utc>) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if !playbook.lines.contains_key(&input.service_line_id) {
        let message = "There is no such service line.";
        refusals.push(Refusal::new(Code::NotFound, "serviceLineId", message));
    }
    if !playbook.facilities.contains_key(&input.facility_id) {
        let message = "There is no such facility.";
        refusals.push(Refusal::new(Code::NotFound, "facilityId", message));
    }
    if input.weeks.is_empty() {
        refusals.push(Refusal::new(Code::Required, "weeks", "Name at least one week."));
    }
    if input.weeks.len() > WEEKS_MAX {
        let message = "Name at most 53 weeks at once.";
        refusals.push(Refusal::new(Code::TooLarge, "weeks", message));
        return refusals;
    }
    let today = super::day_at(playbook, input.facility_id, now);
    let mut seen = HashSet::new();
    for (place, week) in input.weeks.iter().enumerate() {
        let at = |part: &str| format!("weeks.{place}.{part}");
        if let Some((code, message)) = wrong_monday(week.monday, today) {
            refusals.push(Refusal::new(code, &at("monday"), message));
        } else if !seen.insert(week.monday) {
            let message = "This week is named twice.";
            refusals.push(Refusal::new(Code::AlreadyExists, &at("monday"), message));
        }
        if !(0..=pace::SLOTS_MAX).contains(&week.open_slots) {
            refusals.push(Refusal::new(Code::Invalid, &at("openSlots"), WRONG_SLOTS));
        }
        if week
            .wait_days
            .is_some_and(|days| !(0..=pace::WAIT_DAYS_MAX).contains(&days))
        {
            refusals.push(Refusal::new(Code::Invalid, &at("waitDays"), WRONG_WAIT));
        }
    }
    refusals
}

pub(super) const WRONG_SLOTS: &str = "Write a whole number from 0 to 10000.";
pub(super) const WRONG_WAIT: &str = "Write a whole number from 0 to 730, or nothing.";

/// Why a day cannot be the Monday of a week that is spoken of.
pub(super) fn wrong_monday(monday: NaiveDate, today: NaiveDate) -> Option<(Code, &'static str)> {
    let this = monday_of(today);
    if monday.weekday() != Weekday::Mon {
        Some((Code::Invalid, "A week is named by its Monday."))
    } else if monday < this {
        Some((Code::NotAllowedNow, "This week is over."))
    } else if monday > this + TimeDelta::weeks(AHEAD_MAX) {
        Some((Code::TooLarge, "Speak of the next 104 weeks."))
    } else {
        None
    }
}

/// Writes weeks that are in order, with their history, and answers how many are different from before.
///
/// The paces are held first, so that two who speak of one line at one moment do so one after the other.
pub(super) async fn write(
    tx: &DatabaseTransaction,
    said: Vec<Said>,
    actor: Actor,
    now: DateTime<Utc>,
) -> Result<usize> {
    let pools: BTreeSet<Pool> = said.iter().map(|said| said.pool).collect();
    hold_paces(tx, &pools, now).await?;
    let before = known(tx, &said).await?;
    let mut refusals = Vec::new();
    let mut rows: Vec<Model> = Vec::new();
    for Said { pool, week, field } in &said {
        let known = before.get(&(*pool, week.monday));
        let version = known.map_or(0, |row| row.version);
        if week.version.is_some_and(|read| read != version) {
            let message = "The week has changed since you read it; read it again.";
            refusals.push(Refusal::new(
                Code::VersionConflict,
                &format!("{field}.version"),
                message,
            ));
        }
        if known.is_some_and(|row| (row.open_slots, row.wait_days) == (week.open_slots, week.wait_days)) {
            continue;
        }
        rows.push(Model {
            service_line_id: pool.0,
            facility_id: pool.1,
            monday: week.monday,
            open_slots: week.open_slots,
            wait_days: week.wait_days,
            version: version + 1,
            updated_at: now,
        });
    }
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    for some in rows.chunks(BATCH_MAX) {
        let replace = OnConflict::columns([Column::ServiceLineId, Column::FacilityId, Column::Monday])
            .update_columns([
                Column::OpenSlots,
                Column::WaitDays,
                Column::Version,
                Column::UpdatedAt,
            ])
            .to_owned();
        let new = some.iter().cloned().map(IntoActiveModel::into_active_model);
        Entity::insert_many(new)
            .on_conflict(replace)
            .exec_without_returning(tx)
            .await?;
        let events = some.iter().map(|row| event(row, actor, now));
        capacity_event::Entity::insert_many(events)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(rows.len())
}

fn event(row: &Model, actor: Actor, now: DateTime<Utc>) -> capacity_event::ActiveModel {
    capacity_event::Model {
        id: new_id(now),
        service_line_id: row.service_line_id,
        facility_id: row.facility_id,
        monday: row.monday,
        open_slots: row.open_slots,
        wait_days: row.wait_days,
        version: row.version,
        actor_kind: actor.kind,
        actor_id: actor.id,
        at: now,
    }
    .into_active_model()
}

/// Makes the paces that are not there yet, holds all of them, and has them reckoned anew.
async fn hold_paces(tx: &DatabaseTransaction, pools: &BTreeSet<Pool>, now: DateTime<Utc>) -> Result<()> {
    use capacity_pace::Column::{DueAt, FacilityId, Laying, ServiceLineId};
    let pools: Vec<Pool> = pools.iter().copied().collect();
    for some in pools.chunks(BATCH_MAX) {
        let rows = some.iter().map(|(line, facility)| capacity_pace::ActiveModel {
            service_line_id: Set(*line),
            facility_id: Set(*facility),
            due_at: Set(now),
            laying: Set(false),
            rate_micro: Set(0),
            stopped: Set(None),
            demand_micro: Set(None),
            funnel: Set(0),
            conversion_micro: Set(None),
            reckoned_at: Set(None),
            laid_since: Set(None),
            laid_id: Set(None),
            tail_on: Set(None),
            tail_used: Set(0),
        });
        let anew = OnConflict::columns([ServiceLineId, FacilityId])
            .update_columns([DueAt, Laying])
            .to_owned();
        capacity_pace::Entity::insert_many(rows)
            .on_conflict(anew)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

/// What is known of the weeks that are spoken of.
async fn known(tx: &DatabaseTransaction, said: &[Said]) -> Result<HashMap<(Pool, NaiveDate), Model>> {
    let lines: BTreeSet<ServiceLineId> = said.iter().map(|said| said.pool.0).collect();
    let facilities: BTreeSet<FacilityId> = said.iter().map(|said| said.pool.1).collect();
    let mondays = || said.iter().map(|said| said.week.monday);
    let (Some(first), Some(last)) = (mondays().min(), mondays().max()) else {
        return Ok(HashMap::new());
    };
    let rows = Entity::find()
        .filter(Column::ServiceLineId.is_in(lines))
        .filter(Column::FacilityId.is_in(facilities))
        .filter(Column::Monday.between(first, last))
        .all(tx)
        .await?;
    let at = |row: &Model| ((row.service_line_id, row.facility_id), row.monday);
    Ok(rows.into_iter().map(|row| (at(&row), row)).collect())
}
