//! Campaigns are planned, launched and paused; what they cost is written down.

use async_graphql::{Context, Error, ID, InputObject, MaybeUndefined, Object};
use domain::campaign;
use entity::campaign_spend;
use entity::id::ServiceLineId;

use super::{at_input, edit, outcome, read_id};
use crate::graphql::ask::Ask;
use crate::graphql::campaign::{Campaign, Money};
use crate::graphql::scalars::Date;
use crate::graphql::vocabulary::{Channel, PlacementKind};

type DomainResult<T> = domain::error::Result<T>;

/// A placement to add to a campaign.
#[derive(InputObject)]
pub struct PlacementInput {
    /// The name that people read.
    name: String,
    /// What it is.
    kind: PlacementKind,
    /// Code by which answers name it: letters, digits and single hyphens; kept in capitals. Unique.
    source_code: Option<String>,
    /// Path of the page it leads to, such as `/sleep`; without a query.
    landing_page: Option<String>,
    /// Its own phone number. Unique.
    tracking_number: Option<String>,
}

impl From<PlacementInput> for campaign::NewPlacement {
    fn from(input: PlacementInput) -> Self {
        Self {
            name: input.name,
            kind: input.kind.into(),
            source_code: input.source_code,
            landing_page: input.landing_page,
            tracking_number: input.tracking_number,
        }
    }
}

/// A campaign to plan.
#[derive(InputObject)]
pub struct CreateCampaignInput {
    /// Code in links and lists: letters, digits and single hyphens, for example `sleep-study-fall`. Unique.
    code: String,
    /// The name that people read.
    name: String,
    /// Where it runs.
    channel: Channel,
    /// The service lines that it promotes.
    #[graphql(default)]
    service_line_ids: Vec<ID>,
    /// What it is for, in words.
    goal: Option<String>,
    /// First day.
    starts_on: Option<Date>,
    /// Last day.
    ends_on: Option<Date>,
    /// Budget in minor units of the currency, for example cents.
    budget_minor: Option<i64>,
    /// ISO 4217 code.
    #[graphql(default = "USD")]
    currency: String,
    /// Whether its mails ask people to come who would not have, and so wait for capacity.
    #[graphql(default)]
    demand_making: bool,
    /// Pieces of it that can be answered; at most 200.
    #[graphql(default)]
    placements: Vec<PlacementInput>,
}

impl CreateCampaignInput {
    fn read(self) -> DomainResult<campaign::CreateCampaign> {
        Ok(campaign::CreateCampaign {
            code: self.code,
            name: self.name,
            channel: self.channel.into(),
            service_line_ids: lines(&self.service_line_ids)?,
            goal: self.goal,
            starts_on: self.starts_on.map(|day| day.0),
            ends_on: self.ends_on.map(|day| day.0),
            budget_minor: self.budget_minor,
            currency: self.currency,
            demand_making: self.demand_making,
            placements: self.placements.into_iter().map(Into::into).collect(),
        })
    }
}

/// Corrections of a campaign. What is not sent stays; null empties what may be empty. The code never changes: it stands
/// in links that are out.
#[derive(InputObject)]
pub struct UpdateCampaignInput {
    /// The campaign.
    campaign_id: ID,
    /// The version that was read: if the campaign has changed since, nothing is done.
    version: Option<i64>,
    /// The name that people read. Null leaves it.
    name: Option<String>,
    /// Where it runs. Null leaves it.
    channel: Option<Channel>,
    /// All service lines that it promotes. Null leaves them.
    service_line_ids: Option<Vec<ID>>,
    /// What it is for, in words.
    goal: MaybeUndefined<String>,
    /// First day.
    starts_on: MaybeUndefined<Date>,
    /// Last day.
    ends_on: MaybeUndefined<Date>,
    /// Budget in minor units of the currency.
    budget_minor: MaybeUndefined<i64>,
    /// ISO 4217 code. Null leaves it.
    currency: Option<String>,
    /// Whether its mails ask people to come who would not have, and so wait for capacity. Null leaves it.
    demand_making: Option<bool>,
    /// Placements to add.
    #[graphql(default)]
    add_placements: Vec<PlacementInput>,
}

impl UpdateCampaignInput {
    fn read(self) -> DomainResult<campaign::UpdateCampaign> {
        Ok(campaign::UpdateCampaign {
            version: self.version,
            name: self.name,
            channel: self.channel.map(Into::into),
            service_line_ids: self.service_line_ids.as_deref().map(lines).transpose()?,
            goal: edit(self.goal),
            starts_on: edit(self.starts_on).map(|day| day.0),
            ends_on: edit(self.ends_on).map(|day| day.0),
            budget_minor: edit(self.budget_minor),
            currency: self.currency,
            demand_making: self.demand_making,
            add_placements: self.add_placements.into_iter().map(Into::into).collect(),
            ..campaign::UpdateCampaign::of(read_id("campaignId", &self.campaign_id)?)
        })
    }
}

fn lines(ids: &[ID]) -> DomainResult<Vec<ServiceLineId>> {
    ids.iter()
        .enumerate()
        .map(|(place, id)| read_id(&format!("serviceLineIds.{place}"), id))
        .collect()
}

