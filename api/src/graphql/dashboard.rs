//! The figures of a period.

use async_graphql::{Context, Enum, Error, ID, InputObject, Object, SimpleObject};
use domain::error::Error as DomainError;
use domain::report::{self, Filter};

use super::ask::Ask;
use super::campaign::{self, Campaign, Money};
use super::directory::{self, ServiceLine};
use super::errors::Told;
use super::id::{id, read_list};
use super::scalars::{DateTime, Duration};
use super::vocabulary::{AttemptOutcome, Channel, LeadStage, LeadType};

/// Which leads a dashboard is about: those received from `from` until before `to`. An empty list means all of them.
#[derive(InputObject, Clone, Debug)]
pub struct DashboardFilter {
    /// First instant of the period.
    from: DateTime,
    /// The instant at which the period has ended.
    to: DateTime,
    /// Only these service lines.
    service_line_ids: Option<Vec<ID>>,
    /// Only these channels.
    channels: Option<Vec<Channel>>,
    /// Only these campaigns.
    campaign_ids: Option<Vec<ID>>,
    /// Only these facilities.
    facility_ids: Option<Vec<ID>>,
    /// Only these lead types.
    lead_types: Option<Vec<LeadType>>,
}

impl DashboardFilter {
    /// The filter as the report reads it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the field of an id that is none.
    pub fn read(self) -> Result<Filter, Error> {
        Ok(Filter {
            from: self.from.0,
            to: self.to.0,
            service_line_ids: read_list("filter.serviceLineIds", self.service_line_ids.as_deref())?
                .unwrap_or_default(),
            channels: self.channels.into_iter().flatten().map(Into::into).collect(),
            campaign_ids: read_list("filter.campaignIds", self.campaign_ids.as_deref())?.unwrap_or_default(),
            facility_ids: read_list("filter.facilityIds", self.facility_ids.as_deref())?.unwrap_or_default(),
            lead_types: self.lead_types.into_iter().flatten().map(Into::into).collect(),
        })
    }
}

/// The figures of a period.
pub struct Dashboard {
    figures: report::Dashboard,
    filter: Filter,
}

/// Computes a dashboard for the viewer.
///
/// # Errors
/// `BAD_USER_INPUT` for a period that cannot be, or a fault of the database.
pub async fn dashboard(ask: &Ask, filter: Filter) -> Result<Dashboard, Error> {
    let figures = report::dashboard(&ask.api.hospital, ask.viewer(), filter.clone()).await;
    Ok(Dashboard {
        figures: figures.map_err(within_filter).told(ask)?,
        filter,
    })
}

/// The report names fields of its filter; here they are fields of the argument `filter`.
pub(super) fn within_filter(error: DomainError) -> DomainError {
    match error {
        DomainError::Refused(mut refusals) => {
            for refusal in &mut refusals {
                refusal.field.insert(0, "filter".to_owned());
            }
            DomainError::Refused(refusals)
        }
        other => other,
    }
}

/// The figures of a period. All of one dashboard agree with each other.
#[Object]
impl Dashboard {
    /// All leads of the filter.
    async fn totals(&self) -> FunnelTotals<'_> {
        FunnelTotals(&self.figures.totals)
    }

    /// By service line, most leads first; the row without a service line holds leads that nobody has placed yet.
    async fn by_service_line(&self) -> Vec<DashboardRow<'_>> {
        let row = |row| DashboardRow { of: RowOf::Line(row) };
        self.figures.by_service_line.iter().map(row).collect()
    }

    /// By channel, most leads first.
    async fn by_channel(&self) -> Vec<DashboardRow<'_>> {
        self.figures
            .by_channel
            .iter()
            .map(|row| DashboardRow {
                of: RowOf::Channel(row),
            })
            .collect()
    }

    /// By campaign, most leads first; the row without a campaign holds leads that answer none.
    async fn by_campaign(&self) -> Vec<DashboardRow<'_>> {
        self.figures
            .by_campaign
            .iter()
            .map(|row| DashboardRow {
                of: RowOf::Campaign(row),
            })
            .collect()
    }

    /// By service line and channel, most leads first.
    async fn by_service_line_and_channel(&self) -> Vec<DashboardCell<'_>> {
        self.figures
            .by_service_line_and_channel
            .iter()
            .map(DashboardCell)
            .collect()
    }

    /// What came of the attempts at these leads, whenever they were made.
    async fn outcomes(&self) -> Vec<OutcomeCount> {
        let count = |row: &report::OutcomeCount| OutcomeCount {
            outcome: row.outcome.into(),
            count: row.count,
        };
        self.figures.outcomes.iter().map(count).collect()
    }

    /// How long leads waited for the first attempt.
    async fn time_to_first_contact(&self) -> TimeToContact {
        let time = &self.figures.time_to_first_contact;
        TimeToContact {
            median: time.median_secs.map(Duration),
            p90: time.p90_secs.map(Duration),
            business_median: time.business_median_secs.map(Duration),
            business_p90: time.business_p90_secs.map(Duration),
            histogram: time
                .histogram
                .iter()
                .map(|bar| HistogramBucket {
                    from: Duration(bar.from_secs),
                    to: bar.to_secs.map(Duration),
                    count: bar.count,
                })
                .collect(),
        }
    }

    /// How the promise of a first attempt was kept, as of now.
    async fn sla(&self) -> SlaSummary {
        SlaSummary::of(&self.figures.sla)
    }

    /// Arrivals in each stage within the period, whenever the leads were received.
    async fn arrivals(&self) -> Vec<StageCount> {
        let count = |row: &report::Arrival| StageCount {
            stage: row.stage.into(),
            count: row.count,
        };
        self.figures.arrivals.iter().map(count).collect()
    }

    /// The attribution model of every cost: all of a lead counts for the campaign that it answered.
    async fn attribution(&self) -> &'static str {
        report::ATTRIBUTION
    }

    /// The period cut into days, weeks or months of the facility that the filter names, else of the hospital.
    #[graphql(complexity = "100 + 30 * child_complexity")]
    async fn series(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How long the pieces are.")] grain: Grain,
    ) -> Result<Vec<DashboardPoint>, Error> {
        let ask = Ask::of(ctx);
        let points = report::series(&ask.api.hospital, ask.viewer(), &self.filter, grain.into())
            .await
            .told(ask)?;
        Ok(points.into_iter().map(DashboardPoint).collect())
    }

    /// The period before, of the same length. It ends where this one starts.
    #[graphql(complexity = "500 + child_complexity")]
    async fn previous(&self, ctx: &Context<'_>) -> Result<Option<Dashboard>, Error> {
        dashboard(Ask::of(ctx), self.filter.previous()).await.map(Some)
    }
}

