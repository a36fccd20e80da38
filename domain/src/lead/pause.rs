//! A lead's clock is stopped for a reason, and runs again.
//!
//! When it stops, the lead's times move at once to where they are if it runs again at the planned end; an earlier end
//! moves them back. So a due time always says when something is due, and whoever reads it needs to know of no pause.

use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::LeadStage;
use entity::follow_up::{self, FollowUpKind};
use entity::id::LeadId;
use entity::lead::{ActiveModel, Model};
use entity::lead_event::LeadEventKind;
use entity::sla_pause::{self, PauseReason};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter};

use super::change::Change;
use super::event::NewEvent;
use crate::clock::to_micros;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::follow_up as follow_ups;
use crate::follow_up::build::{Pace, remind_at};
use crate::follow_up::place;
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::sla::calendar::Calendar;
use crate::sla::ladder::carried;
use crate::sla::pause::{PAUSES_MAX, lasting, resumed_event};
use crate::viewer::Viewer;

/// How long a clock can stand, in days.
pub const PAUSE_MAX_DAYS: i64 = 90;

/// A clock to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// The lead.
    pub lead_id: LeadId,
    /// Why.
    pub reason: PauseReason,
    /// When it runs again by itself: in the future, at most [`PAUSE_MAX_DAYS`] ahead.
    pub until: DateTime<Utc>,
    /// The version that was read, to find out if somebody was faster.
    pub version: Option<i64>,
}

/// A clock that is to run again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The lead.
    pub lead_id: LeadId,
    /// The version that was read, to find out if somebody was faster.
    pub version: Option<i64>,
}

/// Stops the clock of a lead that nobody has tried to reach.
///
/// Until it runs again nothing of it is missed and no step is taken; its due time, its target, its next step and the open first contact are later by the business time that it
/// stood.
///
/// # Errors
/// When the time is not in range, the lead is closed or somebody has tried to reach the person, the clock stands already
/// or has stood too often, the lead is not visible or has another version, or the database fails.
pub async fn pause(h: &Hospital, viewer: &Viewer, input: Pause) -> Result<Done<Model>> {
    let until = to_micros(input.until);
    let mut change = Change::begin(h, viewer, input.lead_id, input.version).await?;
    check(&change, until)?;
    let (actor, now) = (change.actor, change.now);
    let before = sla_pause::Entity::find()
        .filter(sla_pause::Column::LeadId.eq(input.lead_id))
        .count(&change.tx)
        .await?;
    if before >= PAUSES_MAX {
        let message = "Its clock has been stopped 20 times already.";
        return Err(Error::refused(Code::TooLarge, "leadId", message));
    }
    if let Some(lasting) = lasting(&change.tx, input.lead_id).await? {
        if lasting.ends_at > now {
            let message = "Its clock stands already; let it run again first.";
            return Err(Error::refused(Code::NotAllowedNow, "leadId", message));
        }
        // Its end has come, and no sweep yet.
        change.end_pause(lasting, "TIME_CAME").await?;
    }
    let row = sla_pause::Model {
        id: new_id(now),
        lead_id: input.lead_id,
        reason: input.reason,
        starts_at: now,
        ends_at: until,
        ended_at: None,
    };
    row.into_active_model().insert(&change.tx).await?;
    change.carry(now, until).await?;
    let event = NewEvent::new(input.lead_id, LeadEventKind::SlaPaused, actor, now)
        .with("reason", input.reason.as_str())
        .with("until", until.to_rfc3339())
        .with("dueAt", change.lead.sla_due_at.to_rfc3339());
    change.record(event).await?;
    change.commit(|lead| lead).await
}

/// Lets the clock of a lead run again before the planned end.
///
/// # Errors
/// When it does not stand, the lead is not visible or has another version, or the database fails.
pub async fn resume(h: &Hospital, viewer: &Viewer, input: Resume) -> Result<Done<Model>> {
    let mut change = Change::begin(h, viewer, input.lead_id, input.version).await?;
    let lasting = lasting(&change.tx, input.lead_id).await?;
    let Some(lasting) = lasting.filter(|pause| pause.ends_at > change.now) else {
        return Err(Error::refused(
            Code::NotAllowedNow,
            "leadId",
            "Its clock is not stopped.",
        ));
    };
    let planned = lasting.ends_at;
    change.end_pause(lasting, "BY_HAND").await?;
    change.carry(planned, change.now).await?;
    change.commit(|lead| lead).await
}

