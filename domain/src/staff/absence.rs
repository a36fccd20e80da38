//! When staff are away. Whoever is away is given nothing by the rules and is not reminded of work by mail.

use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::Role;
use entity::id::{StaffAbsenceId, StaffId};
use entity::staff;
use entity::staff_absence::{AbsenceReason, Column, Entity, Model};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, ModelTrait,
    PaginatorTrait, QueryFilter, QuerySelect,
};

use crate::clock::to_micros;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::playbook;
use crate::viewer::Viewer;

/// The longest absence, and how long one is kept after its end, in days.
pub const ABSENCE_MAX_DAYS: i64 = 400;
/// Most absences of a person that are not over.
pub const ABSENCES_MAX: u64 = 50;

/// An absence to enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddAbsence {
    /// Who is away.
    pub staff_id: StaffId,
    /// Why.
    pub reason: AbsenceReason,
    /// Its first instant; now if not said.
    pub from: Option<DateTime<Utc>>,
    /// The instant from which the person is here again.
    pub to: DateTime<Utc>,
}

/// Enters an absence. Absences may overlap: who is away by any of them is away.
///
/// # Errors
/// When the period is not in range, the person has too many absences ahead, the viewer is neither the person nor an
/// administrator, or the database fails.
pub async fn add(h: &Hospital, viewer: &Viewer, input: AddAbsence) -> Result<Done<Model>> {
    let tx = db::begin_write(&h.db).await?;
    let now = h.now();
    hold(&tx, viewer, input.staff_id).await?;
    let (from, to) = (input.from.map_or(now, to_micros), to_micros(input.to));
    check(from, to, now).map_err(|refusal| Error::Refused(vec![refusal]))?;
    let theirs = || Column::StaffId.eq(input.staff_id);
    let ahead = Entity::find().filter(theirs()).filter(Column::EndsAt.gt(now));
    if ahead.count(&tx).await? >= ABSENCES_MAX {
        let message = "The person has 50 absences ahead already.";
        return Err(Error::refused(Code::TooLarge, "staffId", message));
    }
    // What was long ago says nothing any more, and every process keeps the rest in memory.
    Entity::delete_many()
        .filter(theirs())
        .filter(Column::EndsAt.lt(now - TimeDelta::days(ABSENCE_MAX_DAYS)))
        .exec(&tx)
        .await?;
    let row = Model {
        id: new_id(now),
        staff_id: input.staff_id,
        reason: input.reason,
        starts_at: from,
        ends_at: to,
        created_at: now,
    };
    let row = row.into_active_model().insert(&tx).await?;
    playbook::changed(&tx).await?;
    tx.commit().await?;
    Ok(Done::quiet(row))
}

/// Ends an absence now; one that has not begun is taken away. Answers whose it was.
///
/// # Errors
/// When there is none or it is over, the viewer is neither the person nor an administrator, or the database fails.
pub async fn end(h: &Hospital, viewer: &Viewer, id: StaffAbsenceId) -> Result<Done<StaffId>> {
    let tx = db::begin_write(&h.db).await?;
    let now = h.now();
    let found = Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(&tx)
        .await?;
    let row = found
        .filter(|row| may_change(viewer, row.staff_id))
        .ok_or(Error::Missing { noun: "absence" })?;
    let staff_id = row.staff_id;
    if row.ends_at <= now {
        let message = "The absence is over already.";
        return Err(Error::refused(Code::NotAllowedNow, "absenceId", message));
    }
    if row.starts_at >= now {
        row.delete(&tx).await?;
    } else {
        let mut row = row.into_active_model();
        row.ends_at = Set(now);
        row.update(&tx).await?;
    }
    playbook::changed(&tx).await?;
    tx.commit().await?;
    Ok(Done::quiet(staff_id))
}

fn may_change(viewer: &Viewer, id: StaffId) -> bool {
    viewer.role() == Some(Role::Admin) || viewer.staff_id() == Some(id)
}

/// Holds the person, so that two absences entered at one moment are both counted.
async fn hold(tx: &DatabaseTransaction, viewer: &Viewer, id: StaffId) -> Result<()> {
    let found = staff::Entity::find_by_id(id)
        .filter(staff::Column::Active.eq(true))
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?;
    match found.filter(|staff| may_change(viewer, staff.id)) {
        Some(_) => Ok(()),
        None => {
            let message =
                "There is no such member of staff, or the person's absences are not yours to enter.";
            Err(Error::refused(Code::NotFound, "staffId", message))
        }
    }
}

fn check(from: DateTime<Utc>, to: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Refusal> {
    if to <= from {
        let message = "An absence ends after it begins.";
        Err(Refusal::new(Code::Invalid, "to", message))
    } else if to <= now {
        Err(Refusal::new(Code::Invalid, "to", "Choose a time in the future."))
    } else if to - from > TimeDelta::days(ABSENCE_MAX_DAYS) {
        let message = "An absence lasts at most 400 days.";
        Err(Refusal::new(Code::TooLarge, "to", message))
    } else if from - now > TimeDelta::days(ABSENCE_MAX_DAYS) {
        let message = "Choose a time within the next 400 days.";
        Err(Refusal::new(Code::TooLarge, "from", message))
    } else {
        Ok(())
    }
}
