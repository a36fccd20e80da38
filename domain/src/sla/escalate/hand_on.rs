//! Leads go from owners who did nothing to other members of their teams, with the work that is open about them.

use std::collections::{BTreeSet, HashMap};

use entity::follow_up::{self, FollowUpState};
use entity::id::{LeadId, StaffId};
use entity::lead;
use entity::message::MessageKind;
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Value};

use super::{Taken, Takers};
use crate::db::each::update_each;
use crate::error::Result;
use crate::follow_up as follow_ups;
use crate::follow_up::build::{Pace, remind_at};
use crate::follow_up::change::put_back;
use crate::follow_up::changed_event;
use crate::outreach::staff_notice;
use crate::routing;
use crate::signal::Signal;
use crate::viewer::Actor;

/// Where a lead goes.
pub(super) struct HandedOn {
    /// To whom; none when anybody of the team can take it.
    pub(super) to: Option<StaffId>,
    /// Sentences that name nobody.
    pub(super) why: String,
    /// Whether mails about its follow-ups tell the new owner.
    pub(super) told: bool,
}

/// Gives each of these leads to the member of its team with the least open work who can take it and is not the present
/// owner; if there is none, to anybody of the team. The open follow-ups that were the owner's or nobody's go along.
pub(super) async fn hand_on(
    tx: &DatabaseTransaction,
    taken: &mut Taken<'_>,
    leads: &[&lead::Model],
) -> Result<Takers> {
    if leads.is_empty() {
        return Ok(HashMap::new());
    }
    let mut work = open_work(tx, leads).await?;
    let members: BTreeSet<StaffId> = leads
        .iter()
        .flat_map(|lead| routing::serving(taken.playbook, lead.team_id))
        .collect();
    let members: Vec<StaffId> = members.into_iter().collect();
    let mut load = routing::load(tx, taken.playbook, &members).await?;
    let mut takers = HashMap::with_capacity(leads.len());
    for lead in leads {
        let mut able = routing::serving(taken.playbook, lead.team_id);
        able.retain(|id| lead.owner_id != Some(*id));
        let choice = routing::choose(&able, taken.playbook, &load, taken.now);
        let rows = work.get(&lead.id).map_or(0, Vec::len);
        if let Some(owner) = choice.owner {
            *load.entry(owner).or_default() += i64::try_from(rows).unwrap_or(i64::MAX);
        }
        let handed_on = HandedOn {
            to: choice.owner,
            why: choice.why,
            told: rows > 0,
        };
        takers.insert(lead.id, handed_on);
    }
    write_owners(tx, taken, leads, &takers).await?;
    give_work(tx, taken, leads, &takers, &mut work).await?;
    Ok(takers)
}

/// The open follow-ups of the leads that go along, held.
async fn open_work(
    tx: &DatabaseTransaction,
    leads: &[&lead::Model],
) -> Result<HashMap<LeadId, Vec<follow_up::Model>>> {
    let owners: HashMap<LeadId, Option<StaffId>> =
        leads.iter().map(|lead| (lead.id, lead.owner_id)).collect();
    let found = follow_up::Entity::find()
        .filter(follow_up::Column::LeadId.is_in(owners.keys().copied()))
        .filter(follow_up::Column::State.eq(FollowUpState::Open))
        .order_by_asc(follow_up::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(tx)
        .await?;
    let mut work: HashMap<LeadId, Vec<follow_up::Model>> = HashMap::new();
    for row in found {
        let owner = owners.get(&row.lead_id).copied().flatten();
        if row.assignee_id.is_none() || row.assignee_id == owner {
            work.entry(row.lead_id).or_default().push(row);
        }
    }
    Ok(work)
}

async fn write_owners(
    tx: &DatabaseTransaction,
    taken: &Taken<'_>,
    leads: &[&lead::Model],
    takers: &Takers,
) -> Result<()> {
    let rows = leads
        .iter()
        .map(|lead| {
            let to = takers.get(&lead.id).and_then(|taker| taker.to);
            [Value::from(lead.id), Value::from(to)]
        })
        .collect();
    // The version rises: whoever is about to save the lead as it was reads it again first.
    let sql = "UPDATE lead SET taken_from_id = lead.owner_id, taken_back_at = $1, owner_id = v.column2, \
               version = lead.version + 1, updated_at = $1 FROM ({rows}) AS v WHERE lead.id = v.column1 RETURNING lead.id";
    update_each(tx, sql, vec![taken.now.into()], rows).await?;
    Ok(())
}

/// Gives the work to the new owners, with reminders and the mails about it.
async fn give_work(
    tx: &DatabaseTransaction,
    taken: &mut Taken<'_>,
    leads: &[&lead::Model],
    takers: &Takers,
    work: &mut HashMap<LeadId, Vec<follow_up::Model>>,
) -> Result<()> {
    let mut given = Vec::new();
    for lead in leads {
        let to = takers.get(&lead.id).and_then(|taker| taker.to);
        let before_mins = Pace::of(lead, taken.playbook).remind_before_mins;
        for mut row in work.remove(&lead.id).unwrap_or_default() {
            if row.assignee_id == to {
                continue;
            }
            put_back(&mut row);
            row.assignee_id = to;
            row.remind_at = remind_at(row.due_at, to, before_mins, taken.now);
            row.version += 1;
            given.push(row);
        }
    }
    follow_ups::write(tx, &given).await?;
    for row in &given {
        let assignee = row.assignee_id.map(|id| id.to_string());
        let event = changed_event(row, "ASSIGNED", Actor::SYSTEM, taken.now).with("assigneeId", assignee);
        taken.events.push(event);
        taken
            .signals
            .push(Signal::FollowUpChanged { follow_up_id: row.id });
        taken.notices.extend(staff_notice::to_assignee(
            &taken.h.site,
            taken.playbook,
            MessageKind::FollowUpAssigned,
            row,
            Actor::SYSTEM,
            taken.now,
        ));
    }
    Ok(())
}
