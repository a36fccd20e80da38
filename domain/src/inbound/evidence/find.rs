//! Which message and which contact evidence is about.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::Medium;
use entity::id::{ContactId, LeadId, MessageId};
use entity::inbound_party::ActiveModel as Party;
use entity::message::{self, MessageState};
use entity::{contact, inbound_party, lead};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Evidence, Taking, What};
use crate::consent::lock_contacts;
use crate::contact::email::EmailAddress;
use crate::error::Result;
use crate::id::new_id;
use crate::outreach::plan::message_of;
use crate::outreach::verp;

/// How long after a mail its recipient's address alone is enough for a bounce. Anybody can write a bounce; without this,
/// anybody could have any address suppressed.
const BY_ADDRESS: TimeDelta = TimeDelta::days(14);

/// Contacts of one address that are looked at: families share addresses.
const CONTACTS_MAX: u64 = 20;

/// How long to wait for the worker that is sending the message.
const AGAIN_SOON: TimeDelta = TimeDelta::seconds(2);

/// What evidence is about. The contacts are held.
pub(super) struct Found {
    pub(super) message: Option<message::Model>,
    /// Whether the message is proven or named, and not only the last one to the address.
    pub(super) exact: bool,
    pub(super) how: &'static str,
    pub(super) contacts: Vec<contact::Model>,
    /// The address that the evidence names, normalized.
    pub(super) address: Option<String>,
    /// The address that the mail was first sent to, if another.
    pub(super) original: Option<String>,
}

pub(super) enum Answer {
    Found(Box<Found>),
    /// Nothing, and why.
    Nothing(&'static str),
}

impl Found {
    /// Until when a worker may still be sending the message; what became of it is not known before.
    pub(super) fn goes_out_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let message = self.message.as_ref().filter(|_| self.exact)?;
        // If the worker is lost, its lease ends, and the sweep makes the message unknown.
        (message.state == MessageState::HandedOff).then_some(now + AGAIN_SOON)
    }
}

