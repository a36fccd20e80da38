//! Campaigns and their placements.

use std::sync::Arc;

use async_graphql::{Context, Enum, Error, ID, InputObject, Object, SimpleObject};
use entity::id::{CampaignId, PlacementId};
use entity::{campaign, campaign_service_line, placement};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use super::ask::Ask;
use super::children::{self, Children};
use super::directory::ServiceLine;
use super::id::{self, id};
use super::loaders::SpendOf;
use super::page::{Connection, Order, PageArgs, cost, page};
use super::scalars::{Date, DateTime, PhoneNumber};
use super::vocabulary::{CampaignState, Channel, PlacementKind};

/// An amount of money.
#[derive(SimpleObject)]
pub struct Money {
    /// The amount in minor units of the currency, for example cents.
    pub minor: i64,
    /// ISO 4217 code.
    pub currency: String,
}

/// Planned work with a channel, service lines, budget, dates, a code and a goal.
pub struct Campaign(pub Arc<campaign::Model>);

impl Campaign {
    /// A campaign that was just read or written.
    pub fn of(row: campaign::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// Planned work with a channel, service lines, budget, dates, a code and a goal.
#[Object]
impl Campaign {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Code in links and lists, for example `sleep-study-fall`.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// The name that people read.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Where it runs.
    async fn channel(&self) -> Channel {
        self.0.channel.into()
    }

    /// Where it stands.
    async fn state(&self) -> CampaignState {
        self.0.state.into()
    }

    /// What it is for, in words.
    async fn goal(&self) -> Option<&str> {
        self.0.goal.as_deref()
    }

    /// First day.
    async fn starts_on(&self) -> Option<Date> {
        self.0.starts_on.map(Date)
    }

    /// Last day.
    async fn ends_on(&self) -> Option<Date> {
        self.0.ends_on.map(Date)
    }

    /// What it may cost.
    async fn budget(&self) -> Option<Money> {
        self.0.budget_minor.map(|minor| Money {
            minor,
            currency: self.0.currency.clone(),
        })
    }

    /// Whether its mails ask people to come who would not have, and so wait for capacity.
    async fn demand_making(&self) -> bool {
        self.0.demand_making
    }

    /// What it has cost so far.
    async fn spend(&self, ctx: &Context<'_>) -> Result<Money, Error> {
        let minor = Ask::of(ctx).load(SpendOf(self.0.id)).await?.unwrap_or_default();
        Ok(Money {
            minor,
            currency: self.0.currency.clone(),
        })
    }

    /// The service lines that it promotes, by name.
    #[graphql(complexity = "5 * child_complexity")]
    async fn service_lines(&self, ctx: &Context<'_>) -> Result<Vec<ServiceLine>, Error> {
        let ask = Ask::of(ctx);
        let ids = ask
            .load(super::loaders::LinesOf(self.0.id))
            .await?
            .unwrap_or_default();
        let playbook = ask.playbook().await?;
        let mut lines: Vec<_> = ids
            .iter()
            .filter_map(|id| playbook.lines.get(id))
            .cloned()
            .collect();
        lines.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        Ok(lines.into_iter().map(ServiceLine).collect())
    }

    /// Its pieces that can be answered, oldest first.
    #[graphql(complexity = "10 * child_complexity")]
    async fn placements(&self, ctx: &Context<'_>) -> Result<Vec<Placement>, Error> {
        let rows = children::list(Ask::of(ctx), PlacementsOfCampaign, self.0.id).await?;
        Ok(rows.into_iter().map(Placement).collect())
    }

    /// Rises with every change; send it back with an update.
    async fn version(&self) -> i64 {
        self.0.version
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }
}

/// The placements of a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlacementsOfCampaign;

impl Children for PlacementsOfCampaign {
    type Entity = placement::Entity;
    type Parent = CampaignId;

    const PARENT: placement::Column = placement::Column::CampaignId;
    const ORDER: Order<placement::Entity> = Order {
        name: "placements",
        columns: &[placement::Column::Id],
        descending: false,
    };
}

/// A piece of a campaign that can be answered.
pub struct Placement(pub placement::Model);

/// A piece of a campaign that can be answered.
#[Object]
impl Placement {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The name that people read.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is.
    async fn kind(&self) -> PlacementKind {
        self.0.kind.into()
    }

    /// Code by which answers name it.
    async fn source_code(&self) -> Option<&str> {
        self.0.source_code.as_deref()
    }

    /// Path of the page it leads to.
    async fn landing_page(&self) -> Option<&str> {
        self.0.landing_page.as_deref()
    }

    /// Its own phone number.
    async fn tracking_number(&self) -> Option<PhoneNumber> {
        self.0.tracking_number.clone().map(PhoneNumber)
    }

    /// The campaign that it belongs to.
    async fn campaign(&self, ctx: &Context<'_>) -> Result<Option<Campaign>, Error> {
        campaign(Ask::of(ctx), Some(self.0.campaign_id)).await
    }
}

/// The campaign of this id.
pub async fn campaign(ask: &Ask, id: Option<CampaignId>) -> Result<Option<Campaign>, Error> {
    let Some(id) = id else { return Ok(None) };
    Ok(ask.playbook().await?.campaigns.get(&id).cloned().map(Campaign))
}

/// The placement of this id.
pub async fn placement(ask: &Ask, id: Option<PlacementId>) -> Result<Option<Placement>, Error> {
    let Some(id) = id else { return Ok(None) };
    Ok(ask.playbook().await?.placements.get(&id).cloned().map(Placement))
}

/// Which campaigns are wanted. Every field that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct CampaignFilter {
    /// In one of these states.
    states: Option<Vec<CampaignState>>,
    /// On one of these channels.
    channels: Option<Vec<Channel>>,
    /// For one of these service lines.
    service_line_ids: Option<Vec<ID>>,
    /// With this code.
    code: Option<String>,
}

/// The order of campaigns.
#[derive(InputObject, Clone, Copy, Debug)]
pub struct CampaignOrder {
    /// What they are ordered by.
    field: CampaignOrderField,
    /// In which direction.
    #[graphql(default_with = "OrderDirection::Desc")]
    direction: OrderDirection,
}

/// What campaigns are ordered by.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum CampaignOrderField {
    /// When they were made.
    CreatedAt,
    /// Their name.
    Name,
}

