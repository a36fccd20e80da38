//! A human tried to reach a lead.

use chrono::{DateTime, TimeDelta, Utc};
use entity::attempt;
use entity::enums::{AttemptOutcome, LeadStage, Medium};
use entity::follow_up::{self, FollowUpKind, FollowUpState};
use entity::id::LeadId;
use entity::lead;
use entity::lead_event::LeadEventKind;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, IntoActiveModel};

use super::change::Change;
use super::event::NewEvent;
use super::note;
use crate::clock::to_micros;
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::follow_up::build::{self, About, Pace, Tried};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::sequence::happen::Happening;
use crate::sla::calendar::Calendar;
use crate::viewer::Viewer;

mod number;
#[cfg(test)]
mod tests;

/// How far ahead a callback can be asked for, in days.
pub const CALLBACK_MAX_DAYS: i64 = 90;

/// An attempt to log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogAttempt {
    /// The lead.
    pub lead_id: LeadId,
    /// How it was tried.
    pub medium: Medium,
    /// What came of it.
    pub outcome: AttemptOutcome,
    /// What the coordinator writes, at most [`note::MAX_CHARS`] characters.
    pub note: Option<String>,
    /// When the person asked to be called: needed for a callback, and only then.
    pub callback_at: Option<DateTime<Utc>>,
    /// When it was made; now if not said. Not in the future, not before the lead came in.
    pub at: Option<DateTime<Utc>>,
}

/// A logged attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The lead after it.
    pub lead: lead::Model,
    /// The attempt.
    pub attempt: attempt::Model,
}

/// Logs an attempt.
///
/// The first one stops the SLA clock, takes away the next step of its ladder, ends a pause of it and moves `NEW` to
/// `CONTACTED`, a two-way one makes the lead reached; the follow-ups that it answers are done, and the next one is opened by
/// [`build::after_attempt`]. What it says of the number acts on the contact at once.
///
/// # Errors
/// When the input is refused, the lead is closed or not visible, or the database fails.
pub async fn log(h: &Hospital, viewer: &Viewer, input: LogAttempt) -> Result<Done<Logged>> {
    let mut change = Change::begin(h, viewer, input.lead_id, None).await?;
    let checked = check(input, &change.lead, change.now).map_err(Error::Refused)?;
    let attempt = row(&checked, viewer, change.now);
    let attempt = attempt.into_active_model().insert(&change.tx).await?;
    let before = change.lead.clone();
    let calendar = change.playbook.calendar(before.facility_id);
    // Whoever is called is not waited for any more, and the due time is that of the shorter pause.
    let times = change.pause_is_over("ATTEMPTED").await?;
    let clock = ClockAfter::attempt(&before, times.due_at, &attempt, &calendar, change.now);
    let stage = if before.stage == LeadStage::New {
        LeadStage::Contacted
    } else {
        before.stage
    };
    change
        .save(|lead| {
            times.write(lead);
            lead.sla_step = Set(None);
            lead.sla_step_at = Set(None);
            lead.stage = Set(stage);
            lead.attempts_made = Set(before.attempts_made + 1);
            lead.first_attempt_at = Set(Some(clock.first_attempt_at));
            lead.first_attempt_business_secs = Set(Some(clock.business_secs));
            lead.first_reached_at = Set(clock.first_reached_at);
            lead.sla_missed_at = Set(clock.missed_at);
        })
        .await?;
    record(&mut change, &before, &attempt).await?;
    number::heed(&mut change, &attempt).await?;
    let open = change.open_follow_ups().await?;
    let (answered, waiting): (Vec<_>, Vec<_>) = open
        .into_iter()
        .partition(|row| build::answered_by(row.kind, row.due_at, attempt.outcome, attempt.at));
    change
        .end_follow_ups(&answered, FollowUpState::Done, in_words(attempt.outcome))
        .await?;
    let next = next_follow_up(&change, &attempt, &waiting, &calendar);
    change.put_back(waiting).await?;
    if let Some(next) = next {
        change.open_follow_up(next).await?;
    }
    let mut happened = vec![Happening::AttemptLogged(attempt.outcome)];
    happened.extend((stage != before.stage).then_some(Happening::StageChanged));
    change.sequences_follow(&happened).await?;
    change.commit(|lead| Logged { lead, attempt }).await
}

/// Reads the input against the lead; every refusal at once.
fn check(input: LogAttempt, lead: &lead::Model, now: DateTime<Utc>) -> Result<LogAttempt, Vec<Refusal>> {
    let mut refusals = Vec::new();
    if lead.stage == LeadStage::Closed {
        let message = "The lead is closed; reopen it first.";
        refusals.push(Refusal::new(Code::NotAllowedNow, "leadId", message));
    }
    let at = input.at.map_or(now, to_micros);
    if at > now {
        refusals.push(Refusal::new(
            Code::Invalid,
            "at",
            "An attempt cannot be in the future.",
        ));
    } else if at < lead.received_at {
        refusals.push(Refusal::new(
            Code::Invalid,
            "at",
            "An attempt cannot be before the lead came in.",
        ));
    }
    let callback_at = input.callback_at.map(to_micros);
    let callback_refused = match (input.outcome, callback_at) {
        (AttemptOutcome::CallbackAsked, None) => {
            Some((Code::Required, "Say when the person asked to be called."))
        }
        (AttemptOutcome::CallbackAsked, Some(callback_at)) if callback_at <= now => {
            Some((Code::Invalid, "Choose a time in the future."))
        }
        (AttemptOutcome::CallbackAsked, Some(callback_at))
            if callback_at > now + TimeDelta::days(CALLBACK_MAX_DAYS) =>
        {
            Some((Code::TooLarge, "Choose a time within the next 90 days."))
        }
        (AttemptOutcome::CallbackAsked, Some(_)) | (_, None) => None,
        (_, Some(_)) => Some((Code::Invalid, "Only a callback that was asked for has a time.")),
    };
    refusals.extend(callback_refused.map(|(code, message)| Refusal::new(code, "callbackAt", message)));
    let note = note::check("note", input.note).unwrap_or_else(|refusal| {
        refusals.push(refusal);
        None
    });
    if refusals.is_empty() {
        Ok(LogAttempt {
            note,
            callback_at,
            at: Some(at),
            ..input
        })
    } else {
        Err(refusals)
    }
}

