//! Triggers on a day: so many days before a visit, or after a lead came in.
//!
//! The day is a row, written with the appointment or the lead. A sweep takes what is due and asks then whether it still
//! holds. A day that had passed when its row would have been written enrolls nobody: a reminder of two days before a visit
//! makes no sense for a visit tomorrow.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use entity::appointment::{self, AppointmentState};
use entity::date_occasion::{ActiveModel, Column, DateOccasionState, Entity, Model};
use entity::id::{AppointmentId, ContactId, DateOccasionId, LeadId, SequenceId};
use entity::sequence::{self, SequenceState};
use entity::sequence_version::{DateAnchor, DateRule, Trigger, TriggerKind};
use entity::{contact, lead};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, LockBehavior, LockType, OnConflict};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::advance::RECHECK;
use super::enroll::{Entry, enter};
use super::happen::takes_part;
use super::wait::instant_of;
use crate::clock::to_micros;
use crate::db::{self, BATCH_MAX};
use crate::done::Done;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::lead::facts;
use crate::nudge::Subject;
use crate::playbook::{Playbook, PublishedSequence};
use crate::viewer::Actor;

#[cfg(test)]
mod tests;

/// Most days before or after.
pub const MAX_DAYS: i32 = 365;

/// When the day of a rule comes, counted from `anchor` in `zone`. Days are days of the calendar, so a change to summer
/// time between them does not move the hour.
#[must_use]
pub fn day_of(rule: &DateRule, anchor: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    let local = anchor.with_timezone(&zone).naive_local();
    let days = Days::new(rule.days.unsigned_abs().into());
    let date = if rule.days < 0 {
        local.date().checked_sub_days(days)?
    } else {
        local.date().checked_add_days(days)?
    };
    let time = match rule.minute_of_day {
        Some(minute) => NaiveTime::MIN + TimeDelta::minutes(minute.into()),
        None => local.time(),
    };
    instant_of(zone, date.and_time(time)).map(to_micros)
}

/// The rows of a lead that came in.
#[must_use]
pub fn of_lead(playbook: &Playbook, lead: &lead::Model, now: DateTime<Utc>) -> Vec<ActiveModel> {
    let zone = playbook.zone(lead.facility_id);
    planned(playbook, DateAnchor::Received)
        .filter_map(|(sequence_id, rule)| {
            let due_at = day_of(rule, lead.received_at, zone)?;
            (due_at > now).then(|| row(sequence_id, lead.id, None, due_at, now))
        })
        .collect()
}

