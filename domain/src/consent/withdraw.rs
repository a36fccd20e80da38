//! Taking a consent back. It takes effect in the transaction that records it.

use chrono::{DateTime, Utc};
use entity::consent_event::{ActiveModel, ConsentAction, ConsentLevel, ConsentMethod, ConsentSource, Model};
use entity::enrollment::{self, ExitReason};
use entity::enums::{Medium, Purpose};
use entity::id::{ConsentEventId, ContactId};
use entity::message::{self, GateReason};
use entity::sequence;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect,
    QueryTrait,
};

use super::lock::lock_contacts;
use super::record::{MAX_EVIDENCE_CHARS, method};
use super::subject::visible_contact;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::outreach::withhold;
use crate::sequence::leave;
use crate::signal::Signal;
use crate::viewer::{Actor, Viewer};

/// A consent to be taken back.
#[derive(Clone, Debug)]
pub struct WithdrawConsent {
    /// Whose consent it is.
    pub contact_id: ContactId,
    /// The medium; none means every medium.
    pub medium: Option<Medium>,
    /// The purpose; none means every purpose.
    pub purpose: Option<Purpose>,
    /// How the person said it, without personal data.
    pub reason: Option<String>,
}

/// What came of a withdrawal.
#[derive(Clone, Debug)]
pub struct Withdrawal {
    /// The contact.
    pub contact_id: ContactId,
    /// What was written down, one event per medium.
    pub events: Vec<Model>,
    /// How many mails that were planned will not go out.
    pub messages_withheld: usize,
    /// How many enrollments ended.
    pub enrollments_ended: usize,
}

/// Takes a consent back, whoever heard the person say so.
///
/// # Errors
/// [`Error::Missing`] when the viewer may not see the contact, [`Error::Refused`] when the reason is too long.
pub async fn withdraw(h: &Hospital, viewer: &Viewer, input: WithdrawConsent) -> Result<Done<Withdrawal>> {
    let reason = input
        .reason
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty());
    if reason
        .as_ref()
        .is_some_and(|text| text.chars().count() > MAX_EVIDENCE_CHARS)
    {
        return Err(Error::refused(
            Code::TooLarge,
            "reason",
            "The reason has at most 500 characters.",
        ));
    }
    let actor = viewer.actor();
    let tx = db::begin_write(&h.db).await?;
    let contact = visible_contact(&tx, viewer, input.contact_id).await?;
    lock_contacts(&tx, &[contact.id]).await?;
    // Read after the lock, so that what was written before it is not later than this.
    let now = h.now();
    let said = Said {
        contact_id: contact.id,
        purpose: input.purpose,
        method: method(actor.kind),
        source: ConsentSource {
            evidence: reason,
            ..ConsentSource::default()
        },
        actor,
        now,
    };
    let media = input
        .medium
        .map_or_else(|| Medium::ALL.to_vec(), |medium| vec![medium]);
    let mut done = Done::quiet(Withdrawal {
        contact_id: contact.id,
        events: Vec::new(),
        messages_withheld: 0,
        enrollments_ended: 0,
    });
    for medium in media {
        let event = said.event(medium).insert(&tx).await?;
        if medium == Medium::Email {
            let effect = take_effect(&tx, &said, event.id).await?;
            done.value.messages_withheld = effect.messages_withheld;
            done.value.enrollments_ended = effect.enrollments_ended;
            done.signals = effect.signals;
        }
        done.value.events.push(event);
    }
    tx.commit().await?;
    Ok(done)
}

/// A withdrawal as it was said.
pub(super) struct Said {
    pub(super) contact_id: ContactId,
    pub(super) purpose: Option<Purpose>,
    pub(super) method: ConsentMethod,
    pub(super) source: ConsentSource,
    pub(super) actor: Actor,
    pub(super) now: DateTime<Utc>,
}

impl Said {
    /// The event for one medium. It names no address: a person who wants no more mail wants none at another address
    /// either.
    pub(super) fn event(&self, medium: Medium) -> ActiveModel {
        ActiveModel {
            id: Set(new_id(self.now)),
            contact_id: Set(self.contact_id),
            medium: Set(medium),
            address: Set(None),
            purpose: Set(self.purpose),
            action: Set(ConsentAction::Withdraw),
            level: Set(ConsentLevel::None),
            wording_id: Set(None),
            language: Set(None),
            method: Set(self.method),
            source: Set(self.source.clone()),
            actor_kind: Set(self.actor.kind),
            actor_id: Set(self.actor.id),
            occurred_at: Set(self.now),
            recorded_at: Set(self.now),
        }
    }
}

/// What a withdrawal ended.
pub(super) struct Effect {
    pub(super) messages_withheld: usize,
    pub(super) enrollments_ended: usize,
    pub(super) signals: Vec<Signal>,
}

/// Ends what rests on the consent to be mailed. The contact must be locked.
///
/// Enrollments end before mails are withheld: an engine that is moving one of them on right now holds its lock, and
/// the mail it plans is then seen here.
pub(super) async fn take_effect(
    tx: &DatabaseTransaction,
    said: &Said,
    event_id: ConsentEventId,
) -> Result<Effect> {
    let mut resting = Condition::all().add(enrollment::Column::ContactId.eq(said.contact_id));
    let mut planned = Condition::all().add(message::Column::ContactId.eq(said.contact_id));
    if let Some(purpose) = said.purpose {
        let of_purpose = sequence::Entity::find()
            .select_only()
            .column(sequence::Column::Id)
            .filter(sequence::Column::Purpose.eq(purpose))
            .into_query();
        resting = resting.add(enrollment::Column::SequenceId.in_subquery(of_purpose));
        planned = planned.add(message::Column::Purpose.eq(purpose));
    }
    let left = leave::leave(tx, resting, ExitReason::Withdrawn, said.actor, said.now).await?;
    let withheld = withhold::pending(
        tx,
        planned,
        GateReason::ConsentWithdrawn,
        Some(event_id),
        said.now,
    )
    .await?;
    Ok(Effect {
        messages_withheld: withheld.len(),
        enrollments_ended: left.enrollments.len(),
        signals: left.signals,
    })
}
