//! A campaign's plan is changed.

use chrono::NaiveDate;
use entity::campaign::{CampaignState, Model};
use entity::enums::Channel;
use entity::id::{CampaignId, ServiceLineId};
use entity::{campaign_service_line, campaign_spend, placement};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter,
};

use super::create::{place, promote};
use super::find;
use super::read::{self, NewPlacement, PLACEMENTS_MAX};
use crate::audit;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::lead::note;
use crate::nudge::Subject;
use crate::outreach::release::{self, Released};
use crate::patch::Patch;
use crate::playbook::{self, Playbook};
use crate::viewer::Viewer;

/// A change of a campaign's plan; what is not said stays. Its code stays always, because it is printed and linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateCampaign {
    /// The campaign.
    pub id: CampaignId,
    /// The version that was read, to find out if somebody was faster.
    pub version: Option<i64>,
    /// The name that people read.
    pub name: Option<String>,
    /// Where it runs.
    pub channel: Option<Channel>,
    /// All service lines that it promotes from now on.
    pub service_line_ids: Option<Vec<ServiceLineId>>,
    /// What it is for.
    pub goal: Patch<String>,
    /// First day.
    pub starts_on: Patch<NaiveDate>,
    /// Last day.
    pub ends_on: Patch<NaiveDate>,
    /// Budget in minor units of the currency.
    pub budget_minor: Patch<i64>,
    /// ISO 4217 code; it stays once spend is recorded in it.
    pub currency: Option<String>,
    /// Whether its mails ask people to come who would not have, and so wait for capacity.
    pub demand_making: Option<bool>,
    /// Placements to add. Existing ones stay, because leads name them.
    pub add_placements: Vec<NewPlacement>,
}

impl UpdateCampaign {
    /// A change of nothing yet.
    pub const fn of(id: CampaignId) -> Self {
        Self {
            id,
            version: None,
            name: None,
            channel: None,
            service_line_ids: None,
            goal: Patch::Keep,
            starts_on: Patch::Keep,
            ends_on: Patch::Keep,
            budget_minor: Patch::Keep,
            currency: None,
            demand_making: None,
            add_placements: Vec::new(),
        }
    }
}

/// Changes a campaign's plan.
///
/// # Errors
/// When the campaign is not visible or has another version; every refusal at once; or a fault of the database.
pub async fn update(h: &Hospital, viewer: &Viewer, input: UpdateCampaign) -> Result<Done<Model>> {
    let playbook = h.playbook().await?;
    let tx = db::begin_write(&h.db).await?;
    let before = find::for_change(&tx, viewer, input.id).await?;
    same_version(&before, input.version)?;
    let plan = check(&tx, &before, input, &playbook).await?;
    let now = h.now();
    let id = before.id;
    if let Some(lines) = &plan.lines {
        campaign_service_line::Entity::delete_many()
            .filter(campaign_service_line::Column::CampaignId.eq(id))
            .exec(&tx)
            .await?;
        promote(&tx, id, lines).await?;
    }
    place(&tx, id, "addPlacements", plan.placements, now).await?;
    let mut row = before.clone().into_active_model();
    row.name = Set(plan.after.name);
    row.channel = Set(plan.after.channel);
    row.goal = Set(plan.after.goal);
    row.starts_on = Set(plan.after.starts_on);
    row.ends_on = Set(plan.after.ends_on);
    row.budget_minor = Set(plan.after.budget_minor);
    row.currency = Set(plan.after.currency);
    row.demand_making = Set(plan.after.demand_making);
    row.version = Set(before.version + 1);
    row.updated_at = Set(now);
    let after = row.update(&tx).await?;
    audit::record(viewer.actor(), "campaign.update", Some(&id), None, now)
        .insert(&tx)
        .await?;
    playbook::changed(&tx).await?;
    let held_by = |plan: &Model| {
        (
            plan.starts_on,
            plan.ends_on,
            plan.budget_minor,
            plan.demand_making,
        )
    };
    let may_release = held_by(&before) != held_by(&after);
    if may_release {
        release::note(&tx, Released::Campaign(id), now).await?;
    }
    tx.commit().await?;
    Ok(Done {
        value: after,
        signals: Vec::new(),
        nudges: may_release.then_some(Subject::BulkMail).into_iter().collect(),
    })
}

