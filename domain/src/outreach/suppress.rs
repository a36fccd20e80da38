//! An address is put on the list of those that must not be written to.

use chrono::{DateTime, Utc};
use entity::contact;
use entity::enums::{Medium, Purpose};
use entity::message::{Column as MessageColumn, GateReason, MessageKind};
use entity::suppression::{ActiveModel, Column, Entity, Model, SuppressionReason};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect, QueryTrait,
};

use super::withhold;
use crate::audit;
use crate::contact::email::EmailAddress;
use crate::contact::phone::PhoneNumber;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::viewer::Viewer;

/// An address that must not be written to.
#[derive(Clone)]
pub struct SuppressAddress {
    /// The medium.
    pub medium: Medium,
    /// The address.
    pub address: String,
    /// Why.
    pub reason: SuppressionReason,
}

/// Suppresses an address for good, from this moment on.
///
/// What is planned to it is withheld, even what a worker has claimed already. Only its keyed hash is kept. Suppressing it
/// again keeps the stronger reason.
///
/// # Errors
/// [`Error::Missing`] for a viewer without a role; [`Error::Refused`] when the address cannot be read, or the medium is
/// paper mail, which has no address of its own here; or a fault of the database.
pub async fn suppress(h: &Hospital, viewer: &Viewer, input: SuppressAddress) -> Result<Done<Model>> {
    if viewer.role().is_none() {
        return Err(Error::Missing { noun: "address" });
    }
    let address = normalized(input.medium, &input.address)?;
    let now = h.now();
    let tx = db::begin_write(&h.db).await?;
    let row = if input.medium == Medium::Email {
        keep_from(&tx, h, &address, input.reason, now).await?
    } else {
        keep_number(&tx, h, input.medium, &address, input.reason, now).await?
    };
    audit::record(viewer.actor(), "address.suppress", Some(&row.id), None, now)
        .insert(&tx)
        .await?;
    tx.commit().await?;
    Ok(Done::quiet(row))
}

/// Keeps mail from an address, given in its normalized form, within the caller's transaction: it is put on the list, and
/// what is planned to it and not let through for this reason is withheld.
///
/// # Errors
/// When the database fails.
pub(crate) async fn keep_from(
    tx: &DatabaseTransaction,
    h: &Hospital,
    address: &str,
    reason: SuppressionReason,
    now: DateTime<Utc>,
) -> Result<Model> {
    let hash = h.secrets.address_hash(Medium::Email.as_str(), address).to_vec();
    let row = keep(tx, Medium::Email, hash, reason, now).await?;
    let stopped = stopped(address, row.reason);
    withhold::pending(tx, stopped, GateReason::Suppressed, None, now).await?;
    Ok(row)
}

/// Puts a phone number, given in its normalized form, on the list for a medium within the caller's transaction.
///
/// # Errors
/// When the database fails.
pub(crate) async fn keep_number(
    tx: &DatabaseTransaction,
    h: &Hospital,
    medium: Medium,
    number: &str,
    reason: SuppressionReason,
    now: DateTime<Utc>,
) -> Result<Model> {
    let hash = h.secrets.address_hash(medium.as_str(), number).to_vec();
    keep(tx, medium, hash, reason, now).await
}

fn normalized(medium: Medium, address: &str) -> Result<String> {
    let read = match medium {
        Medium::Email => EmailAddress::parse(address).map(|address| address.normalized()),
        Medium::Phone | Medium::Sms => PhoneNumber::parse(address).map(|number| number.as_str().to_owned()),
        Medium::Post => {
            let message = "Paper mail is not sent from here; withdraw the consent instead.";
            return Err(Error::refused(Code::Invalid, "medium", message));
        }
    };
    read.map_err(|invalid| Error::refused(Code::Invalid, "address", invalid.message))
}

/// The row of an address, new or with the stronger of both reasons.
async fn keep(
    tx: &DatabaseTransaction,
    medium: Medium,
    address_hash: Vec<u8>,
    reason: SuppressionReason,
    now: DateTime<Utc>,
) -> Result<Model> {
    let row = ActiveModel {
        id: Set(new_id(now)),
        medium: Set(medium),
        address_hash: Set(address_hash.clone()),
        reason: Set(reason),
        created_at: Set(now),
    };
    let known = OnConflict::columns([Column::Medium, Column::AddressHash])
        .do_nothing()
        .to_owned();
    Entity::insert(row)
        .on_conflict(known)
        .try_insert()
        .exec_without_returning(tx)
        .await?;
    let row = Entity::find()
        .filter(Column::Medium.eq(medium))
        .filter(Column::AddressHash.eq(address_hash))
        .lock_exclusive()
        .one(tx)
        .await?
        .ok_or_else(|| Error::fault("a suppression is neither new nor known"))?;
    if strength(row.reason) >= strength(reason) {
        return Ok(row);
    }
    let mut stronger = row.into_active_model();
    stronger.reason = Set(reason);
    Ok(stronger.update(tx).await?)
}

/// The reasons that an address which does not exist outweighs.
pub(super) const WEAKER_THAN_HARD_BOUNCE: [SuppressionReason; 2] =
    [SuppressionReason::SoftBounces, SuppressionReason::Complaint];

/// What came back for days and a complaint let through what the person asked for; the others stop everything.
const fn strength(reason: SuppressionReason) -> u8 {
    match reason {
        SuppressionReason::SoftBounces => 0,
        SuppressionReason::Complaint => 1,
        SuppressionReason::HardBounce => 2,
        SuppressionReason::DoNotContact => 3,
    }
}

/// The mails to the address that the gate would stop for this reason. What is planned later, it stops itself.
fn stopped(address: &str, reason: SuppressionReason) -> Condition {
    let theirs = contact::Entity::find()
        .select_only()
        .column(contact::Column::Id)
        .filter(contact::Column::EmailNormalized.eq(address))
        .into_query();
    let to_address = Condition::all().add(MessageColumn::ContactId.in_subquery(theirs));
    match reason {
        SuppressionReason::HardBounce | SuppressionReason::DoNotContact => to_address,
        SuppressionReason::Complaint | SuppressionReason::SoftBounces => to_address
            .add(MessageColumn::Kind.eq(MessageKind::Nurture))
            .add(MessageColumn::Purpose.ne(Purpose::Reminder)),
    }
}

#[cfg(test)]
mod tests;