fn row(input: &LogAttempt, viewer: &Viewer, now: DateTime<Utc>) -> attempt::Model {
    attempt::Model {
        id: new_id(now),
        lead_id: input.lead_id,
        staff_id: viewer.staff_id(),
        medium: input.medium,
        outcome: input.outcome,
        note: input.note.clone(),
        callback_at: input.callback_at,
        at: input.at.unwrap_or(now),
    }
}

/// The lead's clock after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ClockAfter {
    first_attempt_at: DateTime<Utc>,
    business_secs: i64,
    first_reached_at: Option<DateTime<Utc>>,
    missed_at: Option<DateTime<Utc>>,
}

impl ClockAfter {
    /// Attempts may be logged late and out of order, so the earliest counts. Whether the SLA was missed follows from
    /// when the first attempt was made, not from whether the sweep came before it was logged.
    fn attempt(
        lead: &lead::Model,
        due_at: DateTime<Utc>,
        attempt: &attempt::Model,
        calendar: &Calendar,
        now: DateTime<Utc>,
    ) -> Self {
        let first_attempt_at = earliest(lead.first_attempt_at, attempt.at);
        let business = calendar.business_between(lead.received_at, first_attempt_at);
        let reached_at = if attempt.outcome.is_two_way() {
            Some(earliest(lead.first_reached_at, attempt.at))
        } else {
            lead.first_reached_at
        };
        let in_time = first_attempt_at < due_at;
        Self {
            first_attempt_at,
            business_secs: business.num_seconds(),
            first_reached_at: reached_at,
            missed_at: if in_time {
                None
            } else {
                lead.sla_missed_at.or(Some(now))
            },
        }
    }
}

fn earliest(known: Option<DateTime<Utc>>, at: DateTime<Utc>) -> DateTime<Utc> {
    known.map_or(at, |known| known.min(at))
}

/// Appends what happened: the attempt, the stage, and the SLA if the sweep did not see it missed.
async fn record(change: &mut Change<'_>, before: &lead::Model, attempt: &attempt::Model) -> Result<()> {
    let (actor, now) = (change.actor, change.now);
    let event = |kind| NewEvent::new(before.id, kind, actor, now);
    let mut tried = event(LeadEventKind::Attempted)
        .with("attemptId", attempt.id.to_string())
        .with("medium", attempt.medium.as_str())
        .with("outcome", attempt.outcome.as_str())
        .with("attemptsMade", change.lead.attempts_made)
        .with("madeAt", attempt.at.to_rfc3339());
    let next = match attempt.outcome {
        AttemptOutcome::WrongNumber => Some("No further attempt: the number is wrong."),
        AttemptOutcome::DoNotCall => Some("No further attempt: the person asked not to be called."),
        _ => None,
    };
    if let Some(next) = next {
        tried = tried.with("next", next);
    }
    change.record(tried).await?;
    if before.sla_missed_at.is_none() && change.lead.sla_missed_at.is_some() {
        let missed = event(LeadEventKind::SlaMissed).with("dueAt", change.lead.sla_due_at.to_rfc3339());
        change.record(missed).await?;
    }
    if before.stage != change.lead.stage {
        change
            .record(NewEvent::stage(
                before.id,
                before.stage,
                change.lead.stage,
                actor,
                now,
            ))
            .await?;
    }
    Ok(())
}

fn next_follow_up(
    change: &Change<'_>,
    attempt: &attempt::Model,
    waiting: &[follow_up::Model],
    calendar: &Calendar,
) -> Option<follow_up::Model> {
    let lead = &change.lead;
    let tried = Tried {
        outcome: attempt.outcome,
        at: attempt.at,
        callback_at: attempt.callback_at,
        attempts_made: lead.attempts_made,
        attempts_wanted: lead.attempts_wanted,
        ever_reached: lead.first_reached_at.is_some(),
        stage: lead.stage,
        callback_waits: waiting.iter().any(|row| row.kind == FollowUpKind::Callback),
    };
    build::after_attempt(
        &About::from(lead),
        &tried,
        Pace::of(lead, &change.playbook),
        calendar,
        change.now,
    )
}

/// What came of a follow-up that an attempt answered.
const fn in_words(outcome: AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Reached => "Reached",
        AttemptOutcome::Voicemail => "Left a voicemail",
        AttemptOutcome::NoAnswer => "No answer",
        AttemptOutcome::Busy => "Busy",
        AttemptOutcome::WrongNumber => "Wrong number",
        AttemptOutcome::CallbackAsked => "Asked to be called back",
        AttemptOutcome::Declined => "Declined",
        AttemptOutcome::DoNotCall => "Asked not to be called",
    }
}
