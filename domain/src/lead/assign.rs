//! A lead is given to a team or a person.

use chrono::{DateTime, Utc};
use entity::follow_up;
use entity::id::{LeadId, StaffId, TeamId};
use entity::lead::Model;
use entity::lead_event::LeadEventKind;
use entity::message::MessageKind;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::change::Change;
use super::event::NewEvent;
use super::note;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::follow_up::build::{Pace, remind_at};
use crate::hospital::Hospital;
use crate::nudge::Subject;
use crate::outreach::staff_notice;
use crate::patch::Patch;
use crate::playbook::Playbook;
use crate::viewer::Viewer;

/// A lead to give to a team or a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assign {
    /// The lead.
    pub lead_id: LeadId,
    /// The team; the present one if not said.
    pub team_id: Option<TeamId>,
    /// The person, an active member of the team. If not said, the present one stays if a member of the team, else
    /// anybody of the team may take it.
    pub owner_id: Patch<StaffId>,
    /// Why, at most [`note::MAX_CHARS`] characters.
    pub reason: Option<String>,
    /// The version that was read, to find out if somebody was faster.
    pub version: Option<i64>,
}

/// Gives a lead with its open follow-ups to a team and a person, who gets a mail about each of them. The routing
/// decision of the rules stays as it was, so that misroutes can be counted.
///
/// # Errors
/// When the team is unknown, the person is not an active member of it, the lead is not visible or has another version,
/// the reason is too long, or the database fails.
pub async fn assign(h: &Hospital, viewer: &Viewer, input: Assign) -> Result<Done<Model>> {
    let reason = note::read("reason", input.reason)?;
    if input.team_id.is_none() && input.owner_id == Patch::Keep {
        return Err(Error::refused(
            Code::Required,
            "teamId",
            "Name a team or a person.",
        ));
    }
    let mut change = Change::begin(h, viewer, input.lead_id, input.version).await?;
    let before = change.lead.clone();
    let place = place(&before, input.team_id, input.owner_id, &change.playbook)?;
    if (place.team, place.owner) == (before.team_id, before.owner_id) {
        return Ok(Done::quiet(before));
    }
    let mut event = event(&change, place);
    if let Some(reason) = reason {
        event = event.with("reason", reason);
    }
    give(&mut change, place, event).await?;
    change.commit(|lead| lead).await
}

/// Where a lead goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) team: TeamId,
    /// The person; none when anybody of the team may take it.
    pub(super) owner: Option<StaffId>,
}

/// The event of a lead that goes there.
pub(super) fn event(change: &Change<'_>, to: Place) -> NewEvent {
    let lead = &change.lead;
    NewEvent::new(lead.id, LeadEventKind::Assigned, change.actor, change.now)
        .with("fromTeamId", lead.team_id.to_string())
        .with("teamId", to.team.to_string())
        .with("fromOwnerId", lead.owner_id.map(|id| id.to_string()))
        .with("ownerId", to.owner.map(|id| id.to_string()))
}

/// Gives the lead there, with its open follow-ups.
pub(super) async fn give(change: &mut Change<'_>, to: Place, event: NewEvent) -> Result<()> {
    change
        .save(|lead| {
            lead.team_id = Set(to.team);
            lead.owner_id = Set(to.owner);
        })
        .await?;
    change.record(event).await?;
    hand_over(change).await
}

/// The team and person that a lead goes to.
fn place(lead: &Model, team: Option<TeamId>, owner: Patch<StaffId>, playbook: &Playbook) -> Result<Place> {
    let team = team.unwrap_or(lead.team_id);
    if !playbook.teams.contains_key(&team) {
        return Err(Error::refused(Code::NotFound, "teamId", "There is no such team."));
    }
    let is_member = |id: &StaffId| {
        playbook
            .members
            .get(&team)
            .is_some_and(|members| members.contains(id))
    };
    if owner.set().is_some_and(|id| !is_member(id)) {
        return Err(Error::refused(
            Code::NotFound,
            "ownerId",
            "Choose an active member of the team.",
        ));
    }
    let owner = match owner {
        // Whoever has it keeps it within the same team, even if only a rule named the person.
        Patch::Keep => lead.owner_id.filter(|id| team == lead.team_id || is_member(id)),
        owner => owner.apply(None),
    };
    Ok(Place { team, owner })
}

/// Gives the open follow-ups to the lead's team and owner, in one statement, and plans the mails about them.
async fn hand_over(change: &mut Change<'_>) -> Result<()> {
    let (team, owner, now) = (change.lead.team_id, change.lead.owner_id, change.now);
    let mut rows = change.open_follow_ups().await?;
    rows.retain(|row| (row.team_id, row.assignee_id) != (team, owner));
    if rows.is_empty() {
        return Ok(());
    }
    let before_mins = Pace::of(&change.lead, &change.playbook).remind_before_mins;
    for row in &mut rows {
        row.team_id = team;
        row.assignee_id = owner;
        row.remind_at = remind_at(row.due_at, owner, before_mins, now);
        row.version += 1;
    }
    follow_up::Entity::update_many()
        .col_expr(follow_up::Column::TeamId, Expr::value(team))
        .col_expr(follow_up::Column::AssigneeId, Expr::value(owner))
        .col_expr(follow_up::Column::RemindAt, reminders(&rows))
        .col_expr(follow_up::Column::TakenById, Expr::value(Option::<StaffId>::None))
        .col_expr(
            follow_up::Column::TakenUntil,
            Expr::value(Option::<DateTime<Utc>>::None),
        )
        .col_expr(
            follow_up::Column::Version,
            Expr::col(follow_up::Column::Version).add(1),
        )
        .filter(follow_up::Column::Id.is_in(rows.iter().map(|row| row.id)))
        .exec(&change.tx)
        .await?;
    let kind = MessageKind::FollowUpAssigned;
    let notice =
        |row| staff_notice::to_assignee(&change.h.site, &change.playbook, kind, row, change.actor, now);
    let notices = rows.iter().filter_map(notice).collect();
    if staff_notice::plan(&change.tx, notices, now).await? > 0 {
        change.nudge(Subject::WaitingMail);
    }
    change.follow_ups_changed(&rows, "ASSIGNED").await
}

/// When to remind of each row, as one expression.
fn reminders(rows: &[follow_up::Model]) -> Expr {
    let none = Expr::value(Option::<DateTime<Utc>>::None);
    let with_reminder = rows.iter().filter_map(|row| Some((row.id, row.remind_at?)));
    let mut case: Option<CaseStatement> = None;
    for (id, at) in with_reminder {
        let is_row = follow_up::Column::Id.eq(id);
        case = Some(match case {
            Some(case) => case.case(is_row, Expr::value(at)),
            None => CaseStatement::new().case(is_row, Expr::value(at)),
        });
    }
    case.map_or(none.clone(), |case| case.finally(none).into())
}
