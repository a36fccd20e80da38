//! A form that is sent anew, while the same address has one saved.
//!
//! The sender has not shown to have the link, so what was saved stays as it is, and the link leads to it until its end.
//! But who has sent the form is not reminded of it any more.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::contact;
use entity::enrollment::ExitReason;
use entity::form_draft::{ActiveModel, Model};
use entity::id::ContactId;
use entity::{form, form_draft::FormDraftState};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
};

use super::finish::stop_reminders;
use super::open_of;
use crate::contact::resolve::names_fit;
use crate::error::Result;
use crate::lead::inquiry::Person;
use crate::signal::Signal;

/// Ends what reminds of forms that this person saved, as far as the names tell: a parent and a child on one address may
/// each have their own. The caller holds the key of the address.
pub(in crate::lead) async fn overtake(
    tx: &DatabaseTransaction,
    form: Option<&form::Model>,
    person: &Person,
    now: DateTime<Utc>,
) -> Result<Vec<Signal>> {
    let (Some(form), Some(email)) = (form.filter(|form| form.finish_later().is_some()), &person.email) else {
        return Ok(Vec::new());
    };
    let open = open_of(tx, form.id, &email.normalized(), now).await?;
    let owners = owners(tx, &open).await?;
    let is_theirs = |draft: &Model| {
        owners
            .get(&draft.contact_id)
            .is_some_and(|owner| names_fit(owner, person))
    };
    let mut signals = Vec::new();
    for draft in open.into_iter().filter(is_theirs) {
        signals.extend(stop_reminders(tx, &draft, ExitReason::FormFinished, now).await?);
        // Whoever waited to be left is not any more; what was left already keeps its state.
        if draft.state == FormDraftState::Waiting {
            let expires_at = draft.expires_at;
            let quiet = ActiveModel {
                due_at: Set(expires_at),
                ..draft.into_active_model()
            };
            quiet.update(tx).await?;
        }
    }
    Ok(signals)
}

async fn owners(tx: &DatabaseTransaction, drafts: &[Model]) -> Result<HashMap<ContactId, contact::Model>> {
    let ids: Vec<ContactId> = drafts.iter().map(|draft| draft.contact_id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = contact::Entity::find()
        .filter(contact::Column::Id.is_in(ids))
        .all(tx)
        .await?;
    Ok(found.into_iter().map(|contact| (contact.id, contact)).collect())
}
