//! The routes by which mail goes out, and what came of it.

use async_graphql::{Context, Enum, Error, Object};
use domain::outreach::delivery_stats::{self, Asked, Line};
use domain::outreach::route::{self, RouteState as State};
use entity::{message, sending_route};

use super::ask::Ask;
use super::errors::Told;
use super::outreach::StopReason;
use super::scalars::DateTime;

/// Whether a route may be used. When several hold, the one that a person has to end is named first.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "State")]
pub enum RouteState {
    /// It is used.
    Up,
    /// It could not be reached and is left alone for a moment. Mail goes by another route or waits.
    Resting,
    /// It carries no bulk mail, to keep its good name. It runs again by itself when its figures are good.
    Stopped,
    /// A person holds it.
    Paused,
}

/// Which queue a mail stands in.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "MailLane", remote = "message::Lane")]
pub enum Lane {
    /// Somebody waits for it: confirmations, reminders, mails to staff.
    Waiting,
    /// Nobody waits for it: nurture.
    Bulk,
}

/// A mail server that mail may go through. Its address and password are settings of the workers.
pub struct SendingRoute(pub sending_route::Model, pub chrono::DateTime<chrono::Utc>);

/// A mail server that mail may go through. Its address and password are settings of the workers.
#[Object]
impl SendingRoute {
    /// Its name in the settings; `main` is that of `SMTP_URL`.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether it may be used now.
    async fn state(&self) -> RouteState {
        route::state(&self.0, self.1).into()
    }

    /// All that holds it back now, in words.
    async fn reasons(&self) -> Vec<String> {
        let row = &self.0;
        let paused = row.paused_at.map(|_| match &row.pause_note {
            Some(note) => format!("A person paused it: {note}"),
            None => "A person paused it.".to_owned(),
        });
        let stopped = row.stopped_at.map(|_| {
            let figures = row
                .stop_note
                .as_deref()
                .unwrap_or("too many bounces or complaints");
            format!("It carries no bulk mail: {figures}.")
        });
        let rests = row.rest_until.filter(|until| *until > self.1).map(|until| {
            let said = row.failure.as_deref().unwrap_or("no answer");
            format!(
                "It could not be reached {} times and is tried again at {until}: {said}",
                row.failures
            )
        });
        [paused, stopped, rests].into_iter().flatten().collect()
    }

    /// The lanes that it carries.
    async fn lanes(&self) -> Vec<Lane> {
        let waiting = self.0.serves_waiting.then_some(Lane::Waiting);
        let bulk = self.0.serves_bulk.then_some(Lane::Bulk);
        [waiting, bulk].into_iter().flatten().collect()
    }

    /// Routes of a higher number are used when none of a lower number can be.
    async fn priority(&self) -> i32 {
        self.0.priority
    }

    /// Most mails in a second; null without a limit.
    async fn per_second(&self) -> Option<i32> {
        self.0.per_second
    }

    /// Most mails in an hour; null without a limit.
    async fn per_hour(&self) -> Option<i32> {
        self.0.per_hour
    }

    /// When a worker last started with it in its settings.
    async fn announced_at(&self) -> DateTime {
        self.0.announced_at.into()
    }

    /// Since when a person holds it.
    async fn paused_at(&self) -> Option<DateTime> {
        self.0.paused_at.map(Into::into)
    }

    /// Until when it is left alone because it could not be reached.
    async fn resting_until(&self) -> Option<DateTime> {
        self.0.rest_until.filter(|until| *until > self.1).map(Into::into)
    }

    /// Since when it carries no bulk mail.
    async fn stopped_at(&self) -> Option<DateTime> {
        self.0.stopped_at.map(Into::into)
    }

    /// Why it carries no bulk mail.
    async fn stop_reason(&self) -> Option<StopReason> {
        self.0.stop_reason.map(Into::into)
    }
}

