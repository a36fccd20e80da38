//! Forgetting a saved form: because its person says so, or because its time is over.

use chrono::{DateTime, Utc};
use entity::enrollment::ExitReason;
use entity::form_draft::{self, FormDraftState, Model};
use entity::id::{ContactId, FormDraftId, LeadId};
use entity::{lead, message};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect,
};

use super::finish::stop_reminding;
use super::look::open;
use super::whose::own_contact;
use super::{agreed, held, is_open, seen};
use crate::audit;
use crate::db;
use crate::done::Done;
use crate::error::{Error, Result};
use crate::hospital::Hospital;
use crate::idempotency;
use crate::lead::receive::person_keys;
use crate::privacy;
use crate::signal::Signal;
use crate::viewer::Actor;

/// Forgets what was typed, at once: the draft, the unfinished lead that was made of it, the mails about it, and the
/// contact if nothing else is known of it. Answers the form.
///
/// # Errors
/// [`Error::Missing`] when the link leads nowhere any more, and for a form that was sent.
pub async fn forget(h: &Hospital, token: &str) -> Result<Done<entity::id::FormId>> {
    let missing = || Error::Missing { noun: "form" };
    let id = open(h, token)?;
    let email = seen(&h.db, id).await?.and_then(|draft| draft.email_normalized);
    let tx = db::begin_write(&h.db).await?;
    db::lock_keys(&tx, &person_keys(h, email.as_deref(), None)).await?;
    let now = h.now();
    let draft = held(&tx, id).await?.filter(|draft| is_open(draft, now));
    let draft = draft.ok_or_else(missing)?;
    let form_id = draft.form_id;
    let signals = end(&tx, h, draft, Actor::VISITOR, now).await?;
    audit::record(Actor::VISITOR, "form-draft.forget", Some(&id), None, now)
        .insert(&tx)
        .await?;
    tx.commit().await?;
    Ok(Done {
        value: form_id,
        signals,
        nudges: Vec::new(),
    })
}

/// Takes a draft, which the caller holds, and everything that was only known through it.
pub(super) async fn end(
    tx: &DatabaseTransaction,
    h: &Hospital,
    draft: Model,
    actor: Actor,
    now: DateTime<Utc>,
) -> Result<Vec<Signal>> {
    let unfinished = unfinished_lead(tx, draft.lead_id).await?;
    // A consent by which the contact agreed to hear more keeps it.
    let nobody = match own_contact(tx, &draft).await? {
        Some(contact) if !agreed::to_anything(tx, contact.id, now).await? => Some(contact.id),
        _ => None,
    };
    let mut signals = Vec::new();
    if draft.state != FormDraftState::Finished || unfinished.is_some() {
        signals = stop_reminding(tx, &draft, ExitReason::FormFinished, now).await?;
    }
    form_draft::Entity::delete_by_id(draft.id).exec(tx).await?;
    if let Some(lead_id) = unfinished {
        let words = privacy::leads::erase(tx, &[lead_id], now).await?;
        idempotency::erase(tx, &words).await?;
    }
    if let Some(message_id) = draft
        .message_id
        .filter(|_| draft.state != FormDraftState::Finished)
    {
        let brought_link = Condition::all().add(message::Column::Id.eq(message_id));
        privacy::leads::mails(tx, brought_link).await?;
    }
    if let Some(nobody) = nobody {
        privacy::contacts::erase(tx, h, &[nobody], actor).await?;
    }
    Ok(signals)
}

/// The lead of a draft, held, if it was never sent.
async fn unfinished_lead(tx: &DatabaseTransaction, id: Option<LeadId>) -> Result<Option<LeadId>> {
    let Some(id) = id else { return Ok(None) };
    let found = lead::Entity::find_by_id(id)
        .select_only()
        .column(lead::Column::Id)
        .filter(lead::Column::UnfinishedAt.is_not_null())
        .lock(LockType::NoKeyUpdate)
        .into_tuple::<LeadId>()
        .one(tx)
        .await?;
    Ok(found)
}

/// Deletes the drafts of contacts that are erased. Call it before their leads are held, as everybody takes them in this
/// order.
///
/// # Errors
/// When the database fails.
pub(crate) async fn of_contacts(tx: &DatabaseTransaction, ids: &[ContactId]) -> Result<()> {
    let drafts: Vec<FormDraftId> = form_draft::Entity::find()
        .select_only()
        .column(form_draft::Column::Id)
        .filter(form_draft::Column::ContactId.is_in(ids.iter().copied()))
        .lock(LockType::Update)
        .into_tuple()
        .all(tx)
        .await?;
    for some in drafts.chunks(db::BATCH_MAX) {
        form_draft::Entity::delete_many()
            .filter(form_draft::Column::Id.is_in(some.iter().copied()))
            .exec(tx)
            .await?;
    }
    Ok(())
}
