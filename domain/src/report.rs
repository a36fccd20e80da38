//! What became of the leads of a period: the dashboard and its series, with one definition of every figure.
//!
//! - **Leads** are those received in `[from, to)`; duplicates and spam are left out of everything.
//! - The **funnel** follows that cohort: how many of those leads were ever attempted, reached, qualified, scheduled,
//!   completed or closed, whenever that was. [`Dashboard::arrivals`] is the other view: changes of stage within the
//!   period, whenever the leads came in.
//! - **Reached** is a two-way attempt, and the contact rate is leads reached / leads.
//! - **Time to first contact** is received → first attempt, in whole seconds, rounded down. Median and 90th
//!   percentile are nearest-rank: the smallest time that at least half (nine tenths) of the attempted leads did not
//!   exceed. Leads that nobody has tried yet have no such time; the SLA figures count them.
//! - **SLA**: see [`SlaSummary`].
//! - **Cost per X** is the spend of the campaigns on the days of the period / X. A lead counts for the campaign that it
//!   answered ([`ATTRIBUTION`]). The spend of a campaign with several service lines is split evenly between them, and a
//!   day belongs to the period in which it starts, so that parts and neighbors always sum to the whole.
//!
//! Everything is counted by the database, and all figures of one dashboard in one transaction, so that they agree.

mod cohort;
mod filter;
mod misroute;
mod period;
mod profile;
mod series;
mod sla;
mod spend;
mod timing;
mod totals;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::Hash;

use entity::enums::{AttemptOutcome, Channel, LeadStage};
use entity::id::{CampaignId, ServiceLineId};

pub use self::filter::{Filter, LIST_MAX, SPAN_MAX_DAYS};
pub use self::misroute::{MisrouteRow, misroute_report};
pub(crate) use self::period::day_start;
pub use self::period::{Grain, hospital_zone};
pub use self::profile::{
    BANDS, Completed, PROFILE_LEADS_MAX, PROFILE_SPAN_MAX_DAYS, ProfileReport, Separation, profile_report,
};
pub use self::series::{POINTS_MAX, Point, series};
pub use self::sla::{SLA_SPAN_MAX_DAYS, SlaBy, SlaKey, SlaRow, sla_report};
pub use self::timing::{Bucket, HISTOGRAM_EDGES_SECS, TimeToContact};
pub use self::totals::FunnelTotals;

use self::cohort::Group;
use self::spend::{Cost, Spend};
use self::totals::Counts;
use crate::db;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::playbook::Playbook;
use crate::viewer::Viewer;

/// The attribution model of every cost: all of a lead counts for the campaign that it answered.
pub const ATTRIBUTION: &str = "LAST_TOUCH";

/// Most campaigns in [`Dashboard::by_campaign`]: those with the most leads.
pub const CAMPAIGN_ROWS_MAX: usize = 500;

/// The figures of a period.
#[derive(Clone, Debug, PartialEq)]
pub struct Dashboard {
    /// All leads of the filter.
    pub totals: FunnelTotals,
    /// By service line, most leads first; the row without an id holds leads that nobody has placed yet.
    pub by_service_line: Vec<Row<ServiceLineId>>,
    /// By channel, most leads first.
    pub by_channel: Vec<Row<Channel>>,
    /// By campaign, most leads first; the row without an id holds leads that answer none. At most
    /// [`CAMPAIGN_ROWS_MAX`].
    pub by_campaign: Vec<Row<CampaignId>>,
    /// By service line and channel, most leads first.
    pub by_service_line_and_channel: Vec<Cell>,
    /// What came of the attempts at these leads, whenever they were made: every outcome, in the order of the
    /// vocabulary.
    pub outcomes: Vec<OutcomeCount>,
    /// How long leads waited for the first attempt.
    pub time_to_first_contact: TimeToContact,
    /// How the promise of a first attempt was kept.
    pub sla: SlaSummary,
    /// Arrivals in each stage within the period, whenever the leads were received.
    pub arrivals: Vec<Arrival>,
}

/// The figures of one service line, channel or campaign.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<K> {
    /// Which one; none for leads that have none.
    pub id: Option<K>,
    /// Its name.
    pub name: String,
    /// Its figures.
    pub totals: FunnelTotals,
}

/// The figures of one channel of one service line.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The service line; none for leads that nobody has placed yet.
    pub service_line_id: Option<ServiceLineId>,
    /// The channel.
    pub channel: Channel,
    /// Its figures.
    pub totals: FunnelTotals,
}

/// How often attempts had an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutcomeCount {
    /// The outcome.
    pub outcome: AttemptOutcome,
    /// Attempts.
    pub count: i64,
}

/// How many leads came to a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The stage.
    pub stage: LeadStage,
    /// Changes to it; for `NEW`, leads received.
    pub count: i64,
}

/// How the promise of a first attempt was kept. `met + missed + open + ended` are all leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlaSummary {
    /// The first attempt came before the due time.
    pub met: i64,
    /// The first attempt came at the due time or later, or the due time has passed without one. This is told from the
    /// clock, not from the sweep's mark.
    pub missed: i64,
    /// Those of `missed` that still wait for a first attempt.
    pub late_now: i64,
    /// No attempt yet, and still in time.
    pub open: i64,
    /// Closed before the due time without an attempt: nobody needs to call any more.
    pub ended: i64,
}