/// Refuses a change of a version that is no more.
pub(super) fn same_version(campaign: &Model, version: Option<i64>) -> Result<()> {
    if version.is_some_and(|version| version != campaign.version) {
        let message = "The campaign has changed since you read it; read it again.";
        return Err(Error::refused(Code::VersionConflict, "version", message));
    }
    Ok(())
}

/// What is to be written.
struct Plan {
    after: Model,
    lines: Option<Vec<ServiceLineId>>,
    placements: Vec<NewPlacement>,
}

async fn check(
    tx: &DatabaseTransaction,
    before: &Model,
    input: UpdateCampaign,
    playbook: &Playbook,
) -> Result<Plan> {
    let mut refusals = Vec::new();
    let mut after = before.clone();
    if let Some(name) = input.name {
        after.name = read::name("name", &name, &mut refusals);
    }
    if let Some(channel) = input.channel {
        after.channel = channel;
    }
    if let Some(demand_making) = input.demand_making {
        after.demand_making = demand_making;
    }
    if let Patch::Set(goal) = &input.goal
        && let Err(refusal) = note::check("goal", Some(goal.clone()))
    {
        refusals.push(refusal);
    }
    after.goal = input
        .goal
        .apply(after.goal)
        .map(|goal| goal.trim().to_owned())
        .filter(|goal| !goal.is_empty());
    after.starts_on = input.starts_on.apply(after.starts_on);
    after.ends_on = input.ends_on.apply(after.ends_on);
    read::days(after.starts_on, after.ends_on, &mut refusals);
    after.budget_minor = input.budget_minor.apply(after.budget_minor);
    read::budget(after.budget_minor, &mut refusals);
    if let Some(currency) = input.currency {
        after.currency = read::currency("currency", &currency, &mut refusals);
        refuse_other_currency(tx, before, &after, &mut refusals).await?;
    }
    let lines = input
        .service_line_ids
        .map(|ids| read::lines(ids, playbook, &mut refusals));
    if before.state == CampaignState::Live && lines.as_ref().is_some_and(Vec::is_empty) {
        let message = "A live campaign promotes at least one service line.";
        refusals.push(Refusal::new(Code::Required, "serviceLineIds", message));
    }
    let placements = read::placements("addPlacements", input.add_placements, &mut refusals);
    read::refuse_taken(tx, "addPlacements", &placements, &mut refusals).await?;
    refuse_too_many(tx, before.id, placements.len(), &mut refusals).await?;
    if refusals.is_empty() {
        Ok(Plan {
            after,
            lines,
            placements,
        })
    } else {
        Err(Error::Refused(refusals))
    }
}

async fn refuse_too_many(
    tx: &DatabaseTransaction,
    id: CampaignId,
    added: usize,
    refusals: &mut Vec<Refusal>,
) -> Result<()> {
    if added > 0 {
        let there = placement::Entity::find()
            .filter(placement::Column::CampaignId.eq(id))
            .count(tx)
            .await?;
        if usize::try_from(there).unwrap_or(usize::MAX).saturating_add(added) > PLACEMENTS_MAX {
            let message = "A campaign has at most 200 placements.";
            refusals.push(Refusal::new(Code::TooLarge, "addPlacements", message));
        }
    }
    Ok(())
}

/// Money that was spent in one currency does not become money of another by an edit.
async fn refuse_other_currency(
    tx: &DatabaseTransaction,
    before: &Model,
    after: &Model,
    refusals: &mut Vec<Refusal>,
) -> Result<()> {
    if before.currency != after.currency {
        let of_it = campaign_spend::Column::CampaignId.eq(before.id);
        if campaign_spend::Entity::find()
            .filter(of_it)
            .one(tx)
            .await?
            .is_some()
        {
            let message = "The currency stays: spend is recorded in it.";
            refusals.push(Refusal::new(Code::NotAllowedNow, "currency", message));
        }
    }
    Ok(())
}
