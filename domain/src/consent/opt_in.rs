//! The second yes: the link in the mail that a form with double opt-in sends.
//!
//! Whoever types an address into a form may not be whose address it is. On such a form an email consent is only pending;
//! nothing goes to the person but one mail that asks, and only the button behind its link makes the consent a grant.
//! Looking at the page grants nothing, because scanners follow links before people do.

use chrono::{DateTime, Utc};
use entity::consent_event::{
    self, Column, ConsentAction, ConsentEvidence, ConsentMethod, ConsentSource, Model,
};
use entity::enums::{ActorKind, Purpose};
use entity::id::{ConsentEventId, LeadId, MessageId};
use entity::message::{self, MessageKind, MessageState};
use entity::{contact, lead, message_event};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
};

use super::entry::{Entry, Shown};
use super::lock::lock_contacts;
use super::standing::is_open;
use crate::db;
use crate::done::Done;
use crate::error::{Error, Result};
use crate::hospital::Hospital;
use crate::nudge::Subject;
use crate::outreach::plan;
use crate::playbook::Playbook;
use crate::viewer::Actor;

/// Where a second yes stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It can be given.
    Open,
    /// It was given.
    Given,
    /// It can no longer be given: its time is over, or the consent was taken back.
    Over,
}

/// What the page behind a link shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkShows {
    /// Where it stands.
    pub state: State,
    /// The language of the contact, a BCP 47 tag.
    pub language: String,
    /// The texts that the person agreed to and is asked about again.
    pub texts: Vec<String>,
}

/// A link that was followed up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// Where it stands now.
    pub shows: LinkShows,
    /// Whether this call gave it; a repeated one writes nothing.
    pub now: bool,
}

/// What the page behind a link shows. Writes nothing.
///
/// # Errors
/// [`Error::Missing`] for a token that was not made here.
pub async fn look_up(h: &Hospital, token: &str) -> Result<LinkShows> {
    let playbook = h.playbook().await?;
    let asked = Asked::find(&h.db, open(h, token)?).await?;
    Ok(asked.shows(&playbook, asked.state(h.now())))
}

/// Gives the second yes to everything that the mail asked for and that can still be given. Doing it again changes
/// nothing, also after a later withdrawal.
///
/// # Errors
/// [`Error::Missing`] for a token that was not made here.
pub async fn confirm(h: &Hospital, token: &str) -> Result<Done<Confirmed>> {
    let message_id = open(h, token)?;
    let playbook = h.playbook().await?;
    let tx = db::begin_write(&h.db).await?;
    let contact_id = Asked::find(&tx, message_id).await?.contact.id;
    lock_contacts(&tx, &[contact_id]).await?;
    // Read again and timed after the lock: a withdrawal or another click may just have been written.
    let asked = Asked::find(&tx, message_id).await?;
    let now = h.now();
    let grants: Vec<Model> = asked
        .first_yeses
        .iter()
        .filter(|first| !asked.is_given(first.id) && is_open(first, &asked.events, now))
        .map(|first| grant(first, &asked, now))
        .collect();
    if grants.is_empty() {
        let shows = asked.shows(&playbook, asked.state(now));
        return Ok(Done::quiet(Confirmed { shows, now: false }));
    }
    let purposes: Vec<Purpose> = grants.iter().filter_map(|grant| grant.purpose).collect();
    consent_event::Entity::insert_many(grants.into_iter().map(IntoActiveModel::into_active_model))
        .exec_without_returning(&tx)
        .await?;
    bring_forward(&tx, &asked.contact, &purposes, now).await?;
    if let Some(lead_id) = asked.message.lead_id {
        answer(&tx, h, &playbook, &asked.contact, lead_id, now).await?;
    }
    tx.commit().await?;
    Ok(Done {
        value: Confirmed {
            shows: asked.shows(&playbook, State::Given),
            now: true,
        },
        signals: Vec::new(),
        nudges: vec![Subject::WaitingMail, Subject::BulkMail],
    })
}

const MISSING: Error = Error::Missing { noun: "link" };

fn open(h: &Hospital, token: &str) -> Result<MessageId> {
    h.secrets.open_opt_in_token(token).map(MessageId).ok_or(MISSING)
}

/// What one mail asked for.
struct Asked {
    message: message::Model,
    contact: contact::Model,
    /// Everything the contact ever said.
    events: Vec<Model>,
    /// The consents that the mail asks for again.
    first_yeses: Vec<Model>,
}

