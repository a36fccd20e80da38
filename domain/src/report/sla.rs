//! How the promise of a first attempt was kept, by team, person, service line, channel or hour of the week.
//!
//! The figures are those of the dashboard, counted by the same conditions over the same leads. A person's leads are those
//! that the person has now; what was taken back counts for whom it was taken from.

mod key;
mod waits;

use std::collections::HashMap;

use chrono::TimeDelta;
use entity::enums::Channel;
use entity::lead::{Column, Entity};
use sea_orm::sea_query::{Expr, ExprTrait, Func, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, FromQueryResult, QueryFilter, QuerySelect,
};
use uuid::Uuid;

use self::key::Keyed;
use super::totals::{Counts, count_if};
use super::{Filter, SlaSummary, channel_name, cohort, period};
use crate::db;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::playbook::Playbook;
use crate::viewer::Viewer;

/// The longest period of this report, in days.
pub const SLA_SPAN_MAX_DAYS: i64 = 400;

/// What the rows of the report are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlaBy {
    /// The team that serves a lead.
    Team,
    /// The person who serves it.
    Person,
    /// Its service line.
    ServiceLine,
    /// Its channel.
    Channel,
    /// The local hour of the week at which it came in.
    HourOfWeek,
}

/// What one row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SlaKey {
    /// A team, person or service line; none for leads that have none.
    Id(Option<Uuid>),
    /// A channel.
    Channel(Channel),
    /// An hour of the week: 0 is Monday from midnight to one, 167 is the last of Sunday.
    HourOfWeek(i64),
}

/// The figures of one team, person, service line, channel or hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlaRow {
    /// Which one.
    pub key: SlaKey,
    /// Its name.
    pub name: String,
    /// Leads received.
    pub leads: i64,
    /// Those whose first attempt came before the target.
    pub met_target: i64,
    /// How the promise was kept.
    pub sla: SlaSummary,
    /// Those that were taken back from their owners.
    pub taken_back: i64,
    /// Median of business seconds to the first attempt, of those that have one.
    pub business_median_secs: Option<i64>,
    /// 90th percentile of the same.
    pub business_p90_secs: Option<i64>,
}

/// The report on the leads of a filter; most leads first, hours in their order. Whom it is open to, and whose leads are
/// counted, is as for the dashboard.
///
/// # Errors
/// [`Refused`](crate::error::Error::Refused) when the filter is not valid or longer than [`SLA_SPAN_MAX_DAYS`],
/// [`Missing`](crate::error::Error::Missing) for a viewer without a role, or a fault of the database.
pub async fn sla_report(h: &Hospital, viewer: &Viewer, filter: Filter, by: SlaBy) -> Result<Vec<SlaRow>> {
    let filter = filter.checked()?;
    if filter.to - filter.from > TimeDelta::days(SLA_SPAN_MAX_DAYS) {
        let message = "Choose a period of at most 400 days.";
        return Err(Error::refused(Code::TooLarge, "to", message));
    }
    let seen = cohort::seen_by(viewer)?;
    let playbook = h.playbook().await?;
    let now = h.now();
    let tx = db::begin_read(&h.db).await?;
    let zone = period::zone(&playbook, &filter);
    let keyed = Keyed::new(&tx, by, zone, &filter);
    let leads = Entity::find()
        .select_only()
        .column_as(keyed.expr.clone(), "key")
        .column_as(count_if(met_target()), "met_target")
        .column_as(Column::TakenBackAt.count(), "taken_back")
        .filter(filter.cohort(&seen))
        .group_by(keyed.expr.clone());
    let counted: Vec<(SlaKey, Counted)> = keyed.rows(&tx, Counts::select(leads, now)).await?;
    let taken = taken_from(&tx, by, &filter, &seen).await?;
    let waits = waits::by_key(&tx, &keyed, &filter, &seen).await?;
    // Nothing was written; the commit only gives the connection back without a rollback in the server's log.
    tx.commit().await?;
    let mut rows: Vec<SlaRow> = with_those_who_lost(counted, &taken)
        .into_iter()
        .map(|(key, counted)| {
            let waits = waits.get(&key).copied().unwrap_or_default();
            SlaRow {
                key,
                name: name(&playbook, by, key),
                leads: counted.counts.leads,
                met_target: counted.met_target,
                sla: counted.counts.sla(),
                taken_back: taken
                    .as_ref()
                    .map_or(counted.taken_back, |taken| taken.get(&key).copied().unwrap_or(0)),
                business_median_secs: waits.median,
                business_p90_secs: waits.p90,
            }
        })
        .collect();
    match by {
        SlaBy::HourOfWeek => rows.sort_by_key(|row| match row.key {
            SlaKey::HourOfWeek(hour) => hour,
            _ => 0,
        }),
        _ => rows.sort_by(|a, b| b.leads.cmp(&a.leads).then_with(|| a.name.cmp(&b.name))),
    }
    Ok(rows)
}