/// The direction of an order.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderDirection {
    /// The smallest, earliest or first in the alphabet first.
    Asc,
    /// The largest or latest first.
    Desc,
}

fn order(wanted: Option<CampaignOrder>) -> Order<campaign::Entity> {
    use campaign::Column::{CreatedAt, Id, Name};
    let (field, direction) = wanted.map_or((CampaignOrderField::CreatedAt, OrderDirection::Desc), |order| {
        (order.field, order.direction)
    });
    let descending = direction == OrderDirection::Desc;
    match (field, descending) {
        (CampaignOrderField::CreatedAt, true) => Order {
            name: "campaigns, newest",
            columns: &[CreatedAt, Id],
            descending,
        },
        (CampaignOrderField::CreatedAt, false) => Order {
            name: "campaigns, oldest",
            columns: &[CreatedAt, Id],
            descending,
        },
        (CampaignOrderField::Name, true) => Order {
            name: "campaigns, Z to A",
            columns: &[Name, Id],
            descending,
        },
        (CampaignOrderField::Name, false) => Order {
            name: "campaigns, A to Z",
            columns: &[Name, Id],
            descending,
        },
    }
}

/// Reads of campaigns.
#[derive(Default)]
pub struct CampaignQuery;

/// Reads of campaigns.
#[Object]
impl CampaignQuery {
    /// One campaign.
    async fn campaign(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The campaign's id.")] id: ID,
    ) -> Result<Option<Campaign>, Error> {
        campaign(Ask::of(ctx), Some(id::read("id", &id)?)).await
    }

    /// Campaigns, the newest first unless ordered otherwise.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    #[expect(
        clippy::too_many_arguments,
        reason = "Relay's arguments are four by themselves"
    )]
    async fn campaigns(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, 0 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which campaigns.")] filter: Option<CampaignFilter>,
        #[graphql(desc = "In which order.")] order_by: Option<CampaignOrder>,
    ) -> Result<Connection<Campaign>, Error> {
        let filter = filter.unwrap_or_default();
        let mut select = campaign::Entity::find();
        if let Some(states) = filter.states {
            let states = states.into_iter().map(campaign::CampaignState::from);
            select = select.filter(campaign::Column::State.is_in(states));
        }
        if let Some(channels) = filter.channels {
            let channels = channels.into_iter().map(entity::enums::Channel::from);
            select = select.filter(campaign::Column::Channel.is_in(channels));
        }
        if let Some(code) = filter.code {
            select = select.filter(campaign::Column::Code.eq(code));
        }
        let lines = filter.service_line_ids.as_deref();
        if let Some(lines) = id::read_list::<entity::id::ServiceLineId>("filter.serviceLineIds", lines)? {
            let promoted = campaign_service_line::Entity::find()
                .select_only()
                .column(campaign_service_line::Column::CampaignId)
                .filter(campaign_service_line::Column::ServiceLineId.is_in(lines));
            select = select.filter(campaign::Column::Id.in_subquery(promoted.into_query()));
        }
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        page(Ask::of(ctx), select, &order(order_by), args, Campaign::of).await
    }
}
