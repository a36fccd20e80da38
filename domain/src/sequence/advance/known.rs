//! What the engine has to know of a batch, read in one statement per table.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::appointment::AppointmentState;
use entity::campaign::CampaignState;
use entity::enrollment::Model;
use entity::enums::Purpose;
use entity::id::{CampaignId, ContactId, LeadId, SequenceId, SequenceVersionId};
use entity::sequence::SequenceState;
use entity::sequence_version::{Action, Step};
use entity::{appointment, campaign, contact, lead, sequence, sequence_version};
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::error::Result;
use crate::playbook::Playbook;
use crate::sequence::find;

/// The rows that a batch of enrollments names. Pauses are read here and not from the playbook: a pause holds from the
/// moment at which it is committed.
#[derive(Default)]
pub(super) struct Known {
    leads: HashMap<LeadId, lead::Model>,
    contacts: HashMap<ContactId, contact::Model>,
    sequences: HashMap<SequenceId, sequence::Model>,
    paused_campaigns: HashSet<CampaignId>,
    versions: HashMap<SequenceVersionId, Arc<sequence_version::Model>>,
    /// When the next booked visit of each lead begins that a sequence of reminders is about.
    visits: HashMap<LeadId, DateTime<Utc>>,
}

/// All that concerns one enrollment.
pub(super) struct About<'k> {
    pub(super) lead: &'k lead::Model,
    pub(super) contact: &'k contact::Model,
    pub(super) sequence: &'k sequence::Model,
    pub(super) version: &'k sequence_version::Model,
    pub(super) paused: bool,
}

impl Known {
    pub(super) async fn read(
        tx: &DatabaseTransaction,
        playbook: &Playbook,
        due: &[Model],
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let all: Vec<&Model> = due.iter().collect();
        let versions = find::versions(tx, playbook, ids(&all, |row| row.sequence_version_id)).await?;
        let (changing, still): (Vec<&Model>, Vec<&Model>) = due.iter().partition(|row| {
            versions
                .get(&row.sequence_version_id)
                .is_some_and(|v| may_change_lead(v))
        });
        let leads = leads(
            tx,
            ids(&changing, |row| row.lead_id),
            ids(&still, |row| row.lead_id),
        )
        .await?;
        let contacts = ids(&all, |row| row.contact_id);
        let sequences = ids(&all, |row| row.sequence_id);
        let contacts = contact::Entity::find()
            .filter(contact::Column::Id.is_in(contacts))
            .all(tx)
            .await?;
        let sequences = sequence::Entity::find()
            .filter(sequence::Column::Id.is_in(sequences))
            .all(tx)
            .await?;
        let campaigns: Vec<CampaignId> = sequences.iter().filter_map(|row| row.campaign_id).collect();
        let reminding: HashSet<SequenceId> = sequences
            .iter()
            .filter(|row| row.purpose == Purpose::Reminder)
            .map(|row| row.id)
            .collect();
        let reminded: Vec<&Model> = due
            .iter()
            .filter(|row| reminding.contains(&row.sequence_id))
            .collect();
        Ok(Self {
            visits: visits(tx, ids(&reminded, |row| row.lead_id), now).await?,
            leads: by_id(leads, |row| row.id),
            contacts: by_id(contacts, |row| row.id),
            paused_campaigns: paused(tx, campaigns).await?,
            sequences: by_id(sequences, |row| row.id),
            versions,
        })
    }

    /// Whether somebody else is changing the lead of this enrollment, which a step of its sequence may change too.
    pub(super) fn is_lead_held(&self, enrollment: &Model) -> bool {
        let version = self.versions.get(&enrollment.sequence_version_id);
        version.is_some_and(|version| may_change_lead(version))
            && !self.leads.contains_key(&enrollment.lead_id)
    }

    /// When the visit begins that a reminder of this enrollment is about; none for other mails.
    pub(super) fn visit_to_remind_of(&self, about: &About<'_>) -> Option<DateTime<Utc>> {
        let reminds = about.sequence.purpose == Purpose::Reminder;
        self.visits.get(&about.lead.id).copied().filter(|_| reminds)
    }