/// Writes the days that are counted from an appointment that was just booked, within the caller's transaction.
///
/// Those of the appointment that it takes the place of are found to be called off when they come.
///
/// # Errors
/// When the database fails.
pub async fn of_appointment(
    tx: &DatabaseTransaction,
    playbook: &Playbook,
    appointment: &appointment::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    let zone = playbook.zone(appointment.facility_id);
    let rows: Vec<ActiveModel> = planned(playbook, DateAnchor::Appointment)
        .filter_map(|(sequence_id, rule)| {
            let due_at = day_of(rule, appointment.starts_at, zone)?;
            (due_at > now).then(|| {
                row(
                    sequence_id,
                    appointment.lead_id,
                    Some(appointment.id),
                    due_at,
                    now,
                )
            })
        })
        .collect();
    if !rows.is_empty() {
        Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Writes the days of a sequence that is published just now, counted from the visits that are booked already.
///
/// It does so within the caller's transaction. Days that have not come yet move with a new version. Leads that came in
/// before are left alone, as a trigger on their coming in leaves them alone.
///
/// # Errors
/// When the database fails.
pub async fn of_booked(
    tx: &DatabaseTransaction,
    playbook: &Playbook,
    sequence_id: SequenceId,
    trigger: &Trigger,
    now: DateTime<Utc>,
) -> Result<()> {
    let from_visits =
        |rule: &&DateRule| trigger.on == TriggerKind::Date && rule.from == DateAnchor::Appointment;
    let Some(rule) = trigger.date.as_ref().filter(from_visits) else {
        return Ok(());
    };
    let mut last: Option<AppointmentId> = None;
    loop {
        let mut visits = appointment::Entity::find()
            .filter(appointment::Column::State.eq(AppointmentState::Booked))
            .filter(appointment::Column::StartsAt.gt(now));
        if let Some(last) = last {
            visits = visits.filter(appointment::Column::Id.gt(last));
        }
        let visits = visits
            .order_by_asc(appointment::Column::Id)
            .limit(BATCH_MAX as u64)
            .all(tx)
            .await?;
        let Some(end) = visits.last() else {
            return Ok(());
        };
        last = Some(end.id);
        let days = visits.iter().filter_map(|visit| {
            let due_at = day_of(rule, visit.starts_at, playbook.zone(visit.facility_id))?;
            (due_at > now).then(|| row(sequence_id, visit.lead_id, Some(visit.id), due_at, now))
        });
        let days: Vec<ActiveModel> = days.collect();
        if !days.is_empty() {
            let moves = OnConflict::column(Column::OriginKey)
                .update_column(Column::DueAt)
                .action_and_where(Expr::cust("date_occasion.state = 'WAITING'"))
                .to_owned();
            Entity::insert_many(days)
                .on_conflict(moves)
                .exec_without_returning(tx)
                .await?;
        }
    }
}

/// The sequences with a day counted from this, with the rule, in the order of the sequences. A paused one counts too:
/// its pause may be over when the day comes.
fn planned(playbook: &Playbook, from: DateAnchor) -> impl Iterator<Item = (SequenceId, &DateRule)> {
    let mut found: Vec<_> = playbook
        .sequences
        .values()
        .filter_map(|published| Some((published.sequence.id, rule_of(published)?)))
        .filter(|(_, rule)| rule.from == from)
        .collect();
    found.sort_by_key(|(id, _)| *id);
    found.into_iter()
}

fn rule_of(published: &PublishedSequence) -> Option<&DateRule> {
    let trigger = &published.version.trigger;
    trigger.date.as_ref().filter(|_| trigger.on == TriggerKind::Date)
}

fn row(
    sequence_id: SequenceId,
    lead_id: LeadId,
    appointment_id: Option<AppointmentId>,
    due_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> ActiveModel {
    let anchor = appointment_id.map_or(lead_id.0, |id| id.0);
    ActiveModel {
        id: Set(new_id::<DateOccasionId>(now)),
        sequence_id: Set(sequence_id),
        lead_id: Set(lead_id),
        appointment_id: Set(appointment_id),
        origin_key: Set(format!("{}/{}", sequence_id.0.simple(), anchor.simple())),
        state: Set(DateOccasionState::Waiting),
        due_at: Set(due_at),
        created_at: Set(now),
        settled_at: Set(None),
    }
}

/// What comes of a day.
enum Verdict {
    /// The lead is enrolled.
    Enroll,
    /// It does not hold, and never will.
    Pass,
    /// What it was counted from was called off.
    CalledOff,
    /// Not yet.
    Later(DateTime<Utc>),
}

/// Takes at most `limit` days that have come, and never more than [`BATCH_MAX`]. Answers how many were settled or put
/// off; call it again while it is `limit`.
///
/// # Errors
/// When the database fails.
pub async fn days_come(h: &Hospital, limit: usize) -> Result<Done<usize>> {
    let limit = limit.clamp(1, BATCH_MAX);
    let playbook = h.playbook().await?;
    let tx = db::begin_write(&h.db).await?;
    let now = h.now();
    let due = Entity::find()
        .filter(Column::State.eq(DateOccasionState::Waiting))
        .filter(Column::DueAt.lte(now))
        .order_by_asc(Column::DueAt)
        .order_by_asc(Column::Id)
        .limit(limit as u64)
        .all(&tx)
        .await?;
    if due.is_empty() {
        return Ok(Done::quiet(0));
    }
    let held = hold(&tx, due).await?;
    let (outcomes, entries) = held.judged(&playbook, now);
    settle(&tx, outcomes, now).await?;
    let begun = enter(&tx, &entries, Actor::SYSTEM, now).await?;
    tx.commit().await?;
    let nudges = if begun.enrollments.is_empty() {
        Vec::new()
    } else {
        vec![Subject::Enrollments]
    };
    Ok(Done {
        value: held.rows.len(),
        signals: begun.signals(),
        nudges,
    })
}

/// One day with all that its judgment looks at.
struct Seen<'a> {
    playbook: &'a Playbook,
    published: &'a PublishedSequence,
    lead: &'a lead::Model,
    contact: Option<&'a contact::Model>,
    /// None for a day that is counted from the lead; nothing inside when the appointment is gone.
    appointment: Option<Option<&'a appointment::Model>>,
    is_paused: bool,
    now: DateTime<Utc>,
}

impl Seen<'_> {
    fn judge(&self) -> Verdict {
        let (Some(rule), Some(contact)) = (rule_of(self.published), self.contact) else {
            return Verdict::Pass;
        };
        let (from, anchor, facility) = match self.appointment {
            None => (DateAnchor::Received, self.lead.received_at, self.lead.facility_id),
            Some(Some(row)) if matches!(row.state, AppointmentState::Booked | AppointmentState::Attended) => {
                (DateAnchor::Appointment, row.starts_at, row.facility_id)
            }
            Some(_) => return Verdict::CalledOff,
        };
        if rule.from != from {
            return Verdict::Pass;
        }
        // A version that was published meanwhile may have moved the day.
        let day = day_of(rule, anchor, self.playbook.zone(facility));
        match day {
            Some(day) if day > self.now => return Verdict::Later(day),
            _ if self.is_paused => return Verdict::Later(self.now + RECHECK),
            _ => {}
        }
        let facts = facts::of(self.lead, contact, self.playbook);
        if takes_part(&self.published.version, &facts) {
            Verdict::Enroll
        } else {
            Verdict::Pass
        }
    }
}

/// The days whose leads nobody else holds, with what they are judged by.
struct Held {
    rows: Vec<Model>,
    leads: HashMap<LeadId, lead::Model>,
    contacts: HashMap<ContactId, contact::Model>,
    appointments: HashMap<AppointmentId, appointment::Model>,
    states: HashMap<SequenceId, SequenceState>,
}

impl Held {
    /// What comes of each day, and whom that enrolls.
    fn judged<'p>(&self, playbook: &'p Playbook, now: DateTime<Utc>) -> (Outcomes, Vec<Entry<'p>>) {
        let mut outcomes = Outcomes::new();
        let mut entries = Vec::new();
        for row in &self.rows {
            let known = self
                .leads
                .get(&row.lead_id)
                .zip(playbook.sequences.get(&row.sequence_id));
            let outcome = match known {
                None => (DateOccasionState::Done, None),
                Some((lead, published)) => match self.seen(row, lead, published, playbook, now).judge() {
                    Verdict::Enroll => {
                        entries.push(Entry {
                            version: &published.version,
                            lead_id: lead.id,
                            contact_id: lead.contact_id,
                        });
                        (DateOccasionState::Done, None)
                    }
                    Verdict::Pass => (DateOccasionState::Done, None),
                    Verdict::CalledOff => (DateOccasionState::Cancelled, None),
                    Verdict::Later(due_at) => (DateOccasionState::Waiting, Some(due_at)),
                },
            };
            outcomes.entry(outcome).or_default().push(row.id);
        }
        (outcomes, entries)
    }

    fn seen<'a>(
        &'a self,
        row: &Model,
        lead: &'a lead::Model,
        published: &'a PublishedSequence,
        playbook: &'a Playbook,
        now: DateTime<Utc>,
    ) -> Seen<'a> {
        Seen {
            playbook,
            published,
            lead,
            contact: self.contacts.get(&lead.contact_id),
            appointment: row.appointment_id.map(|id| self.appointments.get(&id)),
            is_paused: self.states.get(&row.sequence_id) == Some(&SequenceState::Paused),
            now,
        }
    }
}

