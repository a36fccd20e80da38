//! A contact answered a mail: a person goes on, and no machine.

use chrono::{DateTime, Utc};
use entity::enrollment::{Column, EnrollmentState, Entity, ExitReason};
use entity::enums::Purpose;
use entity::id::{ContactId, EnrollmentId};
use entity::sequence;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
};

use super::course::End;
use super::leave::{Left, end_and_withhold};
use crate::db::BATCH_MAX;
use crate::error::Result;
use crate::viewer::Actor;

/// Ends the enrollment whose mail was answered and the contact's others, and withholds what they planned. Reminders of
/// what is booked go on, unless it was one of them that was answered. The contact must be held.
///
/// # Errors
/// When the database fails.
pub(crate) async fn stop(
    tx: &DatabaseTransaction,
    contact_id: ContactId,
    answered: Option<EnrollmentId>,
    now: DateTime<Utc>,
) -> Result<Left> {
    let reminders = sequence::Entity::find()
        .select_only()
        .column(sequence::Column::Id)
        .filter(sequence::Column::Purpose.eq(Purpose::Reminder))
        .into_query();
    let mut which = Condition::any().add(Column::SequenceId.not_in_subquery(reminders));
    if let Some(id) = answered {
        which = which.add(Column::Id.eq(id));
    }
    let ids: Vec<EnrollmentId> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::ContactId.eq(contact_id))
        .filter(Column::State.eq(EnrollmentState::Active))
        .filter(which)
        .order_by_asc(Column::Id)
        .limit(BATCH_MAX as u64)
        .into_tuple()
        .all(tx)
        .await?;
    end_and_withhold(tx, &ids, &End::Left(ExitReason::Replied), Actor::SYSTEM, now).await
}
