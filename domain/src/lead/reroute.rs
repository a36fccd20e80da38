//! A lead went to the wrong team and is moved to the right one, which is counted against the rule that had sent it.

use entity::enums::LeadStage;
use entity::id::{LeadId, MisrouteId, TeamId};
use entity::lead::Model;
use entity::misroute::{self, MisrouteReason};
use sea_orm::{ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel};
use sea_orm::{PaginatorTrait, QueryFilter};

use super::assign::{self, Place};
use super::change::Change;
use super::{facts, note};
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::routing;
use crate::viewer::Viewer;

/// A lead to move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reroute {
    /// The lead.
    pub lead_id: LeadId,
    /// The team that should have it.
    pub team_id: TeamId,
    /// Why the present one was wrong.
    pub reason: MisrouteReason,
    /// What is to be said about it, at most [`note::MAX_CHARS`] characters; needed for `OTHER`.
    pub note: Option<String>,
    /// The version that was read, to find out if somebody was faster.
    pub version: Option<i64>,
}

/// Moves a lead with its open follow-ups to another team, and writes down that it was misrouted.
///
/// The person is chosen as the first rule says that sends such leads to that team, else by the least open work. The clock
/// runs on: who asked has waited since the lead came in, whoever was to blame.
///
/// # Errors
/// When the team is unknown or has the lead already, the lead is closed, not visible or has another version, the note is
/// missing or too long, or the database fails.
pub async fn reroute(h: &Hospital, viewer: &Viewer, input: Reroute) -> Result<Done<Model>> {
    let note = note::read("note", input.note)?;
    if input.reason == MisrouteReason::Other && note.is_none() {
        return Err(Error::refused(
            Code::Required,
            "note",
            "Say why the team was wrong.",
        ));
    }
    let mut change = Change::begin(h, viewer, input.lead_id, input.version).await?;
    let before = change.lead.clone();
    check(&change, &before, input.team_id)?;
    let by_rule = before.team_id == before.routing.team_id && !was_misrouted(&change.tx, before.id).await?;
    let contact = change.contact().await?;
    let playbook = change.playbook.clone();
    let facts = facts::of(&before, &contact, &playbook);
    let found = routing::for_team(&playbook, &facts, input.team_id);
    let load = routing::load(&change.tx, &playbook, &routing::candidates(&found, &playbook)).await?;
    let turn = routing::turn::hold(&change.tx, &found).await?;
    let choice = routing::choose_for(&found, &playbook, &load, turn.given(), change.now);
    routing::turn::give(&change.tx, turn, choice.owner).await?;
    let place = Place {
        team: input.team_id,
        owner: choice.owner,
    };
    let event = assign::event(&change, place).with("misroute", input.reason.as_str());
    let event = match &note {
        Some(note) => event.with("reason", note.as_str()),
        None => event,
    };
    assign::give(&mut change, place, event).await?;
    let row = misroute::Model {
        id: new_id::<MisrouteId>(change.now),
        lead_id: before.id,
        rule_id: before.routing.rule_id,
        rule: before.routing.rule.clone(),
        rule_version: before.routing.basis.versions.routing,
        by_rule,
        from_team_id: before.team_id,
        to_team_id: input.team_id,
        reason: input.reason,
        note,
        actor_kind: change.actor.kind,
        actor_id: change.actor.id,
        at: change.now,
    };
    row.into_active_model().insert(&change.tx).await?;
    change.commit(|lead| lead).await
}

fn check(change: &Change<'_>, lead: &Model, team: TeamId) -> Result<()> {
    if !change.playbook.teams.contains_key(&team) {
        return Err(Error::refused(Code::NotFound, "teamId", "There is no such team."));
    }
    if team == lead.team_id {
        let message = "The lead is with this team.";
        return Err(Error::refused(Code::Invalid, "teamId", message));
    }
    if lead.stage == LeadStage::Closed {
        let message = "The lead is closed; open it again first.";
        return Err(Error::refused(Code::NotAllowedNow, "leadId", message));
    }
    Ok(())
}

/// Whether the rule was found to be wrong about the lead before. The lead is held, so nobody says so meanwhile.
async fn was_misrouted(tx: &DatabaseTransaction, lead: LeadId) -> Result<bool> {
    let found = misroute::Entity::find()
        .filter(misroute::Column::LeadId.eq(lead))
        .filter(misroute::Column::ByRule.eq(true))
        .count(tx)
        .await?;
    Ok(found > 0)
}
