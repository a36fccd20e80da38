//! Which leads, in which order. Every field of the filter is served by an index.

use async_graphql::{Enum, Error, ID, InputObject};
use chrono::{DateTime as Instant, Utc};
use entity::lead::{self, Column};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition};

use crate::graphql::campaign::OrderDirection;
use crate::graphql::id::{read, read_list};
use crate::graphql::page::Order;
use crate::graphql::scalars::DateTime;
use crate::graphql::vocabulary::{Channel, LeadStage, LeadType};

/// Whether the first attempt came in time. Open and already late counts as late now, whether or not anybody looked.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlaState {
    /// The first attempt came before the due time.
    Met,
    /// No attempt yet, and the due time is still to come.
    Open,
    /// No attempt yet, and the due time has passed.
    Late,
    /// The first attempt came too late, or the lead was closed without one after the due time.
    Missed,
    /// The lead was closed before the due time without an attempt: nobody needs to call any more.
    Ended,
}

impl SlaState {
    /// The state of a lead at an instant.
    pub fn of(row: &lead::Model, now: Instant<Utc>) -> Self {
        match (row.first_attempt_at, row.closed_at) {
            (Some(at), _) if at < row.sla_due_at => Self::Met,
            (Some(_), _) => Self::Missed,
            (None, Some(at)) if row.stage == entity::enums::LeadStage::Closed => {
                if at < row.sla_due_at {
                    Self::Ended
                } else {
                    Self::Missed
                }
            }
            (None, _) if now < row.sla_due_at => Self::Open,
            (None, _) => Self::Late,
        }
    }

    /// The same in SQL.
    fn condition(self, now: Instant<Utc>) -> Condition {
        let due = || Expr::col(Column::SlaDueAt.as_column_ref());
        let first = || Expr::col(Column::FirstAttemptAt.as_column_ref());
        let closed_at = || Expr::col(Column::ClosedAt.as_column_ref());
        let stage = entity::enums::LeadStage::Closed;
        let waiting = || {
            Condition::all()
                .add(Column::FirstAttemptAt.is_null())
                .add(Column::Stage.ne(stage))
        };
        let never = || {
            Condition::all()
                .add(Column::FirstAttemptAt.is_null())
                .add(Column::Stage.eq(stage))
        };
        match self {
            Self::Met => Condition::all().add(first().lt(due())),
            Self::Open => waiting().add(Column::SlaDueAt.gt(now)),
            Self::Late => waiting().add(Column::SlaDueAt.lte(now)),
            Self::Missed => Condition::any()
                .add(first().gte(due()))
                .add(never().add(closed_at().gte(due()))),
            Self::Ended => never().add(closed_at().lt(due())),
        }
    }
}

/// Which leads are wanted. Every field that is given must hold; within a list one is enough.
#[derive(InputObject, Clone, Debug, Default)]
pub struct LeadFilter {
    /// In one of these stages.
    stages: Option<Vec<LeadStage>>,
    /// Of one of these types.
    types: Option<Vec<LeadType>>,
    /// For one of these service lines.
    service_line_ids: Option<Vec<ID>>,
    /// From one of these channels.
    channels: Option<Vec<Channel>>,
    /// Answering one of these campaigns.
    campaign_ids: Option<Vec<ID>>,
    /// Served by one of these teams.
    team_ids: Option<Vec<ID>>,
    /// Served by one of these people.
    owner_ids: Option<Vec<ID>>,
    /// Served at one of these facilities.
    facility_ids: Option<Vec<ID>>,
    /// Received at this instant or later.
    received_from: Option<DateTime>,
    /// Received before this instant.
    received_to: Option<DateTime>,
    /// Going first, or not.
    urgent: Option<bool>,
    /// With the SLA in this state.
    sla_state: Option<SlaState>,
    /// Of this contact.
    contact_id: Option<ID>,
    /// Those of forms that were saved and left, and only those; they are in no list and no figure otherwise.
    unfinished: Option<bool>,
}