/// What the database counts of one key.
#[derive(Clone, Copy, Debug, Default, FromQueryResult)]
struct Counted {
    met_target: i64,
    taken_back: i64,
    #[sea_orm(nested)]
    counts: Counts,
}

/// The first attempt came before the target; of leads without one, before the due time.
fn met_target() -> Condition {
    let target: SimpleExpr = Func::coalesce([
        Expr::col((Entity, Column::SlaTargetAt)),
        Expr::col((Entity, Column::SlaDueAt)),
    ])
    .into();
    Condition::all().add(Expr::col((Entity, Column::FirstAttemptAt)).lt(target))
}

/// For people: how many leads were taken from each. None for what a lead has kept.
async fn taken_from(
    tx: &DatabaseTransaction,
    by: SlaBy,
    filter: &Filter,
    seen: &Condition,
) -> Result<Option<HashMap<SlaKey, i64>>> {
    if by != SlaBy::Person {
        return Ok(None);
    }
    let counted: Vec<(Option<Uuid>, i64)> = Entity::find()
        .select_only()
        .column(Column::TakenFromId)
        .column_as(Column::Id.count(), "count")
        .filter(filter.cohort(seen))
        .filter(Column::TakenBackAt.is_not_null())
        .group_by(Column::TakenFromId)
        .into_tuple()
        .all(tx)
        .await?;
    let counted = counted.into_iter().map(|(id, count)| (SlaKey::Id(id), count));
    Ok(Some(counted.collect()))
}

/// Whoever lost all leads has a row, too.
fn with_those_who_lost(
    mut counted: Vec<(SlaKey, Counted)>,
    taken: &Option<HashMap<SlaKey, i64>>,
) -> Vec<(SlaKey, Counted)> {
    for key in taken.iter().flat_map(HashMap::keys) {
        if !counted.iter().any(|(known, _)| known == key) {
            counted.push((*key, Counted::default()));
        }
    }
    counted
}

fn name(playbook: &Playbook, by: SlaBy, key: SlaKey) -> String {
    use entity::id::{ServiceLineId, StaffId, TeamId, TypedId};
    let known = |id: Uuid| match by {
        SlaBy::Team => playbook
            .teams
            .get(&TeamId::from_uuid(id))
            .map(|team| team.name.clone()),
        SlaBy::Person => playbook
            .staff
            .get(&StaffId::from_uuid(id))
            .map(|staff| staff.display_name.clone()),
        _ => playbook
            .lines
            .get(&ServiceLineId::from_uuid(id))
            .map(|line| line.name.clone()),
    };
    match (key, by) {
        (SlaKey::Id(Some(id)), _) => known(id).unwrap_or_else(|| "Somebody who has left".to_owned()),
        (SlaKey::Id(None), SlaBy::Person) => "Anybody of the team".to_owned(),
        (SlaKey::Id(None), _) => "No service line".to_owned(),
        (SlaKey::Channel(channel), _) => channel_name(Some(channel)),
        (SlaKey::HourOfWeek(hour), _) => key::hour_name(hour),
    }
}
