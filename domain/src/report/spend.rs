//! What the leads of a filter cost.
//!
//! Spend is recorded per campaign and day, in the hospital's own days; a day belongs to the period in which it
//! starts. A campaign has one channel. If it promotes several service lines, its spend is split evenly between them,
//! in minor units, the first ones (by age) taking what does not divide, so that the parts sum to the whole. A filter
//! by service line takes their parts: the row of a line shows what a dashboard of that line alone shows.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use chrono::NaiveDate;
use entity::enums::Channel;
use entity::id::{CampaignId, ServiceLineId};
use entity::{campaign, campaign_service_line, campaign_spend};
use sea_orm::sea_query::{Expr, ExprTrait, SelectStatement};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
};

use super::Filter;
use crate::error::Result;

/// The part of one campaign's spend that falls to one service line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) campaign_id: CampaignId,
    pub(super) channel: Channel,
    /// None for a campaign that promotes no line.
    pub(super) service_line_id: Option<ServiceLineId>,
    pub(super) currency: String,
    pub(super) amount_minor: i64,
}

/// Sums of money by currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spend(BTreeMap<String, i64>);

impl Spend {
    pub(super) fn add(&mut self, cost: &Cost) {
        *self.0.entry(cost.currency.clone()).or_default() += cost.amount_minor;
    }

    /// The sum, if all of it is in one currency.
    pub(super) fn one_currency(&self) -> Option<(i64, String)> {
        let mut sums = self.0.iter();
        match (sums.next(), sums.next()) {
            (Some((currency, sum)), None) => Some((*sum, currency.clone())),
            _ => None,
        }
    }
}

impl<'c> FromIterator<&'c Cost> for Spend {
    fn from_iter<I: IntoIterator<Item = &'c Cost>>(costs: I) -> Self {
        let mut spend = Self::default();
        for cost in costs {
            spend.add(cost);
        }
        spend
    }
}

/// What a campaign cost over some days.
#[derive(Clone, Debug, FromQueryResult)]
struct Sum {
    campaign_id: CampaignId,
    channel: Channel,
    currency: String,
    amount_minor: i64,
}

/// The costs of the filter's campaigns on `days`.
pub(super) async fn costs(
    conn: &impl ConnectionTrait,
    filter: &Filter,
    days: Range<NaiveDate>,
) -> Result<Vec<Cost>> {
    let mut statement = spent(filter);
    statement
        .and_where(campaign_spend::Column::Day.gte(days.start))
        .and_where(campaign_spend::Column::Day.lt(days.end));
    let rows = conn.query_all(&statement).await?;
    let sums: Vec<Sum> = rows
        .iter()
        .map(|row| Sum::from_query_result(row, ""))
        .collect::<Result<_, _>>()?;
    let lines = lines_of(conn, sums.iter().map(|sum| sum.campaign_id)).await?;
    Ok(sums
        .into_iter()
        .flat_map(|sum| split(&sum, 0, &lines, filter))
        .collect())
}

/// The same for each of several ranges of days, which follow each other.
pub(super) async fn costs_of_each(
    conn: &impl ConnectionTrait,
    filter: &Filter,
    ranges: &[Range<NaiveDate>],
) -> Result<Vec<Spend>> {
    let mut spends = vec![Spend::default(); ranges.len()];
    if ranges.is_empty() {
        return Ok(spends);
    }
    let numbered = (0_i64..)
        .zip(ranges)
        .map(|(number, days)| (number, days.start, days.end));
    let mut statement = spent(filter);
    statement
        .expr_as(Expr::col(("piece", "column1")), "piece")
        .from_values(numbered, "piece")
        .and_where(
            Expr::col((campaign_spend::Entity, campaign_spend::Column::Day))
                .gte(Expr::col(("piece", "column2"))),
        )
        .and_where(
            Expr::col((campaign_spend::Entity, campaign_spend::Column::Day))
                .lt(Expr::col(("piece", "column3"))),
        )
        .add_group_by([Expr::col(("piece", "column1"))])
        .order_by(("piece", "column1"), sea_orm::Order::Asc);
    let mut sums = Vec::new();
    for row in conn.query_all(&statement).await? {
        let piece: i64 = row.try_get("", "piece")?;
        sums.push((piece, Sum::from_query_result(&row, "")?));
    }
    let lines = lines_of(conn, sums.iter().map(|(_, sum)| sum.campaign_id)).await?;
    // What came before is counted on, so that the parts of all pieces sum to the part of the whole.
    let mut so_far: HashMap<CampaignId, i64> = HashMap::new();
    for (piece, sum) in &sums {
        let before = so_far.entry(sum.campaign_id).or_default();
        let spend = usize::try_from(*piece)
            .ok()
            .and_then(|piece| spends.get_mut(piece));
        if let Some(spend) = spend {
            for cost in split(sum, *before, &lines, filter) {
                spend.add(&cost);
            }
        }
        *before += sum.amount_minor;
    }
    Ok(spends)
}

