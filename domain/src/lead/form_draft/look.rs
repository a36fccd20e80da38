//! The page behind the link to a saved form: what it shows. It writes nothing.

use chrono::NaiveDate;
use entity::form_draft::FormDraftState;
use entity::id::{ConsentWordingId, FormDraftId, FormId};

use super::{agreed, external_id, is_open, seen, visit};
use crate::error::{Error, Result};
use crate::hospital::Hospital;
use crate::lead::visit::Visit;
use crate::report::hospital_zone;

/// What a link leads to.
#[derive(Clone, Debug)]
pub enum LinkShows {
    /// The form, as it was saved.
    Open(Box<Kept>),
    /// The form was sent.
    Finished(FormId),
    /// It was forgotten, or its time is over, or the form is no longer there.
    Over,
}

/// A saved form.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The draft.
    pub id: FormDraftId,
    /// The form.
    pub form_id: FormId,
    /// Names and values of what was typed.
    pub fields: Vec<(String, String)>,
    /// The texts that were agreed to when it was saved, and that still stand.
    pub agreed: Vec<ConsentWordingId>,
    /// The day on which it is deleted, in the hospital's zone.
    pub until: NaiveDate,
    /// How the visit began in which it was saved.
    pub visit: Visit,
    /// The id of the one inquiry that can come of it.
    pub external_id: String,
}

/// What the link leads to.
///
/// # Errors
/// [`Error::Missing`] for a token that was not made here.
pub async fn look_up(h: &Hospital, token: &str) -> Result<LinkShows> {
    let id = open(h, token)?;
    let playbook = h.playbook().await?;
    let Some(draft) = seen(&h.db, id).await? else {
        return Ok(LinkShows::Over);
    };
    if !playbook.forms.contains_key(&draft.form_id) {
        return Ok(LinkShows::Over);
    }
    if draft.state == FormDraftState::Finished {
        return Ok(LinkShows::Finished(draft.form_id));
    }
    if !is_open(&draft, h.now()) {
        return Ok(LinkShows::Over);
    }
    let fields = draft.fields.0.iter();
    Ok(LinkShows::Open(Box::new(Kept {
        id: draft.id,
        form_id: draft.form_id,
        fields: fields
            .map(|field| (field.name.clone(), field.value.clone()))
            .collect(),
        agreed: agreed::of(&h.db, &draft, h.now()).await?,
        until: draft
            .expires_at
            .with_timezone(&hospital_zone(&playbook))
            .date_naive(),
        visit: visit(&draft),
        external_id: external_id(draft.id),
    })))
}

pub(super) fn open(h: &Hospital, token: &str) -> Result<FormDraftId> {
    let id = h.secrets.open_draft_token(token).map(FormDraftId);
    id.ok_or(Error::Missing { noun: "form" })
}
