//! What a new follow-up looks like. Pure: rows are built here and written by [`super::open()`].

use chrono::{DateTime, Utc};
use entity::enums::{AttemptOutcome, LeadStage};
use entity::follow_up::{FollowUpKind, FollowUpState, Model};
use entity::id::{EnrollmentId, FollowUpTemplateId, LeadId, StaffId, TeamId};
use entity::lead;

use super::place::{self, soon_at};
use crate::id::new_id;
use crate::playbook::Playbook;
use crate::sla::calendar::Calendar;
use crate::sla::policy;

#[cfg(test)]
mod tests;

/// Minutes before the due time at which the assignee is reminded, when no policy holds.
pub const DEFAULT_REMIND_BEFORE_MINS: i64 = 10;
/// Longest title of a follow-up in characters.
pub const MAX_TITLE_CHARS: usize = 200;

/// The lead that a follow-up is about, as far as the follow-up repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// The lead.
    pub lead_id: LeadId,
    /// The team that serves it.
    pub team_id: TeamId,
    /// The person who serves it; none means anybody of the team.
    pub owner_id: Option<StaffId>,
    /// Whether it goes first.
    pub urgent: bool,
    /// Its score.
    pub score: i32,
}

impl From<&lead::Model> for About {
    fn from(lead: &lead::Model) -> Self {
        Self {
            lead_id: lead.id,
            team_id: lead.team_id,
            owner_id: lead.owner_id,
            urgent: lead.urgent,
            score: lead.score_points,
        }
    }
}

/// How a lead's policy spaces the work on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Business minutes to the first attempt.
    pub first_attempt_mins: i64,
    /// Business minutes between attempts.
    pub spacing_mins: i64,
    /// Minutes before the due time at which the assignee is reminded.
    pub remind_before_mins: i64,
}

impl Pace {
    /// The pace of the policy that the lead fell under when it came in.
    pub fn of(lead: &lead::Model, playbook: &Playbook) -> Self {
        let policy = lead.sla_policy_id.and_then(|id| playbook.policy(id));
        Self {
            first_attempt_mins: policy.map_or(policy::DEFAULT_FIRST_ATTEMPT_MINS, |policy| {
                policy.first_attempt_mins
            }),
            spacing_mins: policy.map_or(policy::DEFAULT_SPACING_MINS, |policy| policy.spacing_mins),
            remind_before_mins: policy.map_or(DEFAULT_REMIND_BEFORE_MINS, |policy| policy.remind_before_mins),
        }
    }
}

/// When to remind the assignee: `before_mins` ahead of the due time. Never when there is no assignee, nor when that
/// moment has passed: the mail that it was assigned says the same.
pub fn remind_at(
    due_at: DateTime<Utc>,
    assignee: Option<StaffId>,
    before_mins: i64,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    assignee?;
    let at = soon_at(due_at, before_mins);
    (at > now).then_some(at)
}

/// The first attempt that the SLA asks for.
pub fn first_contact(
    about: &About,
    due_at: DateTime<Utc>,
    remind_before_mins: i64,
    now: DateTime<Utc>,
) -> Model {
    new(
        about,
        FollowUpKind::FirstContact,
        "First contact",
        due_at,
        remind_before_mins,
        now,
    )
}

/// Work that a step of a sequence asks for, for the person who serves the lead.
pub fn from_sequence(
    about: &About,
    step: SequenceStep<'_>,
    remind_before_mins: i64,
    now: DateTime<Utc>,
) -> Model {
    let title: String = step.title.chars().take(MAX_TITLE_CHARS).collect();
    Model {
        enrollment_id: Some(step.enrollment_id),
        origin_key: Some(step.origin_key),
        ..new(
            about,
            FollowUpKind::Sequence,
            &title,
            step.due_at,
            remind_before_mins,
            now,
        )
    }
}

/// An answer of the person to a mail, which somebody has to read.
pub fn for_reply(
    about: &About,
    origin_key: String,
    may_revoke: bool,
    due_at: DateTime<Utc>,
    remind_before_mins: i64,
    now: DateTime<Utc>,
) -> Model {
    let title = if may_revoke {
        "Read the reply: it may ask for no more mail"
    } else {
        "Answer the reply to a mail"
    };
    Model {
        origin_key: Some(origin_key),
        ..new(about, FollowUpKind::Reply, title, due_at, remind_before_mins, now)
    }
}

/// The step of a sequence that asks for work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequenceStep<'a> {
    /// The enrollment.
    pub enrollment_id: EnrollmentId,
    /// The visit of the step, for example `follow-up/<enrollment>/<step>/<occurrence>`.
    pub origin_key: String,
    /// What is to be done, without personal data.
    pub title: &'a str,
    /// When it is due.
    pub due_at: DateTime<Utc>,
}

/// Work that a person opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByHand {
    /// What is to be done, without personal data.
    pub title: String,
    /// When it is due.
    pub due_at: DateTime<Utc>,
    /// The template that it is opened from.
    pub template_id: Option<FollowUpTemplateId>,
    /// Whom it is for; none means anybody of the team.
    pub assignee_id: Option<StaffId>,
}

