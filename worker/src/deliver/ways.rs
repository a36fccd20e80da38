//! By which routes mail may go, how much of it, and what their answers say of them.

use std::sync::Arc;

use domain::done::Done;
use domain::error::{Chain, Error};
use domain::outreach::claim::{Sendable, oldest_due};
use domain::outreach::hand_off::give_back;
use domain::outreach::{reputation, route, stop, throttle};
use entity::message::Lane;
use entity::sending_route;

use super::{Delivery, Inner, Way};
use crate::metrics;
use crate::route::{Route, is_slow};
use crate::smtp::{Accepted, SendError, Stage};

/// How much may be claimed.
#[derive(Clone, Copy)]
pub(super) struct Permit {
    /// Messages at the most.
    pub(super) most: usize,
    /// Whether nothing may go out of it, because the gate is only asked to say why.
    only_asks: bool,
}

impl Delivery {
    /// The ways by which mail of a lane may go now, the best first. One way without a route when mail is kept.
    ///
    /// Bulk mail takes every way at once: each claims as much as it can carry. Mail that somebody waits for leaves out a
    /// way that is much slower than the best.
    pub(crate) async fn ways(&self, lane: Lane) -> Result<Vec<Way>, Error> {
        let this = &*self.0;
        let Some(routes) = &this.routes else {
            return Ok(vec![None]);
        };
        this.announce(routes).await?;
        let known = this.known(routes).await?;
        let now = this.hospital.now();
        let mut ways: Vec<Arc<Route>> = Vec::new();
        for own in routes.iter().filter(|own| own.serves(lane)) {
            let Some(row) = known.iter().find(|row| row.name == own.name()) else {
                continue;
            };
            let is_stopped = lane == Lane::Bulk && row.stopped_at.is_some() && row.paused_at.is_none();
            if route::is_first(row, &known, lane, now) || is_stopped {
                ways.push(own.clone());
            }
        }
        if lane == Lane::Waiting {
            let best = ways.iter().map(|way| way.pace()).min().unwrap_or_default();
            ways.retain(|way| !is_slow(way.pace(), best));
            ways.sort_by_key(|way| way.pace());
        }
        Ok(ways.into_iter().map(Some).collect())
    }

    /// Of what was claimed, what may go by this way.
    pub(super) async fn admit(
        &self,
        lane: Lane,
        way: Option<&Arc<Route>>,
        permit: Permit,
        mut sendables: Vec<Sendable>,
    ) -> Result<Vec<Sendable>, Error> {
        let this = &*self.0;
        let Some(way) = way else {
            return Ok(sendables);
        };
        if permit.only_asks {
            // The domain was released between the question and the claim: another way carries it, or this one later.
            give_back(&this.hospital, &sendables.iter().collect::<Vec<_>>()).await?;
            return Ok(Vec::new());
        }
        for sendable in &mut sendables {
            sendable.send_by(way.name());
        }
        throttle::admit(&this.hospital, &this.limits, lane, sendables).await
    }

    /// Lets routes run again whose bounces and complaints have become few.
    pub(crate) async fn review_routes(&self) -> Result<Done<usize>, Error> {
        match self.0.routes {
            Some(_) => reputation::review(&self.0.hospital, &self.0.reputation).await,
            None => Ok(Done::quiet(0)),
        }
    }
}

impl Inner {
    /// Writes down the routes, once.
    async fn announce(&self, routes: &[Arc<Route>]) -> Result<(), Error> {
        let announced: Vec<_> = routes.iter().map(|own| own.setup.announced()).collect();
        self.announced
            .get_or_try_init(|| route::announce(&self.hospital, &announced))
            .await?;
        Ok(())
    }

    /// The rows of this worker's routes. A route that is in nobody's settings any more must not hold back the others.
    async fn known(&self, routes: &[Arc<Route>]) -> Result<Vec<sending_route::Model>, Error> {
        let mut known = route::all(&self.hospital.db).await?;
        known.retain(|row| routes.iter().any(|own| own.name() == row.name));
        Ok(known)
    }

    /// How much may be claimed for a way now; none when nothing may.
    pub(super) async fn permit(
        &self,
        lane: Lane,
        way: Option<&Arc<Route>>,
        concurrency: usize,
    ) -> Result<Option<Permit>, Error> {
        let most = self.settings.lane(lane).batch;
        let Some(way) = way else {
            return Ok(Some(Permit {
                most,
                only_asks: false,
            }));
        };
        let h = &self.hospital;
        let routes = self.routes.as_deref().unwrap_or_default();
        let known = self.known(routes).await?;
        let Some(row) = known.iter().find(|row| row.name == way.name()) else {
            return Ok(None);
        };
        let mut stopped = row.stopped_at.is_some();
        if lane == Lane::Bulk && row.unjudged {
            let names: Vec<&str> = routes.iter().map(|own| own.name()).collect();
            let judged = reputation::judge(h, way.name(), &names, &self.reputation).await?;
            stopped = judged.value;
        }
        if lane == Lane::Bulk && stopped {
            // With the whole domain stopped, the gate tells each message why it waits.
            let asks = row.paused_at.is_none() && stop::is_stopped(h).await?;
            return Ok(asks.then_some(Permit {
                most,
                only_asks: true,
            }));
        }
        if !route::is_first(row, &known, lane, h.now()) {
            return Ok(None);
        }
        way.set_down(false);
        if row.failures > 0 {
            // As another worker found out; the first answer says otherwise.
            way.set_failing(true);
        }
        let mut most = way.batch(lane, concurrency, most);
        if !way.setup.rate.is_none() {
            let due = oldest_due(&h.db, lane).await?.is_some_and(|due| due <= h.now());
            most = match due {
                true => throttle::take(h, way.name(), way.setup.rate, lane, most).await?,
                false => 0,
            };
        }
        Ok((most > 0).then_some(Permit {
            most,
            only_asks: false,
        }))
    }

    /// Gives back what a route's rate allowed and the claim did not find.
    pub(super) async fn return_unused(&self, way: Option<&Arc<Route>>, unused: usize) -> Result<(), Error> {
        match way {
            Some(way) => throttle::give_back(&self.hospital, way.name(), way.setup.rate, unused).await,
            None => Ok(()),
        }
    }

    /// Learns from what became of a send whether a route can be reached, and writes it down for the other workers.
    pub(super) async fn saw(&self, way: &Route, sent: &Result<Accepted, SendError>) {
        let unreached = match sent {
            Err(SendError::NotSent {
                stage: Stage::Connect,
                reply,
                ..
            }) => Some(reply),
            _ => None,
        };
        let written = match unreached {
            Some(said) if !way.is_down() => {
                way.set_down(true);
                way.set_failing(true);
                metrics::route_resting(way.name(), true);
                tracing::warn!(
                    route = way.name(),
                    "A mail server cannot be reached; mail goes by another or waits."
                );
                route::rest(&self.hospital, way.name(), said).await
            }
            None if way.set_failing(false) => {
                metrics::route_resting(way.name(), false);
                tracing::info!(route = way.name(), "A mail server can be reached again.");
                route::reached(&self.hospital, way.name()).await
            }
            _ => Ok(()),
        };
        if let Err(error) = written {
            let error = Chain(&error).to_string();
            tracing::warn!(error, "The state of a route could not be written down.");
        }
    }
}
