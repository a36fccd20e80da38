//! All open work of a person in a team goes to another, with the leads that it is about.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use entity::follow_up::{Column, Entity, FollowUpState, Model};
use entity::id::{FollowUpId, LeadId, StaffId, TeamId};
use entity::lead;
use entity::lead_event::{self, LeadEventKind};
use sea_orm::sea_query::{Expr, ExprTrait, LockType};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::change::{changed_event, put_back};
use super::find;
use super::write::write;
use crate::db::{self, BATCH_MAX};
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::lead::event::NewEvent;
use crate::playbook::Playbook;
use crate::signal::Signal;
use crate::viewer::{Actor, Scope, Viewer};

/// Work to hand over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandOver {
    /// Whose work.
    pub from_id: StaffId,
    /// Who takes it: an active member of the team.
    pub to_id: StaffId,
    /// In which team.
    pub team_id: TeamId,
}

/// What was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandedOver {
    /// How many follow-ups.
    pub follow_ups: usize,
    /// How many leads, whose owner the one was and the other is.
    pub leads: usize,
    /// Whether there are more, which the next call hands over.
    pub more: bool,
}

/// Gives the open follow-ups of a person in a team to another, at most [`BATCH_MAX`] of them.
///
/// The leads that they are about and that the person owns go with them. Nobody is mailed about each of them; reminders come
/// as they come due.
///
/// # Errors
/// When the team is not one that the viewer sees, the person who takes over is not an active member of it or is the one
/// who gives, or the database fails.
pub async fn hand_over(h: &Hospital, viewer: &Viewer, input: HandOver) -> Result<Done<HandedOver>> {
    let playbook = h.playbook().await?;
    check(viewer, &playbook, input)?;
    let tx = db::begin_write(&h.db).await?;
    let mut found: Vec<(FollowUpId, LeadId)> = theirs(viewer, input)
        .select_only()
        .columns([Column::Id, Column::LeadId])
        .order_by_asc(Column::Rank)
        .order_by_asc(Column::Weight)
        .order_by_asc(Column::DueAt)
        .order_by_asc(Column::Id)
        .limit(BATCH_MAX as u64 + 1)
        .into_tuple()
        .all(&tx)
        .await?;
    let more = found.len() > BATCH_MAX;
    found.truncate(BATCH_MAX);
    // Leads are held before what is about them, as everybody does.
    let leads = owned(&tx, input, found.iter().map(|(_, lead_id)| *lead_id).collect()).await?;
    let mut rows = theirs(viewer, input)
        .filter(Column::Id.is_in(found.into_iter().map(|(id, _)| id)))
        .order_by_asc(Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(&tx)
        .await?;
    let (actor, now) = (viewer.actor(), h.now());
    for row in &mut rows {
        row.assignee_id = Some(input.to_id);
        row.remind_at = (row.soon_at > now).then_some(row.soon_at);
        row.version += 1;
        put_back(row);
    }
    write(&tx, &rows).await?;
    give_leads(&tx, input.to_id, &leads, now).await?;
    let events = events(input, &rows, &leads, actor, now);
    let mut signals: Vec<Signal> = events.iter().map(NewEvent::signal).collect();
    signals.extend(
        rows.iter()
            .map(|row| Signal::FollowUpChanged { follow_up_id: row.id }),
    );
    for batch in events.chunks(BATCH_MAX) {
        let batch = batch.iter().cloned().map(NewEvent::row);
        lead_event::Entity::insert_many(batch)
            .exec_without_returning(&tx)
            .await?;
    }
    tx.commit().await?;
    Ok(Done {
        value: HandedOver {
            follow_ups: rows.len(),
            leads: leads.len(),
            more,
        },
        signals,
        nudges: Vec::new(),
    })
}

fn check(viewer: &Viewer, playbook: &Playbook, input: HandOver) -> Result<()> {
    let sees = match viewer.scope() {
        Scope::All => playbook.teams.contains_key(&input.team_id),
        Scope::Teams { teams, .. } => teams.contains(&input.team_id),
        Scope::Nothing => false,
    };
    if !sees {
        return Err(Error::refused(Code::NotFound, "teamId", "There is no such team."));
    }
    if input.from_id == input.to_id {
        return Err(Error::refused(Code::Invalid, "toId", "Choose another person."));
    }
    let members = playbook.members.get(&input.team_id);
    if !members.is_some_and(|members| members.contains(&input.to_id)) {
        let message = "Choose an active member of the team.";
        return Err(Error::refused(Code::NotFound, "toId", message));
    }
    Ok(())
}

/// The open work of the person in the team.
fn theirs(viewer: &Viewer, input: HandOver) -> sea_orm::Select<Entity> {
    find::visible_to(viewer)
        .filter(Column::AssigneeId.eq(input.from_id))
        .filter(Column::TeamId.eq(input.team_id))
        .filter(Column::State.eq(FollowUpState::Open))
}

/// Those of the leads that the person owns, held.
async fn owned(tx: &DatabaseTransaction, input: HandOver, leads: BTreeSet<LeadId>) -> Result<Vec<LeadId>> {
    let owned = lead::Entity::find()
        .select_only()
        .column(lead::Column::Id)
        .filter(lead::Column::Id.is_in(leads))
        .filter(lead::Column::OwnerId.eq(input.from_id))
        .filter(lead::Column::TeamId.eq(input.team_id))
        .order_by_asc(lead::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .into_tuple()
        .all(tx)
        .await?;
    Ok(owned)
}

async fn give_leads(
    tx: &DatabaseTransaction,
    to: StaffId,
    leads: &[LeadId],
    now: DateTime<Utc>,
) -> Result<()> {
    if leads.is_empty() {
        return Ok(());
    }
    lead::Entity::update_many()
        .col_expr(lead::Column::OwnerId, Expr::value(to))
        .col_expr(lead::Column::Version, Expr::col(lead::Column::Version).add(1))
        .col_expr(lead::Column::UpdatedAt, Expr::value(now))
        .filter(lead::Column::Id.is_in(leads.iter().copied()))
        .exec(tx)
        .await?;
    Ok(())
}

fn events(
    input: HandOver,
    rows: &[Model],
    leads: &[LeadId],
    actor: Actor,
    now: DateTime<Utc>,
) -> Vec<NewEvent> {
    let (from, to) = (input.from_id.to_string(), input.to_id.to_string());
    let of_lead = |lead_id: &LeadId| {
        NewEvent::new(*lead_id, LeadEventKind::Assigned, actor, now)
            .with("fromTeamId", input.team_id.to_string())
            .with("teamId", input.team_id.to_string())
            .with("fromOwnerId", from.as_str())
            .with("ownerId", to.as_str())
    };
    let of_work = |row| changed_event(row, "ASSIGNED", actor, now).with("assigneeId", to.as_str());
    leads
        .iter()
        .map(of_lead)
        .chain(rows.iter().map(of_work))
        .collect()
}