fn check(change: &Change<'_>, until: DateTime<Utc>) -> Result<()> {
    let (lead, now) = (&change.lead, change.now);
    if lead.stage == LeadStage::Closed {
        let message = "The lead is closed; reopen it first.";
        return Err(Error::refused(Code::NotAllowedNow, "leadId", message));
    }
    if lead.first_attempt_at.is_some() {
        let message = "Somebody has tried to reach the person, so no clock runs.";
        return Err(Error::refused(Code::NotAllowedNow, "leadId", message));
    }
    if until <= now {
        let message = "Choose a time in the future.";
        return Err(Error::refused(Code::Invalid, "until", message));
    }
    if until > now + TimeDelta::days(PAUSE_MAX_DAYS) {
        let message = "Choose a time within the next 90 days.";
        return Err(Error::refused(Code::TooLarge, "until", message));
    }
    Ok(())
}

impl Change<'_> {
    /// Ends the pause that lasts, if there is one, because there is nothing left to wait for. The lead is still to be
    /// saved with what [`Times::write`] says.
    pub(super) async fn pause_is_over(&mut self, why: &'static str) -> Result<Times> {
        let times = Times::of(&self.lead);
        if self.lead.first_attempt_at.is_some() {
            return Ok(times);
        }
        let Some(lasting) = lasting(&self.tx, self.lead.id).await? else {
            return Ok(times);
        };
        let (planned, now) = (lasting.ends_at, self.now);
        self.end_pause(lasting, why).await?;
        let calendar = self.playbook.calendar(self.lead.facility_id);
        Ok(if planned > now {
            times.carried(&calendar, planned, now)
        } else {
            times
        })
    }

    /// Writes down that a pause is over: now, or since its planned end.
    async fn end_pause(&mut self, pause: sla_pause::Model, why: &'static str) -> Result<()> {
        let ends_at = pause.ends_at.min(self.now);
        let mut row = pause.into_active_model();
        row.ends_at = Set(ends_at);
        row.ended_at = Set(Some(self.now));
        let ended = row.update(&self.tx).await?;
        self.record(resumed_event(&ended, why, self.actor, self.now))
            .await
    }

    /// Moves the times of the lead and its open first contact: what was still to run at `stopped_at` runs on at
    /// `runs_at`.
    async fn carry(&mut self, stopped_at: DateTime<Utc>, runs_at: DateTime<Utc>) -> Result<()> {
        let calendar = self.playbook.calendar(self.lead.facility_id);
        let before = Times::of(&self.lead);
        let after = before.carried(&calendar, stopped_at, runs_at);
        self.save(|lead| after.write(lead)).await?;
        let open = self.open_follow_ups().await?;
        let is_first = |row: &follow_up::Model| {
            row.kind == FollowUpKind::FirstContact
                && row.due_at == before.due_at
                && after.due_at != before.due_at
        };
        let mut moved: Vec<follow_up::Model> = open.into_iter().filter(is_first).collect();
        for row in &mut moved {
            self.move_first_contact(row, after.due_at);
        }
        follow_ups::write(&self.tx, &moved).await?;
        self.follow_ups_changed(&moved, "MOVED").await
    }

    fn move_first_contact(&self, row: &mut follow_up::Model, due_at: DateTime<Utc>) {
        let before_mins = Pace::of(&self.lead, &self.playbook).remind_before_mins;
        row.due_at = due_at;
        row.soon_at = place::soon_at(due_at, before_mins);
        row.remind_at = remind_at(due_at, row.assignee_id, before_mins, self.now);
        row.late_at = row.late_at.filter(|_| due_at <= self.now);
        row.version += 1;
        place::put(row, self.lead.score_points, self.now);
    }
}

/// The times of a lead's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) due_at: DateTime<Utc>,
    target_at: Option<DateTime<Utc>>,
    step_at: Option<DateTime<Utc>>,
}

impl Times {
    const fn of(lead: &Model) -> Self {
        Self {
            due_at: lead.sla_due_at,
            target_at: lead.sla_target_at,
            step_at: lead.sla_step_at,
        }
    }

    fn carried(self, calendar: &Calendar, stopped_at: DateTime<Utc>, runs_at: DateTime<Utc>) -> Self {
        let carry = |at| carried(calendar, at, stopped_at, runs_at);
        Self {
            due_at: carry(self.due_at),
            target_at: self.target_at.map(carry),
            step_at: self.step_at.map(carry),
        }
    }

    /// Writes them into the row.
    pub(super) fn write(self, row: &mut ActiveModel) {
        row.sla_due_at = Set(self.due_at);
        row.sla_target_at = Set(self.target_at);
        row.sla_step_at = Set(self.step_at);
    }
}
