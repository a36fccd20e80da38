//! A person opens work on a lead by hand, from a template or in their own words.

use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::LeadStage;
use entity::follow_up;
use entity::id::{LeadId, StaffId};

use super::change::Change;
use crate::clock::to_micros;
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::follow_up::build::{self, About, ByHand, MAX_TITLE_CHARS, Pace};
use crate::hospital::Hospital;
use crate::readable::misleads;
use crate::sla::policy;
use crate::viewer::Viewer;

/// How far ahead work can be due, in days.
pub const DUE_MAX_DAYS: i64 = 90;

/// Work to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFollowUp {
    /// The lead.
    pub lead_id: LeadId,
    /// The key of a template. Either this or a title.
    pub template: Option<String>,
    /// What is to be done, without personal data; at most [`MAX_TITLE_CHARS`] characters.
    pub title: Option<String>,
    /// When it is due: in the future, at most [`DUE_MAX_DAYS`] ahead. A template says it if nobody else does.
    pub due_at: Option<DateTime<Utc>>,
    /// An active member of the lead's team; the lead's owner if not said.
    pub assignee_id: Option<StaffId>,
}

/// Opens a follow-up of a lead that is not closed, and mails its assignee, unless it is the one who asks.
///
/// # Errors
/// Every refusal at once, when the lead is not visible, or the database fails.
pub async fn open_follow_up(
    h: &Hospital,
    viewer: &Viewer,
    input: OpenFollowUp,
) -> Result<Done<follow_up::Model>> {
    let mut change = Change::begin(h, viewer, input.lead_id, None).await?;
    let row = open(&mut change, input).await?;
    change.commit(|_| row).await
}

/// The same within a change of the lead.
pub(super) async fn open(change: &mut Change<'_>, input: OpenFollowUp) -> Result<follow_up::Model> {
    let by_hand = check(change, input).map_err(Error::Refused)?;
    let (before_mins, now) = (
        Pace::of(&change.lead, &change.playbook).remind_before_mins,
        change.now,
    );
    let row = build::by_hand(&About::from(&change.lead), by_hand, before_mins, now);
    change.open_follow_up(row.clone()).await?;
    Ok(row)
}

fn check(change: &Change<'_>, input: OpenFollowUp) -> Result<ByHand, Vec<Refusal>> {
    let (lead, playbook, now) = (&change.lead, &change.playbook, change.now);
    let mut refusals = Vec::new();
    let mut refuse = |code, field: &str, message: &'static str| {
        refusals.push(Refusal::new(code, field, message));
    };
    if lead.stage == LeadStage::Closed {
        refuse(
            Code::NotAllowedNow,
            "leadId",
            "The lead is closed; reopen it first.",
        );
    }
    let template = input
        .template
        .as_ref()
        .map(|key| playbook.follow_up_templates.get(key));
    let title = input.title.map(|title| title.trim().to_owned());
    match (&template, &title) {
        (None, None) => refuse(
            Code::Required,
            "title",
            "Say what is to be done, or name a template.",
        ),
        (Some(_), Some(_)) => refuse(
            Code::Invalid,
            "title",
            "Name a template or write a title, not both.",
        ),
        (Some(None), None) => refuse(Code::NotFound, "template", "There is no such template."),
        (None, Some(title)) if title.is_empty() => refuse(Code::Required, "title", "Say what is to be done."),
        (None, Some(title)) if title.chars().count() > MAX_TITLE_CHARS => {
            refuse(Code::TooLarge, "title", "A title has at most 200 characters.");
        }
        (None, Some(title)) if title.chars().any(misleads) => {
            refuse(Code::Invalid, "title", "Write one line of plain text.");
        }
        _ => {}
    }
    let template = template.flatten();
    let by_template =
        template.map(|row| policy::due_after(&playbook.calendar(lead.facility_id), now, row.due_mins));
    let due_at = input.due_at.map(to_micros).or(by_template);
    match due_at {
        None if template.is_none() => refuse(Code::Required, "dueAt", "Say when it is due."),
        Some(at) if at <= now => refuse(Code::Invalid, "dueAt", "Choose a time in the future."),
        Some(at) if input.due_at.is_some() && at > now + TimeDelta::days(DUE_MAX_DAYS) => {
            refuse(Code::TooLarge, "dueAt", "Choose a time within the next 90 days.");
        }
        _ => {}
    }
    let members = playbook.members.get(&lead.team_id);
    let is_member = |id: &StaffId| members.is_some_and(|members| members.contains(id));
    if input.assignee_id.is_some_and(|id| !is_member(&id)) {
        refuse(
            Code::NotFound,
            "assigneeId",
            "Choose an active member of the lead's team.",
        );
    }
    let title = template.map(|row| row.title.clone()).or(title);
    match (title, due_at) {
        (Some(title), Some(due_at)) if refusals.is_empty() => Ok(ByHand {
            title,
            due_at,
            template_id: template.map(|row| row.id),
            assignee_id: input.assignee_id.or(lead.owner_id),
        }),
        _ => Err(refusals),
    }
}
