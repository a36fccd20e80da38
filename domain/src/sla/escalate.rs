//! The sweep over leads that nobody has tried to reach: their owners are warned, the leads of teams are told, and who
//! does nothing loses the lead.

mod hand_on;

use std::collections::HashMap;
use std::ops::Range;

use chrono::{DateTime, Utc};
use entity::enums::LeadStage;
use entity::id::{LeadId, StaffId};
use entity::lead::{self, Column, Entity};
use entity::lead_event::{self, LeadEventKind};
use entity::message;
use entity::sla_policy::SlaStep;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Value};

use self::hand_on::HandedOn;
use super::ladder::{self, NextStep};
use super::pause;
use crate::db;
use crate::db::each::update_each;
use crate::done::Done;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::lead::event::NewEvent;
use crate::nudge::Subject;
use crate::outreach::staff_notice::{self, HandOn};
use crate::playbook::Playbook;
use crate::signal::Signal;
use crate::viewer::Actor;

/// Leads that one call looks at.
pub const STEPS_MAX: usize = 100;

/// Takes the step of every lead whose step is due, and writes down the next one.
///
/// Answers how many leads it looked at, at most [`STEPS_MAX`]; the caller goes on while there were some, so that what a worker that was away has left undone is
/// done in its order.
///
/// A lead is held while its step is taken, and held leads are passed over: any number of workers may run this at once,
/// and each step is taken once. An attempt and a close take the step away with the lead in hand, so they come before it or
/// after it.
///
/// # Errors
/// When the database fails.
pub async fn take_steps(h: &Hospital) -> Result<Done<usize>> {
    let playbook = h.playbook().await?;
    let now = h.now();
    let tx = db::begin_write(&h.db).await?;
    let due = Entity::find()
        .filter(Column::SlaStep.is_not_null())
        .filter(Column::SlaStepAt.lte(now))
        .order_by_asc(Column::SlaStepAt)
        .order_by_asc(Column::Id)
        .limit(STEPS_MAX as u64)
        // SQLite has one writer at a time, and leaves this out.
        .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
        .all(&tx)
        .await?;
    if due.is_empty() {
        return Ok(Done::quiet(0));
    }
    let mut taken = Taken {
        h,
        playbook: &playbook,
        now,
        events: Vec::new(),
        notices: Vec::new(),
        signals: Vec::new(),
    };
    let owners: Vec<&lead::Model> = due.iter().filter(|lead| loses_owner(lead)).collect();
    let handed_on = hand_on::hand_on(&tx, &mut taken, &owners).await?;
    for lead in &due {
        taken.tell(lead, handed_on.get(&lead.id));
    }
    write_next_steps(&tx, &playbook, &due).await?;
    let Taken {
        events,
        notices,
        mut signals,
        ..
    } = taken;
    signals.extend(events.iter().map(NewEvent::signal));
    if !events.is_empty() {
        lead_event::Entity::insert_many(events.into_iter().map(NewEvent::row))
            .exec_without_returning(&tx)
            .await?;
    }
    let planned = staff_notice::plan(&tx, notices, now).await?;
    tx.commit().await?;
    Ok(Done {
        value: due.len(),
        signals,
        nudges: (planned > 0)
            .then_some(Subject::WaitingMail)
            .into_iter()
            .collect(),
    })
}

/// Whether the step of a lead is still about something.
fn is_untried(lead: &lead::Model) -> bool {
    lead.first_attempt_at.is_none() && lead.stage != LeadStage::Closed
}

fn loses_owner(lead: &lead::Model) -> bool {
    lead.sla_step == Some(SlaStep::TakeBack) && is_untried(lead) && lead.owner_id.is_some()
}

/// What comes of the steps of one call.
struct Taken<'a> {
    h: &'a Hospital,
    playbook: &'a Playbook,
    now: DateTime<Utc>,
    events: Vec<NewEvent>,
    notices: Vec<message::ActiveModel>,
    signals: Vec<Signal>,
}

