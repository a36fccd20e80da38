//! How much open work the rules give a person at the most.

use entity::id::StaffId;
use entity::staff::{Entity, Model};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::LockType;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, QuerySelect};

use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::playbook;

/// The largest limit: work is counted up to here, so that counting never becomes a scan that grows.
pub const LIMIT_MAX: i32 = 200;

/// A limit to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetLimit {
    /// The person.
    pub staff_id: StaffId,
    /// Most open follow-ups, 1 to [`LIMIT_MAX`]; none for as many as come.
    pub max_open: Option<i32>,
}

/// Whether a limit is one.
///
/// # Errors
/// The refusal, at the field `maxOpen`.
pub fn check(max_open: i32) -> Result<(), Refusal> {
    if (1..=LIMIT_MAX).contains(&max_open) {
        Ok(())
    } else {
        let message = "A limit is 1 to 200 open follow-ups.";
        Err(Refusal::new(Code::Invalid, "maxOpen", message))
    }
}

/// Sets how many open follow-ups the rules give a person. What a person gives another by hand is not held back, and what
/// the person has already stays.
///
/// # Errors
/// When there is no such person, the limit is none, or the database fails.
pub async fn set_limit(h: &Hospital, input: SetLimit) -> Result<Done<Model>> {
    if let Some(max_open) = input.max_open {
        check(max_open).map_err(|refusal| Error::Refused(vec![refusal]))?;
    }
    let tx = db::begin_write(&h.db).await?;
    let before = Entity::find_by_id(input.staff_id)
        .lock(LockType::NoKeyUpdate)
        .one(&tx)
        .await?;
    let Some(before) = before else {
        let message = "There is no such member of staff.";
        return Err(Error::refused(Code::NotFound, "staffId", message));
    };
    if before.max_open == input.max_open {
        return Ok(Done::quiet(before));
    }
    let mut row = before.into_active_model();
    row.max_open = Set(input.max_open);
    let after = row.update(&tx).await?;
    playbook::changed(&tx).await?;
    tx.commit().await?;
    Ok(Done::quiet(after))
}
