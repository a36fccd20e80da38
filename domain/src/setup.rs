//! How an installation gets its configuration: one document that names things by slug or key.
//!
//! [`apply`] reads it against what is there and brings the one in line with the other. It adds and changes and never
//! deletes: history points at whatever was there. Texts that people saw or agreed to are never changed either; a new
//! text is a new version. Applying the same document twice changes nothing.

mod campaigns;
mod desk;
mod document;
mod forms;
mod known;
mod mail;
mod outreach;
mod places;
mod plan;
mod profiles;
mod rubrics;
pub(crate) mod rules;
mod scripts;
mod sequences;
mod services;
mod skills;
pub(crate) mod write;

#[cfg(test)]
mod tests;

use std::fmt;

use chrono::{DateTime, Utc};
use entity::{appointment, team};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QuerySelect,
};

use crate::capacity;
use crate::db;
use crate::error::{Error, Result};
use crate::hospital::Hospital;
use crate::outreach::release::{self, Released};
use crate::playbook;
use crate::rule_set;
use crate::sequence::dates;

pub use document::{
    BodySetup, CampaignSetup, ChecklistSetup, DepartmentSetup, FacilitySetup, FollowUpTemplateSetup,
    FormSetup, FrequencyCapSetup, LayoutSetup, PlacementSetup, ProfileSetup, RetentionSetup, RoutingSetup,
    RubricSetup, ScoringSetup, ScriptSetup, SendWindowSetup, SequenceSetup, ServiceLineSetup, Setup,
    SlaSetup, StaffSetup, TeamSetup, TemplateSetup, Text, WordingSetup,
};

/// What was done to the rows of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// The kind, for example `service lines`.
    pub noun: &'static str,
    /// New rows.
    pub made: usize,
    /// Rows that differ from before.
    pub changed: usize,
    /// Rows that were so already.
    pub same: usize,
}

/// What came of applying a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// One count per kind that the document names.
    pub counts: Vec<Count>,
}

impl Applied {
    /// Whether anything is different from before.
    #[must_use]
    pub fn changed_anything(&self) -> bool {
        self.counts.iter().any(|count| count.made + count.changed > 0)
    }
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Count {
            noun,
            made,
            changed,
            same,
        } in &self.counts
        {
            writeln!(f, "{noun}: {made} new, {changed} changed, {same} as before")?;
        }
        Ok(())
    }
}

/// Brings the installation in line with the document, in one transaction.
///
/// # Errors
/// [`Error::Refused`] with everything that is wrong, each with its path in the document, for example
/// `forms.2.fields.0.name`; nothing is written then. Faults of the database.
pub async fn apply(h: &Hospital, setup: &Setup) -> Result<Applied> {
    let passwords = write::hash_passwords(h, setup).await?;
    // The places of visits that are booked were there before. Read before the transaction, which may hold the only
    // connection; where nothing is booked, there may be nothing to read either.
    let before = match appointment::Entity::find().limit(1).one(&h.db).await? {
        Some(_) => Some(h.playbook().await?),
        None => None,
    };
    let tx = db::begin_write(&h.db).await?;
    let known = known::read(&tx).await?;
    let rows = plan::plan(setup, &known, &passwords, h.now()).map_err(Error::Refused)?;
    let applied = rows.applied();
    if applied.changed_anything() {
        let published = rows.sequence_versions.made.clone();
        let no_demand = no_demand_any_more(&known, &rows);
        let changed_lines: Vec<_> = rows.lines.changed.iter().map(|line| line.id).collect();
        write::write(&tx, rows).await?;
        rule_set::follow::follow(&tx, h.now()).await?;
        if let Some(playbook) = &before {
            for version in published.iter().filter(|version| version.trigger.date.is_some()) {
                dates::of_booked(&tx, playbook, version.sequence_id, &version.trigger, h.now()).await?;
            }
        }
        capacity::reckon_anew(&tx, &changed_lines, h.now()).await?;
        for released in no_demand {
            release::note(&tx, released, h.now()).await?;
        }
        playbook::changed(&tx).await?;
    }
    tx.commit().await?;
    Ok(applied)
}

/// The rules of a document as rows, with the ids of the rules that are there and have their names.
///
/// # Errors
/// [`Error::Refused`] with everything that is wrong, each with its path in the document. Faults of the database.
pub(crate) async fn rule_rows(
    tx: &DatabaseTransaction,
    setup: &Setup,
    now: DateTime<Utc>,
) -> Result<rules::RuleRows> {
    let known = known::read(tx).await?;
    plan::rules_alone(setup, &known, now).map_err(Error::Refused)
}

/// Campaigns and sequences whose mails need not wait for capacity any more.
fn no_demand_any_more(known: &known::Known, rows: &plan::Planned) -> Vec<Released> {
    let campaigns = rows.campaigns.changed.iter().filter(|row| !row.demand_making);
    let campaigns = campaigns.filter(|row| {
        known
            .campaigns
            .iter()
            .any(|was| was.id == row.id && was.demand_making)
    });
    let sequences = rows.sequences.changed.iter().filter(|row| !row.demand_making);
    let sequences = sequences.filter(|row| {
        known
            .sequences
            .iter()
            .any(|was| was.id == row.id && was.demand_making)
    });
    campaigns
        .map(|row| Released::Campaign(row.id))
        .chain(sequences.map(|row| Released::Sequence(row.id)))
        .collect()
}

/// Makes sure that there is a team for what no rule can place. Called at every start, after the migrations: nothing
/// can be received without it.
///
/// # Errors
/// Faults of the database.
pub async fn ensure_review_team(h: &Hospital) -> Result<()> {
    let tx = db::begin_write(&h.db).await?;
    if team::Entity::find()
        .filter(team::Column::IsReview.eq(true))
        .count(&tx)
        .await?
        == 0
    {
        let taken = team::Entity::find()
            .filter(team::Column::Slug.eq(places::REVIEW_SLUG))
            .one(&tx)
            .await?;
        match taken {
            // A team of this name that lost its mark gets it back; a second one could not be told from it.
            Some(team) => {
                write::update(
                    &tx,
                    vec![team::Model {
                        is_review: true,
                        ..team
                    }],
                )
                .await?;
            }
            None => {
                let row = places::review_team(h.now()).into_active_model();
                team::Entity::insert(row).exec_without_returning(&tx).await?;
            }
        }
        playbook::changed(&tx).await?;
    }
    tx.commit().await?;
    Ok(())
}
