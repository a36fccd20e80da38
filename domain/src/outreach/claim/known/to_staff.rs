//! Whether a mail to staff about their work still says what is so, and whether its reader is here.

use entity::enums::LeadStage;
use entity::follow_up::FollowUpState;
use entity::id::StaffId;
use entity::message::{self, MessageKind};

use super::Known;

impl Known<'_> {
    /// Whether a mail to staff speaks of what is no longer so: the follow-up is done, has gone to somebody else or has
    /// been put off, or the person has left.
    pub(super) fn out_of_date(&self, message: &message::Model) -> bool {
        let Some(staff_id) = message.staff_id else {
            return false;
        };
        if self.staff.get(&staff_id).is_none_or(|staff| !staff.active) {
            return true;
        }
        if message.kind == MessageKind::FollowUpDigest {
            return !self.digests.contains_key(&staff_id);
        }
        if message.kind == MessageKind::SlaWarning {
            return self.is_no_longer_silent(message, staff_id);
        }
        let Some(row) = message.follow_up_id.and_then(|id| self.follow_ups.get(&id)) else {
            return message.follow_up_id.is_some();
        };
        let mine = row.assignee_id == Some(staff_id);
        let nobodys = row
            .assignee_id
            .is_none_or(|id| !self.playbook.staff.contains_key(&id));
        row.state != FollowUpState::Open
            || match message.kind {
                // What is late is told to the whole team when nobody has taken it, and to the team's lead when who has
                // taken it is away.
                MessageKind::FollowUpLate => {
                    let away = row
                        .assignee_id
                        .is_some_and(|id| self.playbook.is_away(id, self.now));
                    let instead = away && self.playbook.lead_of(row.team_id) == Some(staff_id);
                    !(mine || nobodys || instead) || row.due_at > self.now
                }
                _ => !mine,
            }
    }

    /// Whether a warning that nobody tries to reach a lead is of no use to this person any more.
    fn is_no_longer_silent(&self, message: &message::Model, staff_id: StaffId) -> bool {
        message
            .lead_id
            .and_then(|id| self.leads.get(&id))
            .is_none_or(|lead| {
                let is_theirs =
                    lead.owner_id == Some(staff_id) || self.playbook.lead_of(lead.team_id) == Some(staff_id);
                lead.first_attempt_at.is_some() || lead.stage == LeadStage::Closed || !is_theirs
            })
    }

    /// Whether it would remind somebody who is away of work.
    pub(super) fn staff_away(&self, message: &message::Model) -> bool {
        let reminds = matches!(
            message.kind,
            MessageKind::FollowUpAssigned
                | MessageKind::FollowUpDueSoon
                | MessageKind::FollowUpLate
                | MessageKind::FollowUpDigest
                | MessageKind::SlaWarning
                | MessageKind::SlaTakenBack
        );
        reminds
            && message
                .staff_id
                .is_some_and(|id| self.playbook.is_away(id, self.now))
    }
}
