//! Writing a new sequence, as a draft.

use entity::campaign;
use entity::enums::Purpose;
use entity::id::{CampaignId, SequenceVersionId};
use entity::sequence::{self, Model, SequenceState};
use entity::sequence_version::{self, Exits, Steps, Trigger};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::publish::Content;
use super::steps;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::outreach::plan::not_for_mails;
use crate::viewer::Viewer;

/// Longest name, in characters.
pub const MAX_NAME_CHARS: usize = 120;

/// A sequence to be written.
#[derive(Clone, Debug)]
pub struct CreateSequence {
    /// The name that people read.
    pub name: String,
    /// What its mails are for. It never changes, because consent is asked per purpose.
    pub purpose: Purpose,
    /// The campaign whose pause holds it too.
    pub campaign_id: Option<CampaignId>,
    /// Whether its mails ask people to come who would not have, and so wait for capacity.
    pub demand_making: bool,
    /// When a lead is enrolled.
    pub trigger: Trigger,
    /// The steps. A draft may still have faults; publishing finds them.
    pub steps: Steps,
    /// What ends it early.
    pub exits: Exits,
}

/// Writes a sequence as a draft, with its first version.
///
/// # Errors
/// [`Error::Missing`] for a viewer without a role; [`Error::Refused`] when the name is empty, too long or taken, the
/// campaign does not exist, or there are too many steps.
pub async fn create(h: &Hospital, viewer: &Viewer, input: CreateSequence) -> Result<Done<Model>> {
    if viewer.role().is_none() {
        return Err(Error::Missing { noun: "sequence" });
    }
    let now = h.now();
    let tx = db::begin_write(&h.db).await?;
    let name = input.name.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut refusals = Vec::new();
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
        refusals.push(Refusal::new(
            Code::Invalid,
            "name",
            "A name has 1 to 120 characters.",
        ));
    } else if sequence::Entity::find()
        .filter(sequence::Column::Name.eq(&name))
        .count(&tx)
        .await?
        > 0
    {
        refusals.push(Refusal::new(
            Code::AlreadyExists,
            "name",
            "A sequence has this name already.",
        ));
    }
    if let Some(id) = input.campaign_id
        && campaign::Entity::find_by_id(id).one(&tx).await?.is_none()
    {
        refusals.push(Refusal::new(
            Code::NotFound,
            "campaignId",
            "There is no such campaign.",
        ));
    }
    refusals.extend(not_for_mails(input.purpose, "purpose"));
    refusals.extend(steps::too_many(&input.steps));
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let row = sequence::ActiveModel {
        id: Set(new_id(now)),
        name: Set(name),
        state: Set(SequenceState::Draft),
        purpose: Set(input.purpose),
        campaign_id: Set(input.campaign_id),
        demand_making: Set(input.demand_making),
        current_version_id: Set(None),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let row = row.insert(&tx).await?;
    let content = Content {
        trigger: input.trigger,
        steps: input.steps,
        exits: input.exits,
    };
    version(row.id, 1, content, now).insert(&tx).await?;
    tx.commit().await?;
    Ok(Done::quiet(row))
}

/// An unpublished version.
pub(super) fn version(
    sequence_id: entity::id::SequenceId,
    number: i32,
    content: Content,
    now: chrono::DateTime<chrono::Utc>,
) -> sequence_version::ActiveModel {
    sequence_version::ActiveModel {
        id: Set(new_id::<SequenceVersionId>(now)),
        sequence_id: Set(sequence_id),
        number: Set(number),
        trigger: Set(content.trigger),
        steps: Set(content.steps),
        exits: Set(content.exits),
        published_at: Set(None),
        created_at: Set(now),
    }
}
