//! Entering and leaving a sequence: by a trigger, by a change of stage, or by hand.

use chrono::{DateTime, Utc};
use entity::enrollment::{self, ActiveModel, EnrollmentState, ExitReason, Model};
use entity::enums::LeadStage;
use entity::id::{ContactId, EnrollmentId, LeadId, SequenceId};
use entity::lead_event::{self, LeadEventKind};
use entity::message::{self, GateReason};
use entity::sequence::SequenceState;
use entity::sequence_version::{self, TriggerKind};
use entity::{contact, lead};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect,
    TryInsertResult,
};

use super::course::exit_of;
use super::find;
use super::leave::leave;
use crate::condition::{Facts, holds};
use crate::db::{self, BATCH_MAX};
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::lead::event::NewEvent;
use crate::lead::{facts, find as leads};
use crate::nudge::Subject;
use crate::outreach::withhold;
use crate::playbook::Playbook;
use crate::viewer::{Actor, Viewer};

/// The enrollments of a lead that has just come in, in the order of the sequences.
#[must_use]
pub fn on_received(
    playbook: &Playbook,
    facts: &Facts<'_>,
    lead_id: LeadId,
    contact_id: ContactId,
    now: DateTime<Utc>,
) -> Vec<ActiveModel> {
    triggered(playbook, facts, TriggerKind::LeadReceived)
        .into_iter()
        .filter_map(|version| begin(version, lead_id, contact_id, now))
        .collect()
}

/// Lets sequences follow a lead to its new stage, within the caller's transaction. Answers how many enrollments began.
///
/// Enrollments that the stage ends exit, what they planned and has not gone out is withheld, and triggers on the stage
/// enroll. A closed lead leaves every sequence, and no mail about it goes to the contact.
///
/// # Errors
/// When the database fails.
pub async fn on_stage_changed(
    tx: &DatabaseTransaction,
    playbook: &Playbook,
    lead: &lead::Model,
    contact: &contact::Model,
    now: DateTime<Utc>,
) -> Result<usize> {
    if lead.stage == LeadStage::Closed {
        let of_lead = Condition::all().add(enrollment::Column::LeadId.eq(lead.id));
        leave(tx, of_lead, ExitReason::Closed, Actor::SYSTEM, now).await?;
        let to_contact = Condition::all()
            .add(message::Column::LeadId.eq(lead.id))
            .add(message::Column::ContactId.is_not_null());
        withhold::pending(tx, to_contact, GateReason::LeadLeft, None, now).await?;
        return Ok(0);
    }
    let ended = ended_by_stage(tx, playbook, lead).await?;
    end(tx, ended, ExitReason::Stage, Actor::SYSTEM, now).await?;
    let facts = facts::of(lead, contact, playbook);
    let begun = triggered(playbook, &facts, TriggerKind::StageChanged)
        .into_iter()
        .filter_map(|version| begin(version, lead.id, contact.id, now))
        .collect();
    let begun = insert(tx, begun, Actor::SYSTEM, now).await?;
    Ok(begun.enrollments.len())
}

/// A lead to be enrolled by hand.
#[derive(Clone, Copy, Debug)]
pub struct EnrollLead {
    /// The lead.
    pub lead_id: LeadId,
    /// The sequence.
    pub sequence_id: SequenceId,
}

/// Enrolls a lead, whatever the sequence's trigger says.
///
/// # Errors
/// [`Error::Missing`] when the viewer may not see the lead or the sequence; [`Error::Refused`] when the lead is closed or
/// in a stage that ends the sequence, the sequence does not run, or the lead is in it already.
pub async fn enroll(h: &Hospital, viewer: &Viewer, input: EnrollLead) -> Result<Done<Model>> {
    let now = h.now();
    let tx = db::begin_write(&h.db).await?;
    leads::by_id(&tx, viewer, input.lead_id).await?;
    // Held, so that the lead is not closed between the look and the enrollment.
    let lead = lead::Entity::find_by_id(input.lead_id)
        .lock_exclusive()
        .one(&tx)
        .await?;
    let lead = lead.ok_or(Error::Missing { noun: "lead" })?;
    let sequence = find::by_id(&tx, viewer, input.sequence_id).await?;
    let version = match sequence.current_version_id {
        Some(id) if sequence.state == SequenceState::Published => {
            sequence_version::Entity::find_by_id(id).one(&tx).await?
        }
        _ => None,
    };
    let not_now = |field, message: &'static str| Error::refused(Code::NotAllowedNow, field, message);
    let version = version.ok_or_else(|| not_now("sequenceId", "The sequence is not running."))?;
    if exit_of(lead.stage, &version.exits).is_some() {
        return Err(not_now(
            "leadId",
            "A lead in this stage does not take part in the sequence.",
        ));
    }
    let rows = begin(&version, lead.id, lead.contact_id, now)
        .into_iter()
        .collect();
    let begun = insert(&tx, rows, viewer.actor(), now).await?;
    let Some(row) = begun.enrollments.into_iter().next() else {
        return Err(Error::refused(
            Code::AlreadyExists,
            "leadId",
            "The lead is in this sequence already.",
        ));
    };
    tx.commit().await?;
    let signals = begun.events.iter().map(NewEvent::signal).collect();
    Ok(Done {
        value: row,
        signals,
        nudges: vec![Subject::Enrollments],
    })
}

/// An enrollment to be ended by hand.
#[derive(Clone, Copy, Debug)]
pub struct UnenrollLead {
    /// The enrollment.
    pub enrollment_id: EnrollmentId,
}