impl LeadFilter {
    /// The filter as a condition on leads.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the field of an id that is none.
    pub fn condition(&self, now: Instant<Utc>) -> Result<Condition, Error> {
        let stages = self
            .stages
            .as_ref()
            .map(|list| list.iter().map(|one| entity::enums::LeadStage::from(*one)));
        let types = self
            .types
            .as_ref()
            .map(|list| list.iter().map(|one| entity::enums::LeadType::from(*one)));
        let channels = self
            .channels
            .as_ref()
            .map(|list| list.iter().map(|one| entity::enums::Channel::from(*one)));
        let lines = read_list::<entity::id::ServiceLineId>(
            "filter.serviceLineIds",
            self.service_line_ids.as_deref(),
        )?;
        let campaigns =
            read_list::<entity::id::CampaignId>("filter.campaignIds", self.campaign_ids.as_deref())?;
        let teams = read_list::<entity::id::TeamId>("filter.teamIds", self.team_ids.as_deref())?;
        let owners = read_list::<entity::id::StaffId>("filter.ownerIds", self.owner_ids.as_deref())?;
        let facilities =
            read_list::<entity::id::FacilityId>("filter.facilityIds", self.facility_ids.as_deref())?;
        let contact = self.contact_id.as_ref();
        let contact = contact
            .map(|id| read::<entity::id::ContactId>("filter.contactId", id))
            .transpose()?;
        let sent = if self.unfinished == Some(true) {
            Condition::all().add(Column::UnfinishedAt.is_not_null())
        } else {
            domain::lead::find::is_sent()
        };
        Ok(sent
            .add_option(stages.map(|list| Column::Stage.is_in(list)))
            .add_option(types.map(|list| Column::LeadType.is_in(list)))
            .add_option(channels.map(|list| Column::Channel.is_in(list)))
            .add_option(lines.map(|list| Column::ServiceLineId.is_in(list)))
            .add_option(campaigns.map(|list| Column::CampaignId.is_in(list)))
            .add_option(teams.map(|list| Column::TeamId.is_in(list)))
            .add_option(owners.map(|list| Column::OwnerId.is_in(list)))
            .add_option(facilities.map(|list| Column::FacilityId.is_in(list)))
            .add_option(self.received_from.map(|at| Column::ReceivedAt.gte(at.0)))
            .add_option(self.received_to.map(|at| Column::ReceivedAt.lt(at.0)))
            .add_option(self.urgent.map(|urgent| Column::Urgent.eq(urgent)))
            .add_option(self.sla_state.map(|state| state.condition(now)))
            .add_option(contact.map(|id| Column::ContactId.eq(id))))
    }
}

/// The order of leads.
#[derive(InputObject, Clone, Copy, Debug)]
pub struct LeadOrder {
    /// What they are ordered by.
    field: LeadOrderField,
    /// In which direction.
    #[graphql(default_with = "OrderDirection::Desc")]
    direction: OrderDirection,
}

#[cfg(test)]
impl LeadOrder {
    /// Every order that can be asked for.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let fields = [LeadOrderField::ReceivedAt, LeadOrderField::Score];
        let directions = [OrderDirection::Asc, OrderDirection::Desc];
        fields
            .into_iter()
            .flat_map(move |field| directions.map(|direction| Self { field, direction }))
    }
}

/// What leads are ordered by.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeadOrderField {
    /// When they came in.
    ReceivedAt,
    /// Points of their score.
    Score,
}

/// The order that is wanted: the latest received first unless said otherwise.
pub(super) fn order(wanted: Option<LeadOrder>) -> Order<lead::Entity> {
    let (field, direction) = wanted.map_or((LeadOrderField::ReceivedAt, OrderDirection::Desc), |order| {
        (order.field, order.direction)
    });
    let descending = direction == OrderDirection::Desc;
    let received = &[Column::ReceivedAt, Column::Id];
    let score = &[Column::ScorePoints, Column::Id];
    match (field, descending) {
        (LeadOrderField::ReceivedAt, true) => Order {
            name: "leads, latest",
            columns: received,
            descending,
        },
        (LeadOrderField::ReceivedAt, false) => Order {
            name: "leads, earliest",
            columns: received,
            descending,
        },
        (LeadOrderField::Score, true) => Order {
            name: "leads, best",
            columns: score,
            descending,
        },
        (LeadOrderField::Score, false) => Order {
            name: "leads, weakest",
            columns: score,
            descending,
        },
    }
}
