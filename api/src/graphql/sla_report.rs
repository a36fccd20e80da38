//! How the promise of a first attempt was kept, by team, person, service line, channel or hour of the week.

use async_graphql::{Context, Enum, Error, ID, Object};
use domain::report::{self, SlaKey};
use entity::id::{ServiceLineId, StaffId, TeamId, TypedId};

use super::ask::Ask;
use super::dashboard::{DashboardFilter, SlaSummary, within_filter};
use super::directory::{self, ServiceLine, Staff, Team};
use super::errors::Told;
use super::id::id;
use super::scalars::Duration;
use super::vocabulary::Channel;

/// What the rows of a report are about.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "report::SlaBy")]
pub enum SlaReportBy {
    /// The team that serves a lead.
    Team,
    /// The person who serves it. What was taken back counts for whom it was taken from.
    Person,
    /// Its service line.
    ServiceLine,
    /// Its channel.
    Channel,
    /// The local hour of the week at which it came in.
    HourOfWeek,
}

/// The figures of one team, person, service line, channel or hour of the week.
pub struct SlaReportRow {
    by: SlaReportBy,
    row: report::SlaRow,
}

impl SlaReportRow {
    /// The id, in rows about things of that kind.
    fn of<Id: TypedId>(&self, by: SlaReportBy) -> Option<Id> {
        match self.row.key {
            SlaKey::Id(Some(uuid)) if self.by == by => Some(Id::from_uuid(uuid)),
            _ => None,
        }
    }
}

/// The figures of one team, person, service line, channel or hour of the week.
#[Object]
impl SlaReportRow {
    /// Id of the team, person or service line; null for a channel or hour, and for leads that have none.
    async fn id(&self) -> Option<ID> {
        let team = self.of::<TeamId>(SlaReportBy::Team).map(id);
        let person = self.of::<StaffId>(SlaReportBy::Person).map(id);
        let line = self.of::<ServiceLineId>(SlaReportBy::ServiceLine).map(id);
        team.or(person).or(line)
    }

    /// The name that people read.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// The team, in rows by team.
    async fn team(&self, ctx: &Context<'_>) -> Result<Option<Team>, Error> {
        directory::team(Ask::of(ctx), self.of(SlaReportBy::Team)).await
    }

    /// The person, in rows by person.
    async fn person(&self, ctx: &Context<'_>) -> Result<Option<Staff>, Error> {
        directory::staff(Ask::of(ctx), self.of(SlaReportBy::Person)).await
    }

    /// The service line, in rows by service line.
    async fn service_line(&self, ctx: &Context<'_>) -> Result<Option<ServiceLine>, Error> {
        directory::service_line(Ask::of(ctx), self.of(SlaReportBy::ServiceLine)).await
    }

    /// The channel, in rows by channel.
    async fn channel(&self) -> Option<Channel> {
        match self.row.key {
            SlaKey::Channel(channel) => Some(channel.into()),
            _ => None,
        }
    }

    /// The hour of the week, in rows by hour: 0 is Monday from midnight to one, 167 the last of Sunday.
    async fn hour_of_week(&self) -> Option<i64> {
        match self.row.key {
            SlaKey::HourOfWeek(hour) => Some(hour),
            _ => None,
        }
    }

    /// Leads received; duplicates and spam are left out.
    async fn leads(&self) -> i64 {
        self.row.leads
    }

    /// Leads whose first attempt came before the target.
    async fn met_target(&self) -> i64 {
        self.row.met_target
    }

    /// How the promise was kept.
    async fn sla(&self) -> SlaSummary {
        SlaSummary::of(&self.row.sla)
    }

    /// Leads that were taken back from their owners.
    async fn taken_back(&self) -> i64 {
        self.row.taken_back
    }

    /// Median of business time to the first attempt; null without attempts.
    async fn business_median(&self) -> Option<Duration> {
        self.row.business_median_secs.map(Duration)
    }

    /// 90th percentile of business time to the first attempt; null without attempts.
    async fn business_p90(&self) -> Option<Duration> {
        self.row.business_p90_secs.map(Duration)
    }
}

/// Reads of how promises were kept.
#[derive(Default)]
pub struct SlaReportQuery;

/// Reads of how promises were kept.
#[Object]
impl SlaReportQuery {
    /// How the promise of a first attempt was kept in a period of at most 400 days; most leads first, hours of the week
    /// in their order. Whose leads are counted is as for the dashboard.
    #[graphql(complexity = "500 + 20 * child_complexity")]
    async fn sla_report(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which leads.")] filter: DashboardFilter,
        #[graphql(desc = "What the rows are about.")] by: SlaReportBy,
    ) -> Result<Vec<SlaReportRow>, Error> {
        let ask = Ask::of(ctx);
        let rows = report::sla_report(&ask.api.hospital, ask.viewer(), filter.read()?, by.into()).await;
        let rows = rows.map_err(within_filter).told(ask)?;
        Ok(rows.into_iter().map(|row| SlaReportRow { by, row }).collect())
    }
}