/// A campaign to launch.
#[derive(InputObject)]
pub struct LaunchCampaignInput {
    /// The campaign, a draft or a paused one.
    campaign_id: ID,
    /// The version that was read: if the campaign has changed since, nothing is done.
    version: Option<i64>,
}

/// A campaign to pause.
#[derive(InputObject)]
pub struct PauseCampaignInput {
    /// The campaign, a live one.
    campaign_id: ID,
    /// The version that was read: if the campaign has changed since, nothing is done.
    version: Option<i64>,
}

/// What a campaign cost on a day.
#[derive(InputObject)]
pub struct RecordSpendInput {
    /// The campaign.
    campaign_id: ID,
    /// The day, in the hospital's zone.
    day: Date,
    /// The whole spend of the day in minor units of the campaign's currency. It replaces what was recorded before.
    amount_minor: i64,
}

payload!(
    /// What came of planning a campaign.
    CreateCampaignPayload {
        /// The campaign.
        campaign: Campaign
    }
);

payload!(
    /// What came of correcting a campaign.
    UpdateCampaignPayload {
        /// The campaign after it.
        campaign: Campaign
    }
);

payload!(
    /// What came of launching a campaign.
    LaunchCampaignPayload {
        /// The campaign after it.
        campaign: Campaign
    }
);

payload!(
    /// What came of pausing a campaign.
    PauseCampaignPayload {
        /// The campaign after it.
        campaign: Campaign
    }
);

/// What a campaign cost on a day.
pub struct CampaignSpend(campaign_spend::Model);

/// What a campaign cost on a day.
#[Object]
impl CampaignSpend {
    /// The campaign.
    async fn campaign(&self, ctx: &Context<'_>) -> Result<Option<Campaign>, Error> {
        crate::graphql::campaign::campaign(Ask::of(ctx), Some(self.0.campaign_id)).await
    }

    /// The day, in the hospital's zone.
    async fn day(&self) -> Date {
        Date(self.0.day)
    }

    /// The whole spend of the day.
    async fn amount(&self, ctx: &Context<'_>) -> Result<Option<Money>, Error> {
        let campaign = crate::graphql::campaign::campaign(Ask::of(ctx), Some(self.0.campaign_id)).await?;
        Ok(campaign.map(|campaign| Money {
            minor: self.0.amount_minor,
            currency: campaign.0.currency.clone(),
        }))
    }
}

payload!(
    /// What came of recording a spend.
    RecordSpendPayload {
        /// The spend of the day.
        spend: CampaignSpend
    }
);

/// Changes of campaigns. Their operations write the audit themselves.
#[derive(Default)]
pub struct CampaignMutation;

/// Changes of campaigns.
#[Object]
impl CampaignMutation {
    /// Plans a campaign, as a draft.
    async fn create_campaign(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The campaign.")] input: CreateCampaignInput,
    ) -> Result<CreateCampaignPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => campaign::create(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        Ok(CreateCampaignPayload::of(
            outcome(ctx, done).await?.map(Campaign::of),
        ))
    }

    /// Corrects a campaign and adds placements.
    async fn update_campaign(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The corrections.")] input: UpdateCampaignInput,
    ) -> Result<UpdateCampaignPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => campaign::update(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let done = done.map_err(|error| at_input(error, "campaignId"));
        Ok(UpdateCampaignPayload::of(
            outcome(ctx, done).await?.map(Campaign::of),
        ))
    }

    /// Makes a draft or paused campaign live.
    async fn launch_campaign(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The campaign.")] input: LaunchCampaignInput,
    ) -> Result<LaunchCampaignPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match read_id("campaignId", &input.campaign_id) {
            Ok(id) => {
                let input = campaign::ChangeState {
                    id,
                    version: input.version,
                };
                campaign::launch(&ask.api.hospital, ask.viewer(), input).await
            }
            Err(error) => Err(error),
        };
        let done = done.map_err(|error| at_input(error, "campaignId"));
        Ok(LaunchCampaignPayload::of(
            outcome(ctx, done).await?.map(Campaign::of),
        ))
    }

    /// Pauses a live campaign: its sequences send nothing until it is launched again.
    async fn pause_campaign(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The campaign.")] input: PauseCampaignInput,
    ) -> Result<PauseCampaignPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match read_id("campaignId", &input.campaign_id) {
            Ok(id) => {
                let input = campaign::ChangeState {
                    id,
                    version: input.version,
                };
                campaign::pause(&ask.api.hospital, ask.viewer(), input).await
            }
            Err(error) => Err(error),
        };
        let done = done.map_err(|error| at_input(error, "campaignId"));
        Ok(PauseCampaignPayload::of(
            outcome(ctx, done).await?.map(Campaign::of),
        ))
    }

    /// Records what a campaign cost on a day. Recording it again replaces the amount.
    async fn record_spend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The spend.")] input: RecordSpendInput,
    ) -> Result<RecordSpendPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match read_id("campaignId", &input.campaign_id) {
            Ok(campaign_id) => {
                let input = campaign::RecordSpend {
                    campaign_id,
                    day: input.day.0,
                    amount_minor: input.amount_minor,
                };
                campaign::record_spend(&ask.api.hospital, ask.viewer(), input).await
            }
            Err(error) => Err(error),
        };
        Ok(RecordSpendPayload::of(
            outcome(ctx, done).await?.map(CampaignSpend),
        ))
    }
}