pub(super) async fn find(taking: Taking<'_>, evidence: &Evidence) -> Result<Answer> {
    let about = &evidence.about;
    let normalized = |text: &Option<String>| {
        let text = text.as_deref()?;
        EmailAddress::parse(text).ok().map(|address| address.normalized())
    };
    let (address, original) = (normalized(&about.address), normalized(&about.original));
    let named = named_message(taking, evidence).await?;
    let exact = named.is_some();
    let (message, how) = match named {
        Some((message, how)) => (Some(message), how),
        None => (None, "by the address"),
    };
    let mut ids: Vec<ContactId> = message.iter().filter_map(|message| message.contact_id).collect();
    if message.is_none() {
        let both: Vec<&str> = [&original, &address]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        ids = contacts_of(taking.tx, &both).await?;
    }
    if ids.is_empty() && message.is_none() {
        note_parties(taking, &[], [&address, &original]).await?;
        return Ok(Answer::Nothing(
            "It names no message that was sent from here, and nobody has this address.",
        ));
    }
    let message = match message {
        Some(message) => Some(message),
        None => last_sent(taking, &ids).await?,
    };
    if matches!(evidence.what, What::Bounced { .. }) && message.is_none() {
        note_parties(taking, &ids, [&address, &original]).await?;
        return Ok(Answer::Nothing(
            "It names no message that was sent from here, and none was sent to this address of late.",
        ));
    }
    hold_lead(taking.tx, message.as_ref().and_then(|message| message.lead_id)).await?;
    lock_contacts(taking.tx, &ids).await?;
    // Read again under the lock.
    let contacts = contact::Entity::find()
        .filter(contact::Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(contact::Column::Id)
        .all(taking.tx)
        .await?;
    let message = match message {
        Some(message) => message::Entity::find_by_id(message.id).one(taking.tx).await?,
        None => None,
    };
    note_parties(taking, &ids, [&address, &original]).await?;
    Ok(Answer::Found(Box::new(Found {
        message,
        exact,
        how,
        contacts,
        address,
        original,
    })))
}

/// The message that is proven by a return path or a token, or named by a `Message-ID`.
async fn named_message(
    taking: Taking<'_>,
    evidence: &Evidence,
) -> Result<Option<(message::Model, &'static str)>> {
    let (secrets, about) = (&taking.h.secrets, &evidence.about);
    let by_path = about
        .return_paths
        .iter()
        .find_map(|path| verp::parse(secrets, path));
    let by_token = || {
        let token = about
            .tokens
            .iter()
            .find_map(|token| secrets.open_unsubscribe_token(token));
        token.map(MessageId)
    };
    if let Some(id) = by_path.or_else(by_token) {
        let found = message::Entity::find_by_id(id).one(taking.tx).await?;
        if let Some(message) = found {
            return Ok(Some((message, "by its return path or token")));
        }
    }
    if about.message_ids.is_empty() {
        return Ok(None);
    }
    // The id is in the name; the rest of it must be the message's own, too.
    let named: Vec<MessageId> = about.message_ids.iter().filter_map(|id| message_of(id)).collect();
    let rows = message::Entity::find()
        .filter(message::Column::Id.is_in(named))
        .all(taking.tx)
        .await?;
    let mut rows: HashMap<String, message::Model> = rows
        .into_iter()
        .map(|row| (row.rfc_message_id.clone(), row))
        .collect();
    let first = about.message_ids.iter().find_map(|id| rows.remove(id));
    Ok(first.map(|message| (message, "by its Message-ID")))
}

async fn contacts_of(tx: &DatabaseTransaction, addresses: &[&str]) -> Result<Vec<ContactId>> {
    if addresses.is_empty() {
        return Ok(Vec::new());
    }
    let ids = contact::Entity::find()
        .select_only()
        .column(contact::Column::Id)
        .filter(contact::Column::EmailNormalized.is_in(addresses.iter().copied()))
        .filter(contact::Column::ErasedAt.is_null())
        .order_by_asc(contact::Column::Id)
        .limit(CONTACTS_MAX)
        .into_tuple()
        .all(tx)
        .await?;
    Ok(ids)
}

/// The last mail that went out to one of these contacts of late.
async fn last_sent(taking: Taking<'_>, ids: &[ContactId]) -> Result<Option<message::Model>> {
    let since = taking.h.now() - BY_ADDRESS;
    let last = message::Entity::find()
        .filter(message::Column::ContactId.is_in(ids.iter().copied()))
        .filter(message::Column::HandedOffAt.gte(since))
        .order_by_desc(message::Column::HandedOffAt)
        .one(taking.tx)
        .await?;
    Ok(last)
}

/// Who changes what belongs to a lead holds it before its contact, as everybody does.
async fn hold_lead(tx: &DatabaseTransaction, id: Option<LeadId>) -> Result<()> {
    let Some(id) = id else { return Ok(()) };
    lead::Entity::find_by_id(id)
        .select_only()
        .column(lead::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .into_tuple::<LeadId>()
        .one(tx)
        .await?;
    Ok(())
}

/// Remembers whom it is about, so that an erasure or an export finds it.
async fn note_parties(taking: Taking<'_>, ids: &[ContactId], addresses: [&Option<String>; 2]) -> Result<()> {
    let hash = |address: &str| {
        taking
            .h
            .secrets
            .address_hash(Medium::Email.as_str(), address)
            .to_vec()
    };
    let now = taking.h.now();
    let mut rows: Vec<Party> = Vec::new();
    let mut add = |address_hash: Option<Vec<u8>>, contact_id: Option<ContactId>| {
        rows.push(Party {
            id: Set(new_id(now)),
            inbound_id: Set(taking.inbound_id),
            address_hash: Set(address_hash),
            contact_id: Set(contact_id),
        });
    };
    for address in addresses.into_iter().flatten() {
        add(Some(hash(address)), None);
    }
    for id in ids {
        add(None, Some(*id));
    }
    if !rows.is_empty() {
        inbound_party::Entity::insert_many(rows)
            .exec_without_returning(taking.tx)
            .await?;
    }
    Ok(())
}
