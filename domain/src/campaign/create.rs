//! A campaign is planned.

use chrono::{DateTime, NaiveDate, Utc};
use entity::campaign::{ActiveModel, CampaignState, Model};
use entity::enums::Channel;
use entity::id::{CampaignId, ServiceLineId};
use entity::{campaign_service_line, placement};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, DbErr, EntityTrait, SqlErr};

use super::read::{self, NewPlacement};
use crate::audit;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::lead::note;
use crate::playbook::{self, Playbook};
use crate::viewer::Viewer;

/// A campaign to plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateCampaign {
    /// Code in links and lists: letters, digits and single hyphens; kept in lower case. Unique.
    pub code: String,
    /// The name that people read.
    pub name: String,
    /// Where it runs.
    pub channel: Channel,
    /// The service lines that it promotes.
    pub service_line_ids: Vec<ServiceLineId>,
    /// What it is for, at most [`note::MAX_CHARS`] characters.
    pub goal: Option<String>,
    /// First day.
    pub starts_on: Option<NaiveDate>,
    /// Last day.
    pub ends_on: Option<NaiveDate>,
    /// Budget in minor units of the currency.
    pub budget_minor: Option<i64>,
    /// ISO 4217 code.
    pub currency: String,
    /// Whether its mails ask people to come who would not have, and so wait for capacity.
    pub demand_making: bool,
    /// The pieces of it that can be answered.
    pub placements: Vec<NewPlacement>,
}

/// Plans a campaign, as a draft.
///
/// # Errors [`Error::Missing`] for a viewer without a role; every refusal at once, [`Code::AlreadyExists`] for a
/// code, source code or number that is taken; or a fault of the database.
pub async fn create(h: &Hospital, viewer: &Viewer, input: CreateCampaign) -> Result<Done<Model>> {
    if viewer.role().is_none() {
        return Err(Error::Missing { noun: "campaign" });
    }
    let playbook = h.playbook().await?;
    let tx = db::begin_write(&h.db).await?;
    let input = check(&tx, input, &playbook).await?;
    let now = h.now();
    let campaign = row(&input, now).insert(&tx).await.map_err(code_taken)?;
    promote(&tx, campaign.id, &input.service_line_ids).await?;
    place(&tx, campaign.id, "placements", input.placements, now).await?;
    audit::record(viewer.actor(), "campaign.create", Some(&campaign.id), None, now)
        .insert(&tx)
        .await?;
    playbook::changed(&tx).await?;
    tx.commit().await?;
    Ok(Done::quiet(campaign))
}

async fn check(
    tx: &DatabaseTransaction,
    mut input: CreateCampaign,
    playbook: &Playbook,
) -> Result<CreateCampaign> {
    let mut refusals = Vec::new();
    input.code = read::code("code", &input.code, &mut refusals);
    input.name = read::name("name", &input.name, &mut refusals);
    input.currency = read::currency("currency", &input.currency, &mut refusals);
    input.service_line_ids = read::lines(input.service_line_ids, playbook, &mut refusals);
    input.goal = note::check("goal", input.goal).unwrap_or_else(|refusal| {
        refusals.push(refusal);
        None
    });
    read::days(input.starts_on, input.ends_on, &mut refusals);
    read::budget(input.budget_minor, &mut refusals);
    input.placements = read::placements("placements", input.placements, &mut refusals);
    read::refuse_taken(tx, "placements", &input.placements, &mut refusals).await?;
    if refusals.is_empty() {
        Ok(input)
    } else {
        Err(Error::Refused(refusals))
    }
}

fn row(input: &CreateCampaign, now: DateTime<Utc>) -> ActiveModel {
    ActiveModel {
        id: Set(new_id(now)),
        code: Set(input.code.clone()),
        name: Set(input.name.clone()),
        channel: Set(input.channel),
        state: Set(CampaignState::Draft),
        goal: Set(input.goal.clone()),
        starts_on: Set(input.starts_on),
        ends_on: Set(input.ends_on),
        budget_minor: Set(input.budget_minor),
        currency: Set(input.currency.clone()),
        demand_making: Set(input.demand_making),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    }
}

fn code_taken(error: DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::refused(
            Code::AlreadyExists,
            "code",
            "Another campaign has this code already.",
        ),
        _ => error.into(),
    }
}

/// Writes down which lines a campaign promotes.
pub(super) async fn promote(tx: &DatabaseTransaction, id: CampaignId, lines: &[ServiceLineId]) -> Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let row = |line: &ServiceLineId| campaign_service_line::ActiveModel {
        campaign_id: Set(id),
        service_line_id: Set(*line),
    };
    campaign_service_line::Entity::insert_many(lines.iter().map(row))
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Adds placements. They were looked for before, so one that is taken now was taken at this very moment.
pub(super) async fn place(
    tx: &DatabaseTransaction,
    id: CampaignId,
    field: &str,
    placements: Vec<NewPlacement>,
    now: DateTime<Utc>,
) -> Result<()> {
    if placements.is_empty() {
        return Ok(());
    }
    let rows = placements
        .into_iter()
        .map(|placement| read::placement_row(id, placement, now));
    match placement::Entity::insert_many(rows)
        .exec_without_returning(tx)
        .await
    {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Error::refused(
                Code::AlreadyExists,
                field,
                "Another placement has one of these codes or numbers.",
            ),
            _ => error.into(),
        }),
    }
}
