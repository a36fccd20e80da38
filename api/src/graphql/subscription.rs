//! News: what subscriptions tell. A signal carries ids only; the rows are read through the viewer's own scope.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Context, Error, ID, Subscription};
use domain::signal::Signal;
use domain::{follow_up, lead};
use entity::id::{LeadEventId, LeadId};
use entity::{follow_up as follow_ups, lead as leads};
use futures_util::Stream;
use futures_util::stream::unfold;
use sea_orm::{ColumnTrait, QueryFilter};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::ask::Ask;
use super::dashboard::{self, Dashboard, DashboardFilter};
use super::errors::Told;
use super::follow_up::{FollowUp, FollowUpFilter};
use super::id;
use super::lead::{Lead, LeadEvent, LeadFilter};

/// How often a quiet subscription looks whether its session is still open. Before it tells anything it looks anyway.
const RECHECK_EVERY: Duration = Duration::from_secs(30);
/// The shortest time between two dashboards.
const DASHBOARD_EVERY: Duration = Duration::from_secs(1);

/// What is listened to.
struct News {
    ask: Arc<Ask>,
    signals: Receiver<Signal>,
    recheck_at: Instant,
}

impl News {
    fn of(ctx: &Context<'_>) -> Self {
        let ask = Arc::clone(Ask::of(ctx));
        Self {
            signals: ask.api.signals.listen(),
            ask,
            recheck_at: Instant::now() + RECHECK_EVERY,
        }
    }

    /// The next signal that `wanted` picks; none when the viewer's session has ended, or the process ends.
    async fn next<T>(&mut self, wanted: impl Fn(Signal) -> Option<T>) -> Option<T> {
        loop {
            let found = match timeout_at(self.recheck_at, self.signals.recv()).await {
                Ok(Ok(signal)) => match wanted(signal) {
                    Some(found) => Some(found),
                    None => continue,
                },
                // Whoever is slower than the news misses some of it; what comes next is told.
                Ok(Err(RecvError::Lagged(missed))) => {
                    tracing::warn!(missed, "a subscription was too slow and missed signals");
                    continue;
                }
                Ok(Err(RecvError::Closed)) => return None,
                Err(_) => None,
            };
            if !self.still_holds().await {
                return None;
            }
            self.recheck_at = Instant::now() + RECHECK_EVERY;
            if found.is_some() {
                self.ask.begin_execution();
                self.ask.read_again();
                return found;
            }
        }
    }

    /// Whether the session or token is still good. When nobody can tell, it is not.
    async fn still_holds(&self) -> bool {
        let holds = self.ask.caller.still_holds(&self.ask.api).await.told(&self.ask);
        holds.unwrap_or(false)
    }

    /// Passes over what has come in meanwhile.
    fn drain(&mut self) {
        while !matches!(
            self.signals.try_recv(),
            Err(TryRecvError::Empty | TryRecvError::Closed)
        ) {}
    }

    async fn lead(&self, id: LeadId, filter: &LeadFilter) -> Result<Option<Lead>, Error> {
        let wanted = filter.condition(self.ask.now())?;
        let select = lead::find::visible_to(self.ask.viewer())
            .filter(leads::Column::Id.eq(id))
            .filter(wanted);
        Ok(select.one(self.ask.db()).await.told(&self.ask)?.map(Lead::of))
    }

    async fn follow_up(
        &self,
        id: entity::id::FollowUpId,
        filter: &FollowUpFilter,
    ) -> Result<Option<FollowUp>, Error> {
        let wanted = filter.condition(self.ask.viewer(), &[])?;
        let select = follow_up::find::visible_to(self.ask.viewer());
        let select = select.filter(follow_ups::Column::Id.eq(id)).filter(wanted);
        Ok(select.one(self.ask.db()).await.told(&self.ask)?.map(FollowUp))
    }

