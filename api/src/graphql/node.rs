//! Anything with an id, found by its id alone.

use async_graphql::{Context, Error, ID, Interface, Object};
use entity::id::{
    CampaignId, ContactId, FacilityId, FollowUpId, LeadId, MailingId, MessageId, PlacementId, SequenceId,
    ServiceLineId, StaffId, TeamId, TypedId,
};

use super::ask::Ask;
use super::campaign::{self, Campaign, Placement};
use super::contact::Contact;
use super::directory::{self, Facility, ServiceLine, Staff, Team};
use super::errors::{Told, bad_argument};
use super::follow_up::FollowUp;
use super::id::{IDS_MAX, prefix, read};
use super::lead::{self, Lead};
use super::loaders::VisibleContact;
use super::mailing::{self, Mailing};
use super::message::{self, Message};
use super::sequence::{self, Sequence};

/// Anything with an id.
#[derive(Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "The id: a prefix that names the kind, and 26 letters and digits."
))]
pub enum Node {
    /// A lead.
    Lead(Box<Lead>),
    /// A contact.
    Contact(Box<Contact>),
    /// A campaign.
    Campaign(Campaign),
    /// A placement.
    Placement(Placement),
    /// A service line.
    ServiceLine(ServiceLine),
    /// A facility.
    Facility(Facility),
    /// A team.
    Team(Team),
    /// A member of staff.
    Staff(Staff),
    /// A follow-up.
    FollowUp(FollowUp),
    /// A sequence.
    Sequence(Sequence),
    /// A mailing.
    Mailing(Box<Mailing>),
    /// A message.
    Message(Box<Message>),
}

/// Reads by id.
#[derive(Default)]
pub struct NodeQuery;

/// Reads by id.
#[Object]
impl NodeQuery {
    /// Anything by its id; null when there is none or it is not yours.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id.")] id: ID,
    ) -> Result<Option<Node>, Error> {
        node(Ask::of(ctx), "id", &id).await
    }

    /// Several things by their ids, in the same order; null for those that are absent or not yours.
    #[graphql(complexity = "ids.len().clamp(1, 100) * child_complexity")]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ids, at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>, Error> {
        if ids.len() > IDS_MAX {
            return Err(bad_argument("ids", "At most 100 ids."));
        }
        let ask = Ask::of(ctx);
        futures_util::future::try_join_all(ids.iter().map(|id| node(ask, "ids", id))).await
    }
}

async fn node(ask: &Ask, argument: &str, id: &ID) -> Result<Option<Node>, Error> {
    Ok(match prefix(id) {
        Some(LeadId::PREFIX) => lead::lead(ask, Some(read(argument, id)?))
            .await?
            .map(|lead| Node::Lead(Box::new(lead))),
        Some(ContactId::PREFIX) => {
            let row = ask.load(VisibleContact(read(argument, id)?)).await?;
            row.map(|row| Node::Contact(Box::new(Contact(row))))
        }
        Some(CampaignId::PREFIX) => campaign::campaign(ask, Some(read(argument, id)?))
            .await?
            .map(Node::Campaign),
        Some(PlacementId::PREFIX) => campaign::placement(ask, Some(read(argument, id)?))
            .await?
            .map(Node::Placement),
        Some(ServiceLineId::PREFIX) => directory::service_line(ask, Some(read(argument, id)?))
            .await?
            .map(Node::ServiceLine),
        Some(FacilityId::PREFIX) => directory::facility(ask, Some(read(argument, id)?))
            .await?
            .map(Node::Facility),
        Some(TeamId::PREFIX) => directory::team(ask, Some(read(argument, id)?))
            .await?
            .map(Node::Team),
        Some(StaffId::PREFIX) => directory::staff(ask, Some(read(argument, id)?))
            .await?
            .map(Node::Staff),
        Some(FollowUpId::PREFIX) => follow_up(ask, read(argument, id)?).await?.map(Node::FollowUp),
        Some(SequenceId::PREFIX) => sequence::sequence(ask, Some(read(argument, id)?))
            .await?
            .map(Node::Sequence),
        Some(MailingId::PREFIX) => mailing::mailing(ask, Some(read(argument, id)?))
            .await?
            .map(|mailing| Node::Mailing(Box::new(mailing))),
        Some(MessageId::PREFIX) => message::message(ask, read(argument, id)?)
            .await?
            .map(|message| Node::Message(Box::new(message))),
        _ => return Err(bad_argument(argument, "This is not an id of anything.")),
    })
}

async fn follow_up(ask: &Ask, id: FollowUpId) -> Result<Option<FollowUp>, Error> {
    use domain::error::Error as DomainError;
    match domain::follow_up::find::by_id(ask.db(), ask.viewer(), id).await {
        Err(DomainError::Missing { .. }) => Ok(None),
        found => found.map(|row| Some(FollowUp(row))).told(ask),
    }
}
