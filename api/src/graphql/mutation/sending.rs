//! Sending routes are paused and resumed.

use async_graphql::{Context, Error, InputObject, Object};
use domain::outreach::route;

use super::outcome;
use crate::graphql::ask::Ask;
use crate::graphql::sending::SendingRoute;

/// A route to pause.
#[derive(InputObject)]
pub struct PauseSendingRouteInput {
    /// Its name.
    name: String,
    /// Why, in words; at most 500 characters and no personal data.
    note: Option<String>,
}

/// A route to resume.
#[derive(InputObject)]
pub struct ResumeSendingRouteInput {
    /// Its name.
    name: String,
}

payload!(
    /// What came of pausing a route.
    PauseSendingRoutePayload {
        /// The route.
        route: SendingRoute
    }
);

payload!(
    /// What came of resuming a route.
    ResumeSendingRoutePayload {
        /// The route.
        route: SendingRoute
    }
);

/// Changes of how mail goes out.
#[derive(Default)]
pub struct SendingMutation;

/// Changes of how mail goes out.
#[Object]
impl SendingMutation {
    /// Pauses a route: nothing more goes out by it, in either lane, until it is resumed. Other routes take over; without
    /// one mail waits.
    async fn pause_sending_route(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The route.")] input: PauseSendingRouteInput,
    ) -> Result<PauseSendingRoutePayload, Error> {
        let ask = Ask::of(ctx);
        let h = &ask.api.hospital;
        let done = route::pause(h, ask.viewer(), &input.name, input.note).await;
        let now = h.now();
        Ok(PauseSendingRoutePayload::of(
            outcome(ctx, done).await?.map(|row| SendingRoute(row, now)),
        ))
    }

    /// Lets a route run again at once, whatever held it: a pause, a rest, or a stop for its good name. What is still wrong
    /// with it is found out again.
    async fn resume_sending_route(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The route.")] input: ResumeSendingRouteInput,
    ) -> Result<ResumeSendingRoutePayload, Error> {
        let ask = Ask::of(ctx);
        let h = &ask.api.hospital;
        let done = route::resume(h, ask.viewer(), &input.name).await;
        let now = h.now();
        Ok(ResumeSendingRoutePayload::of(
            outcome(ctx, done).await?.map(|row| SendingRoute(row, now)),
        ))
    }
}