    /// All that concerns this enrollment; none when something is gone that foreign keys should have kept.
    pub(super) fn about(&self, enrollment: &Model) -> Option<About<'_>> {
        let sequence = self.sequences.get(&enrollment.sequence_id)?;
        let campaign_paused = sequence
            .campaign_id
            .is_some_and(|id| self.paused_campaigns.contains(&id));
        Some(About {
            lead: self.leads.get(&enrollment.lead_id)?,
            contact: self.contacts.get(&enrollment.contact_id)?,
            sequence,
            version: self.versions.get(&enrollment.sequence_version_id)?,
            paused: campaign_paused || sequence.state == SequenceState::Paused,
        })
    }
}

/// Whether a version has a step that changes the lead.
fn may_change_lead(version: &sequence_version::Model) -> bool {
    let changes = |step: &Step| matches!(step.action, Action::UpdateLead { .. });
    version.steps.0.iter().any(changes)
}

/// The leads of a batch; those that may be changed are held. Whoever changes a lead holds it and waits for its
/// enrollments, which are held here: so a lead that somebody holds is passed over and not waited for.
async fn leads(
    tx: &DatabaseTransaction,
    changing: Vec<LeadId>,
    still: Vec<LeadId>,
) -> Result<Vec<lead::Model>> {
    let find = |ids: Vec<LeadId>| lead::Entity::find().filter(lead::Column::Id.is_in(ids));
    let mut found = Vec::new();
    // Read first: what is held is read again, as it then is.
    if !still.is_empty() {
        let still = still.into_iter().filter(|id| !changing.contains(id)).collect();
        found = find(still).all(tx).await?;
    }
    if !changing.is_empty() {
        let held = find(changing)
            .order_by_asc(lead::Column::Id)
            // SQLite has one writer at a time and leaves this out.
            .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
            .all(tx)
            .await?;
        found.extend(held);
    }
    Ok(found)
}

async fn paused(tx: &DatabaseTransaction, ids: Vec<CampaignId>) -> Result<HashSet<CampaignId>> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let paused: Vec<CampaignId> = campaign::Entity::find()
        .select_only()
        .column(campaign::Column::Id)
        .filter(campaign::Column::Id.is_in(ids))
        .filter(campaign::Column::State.eq(CampaignState::Paused))
        .into_tuple()
        .all(tx)
        .await?;
    Ok(paused.into_iter().collect())
}

/// When the next booked visit of each lead begins.
async fn visits(
    tx: &DatabaseTransaction,
    leads: Vec<LeadId>,
    now: DateTime<Utc>,
) -> Result<HashMap<LeadId, DateTime<Utc>>> {
    if leads.is_empty() {
        return Ok(HashMap::new());
    }
    let booked: Vec<(LeadId, DateTime<Utc>)> = appointment::Entity::find()
        .select_only()
        .columns([appointment::Column::LeadId, appointment::Column::StartsAt])
        .filter(appointment::Column::LeadId.is_in(leads))
        .filter(appointment::Column::State.eq(AppointmentState::Booked))
        .filter(appointment::Column::StartsAt.gt(now))
        .order_by_desc(appointment::Column::StartsAt)
        .into_tuple()
        .all(tx)
        .await?;
    // The soonest comes last and stays.
    Ok(booked.into_iter().collect())
}

/// The ids that a batch names, each once.
fn ids<Id: Copy + Ord>(due: &[&Model], id: impl Fn(&Model) -> Id) -> Vec<Id> {
    let mut ids: Vec<Id> = due.iter().map(|row| id(row)).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn by_id<Id: Eq + Hash, Row>(rows: Vec<Row>, id: impl Fn(&Row) -> Id) -> HashMap<Id, Row> {
    rows.into_iter().map(|row| (id(&row), row)).collect()
}
