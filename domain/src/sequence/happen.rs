//! Sequences follow what happens to a lead, in the transaction in which it happens: enrollments end by a goal or a stage,
//! those that wait for it go on, and triggers enroll.
//!
//! What a sequence itself changes of a lead sets off no trigger, so two sequences cannot chase each other.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::enrollment::{Column, EnrollmentState, Entity, ExitReason, Model};
use entity::enums::{AttemptOutcome, EligibilityFlag, LeadStage};
use entity::id::{ContactId, EnrollmentId, FormId};
use entity::message::{self, GateReason};
use entity::sequence::SequenceState;
use entity::sequence_version::{self, Action, Awaited, Trigger, TriggerKind};
use entity::{contact, lead};
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::course::{End, ending, has_reached};
use super::enroll::{Entry, enter};
use super::find;
use super::leave::{end_and_withhold, leave};
use crate::condition::{Facts, holds};
use crate::consent::lock_contacts;
use crate::db::BATCH_MAX;
use crate::error::Result;
use crate::lead::facts;
use crate::outreach::withhold;
use crate::playbook::Playbook;
use crate::signal::Signal;
use crate::viewer::Actor;

/// Something that happens to a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// It came in.
    Received,
    /// Its stage changed.
    StageChanged,
    /// An attempt was logged.
    AttemptLogged(AttemptOutcome),
    /// An appointment was booked, or booked anew.
    AppointmentBooked,
    /// The person did not come.
    AppointmentMissed,
    /// It got a flag that it had not.
    FlagRaised(EligibilityFlag),
    /// Its contact sent a form again.
    FormAnswered,
    /// It was made of this form, which was saved and left.
    FormAbandoned(FormId),
    /// Its data changed in another way.
    DataChanged,
}

impl Happening {
    /// Whether it sets off this trigger for a lead in `stage`, the trigger's filter and form aside.
    #[must_use]
    pub fn sets_off(self, trigger: &Trigger, stage: LeadStage) -> bool {
        match (self, trigger.on) {
            (Self::Received, TriggerKind::LeadReceived)
            | (Self::FormAbandoned(_), TriggerKind::FormAbandoned)
            | (Self::AttemptLogged(AttemptOutcome::CallbackAsked), TriggerKind::CallbackAsked)
            | (Self::AppointmentBooked, TriggerKind::AppointmentBooked)
            | (Self::AppointmentMissed, TriggerKind::AppointmentMissed) => true,
            (Self::StageChanged, TriggerKind::StageChanged) => trigger.stage == Some(stage),
            (Self::FlagRaised(flag), TriggerKind::InformationMissing) => trigger.flag == Some(flag),
            _ => false,
        }
    }

    /// Whether it is what this step waits for, with the lead in `stage`.
    #[must_use]
    pub fn ends_wait(self, action: &Action, stage: LeadStage) -> bool {
        let Action::WaitFor {
            event,
            stage: wanted,
            outcome,
            ..
        } = action
        else {
            return false;
        };
        match (self, event) {
            (Self::StageChanged, Awaited::StageReached) => {
                wanted.is_some_and(|wanted| has_reached(stage, wanted))
            }
            (Self::AttemptLogged(logged), Awaited::AttemptLogged) => {
                outcome.is_none_or(|wanted| wanted == logged)
            }
            (Self::AppointmentBooked, Awaited::AppointmentBooked)
            | (Self::FormAnswered, Awaited::FormAnswered) => true,
            _ => false,
        }
    }
}

/// The running versions that one of these things sets off, in the order of the sequences. A lead that the sequence would
/// let go at once is not taken in.
pub(super) fn triggered<'p>(
    playbook: &'p Playbook,
    facts: &Facts<'_>,
    happened: &[Happening],
) -> Vec<&'p sequence_version::Model> {
    let of_form = |happening: &Happening, wanted: Option<&String>| match (happening, wanted) {
        (Happening::FormAbandoned(id), Some(slug)) => playbook.form_by_slug.get(slug) == Some(id),
        _ => true,
    };
    let mut versions: Vec<_> = playbook
        .sequences
        .values()
        .filter(|published| published.sequence.state == SequenceState::Published)
        .map(|published| &published.version)
        .filter(|version| {
            happened
                .iter()
                .filter(|happening| of_form(happening, version.trigger.form.as_ref()))
                .any(|happening| happening.sets_off(&version.trigger, facts.stage))
        })
        .filter(|version| takes_part(version, facts))
        .collect();
    versions.sort_by_key(|version| version.sequence_id);
    versions
}

/// Whether a lead like this one takes part in a sequence: the trigger's filter holds, and nothing ends it at once.
pub(super) fn takes_part(version: &sequence_version::Model, facts: &Facts<'_>) -> bool {
    ending(&version.steps, &version.exits, facts).is_none() && holds(&version.trigger.filter, facts)
}

/// What came of following a lead.
#[derive(Clone, Debug, Default)]
pub struct Followed {
    /// Whether enrollments are due now that were not before.
    pub due: bool,
    /// What to tell listeners.
    pub signals: Vec<Signal>,
}