/// What came of the mails of an hour by one route, in one lane, to one mailbox provider.
pub struct DeliveryStat(Line);

/// What came of the mails of an hour by one route, in one lane, to one mailbox provider.
#[Object]
impl DeliveryStat {
    /// When the hour began.
    async fn hour(&self) -> DateTime {
        self.0.hour.into()
    }

    /// The route.
    async fn route(&self) -> &str {
        &self.0.route
    }

    /// The lane.
    async fn lane(&self) -> Lane {
        self.0.lane.into()
    }

    /// The mailbox provider by its best known domain, or `other` for all smaller ones together.
    async fn domain(&self) -> &str {
        &self.0.domain
    }

    /// Taken by the mail server.
    async fn accepted(&self) -> i64 {
        self.0.accepted
    }

    /// Refused for good.
    async fn refused(&self) -> i64 {
        self.0.refused
    }

    /// To be tried again later.
    async fn deferred(&self) -> i64 {
        self.0.deferred
    }

    /// Gone out without an answer.
    async fn unknown(&self) -> i64 {
        self.0.unknown
    }

    /// Undeliverable: reported later, or refused at once because the address does not exist.
    async fn bounced(&self) -> i64 {
        self.0.bounced
    }

    /// Reported as spam.
    async fn complained(&self) -> i64 {
        self.0.complained
    }

    /// Half of the answers of the mail server came within so many milliseconds; null without answers.
    async fn latency_p50_ms(&self) -> Option<u32> {
        self.0.within_ms(0.5)
    }

    /// Nine of ten answers of the mail server came within so many milliseconds; null without answers.
    async fn latency_p90_ms(&self) -> Option<u32> {
        self.0.within_ms(0.9)
    }

    /// Answers by how long they took; such numbers add up over lines.
    async fn latency(&self) -> Vec<LatencyClass> {
        let edges = delivery_stats::EDGES_MS
            .iter()
            .map(|edge| Some(*edge))
            .chain([None]);
        edges
            .zip(&self.0.took)
            .map(|(within_ms, count)| LatencyClass {
                within_ms,
                count: *count,
            })
            .collect()
    }
}

/// Answers that took about as long.
#[derive(async_graphql::SimpleObject)]
pub struct LatencyClass {
    /// They took at most so many milliseconds, and longer than the class before; null for the slowest.
    within_ms: Option<u32>,
    /// How many there were.
    count: i64,
}

/// Reads of how mail goes out.
#[derive(Default)]
pub struct SendingQuery;

/// Reads of how mail goes out.
#[Object]
impl SendingQuery {
    /// The routes by which mail goes out, by name, with what holds them back. Empty until a worker has started that sends.
    #[graphql(complexity = "5 + 3 * child_complexity")]
    async fn sending_routes(&self, ctx: &Context<'_>) -> Result<Vec<SendingRoute>, Error> {
        let ask = Ask::of(ctx);
        let rows = route::listed(ask.db(), ask.viewer()).await.told(ask)?;
        let now = ask.api.hospital.now();
        Ok(rows.into_iter().map(|row| SendingRoute(row, now)).collect())
    }

    /// What came of mails, by hour, route, lane and mailbox provider, the latest hour first; at most 1,000 lines.
    #[graphql(complexity = "10 + 20 * child_complexity")]
    async fn delivery_stats(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "From this instant; its hour counts as a whole.")] from: DateTime,
        #[graphql(desc = "Up to this instant, at most 31 days later.")] until: DateTime,
        #[graphql(desc = "Of one route only.")] route: Option<String>,
    ) -> Result<Vec<DeliveryStat>, Error> {
        let ask = Ask::of(ctx);
        let asked = Asked {
            from: from.into(),
            until: until.into(),
            route,
        };
        let lines = delivery_stats::lines(ask.db(), ask.viewer(), asked)
            .await
            .told(ask)?;
        Ok(lines.into_iter().map(DeliveryStat).collect())
    }
}
