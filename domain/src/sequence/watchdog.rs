//! Finds enrollments that are due and do not move, and says why.
//!
//! The engine lets nobody get stuck for good: what cannot be moved leaves as broken after some tries. The watchdog is for
//! the time before, and for what the engine cannot see: that no worker runs, or that a mail does not go out.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use entity::enrollment::{Column, EnrollmentState, Entity, Model};
use entity::id::EnrollmentId;
use entity::message::{self, Lane, MessageState};
use entity::sequence_version::{Action, Step};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::db::BATCH_MAX;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::playbook::Playbook;

/// How long something may be due before it counts as stuck. Workers sweep every second.
pub const STUCK_AFTER: TimeDelta = TimeDelta::minutes(10);

/// Why an enrollment does not move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StuckReason {
    /// The step that it stands at is not in its version.
    StepMissing,
    /// The template of the mail is gone or has no text.
    TemplateMissing,
    /// The team that the lead is to go to is gone.
    TeamMissing,
    /// Moving it failed; it is tried again, later each time.
    Failing,
    /// A mail that it planned is due and does not go out.
    MailWaits,
    /// Nobody knows whether a mail that it planned went out; it is not sent again until evidence or a person settles it.
    MailUnknown,
    /// It is due, and no worker looks at it.
    NoWorker,
}

impl StuckReason {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::StepMissing,
        Self::TemplateMissing,
        Self::TeamMissing,
        Self::Failing,
        Self::MailWaits,
        Self::MailUnknown,
        Self::NoWorker,
    ];

    /// The word in metrics and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StepMissing => "STEP_MISSING",
            Self::TemplateMissing => "TEMPLATE_MISSING",
            Self::TeamMissing => "TEAM_MISSING",
            Self::Failing => "FAILING",
            Self::MailWaits => "MAIL_WAITS",
            Self::MailUnknown => "MAIL_UNKNOWN",
            Self::NoWorker => "NO_WORKER",
        }
    }
}

/// The enrollments that do not move.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Selects them.
    pub any: Condition,
    /// Those of them with a mail of which nobody knows whether it went out.
    unknown: HashSet<EnrollmentId>,
}

impl Watched {
    /// Why this one does not move.
    #[must_use]
    pub fn reason(&self, row: &Model, playbook: &Playbook, now: DateTime<Utc>) -> StuckReason {
        reason(row, self.unknown.contains(&row.id), playbook, now)
    }
}

/// Faults that explain it come before the plain fact.
fn reason(row: &Model, is_unknown: bool, playbook: &Playbook, now: DateTime<Utc>) -> StuckReason {
    let overdue = row.due_at <= now - STUCK_AFTER;
    if !overdue && row.fault_count == 0 {
        return if is_unknown {
            StuckReason::MailUnknown
        } else {
            StuckReason::MailWaits
        };
    }
    let Some(version) = playbook.sequence_versions.get(&row.sequence_version_id) else {
        // Published after this process read the playbook: nothing is known to be missing.
        return if row.fault_count > 0 {
            StuckReason::Failing
        } else {
            StuckReason::NoWorker
        };
    };
    let at = version.steps.0.iter().position(|step| step.key == row.step_key);
    let Some(at) = at else {
        return StuckReason::StepMissing;
    };
    // A move is all or nothing: it is the steps up to the next wait that have to succeed.
    let ahead = version.steps.0[at..].iter();
    let until_wait = ahead.take_while(|step| step.key == row.step_key || !is_wait(step));
    let missing = until_wait
        .filter_map(|step| missing(&step.action, playbook))
        .min();
    match missing {
        Some(reason) if row.fault_count > 0 => reason,
        _ if row.fault_count > 0 => StuckReason::Failing,
        _ => StuckReason::NoWorker,
    }
}

fn is_wait(step: &Step) -> bool {
    matches!(
        step.action,
        Action::Wait { .. } | Action::WaitUntil { .. } | Action::WaitFor { .. }
    )
}