/// The funnel of a group of leads.
pub struct FunnelTotals<'a>(&'a report::FunnelTotals);

impl FunnelTotals<'_> {
    fn money(&self, minor: Option<i64>) -> Option<Money> {
        Some(Money {
            minor: minor?,
            currency: self.0.currency.clone()?,
        })
    }
}

/// The funnel of a group of leads: how many of those received in the period ever came that far.
#[Object]
impl FunnelTotals<'_> {
    /// Leads received; duplicates and spam are left out.
    async fn leads(&self) -> i64 {
        self.0.leads
    }

    /// Leads with at least one attempt.
    async fn attempted(&self) -> i64 {
        self.0.attempted
    }

    /// Leads with a two-way attempt.
    async fn reached(&self) -> i64 {
        self.0.reached
    }

    /// Leads that ever reached `QUALIFIED`.
    async fn qualified(&self) -> i64 {
        self.0.qualified
    }

    /// Leads that ever reached `APPOINTMENT_SCHEDULED`.
    async fn scheduled(&self) -> i64 {
        self.0.scheduled
    }

    /// Leads that ever reached `VISIT_COMPLETED`.
    async fn completed(&self) -> i64 {
        self.0.completed
    }

    /// Leads that were ever closed.
    async fn closed(&self) -> i64 {
        self.0.closed
    }

    /// Leads reached / leads; null without leads.
    async fn contact_rate(&self) -> Option<f64> {
        self.0.contact_rate
    }

    /// What the campaigns cost on the days of the period; null when it cannot be told for this group.
    async fn spend(&self) -> Option<Money> {
        self.money(self.0.spend_minor)
    }

    /// Spend / leads.
    async fn cost_per_lead(&self) -> Option<Money> {
        self.money(self.0.cost_per_lead_minor)
    }

    /// Spend / leads ever qualified.
    async fn cost_per_qualified(&self) -> Option<Money> {
        self.money(self.0.cost_per_qualified_minor)
    }

    /// Spend / leads ever scheduled.
    async fn cost_per_scheduled(&self) -> Option<Money> {
        self.money(self.0.cost_per_scheduled_minor)
    }

    /// Spend / leads ever completed.
    async fn cost_per_completed(&self) -> Option<Money> {
        self.money(self.0.cost_per_completed_minor)
    }
}

/// The figures of one service line, channel or campaign.
pub struct DashboardRow<'a> {
    of: RowOf<'a>,
}