async fn hold(tx: &DatabaseTransaction, due: Vec<Model>) -> Result<Held> {
    let leads = lead::Entity::find()
        .filter(lead::Column::Id.is_in(due.iter().map(|row| row.lead_id)))
        .order_by_asc(lead::Column::Id)
        // A lead that somebody is changing comes next time. SQLite has one writer at a time and leaves this out.
        .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
        .all(tx)
        .await?;
    let leads: HashMap<LeadId, lead::Model> = leads.into_iter().map(|row| (row.id, row)).collect();
    // Read again after the locks: another worker may have settled some meanwhile.
    let rows = Entity::find()
        .filter(Column::Id.is_in(due.iter().map(|row| row.id)))
        .filter(Column::LeadId.is_in(leads.keys().copied()))
        .filter(Column::State.eq(DateOccasionState::Waiting))
        .order_by_asc(Column::DueAt)
        .order_by_asc(Column::Id)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(tx)
        .await?;
    let contacts = contact::Entity::find()
        .filter(contact::Column::Id.is_in(leads.values().map(|row| row.contact_id)))
        .all(tx)
        .await?;
    let appointments = appointment::Entity::find()
        .filter(appointment::Column::Id.is_in(rows.iter().filter_map(|row| row.appointment_id)))
        .all(tx)
        .await?;
    let sequences = sequence::Entity::find()
        .filter(sequence::Column::Id.is_in(rows.iter().map(|row| row.sequence_id)))
        .all(tx)
        .await?;
    Ok(Held {
        rows,
        leads,
        contacts: contacts.into_iter().map(|row| (row.id, row)).collect(),
        appointments: appointments.into_iter().map(|row| (row.id, row)).collect(),
        states: sequences.into_iter().map(|row| (row.id, row.state)).collect(),
    })
}

/// Days by the state that they come to, and the time until which they are put off.
type Outcomes = BTreeMap<(DateOccasionState, Option<DateTime<Utc>>), Vec<DateOccasionId>>;

/// Writes what came of the days, in one statement for each outcome.
async fn settle(tx: &DatabaseTransaction, outcomes: Outcomes, now: DateTime<Utc>) -> Result<()> {
    for ((state, put_off), ids) in outcomes {
        let update = Entity::update_many().filter(Column::Id.is_in(ids));
        let update = match put_off {
            Some(due_at) => update.col_expr(Column::DueAt, Expr::value(due_at)),
            None => update
                .col_expr(Column::State, Expr::value(state))
                .col_expr(Column::SettledAt, Expr::value(now)),
        };
        update.exec(tx).await?;
    }
    Ok(())
}
