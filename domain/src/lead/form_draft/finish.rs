//! Sending a form that was saved before: its draft ends, and its unfinished lead becomes the real one.

use chrono::{DateTime, Utc};
use entity::enrollment::{self, ExitReason};
use entity::form_draft::{ActiveModel, DraftVisit, FormDraftState, Model, ShownConsents, TypedFields};
use entity::id::LeadId;
use entity::message::{self, GateReason};
use entity::{form, lead};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};

use super::{held, is_open, open_of};
use crate::error::{Error, Result};
use crate::lead::inquiry::Inquiry;
use crate::outreach::withhold;
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

/// The draft that an inquiry may finish: by the link to it, else that of the same address on the same form.
///
/// # Errors
/// [`Error::Missing`] when the link leads nowhere any more.
pub(in crate::lead) async fn saved(
    tx: &DatabaseTransaction,
    inquiry: &Inquiry,
    form: Option<&form::Model>,
    now: DateTime<Utc>,
) -> Result<Option<Saved>> {
    let draft = match inquiry.form_draft_id {
        Some(id) => {
            let found = held(tx, id).await?.filter(|draft| {
                Some(draft.form_id) == inquiry.form_id
                    && (draft.state == FormDraftState::Finished || is_open(draft, now))
            });
            Some(found.ok_or(Error::Missing { noun: "form" })?)
        }
        None => match (
            form.filter(|form| form.finish_later().is_some()),
            &inquiry.person.email,
        ) {
            (Some(form), Some(email)) => open_of(tx, form.id, &email.normalized()).await?,
            _ => None,
        },
    };
    let Some(draft) = draft else { return Ok(None) };
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

/// Ends what reminded of the form: enrollments of the unfinished lead, and mails that have not gone out.
pub(in crate::lead) async fn stop_reminding(
    tx: &DatabaseTransaction,
    draft: &Model,
    reason: ExitReason,
    now: DateTime<Utc>,
) -> Result<Vec<Signal>> {
    let mut signals = Vec::new();
    let mut about = Condition::any();
    if let Some(lead_id) = draft.lead_id {
        let of_lead = Condition::all().add(enrollment::Column::LeadId.eq(lead_id));
        let left = leave::leave(tx, of_lead, reason, Actor::SYSTEM, now).await?;
        signals = left.signals;
        about = about.add(message::Column::LeadId.eq(lead_id));
    }
    if let Some(message_id) = draft.message_id {
        about = about.add(message::Column::Id.eq(message_id));
    }
    if !about.is_empty() {
        withhold::pending(tx, about, GateReason::OutOfDate, None, now).await?;
    }
    Ok(signals)
}

/// Empties the draft of a form that was sent. The row stays until its end, so that sending it again changes nothing.
pub(in crate::lead) async fn settle(
    tx: &DatabaseTransaction,
    saved: Option<Saved>,
    lead_id: LeadId,
) -> Result<()> {
    let Some(Saved { draft, .. }) = saved else {
        return Ok(());
    };
    let expires_at = draft.expires_at;
    // An unfinished lead that another one took the place of is emptied at the end.
    let lead_id = draft.lead_id.unwrap_or(lead_id);
    let finished = ActiveModel {
        state: Set(FormDraftState::Finished),
        email_normalized: Set(None),
        fields: Set(TypedFields::default()),
        consents: Set(ShownConsents::default()),
        visit: Set(DraftVisit::default()),
        click_id_hash: Set(None),
        lead_id: Set(Some(lead_id)),
        due_at: Set(expires_at),
        ..draft.into_active_model()
    };
    finished.update(tx).await?;
    Ok(())
}
