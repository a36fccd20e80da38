//! What the engine has to know of a batch, read in one statement per table.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use entity::campaign::CampaignState;
use entity::enrollment::Model;
use entity::id::{CampaignId, ContactId, LeadId, SequenceId, SequenceVersionId};
use entity::sequence::SequenceState;
use entity::{campaign, contact, lead, sequence, sequence_version};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};

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
    pub(super) async fn read(tx: &DatabaseTransaction, playbook: &Playbook, due: &[Model]) -> Result<Self> {
        let leads = ids(due, |row| row.lead_id);
        let contacts = ids(due, |row| row.contact_id);
        let sequences = ids(due, |row| row.sequence_id);
        let leads = lead::Entity::find()
            .filter(lead::Column::Id.is_in(leads))
            .all(tx)
            .await?;
        let contacts = contact::Entity::find()
            .filter(contact::Column::Id.is_in(contacts))
            .all(tx)
            .await?;
        let sequences = sequence::Entity::find()
            .filter(sequence::Column::Id.is_in(sequences))
            .all(tx)
            .await?;
        let campaigns: Vec<CampaignId> = sequences.iter().filter_map(|row| row.campaign_id).collect();
        Ok(Self {
            leads: by_id(leads, |row| row.id),
            contacts: by_id(contacts, |row| row.id),
            paused_campaigns: paused(tx, campaigns).await?,
            sequences: by_id(sequences, |row| row.id),
            versions: find::versions(tx, playbook, ids(due, |row| row.sequence_version_id)).await?,
        })
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

/// The ids that a batch names, each once.
fn ids<Id: Copy + Ord>(due: &[Model], id: impl Fn(&Model) -> Id) -> Vec<Id> {
    let mut ids: Vec<Id> = due.iter().map(id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn by_id<Id: Eq + Hash, Row>(rows: Vec<Row>, id: impl Fn(&Row) -> Id) -> HashMap<Id, Row> {
    rows.into_iter().map(|row| (id(&row), row)).collect()
}