/// What a step needs and is not there.
fn missing(action: &Action, playbook: &Playbook) -> Option<StuckReason> {
    match action {
        Action::SendEmail { template } if playbook.template_version(template).is_none() => {
            Some(StuckReason::TemplateMissing)
        }
        Action::UpdateLead { team: Some(slug), .. }
            if !playbook.teams.values().any(|team| team.slug == *slug) =>
        {
            Some(StuckReason::TeamMissing)
        }
        _ => None,
    }
}

/// Selects the enrollments that do not move.
///
/// They are due for too long, fail, or have a mail that does not go out or of which nobody knows whether it did. Those of
/// paused sequences are looked at again and again, so they are never due for long.
///
/// # Errors
/// When the database fails.
pub async fn which(conn: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Watched> {
    let before = now - STUCK_AFTER;
    let unknown = with_unknown_mail(conn).await?;
    let any = Condition::any()
        .add(Column::DueAt.lte(before))
        .add(Column::FaultCount.gt(0))
        .add(Column::Id.is_in(with_waiting_mail(conn, before).await?))
        .add(Column::Id.is_in(unknown.iter().copied()));
    Ok(Watched {
        any: Condition::all()
            .add(Column::State.eq(EnrollmentState::Active))
            .add(any),
        unknown,
    })
}

/// Enrollments of the newest [`BATCH_MAX`] mails of which nobody knows whether they went out.
async fn with_unknown_mail(conn: &impl ConnectionTrait) -> Result<HashSet<EnrollmentId>> {
    let ids: Vec<Option<EnrollmentId>> = message::Entity::find()
        .select_only()
        .column(message::Column::EnrollmentId)
        // Written out, as the partial index has it.
        .filter(Expr::cust("state = 'UNKNOWN'"))
        .order_by_desc(message::Column::Id)
        .limit(BATCH_MAX as u64)
        .into_tuple()
        .all(conn)
        .await?;
    Ok(ids.into_iter().flatten().collect())
}

/// Enrollments with a mail that is due and does not go out, at most [`BATCH_MAX`] mails of each lane. A mail that was
/// handed off and not settled is taken up by a sweep of its own.
async fn with_waiting_mail(conn: &impl ConnectionTrait, before: DateTime<Utc>) -> Result<Vec<EnrollmentId>> {
    let mut found = HashSet::new();
    for lane in Lane::ALL {
        let ids: Vec<Option<EnrollmentId>> = message::Entity::find()
            .select_only()
            .column(message::Column::EnrollmentId)
            .filter(message::Column::Lane.eq(*lane))
            .filter(
                Condition::any()
                    .add(message::Column::State.eq(MessageState::Planned))
                    .add(message::Column::State.eq(MessageState::Deferred)),
            )
            .filter(message::Column::DueAt.lte(before))
            .order_by_asc(message::Column::DueAt)
            .limit(BATCH_MAX as u64)
            .into_tuple()
            .all(conn)
            .await?;
        found.extend(ids.into_iter().flatten());
    }
    let mut found: Vec<EnrollmentId> = found.into_iter().collect();
    found.sort_unstable();
    Ok(found)
}

/// An enrollment that does not move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// The enrollment.
    pub id: EnrollmentId,
    /// The step that it stands at.
    pub step_key: String,
    /// Why it does not move.
    pub reason: StuckReason,
    /// Since when it should have moved.
    pub due_at: DateTime<Utc>,
}

/// Enrollments that do not move, the longest due first, at most [`BATCH_MAX`].
///
/// # Errors
/// When the database fails.
pub async fn look(h: &Hospital) -> Result<Vec<Stuck>> {
    let playbook = h.playbook().await?;
    let now = h.now();
    let watched = which(&h.db, now).await?;
    let rows = Entity::find()
        .filter(watched.any.clone())
        .order_by_asc(Column::DueAt)
        .order_by_asc(Column::Id)
        .limit(BATCH_MAX as u64)
        .all(&h.db)
        .await?;
    let stuck = |row: Model| Stuck {
        reason: watched.reason(&row, &playbook, now),
        id: row.id,
        step_key: row.step_key,
        due_at: row.due_at,
    };
    Ok(rows.into_iter().map(stuck).collect())
}
