//! What service lines can hold, and the pace at which their promotion goes out.
//!
//! A service-line lead says how many visits are open in which week and how long people wait ([`enter`], [`import`]). From
//! this and from the leads that are in the funnel already ([`demand`]) comes how many demand-making mails may go a day
//! ([`pace`]). The claim keeps to it and puts the others in a line (`outreach/claim/turns.rs`); the sweep gives every place
//! in the line a day, each day and whenever something changes ([`lay`]).
//!
//! Only promotion waits: marketing of a campaign or sequence that is marked as demand-making, about a lead with a service
//! line, where somebody has entered a week for that line. What people asked for never does.

pub mod demand;
pub mod enter;
pub mod import;
pub mod lay;
pub mod look;
pub mod pace;
mod read;

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc, Weekday};
use entity::capacity_pace::{Column, Entity};
use entity::id::{FacilityId, ServiceLineId};
use entity::service_line;
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::error::Result;
use crate::playbook::Playbook;

/// Where promotion is paced: a service line at a facility.
pub type Pool = (ServiceLineId, FacilityId);

/// The Monday of the week that a day lies in.
#[must_use]
pub fn monday_of(day: NaiveDate) -> NaiveDate {
    let back = day.weekday().days_since(Weekday::Mon);
    day.checked_sub_days(Days::new(back.into())).unwrap_or(day)
}

/// The day that it is at a facility.
#[must_use]
pub fn day_at(playbook: &Playbook, facility: FacilityId, at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&playbook.zone(Some(facility))).date_naive()
}

/// The first instant of a day at a facility.
#[must_use]
pub fn start_of(playbook: &Playbook, facility: FacilityId, day: NaiveDate) -> DateTime<Utc> {
    crate::report::day_start(playbook.zone(Some(facility)), day)
}

/// What a line's row says about its pace.
#[must_use]
pub fn policy_of(line: &service_line::Model) -> pace::Policy {
    let whole = |number: i32| u32::try_from(number).unwrap_or_default();
    pace::Policy {
        weeks: whole(line.pacing_weeks),
        mails_per_visit: whole(line.mails_per_visit),
        max_wait_days: line.max_wait_days.map(whole),
        min_open_slots: line.min_open_slots.map(whole),
    }
}

/// Has the paces of these lines reckoned anew by the next sweep, in the transaction that changed what they rest on.
///
/// # Errors
/// When the database fails.
pub async fn reckon_anew(
    tx: &DatabaseTransaction,
    lines: &[ServiceLineId],
    now: DateTime<Utc>,
) -> Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    // In the order in which claims hold them.
    Entity::find()
        .filter(Column::ServiceLineId.is_in(lines.iter().copied()))
        .order_by_asc(Column::ServiceLineId)
        .order_by_asc(Column::FacilityId)
        .lock(LockType::NoKeyUpdate)
        .all(tx)
        .await?;
    Entity::update_many()
        .col_expr(Column::DueAt, Expr::value(now))
        .col_expr(Column::Laying, Expr::value(false))
        .filter(Column::ServiceLineId.is_in(lines.iter().copied()))
        .exec(tx)
        .await?;
    Ok(())
}
