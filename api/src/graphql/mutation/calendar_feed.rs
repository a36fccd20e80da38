//! Calendar feeds are made and revoked.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use domain::follow_up::feed;
use entity::id::CalendarFeedId;

use super::{audited, read_id};
use crate::graphql::ask::Ask;
use crate::graphql::calendar_feed::CalendarFeed;
use crate::graphql::errors::UserError;
use crate::graphql::idempotency::note_secret;

/// A calendar feed to make.
#[derive(InputObject)]
pub struct CreateCalendarFeedInput {
    /// Where you use it, at most 120 characters.
    name: String,
}

/// A calendar feed to revoke.
#[derive(InputObject)]
pub struct RevokeCalendarFeedInput {
    /// The feed.
    calendar_feed_id: ID,
}

/// What came of making a calendar feed.
#[derive(SimpleObject)]
pub struct CreateCalendarFeedPayload {
    /// The feed.
    calendar_feed: Option<CalendarFeed>,
    /// The address to subscribe to. Whoever has it can read the feed; it is told once and cannot be read again.
    url: Option<String>,
    /// Why nothing was done; empty when it was.
    user_errors: Vec<UserError>,
}

payload!(
    /// What came of revoking a calendar feed.
    RevokeCalendarFeedPayload {
        /// The feed, whose address shows nothing any more.
        calendar_feed: CalendarFeed
    }
);

/// Changes about calendar feeds.
#[derive(Default)]
pub struct CalendarFeedMutation;

/// Changes about calendar feeds.
#[Object]
impl CalendarFeedMutation {
    /// Makes an address under which a calendar program can subscribe to your open follow-ups: when each is due and what kind
    /// of work it is. It names no lead.
    async fn create_calendar_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where you use it.")] input: CreateCalendarFeedInput,
    ) -> Result<CreateCalendarFeedPayload, Error> {
        let ask = Ask::of(ctx);
        note_secret(ctx);
        let h = &ask.api.hospital;
        let done = feed::create(h, ask.viewer(), &input.name).await;
        let outcome = audited(ctx, "calendar_feed.create", done, |(row, _)| row.id).await?;
        Ok(match outcome {
            Ok((row, secret)) => CreateCalendarFeedPayload {
                calendar_feed: Some(row.into()),
                url: Some(feed::url(&h.site, &secret)),
                user_errors: Vec::new(),
            },
            Err(user_errors) => CreateCalendarFeedPayload {
                calendar_feed: None,
                url: None,
                user_errors,
            },
        })
    }

    /// Revokes a calendar feed of yours: its address shows nothing from now on.
    async fn revoke_calendar_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The feed.")] input: RevokeCalendarFeedInput,
    ) -> Result<RevokeCalendarFeedPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match read_id::<CalendarFeedId>("calendarFeedId", &input.calendar_feed_id) {
            Ok(id) => feed::revoke(&ask.api.hospital, ask.viewer(), id).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "calendar_feed.revoke", done, |row| row.id).await?;
        Ok(RevokeCalendarFeedPayload::of(outcome.map(CalendarFeed::from)))
    }
}
