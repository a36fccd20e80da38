//! Forms that are saved to be finished later.
//!
//! What was typed is kept because the person pressed a button that says so, and only until the day it names. One mail
//! takes the link to the address that was typed: whoever reads it can go on, send the form, or have it forgotten. Nobody
//! else can: anybody can type anybody's address, so a form that is saved or sent without the link leaves alone what was
//! saved before. A form that is left becomes an *unfinished lead*, so that a sequence can remind the person as far as
//! consent goes; when the form is sent after all, that same lead becomes a real one.

pub mod abandon;
mod agreed;
pub(super) mod finish;
pub mod forget;
pub mod look;
pub(super) mod overtake;
pub mod save;
pub mod share;
pub(super) mod whose;

use chrono::{DateTime, Utc};
use entity::consent_event::{ConsentEvidence, ConsentSource};
use entity::form_draft::{self, Column, Entity, FormDraftState, Model};
use entity::id::{FormDraftId, FormId};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::form_answers::Sent;
use super::inquiry::ConsentAnswer;
use super::visit::{CLICK_ID_KINDS, Visit};
use crate::error::Result;
use crate::hospital::Site;
use crate::link::Secrets;

/// Longest time for which a saved form is kept: what was not sent is not kept as if it had been.
pub const MAX_KEPT_DAYS: i32 = 90;
/// Most forms of one kind that are kept for an address at a time.
pub const OPEN_MAX: usize = 10;

/// The address under which a saved form is finished. It names nothing but the draft.
#[must_use]
pub fn url(site: &Site, secrets: &Secrets, id: FormDraftId) -> String {
    format!("{}/r/{}", site.public_url, secrets.draft_token(id.0))
}

/// What makes the leads of one draft the same inquiry.
fn external_id(id: FormDraftId) -> String {
    format!("form-draft/{}", id.0)
}

/// What an address saved of a form and did not send, the newest first and at most [`OPEN_MAX`], held until the
/// transaction ends.
async fn open_of(
    tx: &DatabaseTransaction,
    form_id: FormId,
    normalized: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Model>> {
    let found = Entity::find()
        .filter(Column::FormId.eq(form_id))
        .filter(Column::EmailNormalized.eq(normalized))
        .filter(Column::ExpiresAt.gt(now))
        .order_by_desc(Column::Id)
        .limit(OPEN_MAX as u64)
        .lock(LockType::Update)
        .all(tx)
        .await?;
    Ok(found)
}

/// A draft by its id, held until the transaction ends.
async fn held(tx: &DatabaseTransaction, id: FormDraftId) -> Result<Option<Model>> {
    let found = Entity::find_by_id(id).lock(LockType::Update).one(tx).await?;
    Ok(found)
}

/// A draft by its id, only looked at.
async fn seen(conn: &impl ConnectionTrait, id: FormDraftId) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).one(conn).await?)
}

/// What was typed, as a form's door hands it in.
fn sent(draft: &Model) -> Sent {
    Sent {
        fields: draft
            .fields
            .0
            .iter()
            .map(|field| (field.name.clone(), field.value.clone()))
            .collect(),
        consents: answers(draft),
        consent_source: ConsentSource {
            form_id: Some(draft.form_id),
            message_id: None,
        },
        consent_evidence: ConsentEvidence::default(),
        external_id: external_id(draft.id),
        visit: visit(draft),
        form_draft_id: Some(draft.id),
    }
}

fn answers(draft: &Model) -> Vec<ConsentAnswer> {
    let shown = draft.consents.0.iter();
    shown
        .map(|shown| ConsentAnswer {
            wording_id: shown.wording_id,
            granted: shown.ticked,
        })
        .collect()
}

/// How the visit began in which it was saved.
fn visit(draft: &Model) -> Visit {
    let kind = draft.visit.click_id_kind.as_deref();
    let kind = kind.and_then(|kind| CLICK_ID_KINDS.into_iter().find(|known| *known == kind));
    Visit {
        landing_page: draft.visit.landing_page.clone(),
        referrer_host: draft.visit.referrer_host.clone(),
        utm: draft.visit.utm.clone(),
        source_code: draft.visit.source_code.clone(),
        click_id: None,
        kept_click: kind.zip(draft.click_id_hash.clone()),
    }
}

/// What is kept of a visit.
fn kept_visit(visit: &Visit) -> form_draft::DraftVisit {
    form_draft::DraftVisit {
        landing_page: visit.landing_page.clone(),
        referrer_host: visit.referrer_host.clone(),
        utm: visit.utm.clone(),
        source_code: visit.source_code.clone(),
        click_id_kind: visit.click_kind().map(str::to_owned),
    }
}

/// Whether it can still be finished.
fn is_open(draft: &Model, now: DateTime<Utc>) -> bool {
    draft.state != FormDraftState::Finished && now < draft.expires_at
}
