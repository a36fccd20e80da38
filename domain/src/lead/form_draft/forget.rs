//! Forgetting a saved form: because its person says so, or because its time is over.

use chrono::{DateTime, Utc};
use entity::consent_event::{self, ConsentAction};
use entity::enrollment::ExitReason;
use entity::form_draft::{self, FormDraftState, Model};
use entity::id::{ContactId, FormDraftId, LeadId};
use entity::message::{self, MessageKind};
use entity::{contact, lead};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter,
    QuerySelect,
};

use super::finish::stop_reminding;
use super::look::open;
use super::{held, is_open, seen};
use crate::audit;
use crate::db;
use crate::done::Done;
use crate::error::{Error, Result};
use crate::hospital::Hospital;
use crate::idempotency;
use crate::lead::receive::person_keys;
use crate::outreach::withhold;
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
    let mut signals = Vec::new();
    if draft.state != FormDraftState::Finished || unfinished.is_some() {
        signals = stop_reminding(tx, &draft, ExitReason::FormFinished, now).await?;
    }
    form_draft::Entity::delete_by_id(draft.id).exec(tx).await?;
    if let Some(lead_id) = unfinished {
        let words = privacy::leads::erase(tx, &[lead_id], now).await?;
        idempotency::erase(tx, &words).await?;
    }
    if draft.state != FormDraftState::Finished {
        let about = Condition::all()
            .add(message::Column::ContactId.eq(draft.contact_id))
            .add(message::Column::Kind.eq(MessageKind::FormSaved))
            // One that is still to go is about another form.
            .add(message::Column::State.is_not_in(withhold::PENDING));
        privacy::leads::mails(tx, about).await?;
    }
    if is_known_by_this_alone(tx, &draft, unfinished).await? {
        privacy::contacts::erase(tx, h, &[draft.contact_id], actor).await?;
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

/// Whether a contact was made for a saved form and has nothing else: no lead, no other saved form, and no consent, by
/// which it agreed to hear more.
async fn is_known_by_this_alone(
    tx: &DatabaseTransaction,
    draft: &Model,
    unfinished: Option<LeadId>,
) -> Result<bool> {
    let id: ContactId = draft.contact_id;
    let made_for_it = contact::Entity::find_by_id(id)
        .filter(contact::Column::CreatedAt.gte(draft.created_at))
        .filter(contact::Column::ErasedAt.is_null());
    let mut leads = lead::Entity::find().filter(lead::Column::ContactId.eq(id));
    if let Some(unfinished) = unfinished {
        leads = leads.filter(lead::Column::Id.ne(unfinished));
    }
    let drafts = form_draft::Entity::find().filter(form_draft::Column::ContactId.eq(id));
    let agreed = consent_event::Entity::find()
        .filter(consent_event::Column::ContactId.eq(id))
        .filter(consent_event::Column::Action.is_in([ConsentAction::Grant, ConsentAction::Pending]));
    Ok(made_for_it.count(tx).await? == 1
        && leads.count(tx).await? == 0
        && drafts.count(tx).await? == 0
        && agreed.count(tx).await? == 0)
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