/// The figures of the leads that match the filter.
///
/// Operators and roles that see numbers only get the figures of all leads; a coordinator, reviewer or service-line
/// lead gets those of the leads that the person may open, without costs, because campaigns are not paid by team.
///
/// # Errors [`Refused`](crate::error::Error::Refused) when the filter is not valid,
/// [`Missing`](crate::error::Error::Missing) for a viewer without a role, or a fault of the database.
pub async fn dashboard(h: &Hospital, viewer: &Viewer, filter: Filter) -> Result<Dashboard> {
    let filter = filter.checked()?;
    let seen = cohort::seen_by(viewer)?;
    let playbook = h.playbook().await?;
    let now = h.now();
    let tx = db::begin_read(&h.db).await?;
    let groups = cohort::groups(&tx, &filter, &seen, now).await?;
    let costs = if filter.has_costs() && cohort::sees_all(viewer) {
        let days = period::days(period::zone(&playbook, &filter), filter.from, filter.to);
        spend::costs(&tx, &filter, days).await?
    } else {
        Vec::new()
    };
    let counts = groups
        .iter()
        .fold(Counts::default(), |sum, group| sum + group.counts);
    let dashboard = Dashboard {
        totals: FunnelTotals::new(&counts, &costs.iter().collect()),
        by_service_line: rows(
            &groups,
            &costs,
            |g| g.service_line_id,
            |c| c.service_line_id,
            line_name(&playbook),
        ),
        by_channel: rows(
            &groups,
            &costs,
            |g| Some(g.channel),
            |c| Some(c.channel),
            channel_name,
        ),
        by_campaign: by_campaign(&groups, &costs, &playbook),
        by_service_line_and_channel: cells(&groups, &costs, &playbook),
        outcomes: cohort::outcomes(&tx, &filter, &seen).await?,
        time_to_first_contact: timing::time_to_first_contact(&tx, &filter, &seen).await?,
        sla: counts.sla(),
        arrivals: cohort::arrivals(&tx, &filter, &seen, counts.leads).await?,
    };
    // Nothing was written; the commit only gives the connection back without a rollback in the server's log.
    tx.commit().await?;
    Ok(dashboard)
}

fn by_campaign(groups: &[Group], costs: &[Cost], playbook: &Playbook) -> Vec<Row<CampaignId>> {
    let name = |id: Option<CampaignId>| match id {
        None => "No campaign".to_owned(),
        Some(id) => playbook
            .campaigns
            .get(&id)
            .map_or_else(|| id.to_string(), |campaign| campaign.name.clone()),
    };
    let mut found = rows(
        groups,
        costs,
        |group| group.campaign_id,
        |cost| Some(cost.campaign_id),
        name,
    );
    found.truncate(CAMPAIGN_ROWS_MAX);
    found
}

fn cells(groups: &[Group], costs: &[Cost], playbook: &Playbook) -> Vec<Cell> {
    let name = line_name(playbook);
    let by_both = rows(
        groups,
        costs,
        |group| Some((group.service_line_id, group.channel)),
        |cost| Some((cost.service_line_id, cost.channel)),
        |both| both.map_or_else(String::new, |(line, channel)| format!("{} {channel}", name(line))),
    );
    let cell = |row: Row<(Option<ServiceLineId>, Channel)>| {
        row.id.map(|(service_line_id, channel)| Cell {
            service_line_id,
            channel,
            totals: row.totals,
        })
    };
    by_both.into_iter().filter_map(cell).collect()
}

fn line_name(playbook: &Playbook) -> impl Fn(Option<ServiceLineId>) -> String {
    |id| match id {
        None => "No service line".to_owned(),
        Some(id) => playbook
            .lines
            .get(&id)
            .map_or_else(|| id.to_string(), |line| line.name.clone()),
    }
}

/// `PAID_SEARCH` as `Paid search`.
fn channel_name(channel: Option<Channel>) -> String {
    let text = channel
        .map_or("", Channel::as_str)
        .replace('_', " ")
        .to_lowercase();
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Folds groups and costs by what `key_of_group` and `key_of_cost` tell; most leads first, then by name.
fn rows<K: Copy + Eq + Hash>(
    groups: &[Group],
    costs: &[Cost],
    key_of_group: impl Fn(&Group) -> Option<K>,
    key_of_cost: impl Fn(&Cost) -> Option<K>,
    name: impl Fn(Option<K>) -> String,
) -> Vec<Row<K>> {
    let mut sums: HashMap<Option<K>, (Counts, Spend)> = HashMap::new();
    for group in groups {
        let (counts, _) = sums.entry(key_of_group(group)).or_default();
        *counts = *counts + group.counts;
    }
    for cost in costs {
        sums.entry(key_of_cost(cost)).or_default().1.add(cost);
    }
    let mut found: Vec<Row<K>> = sums
        .into_iter()
        .map(|(id, (counts, spend))| Row {
            id,
            name: name(id),
            totals: FunnelTotals::new(&counts, &spend),
        })
        .collect();
    found.sort_by(|a, b| {
        b.totals
            .leads
            .cmp(&a.totals.leads)
            .then_with(|| a.name.cmp(&b.name))
    });
    found
}
