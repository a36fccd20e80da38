//! Taking a consent back. It takes effect in the transaction that records it.
//!
//! [`take_back`] is the one way to do it. Every door comes through it: the link of a mail, the preference page, a reply, a
//! provider's webhook, a member of staff, a program.

use chrono::{DateTime, Utc};
use entity::consent_event::{
    self, ConsentAction, ConsentEvidence, ConsentLevel, ConsentMethod, ConsentSource, Model,
};
use entity::enrollment::{self, ExitReason};
use entity::enums::{Medium, Purpose};
use entity::id::{ConsentEventId, ContactId};
use entity::message::{self, GateReason};
use entity::sequence;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
    QueryTrait,
};

use super::entry::Entry;
use super::lock::lock_contacts;
use super::record::{MAX_EVIDENCE_CHARS, method};
use super::subject::visible_contact;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
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
    /// How the person said it.
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
    let media = input.medium.as_ref().map_or(Medium::ALL, std::slice::from_ref);
    let said = TakeBack {
        contact_id: contact.id,
        media,
        purpose: input.purpose,
        method: method(actor.kind),
        source: ConsentSource::default(),
        evidence: ConsentEvidence {
            note: reason,
            ..ConsentEvidence::default()
        },
        actor,
    };
    // Read after the lock, so that what was written before it is not later than this.
    let now = h.now();
    let taken = take_back(&tx, said, now).await?;
    tx.commit().await?;
    Ok(taken)
}

/// A withdrawal as it was said, by whatever door it came.
#[derive(Clone, Debug)]
pub struct TakeBack<'a> {
    /// Whose consent it is.
    pub contact_id: ContactId,
    /// The media; one event is written for each.
    pub media: &'a [Medium],
    /// The purpose; none means every purpose.
    pub purpose: Option<Purpose>,
    /// By which door it came.
    pub method: ConsentMethod,
    /// Where it was said.
    pub source: ConsentSource,
    /// What proves it.
    pub evidence: ConsentEvidence,
    /// Who recorded it.
    pub actor: Actor,
}

/// Writes a withdrawal down and makes it take effect: what is planned or claimed for the purpose is withheld, the
/// enrollments that rest on it end, and a first yes that waits for the second is over.
///
/// The contact must be locked ([`super::lock::lock_contacts`]) and `now` read after that, so that a worker's claim
/// comes either before it, and is undone, or after it, and finds the withdrawal. Pass the signals on after the commit.
///
/// # Errors
/// When the database fails.
pub async fn take_back(
    tx: &DatabaseTransaction,
    said: TakeBack<'_>,
    now: DateTime<Utc>,
) -> Result<Done<Withdrawal>> {
    let mut done = Done::quiet(Withdrawal {
        contact_id: said.contact_id,
        events: said.media.iter().map(|medium| said.event(*medium, now)).collect(),
        messages_withheld: 0,
        enrollments_ended: 0,
    });
    let rows = done
        .value
        .events
        .iter()
        .cloned()
        .map(IntoActiveModel::into_active_model);
    consent_event::Entity::insert_many(rows)
        .exec_without_returning(tx)
        .await?;
    let by_mail = done
        .value
        .events
        .iter()
        .find(|event| event.medium == Medium::Email);
    if let Some(event_id) = by_mail.map(|event| event.id) {
        let effect = take_effect(tx, &said, event_id, now).await?;
        done.value.messages_withheld = effect.messages_withheld;
        done.value.enrollments_ended = effect.enrollments_ended;
        done.signals = effect.signals;
    }
    Ok(done)
}

impl TakeBack<'_> {
    /// The event for one medium. It names no address: a person who wants no more mail wants none at another address
    /// either.
    fn event(&self, medium: Medium, now: DateTime<Utc>) -> Model {
        let entry = Entry {
            contact_id: self.contact_id,
            medium,
            address: None,
            purpose: self.purpose,
            action: ConsentAction::Withdraw,
            level: ConsentLevel::None,
            shown: None,
            method: self.method,
            source: self.source.clone(),
            evidence: self.evidence.clone(),
            refers_to_id: None,
            expires_at: None,
            actor: self.actor,
            occurred_at: now,
        };
        entry.row(now)
    }
}

/// What a withdrawal ended.
struct Effect {
    messages_withheld: usize,
    enrollments_ended: usize,
    signals: Vec<Signal>,
}

/// Ends what rests on the consent to be mailed. The contact must be locked.
///
/// Enrollments end before mails are withheld: an engine that is moving one of them on right now holds its lock, and
/// the mail it plans is then seen here.
async fn take_effect(
    tx: &DatabaseTransaction,
    said: &TakeBack<'_>,
    event_id: ConsentEventId,
    now: DateTime<Utc>,
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
    let left = leave::leave(tx, resting, ExitReason::Withdrawn, said.actor, now).await?;
    let reason = GateReason::ConsentWithdrawn;
    let withheld = withhold::pending(tx, planned, reason, Some(event_id), now).await?;
    Ok(Effect {
        messages_withheld: withheld.len(),
        enrollments_ended: left.enrollments.len(),
        signals: left.signals,
    })
}
