//! Entering and leaving a sequence: the rows of an enrollment that begins, and both by hand.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::enrollment::{self, ActiveModel, EnrollmentState, ExitReason, Model};
use entity::id::{ContactId, EnrollmentId, LeadId, SequenceId};
use entity::lead_event::{self, LeadEventKind};
use entity::sequence::SequenceState;
use entity::sequence_version::{self, Reentry};
use entity::{form, lead};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, TryInsertResult};

use super::course::{End, exit_of};
use super::find;
use super::happen::{Happening, triggered};
use super::leave::{Left, end_and_withhold};
use crate::condition::Facts;
use crate::db::{self, BATCH_MAX};
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::lead::event::NewEvent;
use crate::lead::find as leads;
use crate::nudge::Subject;
use crate::playbook::Playbook;
use crate::signal::Signal;
use crate::viewer::{Actor, Viewer};

/// The enrollments of a lead that has just come in, in the order of the sequences: it was received, and with it come
/// the flags of what is missing.
#[must_use]
pub fn on_received(
    playbook: &Playbook,
    facts: &Facts<'_>,
    lead_id: LeadId,
    contact_id: ContactId,
    now: DateTime<Utc>,
) -> Vec<ActiveModel> {
    let mut happened = vec![Happening::Received];
    happened.extend(facts.flags.iter().copied().map(Happening::FlagRaised));
    triggered(playbook, facts, &happened)
        .into_iter()
        .filter_map(|version| begin(version, lead_id, contact_id, now))
        .collect()
}

/// The enrollments of a lead that was made of a form that was saved and left, in the order of the sequences.
#[must_use]
pub fn on_abandoned(
    playbook: &Playbook,
    facts: &Facts<'_>,
    lead: &lead::Model,
    form: &form::Model,
    now: DateTime<Utc>,
) -> Vec<ActiveModel> {
    triggered(playbook, facts, &[Happening::FormAbandoned(form.id)])
        .into_iter()
        .filter_map(|version| begin(version, lead.id, lead.contact_id, now))
        .collect()
}

/// A lead to be enrolled by hand.
#[derive(Clone, Copy, Debug)]
pub struct EnrollLead {
    /// The lead.
    pub lead_id: LeadId,
    /// The sequence.
    pub sequence_id: SequenceId,
}

/// Enrolls a lead, whatever the sequence's trigger waits for. Whether it may enter again, the trigger says here too.
///
/// # Errors
/// [`Error::Missing`] when the viewer may not see the lead or the sequence; [`Error::Refused`] when the lead is closed or
/// in a stage that ends the sequence, the sequence does not run, or the lead is in it already or was once too often.
pub async fn enroll(h: &Hospital, viewer: &Viewer, input: EnrollLead) -> Result<Done<Model>> {
    let tx = db::begin_write(&h.db).await?;
    leads::by_id(&tx, viewer, input.lead_id).await?;
    // Held, so that the lead is not closed between the look and the enrollment.
    let lead = lead::Entity::find_by_id(input.lead_id)
        .lock_exclusive()
        .one(&tx)
        .await?;
    let lead = lead.ok_or(Error::Missing { noun: "lead" })?;
    if lead.unfinished_at.is_some() {
        let message = "The form was not sent yet, so only its own sequences remind of it.";
        return Err(Error::refused(Code::NotAllowedNow, "leadId", message));
    }
    let now = h.now();
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
    let entry = Entry {
        version: &version,
        lead_id: lead.id,
        contact_id: lead.contact_id,
    };
    let begun = enter(&tx, &[entry], viewer.actor(), now).await?;
    let signals = begun.signals();
    let Some(row) = begun.enrollments.into_iter().next() else {
        return Err(if version.trigger.reentry == Reentry::Never {
            let message = "The lead was in this sequence before, and nobody enters it twice.";
            Error::refused(Code::AlreadyExists, "leadId", message)
        } else {
            Error::refused(
                Code::AlreadyExists,
                "leadId",
                "The lead is in this sequence already.",
            )
        });
    };
    tx.commit().await?;
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
    let how = End::Left(ExitReason::Unenrolled);
    let left = end_and_withhold(&tx, &[row.id], &how, viewer.actor(), now).await?;
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

/// A lead that is to enter a sequence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'v> {
    /// The version that it takes.
    pub(super) version: &'v sequence_version::Model,
    /// The lead, which the caller holds.
    pub(super) lead_id: LeadId,
    /// The lead's contact.
    pub(super) contact_id: ContactId,
}

/// Enrollments that began, with the events of their leads.
#[derive(Default)]
pub(super) struct Begun {
    pub(super) enrollments: Vec<Model>,
    events: Vec<NewEvent>,
    left: Left,
}

impl Begun {
    /// What to tell listeners.
    pub(super) fn signals(&self) -> Vec<Signal> {
        let begun = self.events.iter().map(NewEvent::signal);
        self.left.signals.iter().copied().chain(begun).collect()
    }
}

/// Lets leads enter, as far as each sequence lets them enter again. The caller holds the leads, so nobody else lets one
/// of them enter at the same time.
///
/// # Errors
/// When the database fails.
pub(super) async fn enter(
    tx: &DatabaseTransaction,
    entries: &[Entry<'_>],
    actor: Actor,
    now: DateTime<Utc>,
) -> Result<Begun> {
    if entries.is_empty() {
        return Ok(Begun::default());
    }
    let earlier = earlier(tx, entries).await?;
    let (mut rows, mut replaced) = (Vec::new(), Vec::new());
    for entry in entries {
        let before = earlier.get(&(entry.version.sequence_id, entry.lead_id));
        let running = before.and_then(|before| before.running);
        let may = match entry.version.trigger.reentry {
            Reentry::Never => before.is_none(),
            Reentry::AfterExit => running.is_none(),
            Reentry::Always => true,
        };
        if may {
            replaced.extend(running);
            rows.extend(begin(entry.version, entry.lead_id, entry.contact_id, now));
        }
    }
    let restarted = End::Left(ExitReason::Restarted);
    let left = end_and_withhold(tx, &replaced, &restarted, actor, now).await?;
    let mut begun = insert(tx, rows, actor, now).await?;
    begun.left = left;
    Ok(begun)
}

/// What a lead has been through in a sequence.
#[derive(Clone, Copy, Default)]
struct Earlier {
    running: Option<EnrollmentId>,
}

async fn earlier(
    tx: &DatabaseTransaction,
    entries: &[Entry<'_>],
) -> Result<HashMap<(SequenceId, LeadId), Earlier>> {
    use enrollment::Column;
    let rows: Vec<(EnrollmentId, SequenceId, LeadId, EnrollmentState)> = enrollment::Entity::find()
        .select_only()
        .columns([Column::Id, Column::SequenceId, Column::LeadId, Column::State])
        .filter(Column::LeadId.is_in(entries.iter().map(|entry| entry.lead_id)))
        .filter(Column::SequenceId.is_in(entries.iter().map(|entry| entry.version.sequence_id)))
        .into_tuple()
        .all(tx)
        .await?;
    let mut found: HashMap<_, Earlier> = HashMap::new();
    for (id, sequence_id, lead_id, state) in rows {
        let before = found.entry((sequence_id, lead_id)).or_default();
        if state == EnrollmentState::Active {
            before.running = Some(id);
        }
    }
    Ok(found)
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
        goal_key: Set(None),
        step_key: Set(first.key.clone()),
        entered_step: Set(false),
        happened: Set(false),
        occurrence: Set(0),
        due_at: Set(now),
        fault_count: Set(0),
        created_at: Set(now),
        updated_at: Set(now),
        ended_at: Set(None),
    })
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
