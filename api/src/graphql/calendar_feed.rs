//! Calendar feeds, as their owner sees them.

use async_graphql::{Context, Error, ID, Object, SimpleObject};
use domain::follow_up::feed;
use entity::calendar_feed;

use super::ask::Ask;
use super::errors::Told;
use super::scalars::DateTime;

/// An address under which you subscribe to your follow-ups in a calendar. It names no lead.
#[derive(SimpleObject, Clone, Debug)]
pub struct CalendarFeed {
    /// The id.
    id: ID,
    /// Where you use it.
    name: String,
    /// When it was made.
    created_at: DateTime,
}

impl From<calendar_feed::Model> for CalendarFeed {
    fn from(row: calendar_feed::Model) -> Self {
        Self {
            id: row.id.to_string().into(),
            name: row.name,
            created_at: row.created_at.into(),
        }
    }
}

/// Reads of calendar feeds.
#[derive(Default)]
pub struct CalendarFeedQuery;

/// Reads of calendar feeds.
#[Object]
impl CalendarFeedQuery {
    /// Your calendar feeds, the oldest first; at most 10. Programs have none.
    #[graphql(complexity = "10 * child_complexity")]
    async fn calendar_feeds(&self, ctx: &Context<'_>) -> Result<Vec<CalendarFeed>, Error> {
        let ask = Ask::of(ctx);
        let rows = feed::mine(&ask.api.hospital, ask.viewer()).await.told(ask)?;
        Ok(rows.into_iter().map(CalendarFeed::from).collect())
    }
}