/// Takes a lead out of a sequence; mails that it planned and that have not gone out are withheld. Follow-ups that it
/// opened stay, because a person may be working on them.
///
/// # Errors
/// [`Error::Missing`] when the viewer may not see the lead; [`Error::Refused`] when the enrollment has ended.
pub async fn unenroll(h: &Hospital, viewer: &Viewer, input: UnenrollLead) -> Result<Done<Model>> {
    let now = h.now();
    let tx = db::begin_write(&h.db).await?;
    let (row, _) = find::enrollment(&tx, viewer, input.enrollment_id).await?;
    let left = end(&tx, vec![row.id], ExitReason::Unenrolled, viewer.actor(), now).await?;
    let Some(row) = left.enrollments.into_iter().next() else {
        return Err(Error::refused(
            Code::NotAllowedNow,
            "enrollmentId",
            "The enrollment has ended.",
        ));
    };
    tx.commit().await?;
    Ok(Done {
        value: row,
        signals: left.signals,
        nudges: Vec::new(),
    })
}

/// Ends these enrollments and withholds what they planned, in the order in which everybody locks.
async fn end(
    tx: &DatabaseTransaction,
    ids: Vec<EnrollmentId>,
    reason: ExitReason,
    actor: Actor,
    now: DateTime<Utc>,
) -> Result<super::leave::Left> {
    if ids.is_empty() {
        return Ok(super::leave::Left::default());
    }
    let which = Condition::all().add(enrollment::Column::Id.is_in(ids.iter().copied()));
    let left = leave(tx, which, reason, actor, now).await?;
    let planned = Condition::all().add(message::Column::EnrollmentId.is_in(ids));
    withhold::pending(tx, planned, GateReason::LeadLeft, None, now).await?;
    Ok(left)
}

/// The lead's active enrollments that its stage ends.
async fn ended_by_stage(
    conn: &impl ConnectionTrait,
    playbook: &Playbook,
    lead: &lead::Model,
) -> Result<Vec<EnrollmentId>> {
    let active = enrollment::Entity::find()
        .filter(enrollment::Column::LeadId.eq(lead.id))
        .filter(enrollment::Column::State.eq(EnrollmentState::Active))
        .all(conn)
        .await?;
    let versions = find::versions(conn, playbook, active.iter().map(|row| row.sequence_version_id)).await?;
    let ends = |row: &&Model| {
        versions
            .get(&row.sequence_version_id)
            .is_some_and(|version| exit_of(lead.stage, &version.exits).is_some())
    };
    Ok(active.iter().filter(ends).map(|row| row.id).collect())
}

/// The running versions whose trigger holds, in the order of the sequences.
fn triggered<'p>(
    playbook: &'p Playbook,
    facts: &Facts<'_>,
    on: TriggerKind,
) -> Vec<&'p sequence_version::Model> {
    let mut versions: Vec<_> = playbook
        .sequences
        .values()
        .filter(|published| published.sequence.state == SequenceState::Published)
        .map(|published| &published.version)
        .filter(|version| {
            let trigger = &version.trigger;
            trigger.on == on
                && (on != TriggerKind::StageChanged || trigger.stage == Some(facts.stage))
                && exit_of(facts.stage, &version.exits).is_none()
                && holds(&trigger.filter, facts)
        })
        .collect();
    versions.sort_by_key(|version| version.sequence_id);
    versions
}

/// An enrollment at the first step, due now; none for a version without steps.
fn begin(
    version: &sequence_version::Model,
    lead_id: LeadId,
    contact_id: ContactId,
    now: DateTime<Utc>,
) -> Option<ActiveModel> {
    let first = version.steps.0.first()?;
    Some(ActiveModel {
        id: Set(new_id(now)),
        sequence_id: Set(version.sequence_id),
        sequence_version_id: Set(version.id),
        lead_id: Set(lead_id),
        contact_id: Set(contact_id),
        state: Set(EnrollmentState::Active),
        exit_reason: Set(None),
        step_key: Set(first.key.clone()),
        entered_step: Set(false),
        occurrence: Set(0),
        due_at: Set(now),
        fault_count: Set(0),
        created_at: Set(now),
        updated_at: Set(now),
        ended_at: Set(None),
    })
}

/// Enrollments that began, with the events of their leads.
#[derive(Default)]
struct Begun {
    enrollments: Vec<Model>,
    events: Vec<NewEvent>,
}

/// Writes enrollments and the events of their leads. A lead that is in a sequence already stays as it is.
async fn insert(
    tx: &DatabaseTransaction,
    rows: Vec<ActiveModel>,
    actor: Actor,
    now: DateTime<Utc>,
) -> Result<Begun> {
    let mut begun = Begun::default();
    for batch in rows.chunks(BATCH_MAX) {
        let inserted = enrollment::Entity::insert_many(batch.to_vec())
            // Without naming the partial index: SQLite and PostgreSQL spell its condition differently.
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .try_insert()
            .exec_with_returning_many(tx)
            .await?;
        if let TryInsertResult::Inserted(inserted) = inserted {
            begun.enrollments.extend(inserted);
        }
    }
    begun.events = begun
        .enrollments
        .iter()
        .map(|row| entered(row, actor, now))
        .collect();
    for batch in begun.events.chunks(BATCH_MAX) {
        let rows = batch.iter().cloned().map(NewEvent::row);
        lead_event::Entity::insert_many(rows)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(begun)
}

fn entered(row: &Model, actor: Actor, now: DateTime<Utc>) -> NewEvent {
    NewEvent::new(row.lead_id, LeadEventKind::Enrolled, actor, now)
        .with("enrollmentId", row.id.to_string())
        .with("sequenceId", row.sequence_id.to_string())
}
