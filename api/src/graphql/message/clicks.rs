//! The links of a mail that were visited.

use async_graphql::{Error, SimpleObject};
use domain::outreach::click;
use domain::outreach::template::links;
use entity::id::MessageId;
use entity::{link_visit, message};

use crate::graphql::ask::Ask;
use crate::graphql::children::{self, Children};
use crate::graphql::page::Order;
use crate::graphql::scalars::DateTime;
use crate::graphql::vocabulary::{ClickReason, ClickVerdict};

/// The visits of a message's links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct VisitsOfMessage;

impl Children for VisitsOfMessage {
    type Entity = link_visit::Entity;
    type Parent = MessageId;

    const PARENT: link_visit::Column = link_visit::Column::MessageId;
    const ORDER: Order<link_visit::Entity> = Order {
        name: "visits of links",
        columns: &[link_visit::Column::Id],
        descending: false,
    };
}

/// A link of a mail that was visited, by whomever. Neither an address nor a browser is kept of a visit.
#[derive(SimpleObject)]
pub struct Click {
    /// Where the link leads; null if the text that it stood in is not known any more.
    target: Option<String>,
    /// When: the first visit of those that the verdict rests on.
    at: DateTime,
    /// The best that can be said of its visits. Only `HUMAN` counts as a click. Null for a minute after the first visit.
    verdict: Option<ClickVerdict>,
    /// What the verdict rests on.
    reason: Option<ClickReason>,
    /// How many visits there were, whoever made them. At most 20 are kept of a mail.
    visits: i32,
}

/// The links of a message that were visited.
pub(super) async fn of(ask: &Ask, message: &message::Model) -> Result<Vec<Click>, Error> {
    let visits = children::list(ask, VisitsOfMessage, message.id).await?;
    if visits.is_empty() {
        return Ok(Vec::new());
    }
    let version = match message.template_version_id {
        Some(id) => ask.load(id).await?,
        None => None,
    };
    let secrets = &ask.api.hospital.secrets;
    let told = |link: &click::Opened| Click {
        target: version
            .as_ref()
            .and_then(|version| links::target(version, secrets, link.link)),
        at: link.at.into(),
        verdict: link.verdict.map(Into::into),
        reason: link.reason.map(Into::into),
        visits: link.visits,
    };
    Ok(click::opened(&visits).iter().map(told).collect())
}
