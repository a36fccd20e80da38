//! Whose a saved form is.
//!
//! Whoever saves a form may not have typed a name yet, or a part of it, or a wrong one. Who opens its link may correct it:
//! the contact that was made for the form, and of which nothing else is known, is then that person under the new name.

use chrono::{DateTime, Utc};
use entity::contact;
use entity::form_draft::{self, Model};
use entity::lead;
use sea_orm::{ColumnTrait, Condition, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter};

use crate::contact::resolve::{self, Resolution};
use crate::error::Result;
use crate::lead::inquiry::Person;

/// Who a person is who opened the link to this draft, or came without one.
pub(in crate::lead) async fn whose(
    tx: &DatabaseTransaction,
    person: &Person,
    draft: Option<&Model>,
    now: DateTime<Utc>,
) -> Result<Resolution> {
    let who = resolve::resolve(&resolve::sharing(tx, person).await?, person, now);
    let (Some(draft), Resolution::New { .. }) = (draft, &who) else {
        return Ok(who);
    };
    match own_contact(tx, draft).await? {
        Some(contact) if resolve::shares_email(&contact, person) => {
            Ok(resolve::renamed(contact, person, now))
        }
        _ => Ok(who),
    }
}

/// The contact of a draft, if it is known through this draft alone: it has no lead but the unfinished one that was made
/// of it, and no other saved form.
pub(super) async fn own_contact(tx: &DatabaseTransaction, draft: &Model) -> Result<Option<contact::Model>> {
    let id = draft.contact_id;
    let mut leads = Condition::all().add(lead::Column::ContactId.eq(id));
    if let Some(of_draft) = draft.lead_id {
        let unfinished = Condition::all()
            .add(lead::Column::Id.eq(of_draft))
            .add(lead::Column::UnfinishedAt.is_not_null());
        leads = leads.add(unfinished.not());
    }
    let others = form_draft::Entity::find()
        .filter(form_draft::Column::ContactId.eq(id))
        .filter(form_draft::Column::Id.ne(draft.id));
    if lead::Entity::find().filter(leads).count(tx).await? > 0 || others.count(tx).await? > 0 {
        return Ok(None);
    }
    let contact = contact::Entity::find_by_id(id)
        .filter(contact::Column::ErasedAt.is_null())
        .filter(contact::Column::MergedIntoId.is_null());
    Ok(contact.one(tx).await?)
}