impl Asked {
    async fn find(conn: &impl ConnectionTrait, id: MessageId) -> Result<Self> {
        let message = message::Entity::find_by_id(id).one(conn).await?.ok_or(MISSING)?;
        let contact_id = message.contact_id.ok_or(MISSING)?;
        let contact = contact::Entity::find_by_id(contact_id)
            .one(conn)
            .await?
            .ok_or(MISSING)?;
        let events = consent_event::Entity::find()
            .filter(Column::ContactId.eq(contact_id))
            .order_by_asc(Column::Id)
            .all(conn)
            .await?;
        let first_yeses: Vec<Model> = events
            .iter()
            .filter(|event| {
                event.action == ConsentAction::Pending && event.source.message_id == Some(message.id)
            })
            .cloned()
            .collect();
        if message.kind != MessageKind::OptIn || first_yeses.is_empty() {
            return Err(MISSING);
        }
        Ok(Self {
            message,
            contact,
            events,
            first_yeses,
        })
    }

    fn is_given(&self, first: ConsentEventId) -> bool {
        self.events.iter().any(|event| event.refers_to_id == Some(first))
    }

    fn state(&self, now: DateTime<Utc>) -> State {
        let given = |first: &&Model| self.is_given(first.id);
        if self
            .first_yeses
            .iter()
            .any(|first| !self.is_given(first.id) && is_open(first, &self.events, now))
        {
            State::Open
        } else if self.first_yeses.iter().any(|first| given(&first)) {
            State::Given
        } else {
            State::Over
        }
    }

    fn shows(&self, playbook: &Playbook, state: State) -> LinkShows {
        let wordings = self.first_yeses.iter().filter_map(|first| first.wording_id);
        LinkShows {
            state,
            language: self.contact.language.clone(),
            texts: wordings
                .filter_map(|id| playbook.wordings.get(&id))
                .map(|wording| wording.text.clone())
                .collect(),
        }
    }
}

/// The grant that a click completes.
fn grant(first: &Model, asked: &Asked, now: DateTime<Utc>) -> Model {
    let entry = Entry {
        contact_id: first.contact_id,
        medium: first.medium,
        address: first.address.clone(),
        purpose: first.purpose,
        action: ConsentAction::Grant,
        level: first.level,
        shown: Shown::by(first),
        method: ConsentMethod::DoubleOptIn,
        source: ConsentSource {
            form_id: first.source.form_id,
            message_id: Some(asked.message.id),
        },
        evidence: ConsentEvidence::default(),
        refers_to_id: Some(first.id),
        expires_at: None,
        actor: Actor {
            kind: ActorKind::Contact,
            id: Some(asked.contact.id.0),
        },
        occurred_at: now,
    };
    entry.row(now)
}

/// Lets the gate look now at what waited for the second yes. What waits for something else is deferred again; what the
/// wire asked to come back for later keeps its time.
async fn bring_forward(
    tx: &DatabaseTransaction,
    contact: &contact::Model,
    purposes: &[Purpose],
    now: DateTime<Utc>,
) -> Result<()> {
    message::Entity::update_many()
        .col_expr(message::Column::DueAt, Expr::value(now))
        .filter(message::Column::ContactId.eq(contact.id))
        .filter(message::Column::Purpose.is_in(purposes.iter().copied()))
        .filter(message::Column::State.eq(MessageState::Deferred))
        .filter(message::Column::Attempts.eq(0))
        .filter(message::Column::DueAt.gt(now))
        .exec(tx)
        .await?;
    Ok(())
}

/// Plans the form's own answer, which was not sent before the click. If an earlier post of the form planned it, that one
/// stands.
async fn answer(
    tx: &DatabaseTransaction,
    h: &Hospital,
    playbook: &Playbook,
    contact: &contact::Model,
    lead_id: LeadId,
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(lead) = lead::Entity::find_by_id(lead_id).one(tx).await? else {
        return Ok(());
    };
    let form = lead.form_id.and_then(|id| playbook.forms.get(&id));
    let Some(row) = form.and_then(|form| plan::confirmation(&h.site, playbook, form, &lead, contact, now))
    else {
        return Ok(());
    };
    let event = plan::planned_event(&row, now);
    let planned = message::Entity::insert(row)
        .on_conflict(
            OnConflict::column(message::Column::OriginKey)
                // As the partial index has it.
                .target_and_where(message::Column::OriginKey.is_not_null())
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(tx)
        .await?;
    if planned > 0 {
        message_event::Entity::insert(event)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}