    /// An event of a lead, as long as the viewer may see the lead.
    async fn event(&self, lead: LeadId, event: LeadEventId) -> Result<Option<LeadEvent>, Error> {
        lead::find::by_id(self.ask.db(), self.ask.viewer(), lead)
            .await
            .told(&self.ask)?;
        Ok(self.ask.load(event).await?.map(LeadEvent))
    }
}

/// News.
#[derive(Default)]
pub struct SubscriptionRoot;

/// News as it happens. What a subscription misses while it is not connected is read again by a query.
#[Subscription(name = "Subscription")]
impl SubscriptionRoot {
    /// Leads as they come in, of those that you may see.
    async fn lead_received(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which leads.")] filter: Option<LeadFilter>,
    ) -> Result<impl Stream<Item = Result<Lead, Error>> + use<>, Error> {
        let (news, filter) = (News::of(ctx), filter.unwrap_or_default());
        // A filter that cannot be used is told at once.
        filter.condition(news.ask.now())?;
        Ok(unfold((news, filter), |(mut news, filter)| async move {
            loop {
                let id = news
                    .next(|signal| match signal {
                        Signal::LeadReceived { lead_id } => Some(lead_id),
                        _ => None,
                    })
                    .await?;
                if let Some(told) = news.lead(id, &filter).await.transpose() {
                    return Some((told, (news, filter)));
                }
            }
        }))
    }

    /// What happens to one lead.
    async fn lead_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lead's id.")] id: ID,
    ) -> Result<impl Stream<Item = Result<LeadEvent, Error>> + use<>, Error> {
        let (news, id) = (News::of(ctx), id::read::<LeadId>("id", &id)?);
        lead::find::by_id(news.ask.db(), news.ask.viewer(), id)
            .await
            .told(&news.ask)?;
        Ok(unfold(news, move |mut news| async move {
            loop {
                let event = news
                    .next(|signal| match signal {
                        Signal::LeadChanged { lead_id, event_id } if lead_id == id => Some(event_id),
                        _ => None,
                    })
                    .await?;
                if let Some(told) = news.event(id, event).await.transpose() {
                    return Some((told, news));
                }
            }
        }))
    }

    /// Follow-ups as they are opened, change or are done, of those that you may see. Every state, unless the filter names
    /// some.
    async fn follow_up_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which follow-ups.")] filter: Option<FollowUpFilter>,
    ) -> Result<impl Stream<Item = Result<FollowUp, Error>> + use<>, Error> {
        let (news, filter) = (News::of(ctx), filter.unwrap_or_default());
        filter.condition(news.ask.viewer(), &[])?;
        Ok(unfold((news, filter), |(mut news, filter)| async move {
            loop {
                let id = news
                    .next(|signal| match signal {
                        Signal::FollowUpChanged { follow_up_id } => Some(follow_up_id),
                        _ => None,
                    })
                    .await?;
                if let Some(told) = news.follow_up(id, &filter).await.transpose() {
                    return Some((told, (news, filter)));
                }
            }
        }))
    }

    /// The dashboard again, whenever a lead came in or changed; at most once a second.
    #[graphql(complexity = "500 + child_complexity")]
    async fn dashboard_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which leads.")] filter: DashboardFilter,
    ) -> Result<impl Stream<Item = Result<Dashboard, Error>> + use<>, Error> {
        let (news, filter) = (News::of(ctx), filter.read()?);
        filter.clone().checked().told(&news.ask)?;
        Ok(unfold(
            (news, filter, Instant::now()),
            |(mut news, filter, not_before)| async move {
                news.next(|signal| match signal {
                    Signal::LeadReceived { .. } | Signal::LeadChanged { .. } => Some(()),
                    Signal::FollowUpChanged { .. } => None,
                })
                .await?;
                // What comes in while waiting is in the figures that are read afterwards.
                sleep_until(not_before).await;
                news.drain();
                let told = dashboard::dashboard(&news.ask, filter.clone()).await;
                Some((told, (news, filter, Instant::now() + DASHBOARD_EVERY)))
            },
        ))
    }
}
