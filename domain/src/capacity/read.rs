//! What the pace of a line rests on, as it stands in the database.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::capacity::{Column, Entity, Model};
use entity::enums::LeadStage;
use entity::id::{FacilityId, ServiceLineId};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    Statement,
};

use super::demand::{self, Cohort, Funnel};
use super::pace::{self, Week};
use super::{Pool, monday_of};
use crate::error::Result;

/// A row as the rules read it.
pub(super) fn week_of(row: &Model) -> Week {
    let whole = |number: i32| u32::try_from(number).unwrap_or_default();
    Week {
        monday: row.monday,
        open_slots: whole(row.open_slots),
        wait_days: row.wait_days.map(whole),
    }
}

/// The weeks that were said of a line at all facilities: the coming ones and those of the last year.
pub(super) async fn weeks(
    conn: &impl ConnectionTrait,
    line: ServiceLineId,
    today: NaiveDate,
) -> Result<HashMap<FacilityId, Vec<Week>>> {
    let weeks = TimeDelta::weeks(pace::WEEKS_MAX.into());
    let this = monday_of(today);
    let rows = Entity::find()
        .filter(Column::ServiceLineId.eq(line))
        .filter(Column::Monday.gte(this - weeks))
        .filter(Column::Monday.lt(this + weeks))
        .all(conn)
        .await?;
    let mut found: HashMap<FacilityId, Vec<Week>> = HashMap::new();
    for row in rows {
        found.entry(row.facility_id).or_default().push(week_of(&row));
    }
    Ok(found)
}

/// The last week that was said of a line at a facility, however long ago.
pub(super) async fn last_week(conn: &impl ConnectionTrait, (line, facility): Pool) -> Result<Option<Week>> {
    let row = Entity::find()
        .filter(Column::ServiceLineId.eq(line))
        .filter(Column::FacilityId.eq(facility))
        .order_by_desc(Column::Monday)
        .limit(1)
        .one(conn)
        .await?;
    Ok(row.as_ref().map(week_of))
}

/// Where the leads of a line stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    /// What became of all of them.
    pub(super) cohort: Cohort,
    /// Those who are not booked yet, by facility; none for those who have none.
    pub(super) funnels: HashMap<Option<FacilityId>, Funnel>,
}

#[derive(FromQueryResult)]
struct Counted {
    facility_id: Option<FacilityId>,
    stage: LeadStage,
    received: i64,
    contacted: i64,
    qualified: i64,
    booked: i64,
}

/// Counts the leads of a line that came in of late. One range of the index by line and time, whatever came before.
pub(super) async fn standing(
    conn: &impl ConnectionTrait,
    line: ServiceLineId,
    now: DateTime<Utc>,
) -> Result<Standing> {
    let sql = "SELECT facility_id, stage, COUNT(*) AS received, COUNT(first_attempt_at) AS contacted, \
               COUNT(qualified_at) AS qualified, COUNT(scheduled_at) AS booked FROM lead \
               WHERE service_line_id = $1 AND received_at >= $2 AND received_at <= $3 AND unfinished_at IS NULL \
               AND (disposition IS NULL OR (disposition <> 'DUPLICATE' AND disposition <> 'SPAM')) \
               GROUP BY facility_id, stage";
    let since = now - TimeDelta::days(demand::DAYS);
    let values = [line.into(), since.into(), now.into()];
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, values);
    let mut standing = Standing::default();
    for row in Counted::find_by_statement(statement).all(conn).await? {
        standing.cohort.received += row.received;
        standing.cohort.contacted += row.contacted;
        standing.cohort.qualified += row.qualified;
        standing.cohort.booked += row.booked;
        let funnel = standing.funnels.entry(row.facility_id).or_default();
        match row.stage {
            LeadStage::New => funnel.new += row.received,
            LeadStage::Contacted => funnel.contacted += row.received,
            LeadStage::Qualified => funnel.qualified += row.received,
            LeadStage::AppointmentScheduled | LeadStage::VisitCompleted | LeadStage::Closed => {}
        }
    }
    Ok(standing)
}
