//! Sending a form that was saved before: its draft ends, and its unfinished lead becomes the real one.

use chrono::{DateTime, Utc};
use entity::enrollment::{self, ExitReason};
use entity::form_draft::{ActiveModel, DraftVisit, FormDraftState, Model, ShownConsents, TypedFields};
use entity::id::{ContactId, LeadId};
use entity::lead;
use entity::message::{self, GateReason};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};

use super::whose::own_contact;
use super::{agreed, held, is_open};
use crate::error::{Error, Result};
use crate::hospital::Hospital;
use crate::lead::inquiry::Inquiry;
use crate::outreach::withhold;
use crate::privacy;
use crate::sequence::leave;
use crate::signal::Signal;
use crate::viewer::Actor;

/// A draft that an inquiry finishes, held until the transaction ends.
pub(in crate::lead) struct Saved {
    pub(in crate::lead) draft: Model,
    /// The unfinished lead that was made of it, held too.
    pub(in crate::lead) lead: Option<lead::Model>,
}

impl Saved {
    /// The lead that it became when it was sent before.
    pub(in crate::lead) fn sent_before(&self) -> Option<LeadId> {
        self.draft
            .lead_id
            .filter(|_| self.draft.state == FormDraftState::Finished)
    }
}

/// The draft that an inquiry finishes: the one whose link it was opened by.
///
/// # Errors
/// [`Error::Missing`] when the link leads nowhere any more.
pub(in crate::lead) async fn saved(
    tx: &DatabaseTransaction,
    inquiry: &Inquiry,
    now: DateTime<Utc>,
) -> Result<Option<Saved>> {
    let Some(id) = inquiry.form_draft_id else {
        return Ok(None);
    };
    let draft = held(tx, id).await?.filter(|draft| {
        Some(draft.form_id) == inquiry.form_id
            && (draft.state == FormDraftState::Finished || is_open(draft, now))
    });
    let draft = draft.ok_or(Error::Missing { noun: "form" })?;
    let lead = match draft.lead_id {
        Some(id) => {
            lead::Entity::find_by_id(id)
                .filter(lead::Column::UnfinishedAt.is_not_null())
                .lock(LockType::NoKeyUpdate)
                .one(tx)
                .await?
        }
        None => None,
    };
    Ok(Some(Saved { draft, lead }))
}

/// Ends what brought the form back to mind: enrollments of the unfinished lead, and mails that have not gone out.
pub(in crate::lead) async fn stop_reminding(
    tx: &DatabaseTransaction,
    draft: &Model,
    reason: ExitReason,
    now: DateTime<Utc>,
) -> Result<Vec<Signal>> {
    let signals = stop_reminders(tx, draft, reason, now).await?;
    if let Some(message_id) = draft.message_id {
        let brings_link = Condition::all().add(message::Column::Id.eq(message_id));
        withhold::pending(tx, brings_link, GateReason::OutOfDate, None, now).await?;
    }
    Ok(signals)
}

/// Ends what reminds of the form, if it was left: the enrollments of the unfinished lead and their mails.
pub(super) async fn stop_reminders(
    tx: &DatabaseTransaction,
    draft: &Model,
    reason: ExitReason,
    now: DateTime<Utc>,
) -> Result<Vec<Signal>> {
    let Some(lead_id) = draft.lead_id else {
        return Ok(Vec::new());
    };
    let of_lead = Condition::all().add(enrollment::Column::LeadId.eq(lead_id));
    let left = leave::leave(tx, of_lead, reason, Actor::SYSTEM, now).await?;
    let about = Condition::all().add(message::Column::LeadId.eq(lead_id));
    withhold::pending(tx, about, GateReason::OutOfDate, None, now).await?;
    Ok(left.signals)
}

/// Empties the draft of a form that was sent. The row stays until its end, so that sending it again changes nothing. A
/// contact that was made for the draft and turns out to be nobody by itself, because the sender is somebody else who is
/// known, is forgotten.
pub(in crate::lead) async fn settle(
    tx: &DatabaseTransaction,
    h: &Hospital,
    draft: Model,
    sender: ContactId,
    lead_id: LeadId,
    now: DateTime<Utc>,
) -> Result<()> {
    let nobody = match own_contact(tx, &draft).await? {
        Some(contact) if contact.id != sender && !agreed::to_anything(tx, contact.id, now).await? => {
            Some(contact.id)
        }
        _ => None,
    };
    let replaced = draft.lead_id.filter(|unfinished| *unfinished != lead_id);
    let (expires_at, contact_id) = (draft.expires_at, draft.contact_id);
    let nobody = nobody.filter(|_| replaced.is_none());
    let finished = ActiveModel {
        state: Set(FormDraftState::Finished),
        email_normalized: Set(None),
        fields: Set(TypedFields::default()),
        consents: Set(ShownConsents::default()),
        visit: Set(DraftVisit::default()),
        click_id_hash: Set(None),
        contact_id: Set(nobody.map_or(contact_id, |_| sender)),
        // An unfinished lead that another one took the place of is emptied at the end.
        lead_id: Set(Some(replaced.unwrap_or(lead_id))),
        due_at: Set(expires_at),
        ..draft.into_active_model()
    };
    finished.update(tx).await?;
    if let Some(nobody) = nobody {
        privacy::contacts::erase(tx, h, &[nobody], Actor::SYSTEM).await?;
    }
    Ok(())
}