/// Spend summed by campaign, as far as the filter speaks of campaigns.
fn spent(filter: &Filter) -> SelectStatement {
    let mut found = campaign_spend::Entity::find()
        .select_only()
        .column(campaign_spend::Column::CampaignId)
        .columns([campaign::Column::Channel, campaign::Column::Currency])
        // PostgreSQL sums bigints to a numeric.
        .column_as(
            campaign_spend::Column::AmountMinor.sum().cast_as("bigint"),
            "amount_minor",
        )
        .filter(
            Expr::col((campaign::Entity, campaign::Column::Id))
                .equals(campaign_spend::Column::CampaignId.as_column_ref()),
        )
        .group_by(campaign_spend::Column::CampaignId)
        .group_by(campaign::Column::Channel)
        .group_by(campaign::Column::Currency);
    if !filter.campaign_ids.is_empty() {
        found = found.filter(campaign_spend::Column::CampaignId.is_in(filter.campaign_ids.iter().copied()));
    }
    if !filter.channels.is_empty() {
        found = found.filter(campaign::Column::Channel.is_in(filter.channels.iter().copied()));
    }
    // Named beside the spend and not joined to it: a caller adds a third table, which a JOIN would bind to.
    found.into_query().from(campaign::Entity).take()
}

type Lines = HashMap<CampaignId, Vec<ServiceLineId>>;

/// The service lines of campaigns, the oldest first.
async fn lines_of(conn: &impl ConnectionTrait, campaigns: impl Iterator<Item = CampaignId>) -> Result<Lines> {
    let mut ids: Vec<_> = campaigns.collect();
    ids.sort_unstable();
    ids.dedup();
    let mut lines = Lines::new();
    for some in ids.chunks(crate::db::BATCH_MAX) {
        let rows = campaign_service_line::Entity::find()
            .filter(campaign_service_line::Column::CampaignId.is_in(some.iter().copied()))
            .order_by_asc(campaign_service_line::Column::ServiceLineId)
            .all(conn)
            .await?;
        for row in rows {
            lines
                .entry(row.campaign_id)
                .or_default()
                .push(row.service_line_id);
        }
    }
    Ok(lines)
}

/// The parts of a sum that the filter's service lines bear, if the campaign had spent `before` already.
fn split(sum: &Sum, before: i64, lines: &Lines, filter: &Filter) -> Vec<Cost> {
    let cost = |service_line_id, amount_minor| Cost {
        campaign_id: sum.campaign_id,
        channel: sum.channel,
        service_line_id,
        currency: sum.currency.clone(),
        amount_minor,
    };
    let wanted = &filter.service_line_ids;
    match lines.get(&sum.campaign_id) {
        None if wanted.is_empty() => vec![cost(None, sum.amount_minor)],
        None => Vec::new(),
        Some(promoted) => (0_i64..)
            .zip(promoted)
            .filter(|(_, line)| wanted.is_empty() || wanted.contains(line))
            .map(|(place, line)| {
                let count = i64::try_from(promoted.len()).unwrap_or(i64::MAX);
                let part = |whole: i64| part(whole, place, count);
                cost(Some(*line), part(before + sum.amount_minor) - part(before))
            })
            .collect(),
    }
}

/// What the one at `place` (from zero) gets of `whole` split among `count`: the first ones take what does not divide.
const fn part(whole: i64, place: i64, count: i64) -> i64 {
    (whole + count - 1 - place) / count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_sum_to_the_whole_and_differ_by_one_at_most() {
        for (whole, count) in [(0, 1), (1, 3), (100, 3), (101, 3), (7, 7), (999, 10)] {
            let parts: Vec<i64> = (0..count).map(|place| part(whole, place, count)).collect();
            assert_eq!(parts.iter().sum::<i64>(), whole, "{parts:?}");
            assert!(
                parts.is_sorted_by(|a, b| a >= b) && parts[0] - parts[parts.len() - 1] <= 1,
                "{parts:?}"
            );
        }
    }

    #[test]
    fn money_of_two_currencies_is_no_sum() {
        let cost = |currency: &str| Cost {
            campaign_id: CampaignId(uuid::Uuid::nil()),
            channel: Channel::Social,
            service_line_id: None,
            currency: currency.to_owned(),
            amount_minor: 5,
        };
        assert_eq!(
            [cost("USD"), cost("USD")]
                .iter()
                .collect::<Spend>()
                .one_currency(),
            Some((10, "USD".to_owned()))
        );
        assert_eq!(
            [cost("USD"), cost("EUR")]
                .iter()
                .collect::<Spend>()
                .one_currency(),
            None
        );
        assert_eq!(Spend::default().one_currency(), None);
    }
}