/// Work that a person opens.
pub fn by_hand(about: &About, work: ByHand, remind_before_mins: i64, now: DateTime<Utc>) -> Model {
    let about = About {
        owner_id: work.assignee_id,
        ..*about
    };
    Model {
        template_id: work.template_id,
        ..new(
            &about,
            FollowUpKind::ByHand,
            &work.title,
            work.due_at,
            remind_before_mins,
            now,
        )
    }
}

/// An attempt as the rule for the next one looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    /// What came of it.
    pub outcome: AttemptOutcome,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// When the person asked to be called.
    pub callback_at: Option<DateTime<Utc>>,
    /// Attempts made with this one.
    pub attempts_made: i32,
    /// Attempts that the policy wants.
    pub attempts_wanted: i32,
    /// Whether the person was ever reached, this attempt included.
    pub ever_reached: bool,
    /// The lead's stage after this attempt.
    pub stage: LeadStage,
    /// Whether a callback is still promised for later.
    pub callback_waits: bool,
}

/// The follow-up that an attempt leads to.
///
/// - Callback asked: at the time asked for.
/// - Voicemail, no answer, busy: the next attempt, the policy's spacing later, until the attempts wanted are made; then
///   somebody has to decide whether to close. None when a callback is promised already, or an appointment is booked.
/// - Reached: none, the coordinator decides what comes next.
/// - Declined, asked not to be called, wrong number: none. To try again would be unwelcome or in vain.
pub fn after_attempt(
    about: &About,
    tried: &Tried,
    pace: Pace,
    calendar: &Calendar,
    now: DateTime<Utc>,
) -> Option<Model> {
    let open =
        |kind, title: &str, due_at| Some(new(about, kind, title, due_at, pace.remind_before_mins, now));
    match tried.outcome {
        AttemptOutcome::CallbackAsked => open(
            FollowUpKind::Callback,
            "Call back at the time asked for",
            tried.callback_at?,
        ),
        AttemptOutcome::Reached
        | AttemptOutcome::Declined
        | AttemptOutcome::WrongNumber
        | AttemptOutcome::DoNotCall => None,
        AttemptOutcome::Voicemail | AttemptOutcome::NoAnswer | AttemptOutcome::Busy => {
            let to_be_won = matches!(
                tried.stage,
                LeadStage::New | LeadStage::Contacted | LeadStage::Qualified
            );
            if tried.callback_waits || !to_be_won {
                return None;
            }
            let due_at = policy::due_after(calendar, tried.at, pace.spacing_mins);
            open(FollowUpKind::NextAttempt, &next_title(tried), due_at)
        }
    }
}

fn next_title(tried: &Tried) -> String {
    if tried.attempts_made < tried.attempts_wanted {
        return format!("Attempt {} of {}", tried.attempts_made + 1, tried.attempts_wanted);
    }
    let decide = if tried.ever_reached {
        "Decide: what comes next"
    } else {
        "Decide: close as unreachable"
    };
    decide.to_owned()
}

/// Work on a lead that was opened again, so that it does not lie unseen.
pub fn after_reopening(
    about: &About,
    stage: LeadStage,
    pace: Pace,
    calendar: &Calendar,
    now: DateTime<Utc>,
) -> Model {
    let (kind, title) = match stage {
        LeadStage::New => (FollowUpKind::FirstContact, "First contact"),
        LeadStage::Contacted => (FollowUpKind::NextAttempt, "Reopened: reach the person again"),
        _ => (FollowUpKind::NextAttempt, "Reopened: decide what comes next"),
    };
    let due_at = policy::due_after(calendar, now, pace.first_attempt_mins);
    new(about, kind, title, due_at, pace.remind_before_mins, now)
}

/// Whether an attempt answers an open follow-up. A callback that is promised for later is only answered by speaking
/// with the person: a voicemail today does not undo a call promised for tomorrow.
pub fn answered_by(
    kind: FollowUpKind,
    due_at: DateTime<Utc>,
    outcome: AttemptOutcome,
    at: DateTime<Utc>,
) -> bool {
    match kind {
        FollowUpKind::FirstContact | FollowUpKind::NextAttempt => true,
        FollowUpKind::Callback => outcome.is_two_way() || at >= due_at,
        FollowUpKind::Reply => outcome.is_two_way(),
        FollowUpKind::Sequence | FollowUpKind::ByHand => false,
    }
}

fn new(
    about: &About,
    kind: FollowUpKind,
    title: &str,
    due_at: DateTime<Utc>,
    remind_before_mins: i64,
    now: DateTime<Utc>,
) -> Model {
    let mut row = Model {
        id: new_id(now),
        lead_id: about.lead_id,
        team_id: about.team_id,
        assignee_id: about.owner_id,
        kind,
        title: title.to_owned(),
        state: FollowUpState::Open,
        urgent: about.urgent,
        rank: place::Rank::NotYet as i32,
        weight: 0,
        due_at,
        soon_at: soon_at(due_at, remind_before_mins),
        moves_at: None,
        remind_at: remind_at(due_at, about.owner_id, remind_before_mins, now),
        late_at: None,
        snoozed_count: 0,
        taken_by_id: None,
        taken_until: None,
        outcome: None,
        template_id: None,
        enrollment_id: None,
        origin_key: None,
        version: 1,
        created_at: now,
        completed_at: None,
    };
    place::put(&mut row, about.score, now);
    row
}
