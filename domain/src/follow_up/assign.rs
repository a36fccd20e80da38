//! A follow-up is given to a person.

use entity::follow_up::Model;
use entity::id::{FollowUpId, StaffId};
use entity::lead;
use entity::message::MessageKind;
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;

use super::build::{DEFAULT_REMIND_BEFORE_MINS, Pace, remind_at};
use super::change::{Change, changed_event};
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::nudge::Subject;
use crate::outreach::staff_notice;
use crate::viewer::Viewer;

/// A follow-up to give to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignFollowUp {
    /// The follow-up.
    pub id: FollowUpId,
    /// An active member of the follow-up's team.
    pub assignee_id: StaffId,
    /// The version that was read, to find out if somebody was faster.
    pub version: Option<i64>,
}

/// Gives an open follow-up to a member of its team and mails that person, unless it is the one who asks. Giving it to
/// the person who has it changes nothing.
///
/// # Errors
/// When the person is not an active member of the team, the follow-up is not visible, not open or has another version,
/// or the database fails.
pub async fn assign(h: &Hospital, viewer: &Viewer, input: AssignFollowUp) -> Result<Done<Model>> {
    let playbook = h.playbook().await?;
    let mut change = Change::begin(h, viewer, input.id, input.version).await?;
    let (now, old) = (change.now, change.row.clone());
    if old.assignee_id == Some(input.assignee_id) {
        return Ok(Done::quiet(old));
    }
    let members = playbook.members.get(&old.team_id);
    if !members.is_some_and(|members| members.contains(&input.assignee_id)) {
        let message = "Choose an active member of the follow-up's team.";
        return Err(Error::refused(Code::NotFound, "assigneeId", message));
    }
    let lead = lead::Entity::find_by_id(old.lead_id).one(&change.tx).await?;
    let before_mins = lead.map_or(DEFAULT_REMIND_BEFORE_MINS, |lead| {
        Pace::of(&lead, &playbook).remind_before_mins
    });
    change
        .save(|row| {
            row.assignee_id = Set(Some(input.assignee_id));
            row.remind_at = Set(remind_at(old.due_at, Some(input.assignee_id), before_mins, now));
        })
        .await?;
    let kind = MessageKind::FollowUpAssigned;
    let notice = staff_notice::to_assignee(&h.site, &playbook, kind, &change.row, change.actor, now);
    let planned = staff_notice::plan(&change.tx, notice.into_iter().collect(), now).await?;
    let nudges = if planned > 0 {
        vec![Subject::WaitingMail]
    } else {
        Vec::new()
    };
    let event = changed_event(&change.row, "ASSIGNED", change.actor, now)
        .with("assigneeId", input.assignee_id.to_string());
    change.commit(event, nudges).await
}