impl Taken<'_> {
    /// Tells whom the step of a lead concerns, and writes it into the history. Where it concerns nobody, as a warning
    /// about a lead that has no owner, nothing has happened.
    fn tell(&mut self, lead: &lead::Model, handed_on: Option<&HandedOn>) {
        let Some(step) = lead.sla_step.filter(|_| is_untried(lead)) else {
            return;
        };
        match (step, handed_on) {
            (SlaStep::WarnOwner, _) => {
                let owner = lead
                    .owner_id
                    .filter(|id| self.playbook.staff.contains_key(id))
                    .and_then(|id| self.instead_of_who_is_away(lead, id));
                self.warn(lead, step, LeadEventKind::SlaWarned, owner);
            }
            (SlaStep::TellLead, _) => {
                let team_lead = self.playbook.lead_of(lead.team_id);
                self.warn(lead, step, LeadEventKind::SlaToldLead, team_lead);
            }
            (SlaStep::TakeBack, Some(handed_on)) => self.tell_of_hand_on(lead, handed_on),
            (SlaStep::TakeBack, None) => {}
        }
    }

    /// Who is away is not written to; the lead of the team is, if there is one.
    fn instead_of_who_is_away(&self, lead: &lead::Model, id: StaffId) -> Option<StaffId> {
        if self.playbook.is_away(id, self.now) {
            self.playbook.lead_of(lead.team_id)
        } else {
            Some(id)
        }
    }

    fn warn(&mut self, lead: &lead::Model, step: SlaStep, kind: LeadEventKind, told: Option<StaffId>) {
        let Some(told) = told else { return };
        let (site, now) = (&self.h.site, self.now);
        self.notices.push(staff_notice::of_silence(
            site,
            self.playbook,
            lead,
            step,
            told,
            now,
        ));
        let event = self.event(lead, kind).with("staffId", told.to_string());
        self.events.push(event);
    }

    fn tell_of_hand_on(&mut self, lead: &lead::Model, handed_on: &HandedOn) {
        let event = self
            .event(lead, LeadEventKind::SlaTakenBack)
            .with("fromOwnerId", lead.owner_id.map(|id| id.to_string()))
            .with("ownerId", handed_on.to.map(|id| id.to_string()))
            .with("why", handed_on.why.as_str());
        self.events.push(event);
        let loser = lead.owner_id.filter(|id| self.playbook.staff.contains_key(id));
        let notices = staff_notice::of_hand_on(
            &self.h.site,
            self.playbook,
            lead,
            loser,
            match handed_on.to {
                None => HandOn::Nobody,
                Some(_) if handed_on.told => HandOn::Told,
                Some(owner) => HandOn::Untold(owner),
            },
            self.now,
        );
        self.notices.extend(notices);
    }

    fn event(&self, lead: &lead::Model, kind: LeadEventKind) -> NewEvent {
        let due_at = lead.sla_step_at.map(|at| at.to_rfc3339());
        NewEvent::new(lead.id, kind, Actor::SYSTEM, self.now).with("stepAt", due_at)
    }
}

/// Writes the step that comes after the one that was taken.
async fn write_next_steps(tx: &DatabaseTransaction, playbook: &Playbook, due: &[lead::Model]) -> Result<()> {
    let ids: Vec<LeadId> = due.iter().map(|lead| lead.id).collect();
    let pauses = pause::of_leads(tx, &ids).await?;
    let rows = due
        .iter()
        .map(|lead| {
            let next = next_step(playbook, lead, pauses.get(&lead.id).map_or(&[], Vec::as_slice));
            [
                Value::from(lead.id),
                Value::from(next.map(|next| next.step.as_str().to_owned())),
                Value::from(next.map(|next| next.at)),
            ]
        })
        .collect();
    let sql = "UPDATE lead SET sla_step = v.column2, sla_step_at = v.column3 FROM ({rows}) AS v \
               WHERE lead.id = v.column1 RETURNING lead.id";
    update_each(tx, sql, Vec::new(), rows).await?;
    Ok(())
}

fn next_step(playbook: &Playbook, lead: &lead::Model, pauses: &[Range<DateTime<Utc>>]) -> Option<NextStep> {
    if !is_untried(lead) {
        return None;
    }
    let policy = playbook.policy(lead.sla_policy_id?)?;
    let calendar = playbook.calendar(lead.facility_id);
    ladder::next(policy, lead.sla_step, &calendar, lead.received_at, pauses)
}

/// Who takes a lead, by the lead.
type Takers = HashMap<LeadId, HandedOn>;
