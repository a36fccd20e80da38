//! Follow-ups are given to a person.

use entity::follow_up::Model;
use entity::id::{FollowUpId, StaffId};
use entity::message::MessageKind;

use super::change::{Changed, Changes, Wanted, changed_event, only};
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
    let AssignFollowUp {
        id,
        assignee_id,
        version,
    } = input;
    only(assign_all(h, viewer, &[Wanted { id, version }], assignee_id).await?)
}

/// The same for several, in one transaction; each is given or says why not.
///
/// # Errors
/// When the database fails.
pub async fn assign_all(
    h: &Hospital,
    viewer: &Viewer,
    wanted: &[Wanted],
    assignee_id: StaffId,
) -> Result<Done<Vec<Changed>>> {
    let playbook = h.playbook().await?;
    let mut changes = Changes::begin(h, viewer, wanted).await?;
    changes
        .save(|row, now| {
            if row.assignee_id == Some(assignee_id) {
                return Ok(());
            }
            let members = playbook.members.get(&row.team_id);
            if !members.is_some_and(|members| members.contains(&assignee_id)) {
                let message = "Choose an active member of the follow-up's team.";
                return Err(Error::refused(Code::NotFound, "assigneeId", message));
            }
            row.assignee_id = Some(assignee_id);
            row.remind_at = (row.soon_at > now).then_some(row.soon_at);
            Ok(())
        })
        .await?;
    let (actor, now) = (changes.actor, changes.now);
    let kind = MessageKind::FollowUpAssigned;
    let notice = |row| staff_notice::to_assignee(&h.site, &playbook, kind, row, actor, now);
    let notices = changes.rows.iter().filter_map(notice).collect();
    let planned = staff_notice::plan(&changes.tx, notices, now).await?;
    let nudges = if planned > 0 {
        vec![Subject::WaitingMail]
    } else {
        Vec::new()
    };
    let event =
        |row: &Model| changed_event(row, "ASSIGNED", actor, now).with("assigneeId", assignee_id.to_string());
    changes.commit(event, nudges).await
}
