//! Empties contacts within a transaction, with all that hangs on them.

use chrono::{DateTime, Utc};
use entity::enrollment::{self, ExitReason};
use entity::id::{ContactId, LeadId};
use entity::message::{self, GateReason};
use entity::{contact, contact_candidate, contact_line_preference, contact_preference, lead};
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
};

use super::{inbound, leads};
use crate::consent;
use crate::consent::lock::lock_contacts;
use crate::db::BATCH_MAX;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::idempotency;
use crate::lead::form_draft;
use crate::outreach::{click, withhold};
use crate::sequence::leave;
use crate::signal::Signal;
use crate::viewer::Actor;

/// What an erasure did.
pub(crate) struct Effect {
    pub(super) leads: usize,
    pub(super) messages_withheld: usize,
    pub(super) enrollments_ended: usize,
    pub(super) signals: Vec<Signal>,
    pub(super) at: DateTime<Utc>,
}

/// Erases contacts, of which there are at most [`BATCH_MAX`]. Locks leads, contacts, enrollments and messages, in the
/// order in which everybody does.
pub(crate) async fn erase(
    tx: &DatabaseTransaction,
    h: &Hospital,
    ids: &[ContactId],
    actor: Actor,
) -> Result<Effect> {
    form_draft::forget::of_contacts(tx, ids).await?;
    let theirs: Vec<LeadId> = lead::Entity::find()
        .select_only()
        .column(lead::Column::Id)
        .filter(lead::Column::ContactId.is_in(ids.iter().copied()))
        .order_by_asc(lead::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .into_tuple()
        .all(tx)
        .await?;
    lock_contacts(tx, ids).await?;
    // Read after the locks: whoever waited for them comes later than whom it waited for.
    let now = h.now();
    let enrolled = Condition::all().add(enrollment::Column::ContactId.is_in(ids.iter().copied()));
    let left = leave::leave(tx, enrolled, ExitReason::Unenrolled, actor, now).await?;
    let planned = Condition::all().add(message::Column::ContactId.is_in(ids.iter().copied()));
    let withheld = withhold::pending(tx, planned, GateReason::NoAddress, None, now).await?;
    let to_them = message::Entity::find()
        .select_only()
        .column(message::Column::Id)
        .filter(message::Column::ContactId.is_in(ids.iter().copied()));
    click::forget(tx, to_them.into_query()).await?;
    let (mut words, addresses) = empty(tx, ids, now).await?;
    inbound::erase(tx, h, ids, &addresses).await?;
    for some in theirs.chunks(BATCH_MAX) {
        words.extend(leads::erase(tx, some, now).await?);
    }
    let of_no_lead = Condition::all()
        .add(message::Column::ContactId.is_in(ids.iter().copied()))
        .add(message::Column::LeadId.is_null());
    leads::mails(tx, of_no_lead).await?;
    consent::erase::erase(tx, ids, now).await?;
    idempotency::erase(tx, &words).await?;
    Ok(Effect {
        leads: theirs.len(),
        messages_withheld: withheld.len(),
        enrollments_ended: left.enrollments.len(),
        signals: left.signals,
        at: now,
    })
}

/// Empties the contacts' own rows and what they wished. Answers the words by which a kept answer names one of them, and
/// their addresses.
async fn empty(
    tx: &DatabaseTransaction,
    ids: &[ContactId],
    now: DateTime<Utc>,
) -> Result<(Vec<String>, Vec<String>)> {
    use contact::Column;
    let people = contact::Entity::find()
        .filter(Column::Id.is_in(ids.iter().copied()))
        .all(tx)
        .await?;
    let words = people.iter().flat_map(words_of).collect();
    let addresses = people
        .iter()
        .filter_map(|person| person.email_normalized.clone())
        .collect();
    let none = || Expr::value(None::<String>);
    contact::Entity::update_many()
        .col_expr(Column::GivenName, Expr::value(""))
        .col_expr(Column::FamilyName, Expr::value(""))
        .col_expr(Column::Organization, none())
        .col_expr(Column::Email, none())
        .col_expr(Column::EmailNormalized, none())
        .col_expr(Column::Phone, none())
        .col_expr(Column::TimeZone, none())
        .col_expr(Column::Region, none())
        .col_expr(Column::PostalCode, none())
        // The links in mails that are out there lead nowhere from now on.
        .col_expr(Column::LinkGeneration, Expr::col(Column::LinkGeneration).add(1))
        .col_expr(Column::ErasedAt, Expr::value(now))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.is_in(ids.iter().copied()))
        .exec(tx)
        .await?;
    let pairs = Condition::any()
        .add(contact_candidate::Column::ContactId.is_in(ids.iter().copied()))
        .add(contact_candidate::Column::OtherContactId.is_in(ids.iter().copied()));
    contact_candidate::Entity::delete_many()
        .filter(pairs)
        .exec(tx)
        .await?;
    contact_preference::Entity::delete_many()
        .filter(contact_preference::Column::ContactId.is_in(ids.iter().copied()))
        .exec(tx)
        .await?;
    contact_line_preference::Entity::delete_many()
        .filter(contact_line_preference::Column::ContactId.is_in(ids.iter().copied()))
        .exec(tx)
        .await?;
    Ok((words, addresses))
}

/// An answer names a person by the id, an address, a number, or a name that stands by itself.
fn words_of(person: &contact::Model) -> Vec<String> {
    let quoted = [
        Some(person.given_name.clone()),
        Some(person.family_name.clone()),
        Some(person.display_name()),
        person.organization.clone(),
        person.postal_code.clone(),
    ];
    let plain = [
        Some(person.id.to_string()),
        person.email.clone(),
        person.email_normalized.clone(),
        person.phone.clone(),
    ];
    let quoted = quoted.into_iter().flatten().filter(|name| !name.is_empty());
    quoted
        .map(|name| idempotency::as_value(&name))
        .chain(plain.into_iter().flatten())
        .collect()
}