enum RowOf<'a> {
    Line(&'a report::Row<entity::id::ServiceLineId>),
    Channel(&'a report::Row<entity::enums::Channel>),
    Campaign(&'a report::Row<entity::id::CampaignId>),
}

/// The figures of one service line, channel or campaign.
#[Object]
impl DashboardRow<'_> {
    /// Id of the service line or campaign; null for a channel, and for leads that have none.
    async fn id(&self) -> Option<ID> {
        match self.of {
            RowOf::Line(row) => row.id.map(id),
            RowOf::Campaign(row) => row.id.map(id),
            RowOf::Channel(_) => None,
        }
    }

    /// The name that people read.
    async fn name(&self) -> &str {
        match self.of {
            RowOf::Line(row) => &row.name,
            RowOf::Channel(row) => &row.name,
            RowOf::Campaign(row) => &row.name,
        }
    }

    /// The service line, in rows by service line.
    async fn service_line(&self, ctx: &Context<'_>) -> Result<Option<ServiceLine>, Error> {
        let RowOf::Line(row) = self.of else {
            return Ok(None);
        };
        directory::service_line(Ask::of(ctx), row.id).await
    }

    /// The channel, in rows by channel.
    async fn channel(&self) -> Option<Channel> {
        let RowOf::Channel(row) = self.of else { return None };
        row.id.map(Into::into)
    }

    /// The campaign, in rows by campaign.
    async fn campaign(&self, ctx: &Context<'_>) -> Result<Option<Campaign>, Error> {
        let RowOf::Campaign(row) = self.of else {
            return Ok(None);
        };
        campaign::campaign(Ask::of(ctx), row.id).await
    }

    /// The figures.
    async fn totals(&self) -> FunnelTotals<'_> {
        FunnelTotals(match self.of {
            RowOf::Line(row) => &row.totals,
            RowOf::Channel(row) => &row.totals,
            RowOf::Campaign(row) => &row.totals,
        })
    }
}

/// The figures of one channel of one service line.
pub struct DashboardCell<'a>(&'a report::Cell);

/// The figures of one channel of one service line.
#[Object]
impl DashboardCell<'_> {
    /// The service line; null for leads that nobody has placed yet.
    async fn service_line(&self, ctx: &Context<'_>) -> Result<Option<ServiceLine>, Error> {
        directory::service_line(Ask::of(ctx), self.0.service_line_id).await
    }

    /// The channel.
    async fn channel(&self) -> Channel {
        self.0.channel.into()
    }

    /// The figures.
    async fn totals(&self) -> FunnelTotals<'_> {
        FunnelTotals(&self.0.totals)
    }
}

/// The figures of one day, week or month.
pub struct DashboardPoint(report::Point);

/// The figures of one day, week or month.
#[Object]
impl DashboardPoint {
    /// Its first instant.
    async fn starts_at(&self) -> DateTime {
        self.0.starts_at.into()
    }

    /// The instant at which it has ended.
    async fn ends_at(&self) -> DateTime {
        self.0.ends_at.into()
    }

    /// The leads received in it.
    async fn totals(&self) -> FunnelTotals<'_> {
        FunnelTotals(&self.0.totals)
    }
}

/// How often attempts had an outcome.
#[derive(SimpleObject)]
pub struct OutcomeCount {
    /// The outcome.
    outcome: AttemptOutcome,
    /// Attempts.
    count: i64,
}

/// How many leads came to a stage.
#[derive(SimpleObject)]
pub struct StageCount {
    /// The stage.
    stage: LeadStage,
    /// Arrivals; for `NEW`, leads received.
    count: i64,
}

/// How long leads waited for the first attempt. Leads that still wait are not in it.
#[derive(SimpleObject)]
pub struct TimeToContact {
    /// Median in clock time; null without attempts.
    median: Option<Duration>,
    /// 90th percentile in clock time.
    p90: Option<Duration>,
    /// Median in business time of the facilities' calendars.
    business_median: Option<Duration>,
    /// 90th percentile in business time.
    business_p90: Option<Duration>,
    /// Leads by clock time: all bars, empty ones too.
    histogram: Vec<HistogramBucket>,
}

/// One bar of a histogram of times.
#[derive(SimpleObject)]
pub struct HistogramBucket {
    /// Where it begins.
    from: Duration,
    /// Where it ends, itself not included; null for the last.
    to: Option<Duration>,
    /// Leads.
    count: i64,
}

/// How the promise of a first attempt was kept. `met + missed + open + ended` are all leads.
#[derive(SimpleObject)]
pub struct SlaSummary {
    /// The first attempt came before the due time.
    met: i64,
    /// The first attempt came too late, or the due time has passed without one.
    missed: i64,
    /// Those of `missed` that still wait for a first attempt.
    late_now: i64,
    /// No attempt yet, and still in time.
    open: i64,
    /// Closed before the due time without an attempt.
    ended: i64,
}

impl SlaSummary {
    /// The figures as they were counted.
    pub(super) const fn of(sla: &report::SlaSummary) -> Self {
        Self {
            met: sla.met,
            missed: sla.missed,
            late_now: sla.late_now,
            open: sla.open,
            ended: sla.ended,
        }
    }
}

/// How long the pieces of a series are, on the local calendar.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "report::Grain")]
pub enum Grain {
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday.
    Week,
    /// From the first to the first.
    Month,
}

/// Reads of figures.
#[derive(Default)]
pub struct DashboardQuery;

/// Reads of figures.
#[Object]
impl DashboardQuery {
    /// The figures of a period. Roles that see numbers only get those of all leads; coordinators, reviewers and
    /// service-line leads those of the leads that they may open.
    #[graphql(complexity = "500 + child_complexity")]
    async fn dashboard(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which leads.")] filter: DashboardFilter,
    ) -> Result<Dashboard, Error> {
        dashboard(Ask::of(ctx), filter.read()?).await
    }
}
