//! What steps change of leads: flags, and the team that serves them.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use entity::enums::EligibilityFlag;
use entity::follow_up::{self, FollowUpState};
use entity::id::{LeadId, TeamId};
use entity::lead::{Column, Entity, Flags, Model};
use entity::lead_event::{self, LeadEventKind};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter};

use crate::error::Result;
use crate::lead::event::NewEvent;
use crate::playbook::Playbook;
use crate::signal::Signal;
use crate::viewer::Actor;

/// The lead after a step; none when there is no such team, which a newer playbook may know. Whoever serves it goes on
/// doing so when they belong to the new team.
pub(super) fn after(
    lead: &Model,
    flags: &[EligibilityFlag],
    team: Option<&str>,
    playbook: &Playbook,
) -> Option<Model> {
    let team_id = match team {
        None => lead.team_id,
        Some(slug) => playbook.teams.values().find(|team| team.slug == slug)?.id,
    };
    let is_member = |id: &entity::id::StaffId| {
        team_id == lead.team_id
            || playbook
                .members
                .get(&team_id)
                .is_some_and(|members| members.contains(id))
    };
    Some(Model {
        flags: Flags(flags.to_vec()),
        team_id,
        owner_id: lead.owner_id.filter(is_member),
        ..lead.clone()
    })
}

/// Leads that steps of a batch changed, as they were and as they are.
#[derive(Default)]
pub(super) struct ChangedLeads(HashMap<LeadId, (Model, Model)>);

impl ChangedLeads {
    /// The lead as it is now, if a step changed it.
    pub(super) fn get(&self, id: LeadId) -> Option<&Model> {
        self.0.get(&id).map(|(_, after)| after)
    }

    /// Keeps a change; `before` counts for the first change of a lead only.
    pub(super) fn put(&mut self, before: &Model, after: Model) {
        self.0
            .entry(after.id)
            .and_modify(|pair| pair.1 = after.clone())
            .or_insert_with(|| (before.clone(), after));
    }

    /// Writes the leads that differ, with their events and open follow-ups. The batch holds the leads.
    pub(super) async fn write(self, tx: &DatabaseTransaction, now: DateTime<Utc>) -> Result<Vec<Signal>> {
        let mut changed: Vec<(Model, Model)> = self
            .0
            .into_values()
            .filter(|(before, after)| before != after)
            .collect();
        if changed.is_empty() {
            return Ok(Vec::new());
        }
        changed.sort_unstable_by_key(|(lead, _)| lead.id);
        let rows = changed.iter().map(|(_, after)| {
            Model {
                version: after.version + 1,
                updated_at: now,
                ..after.clone()
            }
            .into_active_model()
        });
        // Every row exists and is held, so the insert always turns into the update.
        let what_changes = OnConflict::column(Column::Id)
            .update_columns([
                Column::Flags,
                Column::TeamId,
                Column::OwnerId,
                Column::Version,
                Column::UpdatedAt,
            ])
            .to_owned();
        Entity::insert_many(rows)
            .on_conflict(what_changes)
            .exec_without_returning(tx)
            .await?;
        hand_over(tx, &changed).await?;
        let events: Vec<NewEvent> = changed
            .iter()
            .flat_map(|(before, after)| events(before, after, now))
            .collect();
        let signals = events.iter().map(NewEvent::signal).collect();
        lead_event::Entity::insert_many(events.into_iter().map(NewEvent::row))
            .exec_without_returning(tx)
            .await?;
        Ok(signals)
    }
}

/// Gives the open follow-ups of leads that changed their team to that team, where whoever is there takes them.
async fn hand_over(tx: &DatabaseTransaction, changed: &[(Model, Model)]) -> Result<()> {
    let mut moved: BTreeMap<TeamId, Vec<LeadId>> = BTreeMap::new();
    for (before, after) in changed {
        if before.team_id != after.team_id {
            moved.entry(after.team_id).or_default().push(after.id);
        }
    }
    for (team_id, leads) in moved {
        follow_up::Entity::update_many()
            .col_expr(follow_up::Column::TeamId, Expr::value(team_id))
            .col_expr(
                follow_up::Column::AssigneeId,
                Expr::value(Option::<entity::id::StaffId>::None),
            )
            .col_expr(
                follow_up::Column::RemindAt,
                Expr::value(Option::<DateTime<Utc>>::None),
            )
            .col_expr(
                follow_up::Column::TakenById,
                Expr::value(Option::<entity::id::StaffId>::None),
            )
            .col_expr(
                follow_up::Column::TakenUntil,
                Expr::value(Option::<DateTime<Utc>>::None),
            )
            .col_expr(
                follow_up::Column::Version,
                Expr::col(follow_up::Column::Version).add(1),
            )
            .filter(follow_up::Column::LeadId.is_in(leads))
            .filter(follow_up::Column::State.eq(FollowUpState::Open))
            .exec(tx)
            .await?;
    }
    Ok(())
}

fn events(before: &Model, after: &Model, now: DateTime<Utc>) -> Vec<NewEvent> {
    let mut events = Vec::new();
    if before.flags != after.flags {
        let event = NewEvent::new(after.id, LeadEventKind::Updated, Actor::SYSTEM, now);
        events.push(event.with("fields", vec!["flags"]));
    }
    if before.team_id != after.team_id {
        let event = NewEvent::new(after.id, LeadEventKind::Assigned, Actor::SYSTEM, now)
            .with("fromTeamId", before.team_id.to_string())
            .with("teamId", after.team_id.to_string())
            .with("fromOwnerId", before.owner_id.map(|id| id.to_string()))
            .with("ownerId", after.owner_id.map(|id| id.to_string()));
        events.push(event);
    }
    events
}