/// Lets sequences follow a lead, within the caller's transaction, which holds the lead.
///
/// Enrollments that have come to a goal or an exit end, and what they planned and has not gone out is withheld. Those
/// that wait for what happened go on, if their time is not out. Triggers enroll. A closed lead leaves every sequence, and
/// no mail about it goes to the contact.
///
/// # Errors
/// When the database fails.
pub async fn follow_lead(
    tx: &DatabaseTransaction,
    playbook: &Playbook,
    lead: &lead::Model,
    contact: &contact::Model,
    happened: &[Happening],
    now: DateTime<Utc>,
) -> Result<Followed> {
    let mut followed = Followed::default();
    if lead.stage == LeadStage::Closed {
        let of_lead = Condition::all().add(Column::LeadId.eq(lead.id));
        followed.signals = leave(tx, of_lead, ExitReason::Closed, Actor::SYSTEM, now)
            .await?
            .signals;
        let to_contact = Condition::all()
            .add(message::Column::LeadId.eq(lead.id))
            .add(message::Column::ContactId.is_not_null());
        withhold::pending(tx, to_contact, GateReason::LeadLeft, None, now).await?;
        return Ok(followed);
    }
    let facts = facts::of(lead, contact, playbook);
    let active = hold(tx, Condition::all().add(Column::LeadId.eq(lead.id))).await?;
    let (ended, going) = sort_out(tx, playbook, &facts, happened, active, now).await?;
    for (how, ids) in ended {
        let left = end_and_withhold(tx, &ids, &how, Actor::SYSTEM, now).await?;
        followed.signals.extend(left.signals);
    }
    wake(tx, &going, now).await?;
    let entries: Vec<Entry<'_>> = triggered(playbook, &facts, happened)
        .into_iter()
        .map(|version| Entry {
            version,
            lead_id: lead.id,
            contact_id: contact.id,
        })
        .collect();
    let begun = enter(tx, &entries, Actor::SYSTEM, now).await?;
    followed.due = !going.is_empty() || !begun.enrollments.is_empty();
    followed.signals.extend(begun.signals());
    Ok(followed)
}

/// Lets enrollments of a contact that wait for a form go on, within the caller's transaction. Answers whether there were
/// some.
///
/// # Errors
/// When the database fails.
pub async fn form_answered(
    tx: &DatabaseTransaction,
    playbook: &Playbook,
    contact_id: ContactId,
    now: DateTime<Utc>,
) -> Result<bool> {
    lock_contacts(tx, &[contact_id]).await?;
    let active = hold(tx, Condition::all().add(Column::ContactId.eq(contact_id))).await?;
    let versions = find::versions(tx, playbook, active.iter().map(|row| row.sequence_version_id)).await?;
    let waits = |row: &&Model| {
        let version = versions.get(&row.sequence_version_id);
        version
            .is_some_and(|version| waits_for(row, version, &[Happening::FormAnswered], LeadStage::New, now))
    };
    let ids: Vec<EnrollmentId> = active.iter().filter(waits).map(|row| row.id).collect();
    wake(tx, &ids, now).await?;
    Ok(!ids.is_empty())
}

/// The active enrollments of those that `which` selects, held in the order of their ids.
///
/// They are read after the locks: an engine that is moving one of them to a wait right now is waited for, and the wait is
/// seen here.
async fn hold(tx: &DatabaseTransaction, which: Condition) -> Result<Vec<Model>> {
    let held = Entity::find()
        .filter(which)
        .filter(Column::State.eq(EnrollmentState::Active))
        .order_by_asc(Column::Id)
        .limit(BATCH_MAX as u64)
        .lock(LockType::Update)
        .all(tx)
        .await?;
    Ok(held)
}

/// Enrollments that end, by how they end.
type Ended = BTreeMap<String, (End, Vec<EnrollmentId>)>;

/// Which enrollments end and how, and which go on because what they wait for has happened.
async fn sort_out(
    tx: &DatabaseTransaction,
    playbook: &Playbook,
    facts: &Facts<'_>,
    happened: &[Happening],
    active: Vec<Model>,
    now: DateTime<Utc>,
) -> Result<(Vec<(End, Vec<EnrollmentId>)>, Vec<EnrollmentId>)> {
    let versions = find::versions(tx, playbook, active.iter().map(|row| row.sequence_version_id)).await?;
    let (mut ended, mut going) = (Ended::new(), Vec::new());
    for row in active {
        let Some(version) = versions.get(&row.sequence_version_id) else {
            continue;
        };
        if let Some(how) = ending(&version.steps, &version.exits, facts) {
            let word = format!("{} {}", how.word(), how.goal_key().unwrap_or_default());
            ended
                .entry(word)
                .or_insert_with(|| (how, Vec::new()))
                .1
                .push(row.id);
        } else if waits_for(&row, version, happened, facts.stage, now) {
            going.push(row.id);
        }
    }
    Ok((ended.into_values().collect(), going))
}

/// Whether an enrollment stands at a wait for one of these things whose time is not out. When its time is out it has
/// gone the other way already, even if no worker has looked at it yet.
fn waits_for(
    row: &Model,
    version: &sequence_version::Model,
    happened: &[Happening],
    stage: LeadStage,
    now: DateTime<Utc>,
) -> bool {
    let step = version.steps.0.iter().find(|step| step.key == row.step_key);
    row.entered_step
        && !row.happened
        && now < row.due_at
        && step.is_some_and(|step| {
            happened
                .iter()
                .any(|happening| happening.ends_wait(&step.action, stage))
        })
}

/// Marks enrollments that what they wait for has happened, and makes them due.
async fn wake(tx: &DatabaseTransaction, ids: &[EnrollmentId], now: DateTime<Utc>) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    Entity::update_many()
        .col_expr(Column::Happened, Expr::value(true))
        .col_expr(Column::DueAt, Expr::value(now))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.is_in(ids.iter().copied()))
        .exec(tx)
        .await?;
    Ok(())
}
