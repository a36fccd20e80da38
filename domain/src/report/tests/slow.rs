//! The same figures, counted lead by lead from the definitions, as slowly and plainly as can be.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use entity::enums::{AttemptOutcome, Channel, Disposition, LeadStage, Role};
use entity::id::{CampaignId, ServiceLineId};
use entity::lead::Model;
use entity::lead_event::LeadEventKind;

use super::super::{
    Arrival, Bucket, Cell, Dashboard, Filter, FunnelTotals, Grain, OutcomeCount, Point, Row, SlaSummary,
    TimeToContact,
};
use super::random::Town;
use crate::viewer::Viewer;

/// A cent of one campaign's spend, and where it belongs.
#[derive(Clone, Debug)]
struct Piece {
    campaign: CampaignId,
    channel: Channel,
    line: Option<ServiceLineId>,
    currency: String,
    day: NaiveDate,
    amount: i64,
}

pub(super) fn dashboard(town: &Town, viewer: &Viewer, filter: &Filter, now: DateTime<Utc>) -> Dashboard {
    let leads: Vec<&Model> = town
        .leads
        .iter()
        .filter(|lead| in_cohort(lead, viewer, filter))
        .collect();
    let spend = spend(town, viewer, filter);
    let line = |id: &Option<ServiceLineId>| {
        let names = ["sleep", "heart", "imaging"];
        id.map_or("No service line", |id| {
            names[town.lines.iter().position(|line| *line == id).unwrap()]
        })
        .to_owned()
    };
    let campaign = |id: &Option<CampaignId>| {
        let found = |id: CampaignId| {
            town.plans
                .iter()
                .find(|(plan, _)| plan.id == id)
                .unwrap()
                .0
                .name
                .clone()
        };
        id.map_or("No campaign".to_owned(), found)
    };
    let channel = |id: &Option<Channel>| {
        match id.unwrap() {
            Channel::PaidSearch => "Paid search",
            Channel::Phone => "Phone",
            Channel::Website => "Website",
            Channel::Referral => "Referral",
            Channel::Social => "Social",
            Channel::Display => "Display",
            other => panic!("{other} is not in the town"),
        }
        .to_owned()
    };
    let cells = table(
        &leads,
        &spend,
        |lead| Some((lead.service_line_id, lead.channel)),
        |piece| Some((piece.line, piece.channel)),
        |both| format!("{} {}", line(&both.unwrap().0), both.unwrap().1),
    );
    Dashboard {
        totals: totals(&leads, &spend.iter().collect::<Vec<_>>()),
        by_service_line: table(
            &leads,
            &spend,
            |lead| lead.service_line_id,
            |piece| piece.line,
            line,
        ),
        by_channel: table(
            &leads,
            &spend,
            |lead| Some(lead.channel),
            |piece| Some(piece.channel),
            channel,
        ),
        by_campaign: table(
            &leads,
            &spend,
            |lead| lead.campaign_id,
            |piece| Some(piece.campaign),
            campaign,
        ),
        by_service_line_and_channel: cells
            .into_iter()
            .map(|row| Cell {
                service_line_id: row.id.unwrap().0,
                channel: row.id.unwrap().1,
                totals: row.totals,
            })
            .collect(),
        outcomes: outcomes(town, &leads),
        time_to_first_contact: waits(&leads),
        sla: sla(&leads, now),
        arrivals: arrivals(town, viewer, filter, leads.len()),
    }
}

pub(super) fn series(town: &Town, viewer: &Viewer, filter: &Filter, grain: Grain) -> Vec<Point> {
    let zone = zone(town, filter);
    let spend = spend(town, viewer, filter);
    let first_of = |date: NaiveDate| match grain {
        Grain::Day => date,
        Grain::Week => date - TimeDelta::days(date.weekday().num_days_from_monday().into()),
        Grain::Month => date.with_day(1).unwrap(),
    };
    // Hour by hour: which day, week or month is it on the wall clock?
    let mut starts: Vec<(NaiveDate, DateTime<Utc>)> = Vec::new();
    let mut at = filter.from;
    while at < filter.to {
        let first = first_of(at.with_timezone(&zone).date_naive());
        if starts.last().is_none_or(|(last, _)| *last != first) {
            starts.push((first, at));
        }
        at = next_full_hour(at);
    }
    let point = |number: usize, (first, starts_at): (NaiveDate, DateTime<Utc>)| {
        let leads: Vec<&Model> = town
            .leads
            .iter()
            .filter(|lead| in_cohort(lead, viewer, filter))
            .filter(|lead| first_of(lead.received_at.with_timezone(&zone).date_naive()) == first)
            .collect();
        let spent: Vec<&Piece> = spend
            .iter()
            .filter(|piece| first_of(piece.day) == first)
            .collect();
        let ends_at = starts.get(number + 1).map_or(filter.to, |(_, next)| *next);
        Point {
            starts_at,
            ends_at,
            totals: totals(&leads, &spent),
        }
    };
    starts
        .iter()
        .enumerate()
        .map(|(number, start)| point(number, *start))
        .collect()
}

fn next_full_hour(at: DateTime<Utc>) -> DateTime<Utc> {
    let next = at.timestamp() - at.timestamp().rem_euclid(3_600) + 3_600;
    DateTime::from_timestamp(next, 0).unwrap()
}

fn zone(town: &Town, filter: &Filter) -> Tz {
    match filter.facility_ids.as_slice() {
        [one] => town.zones[town.facilities.iter().position(|id| id == one).unwrap()],
        _ => town.zones[0],
    }
}

fn matches(lead: &Model, viewer: &Viewer, filter: &Filter) -> bool {
    fn is_in<T: PartialEq>(list: &[T], value: Option<&T>) -> bool {
        list.is_empty() || value.is_some_and(|value| list.contains(value))
    }
    let seen = match viewer {
        Viewer::Staff {
            id,
            role: Role::IntakeCoordinator | Role::ServiceLineLead | Role::ClinicalReviewer,
            teams,
        } => teams.contains(&lead.team_id) || lead.owner_id == Some(*id),
        _ => true,
    };
    seen && !matches!(lead.disposition, Some(Disposition::Duplicate | Disposition::Spam))
        && is_in(&filter.service_line_ids, lead.service_line_id.as_ref())
        && is_in(&filter.channels, Some(&lead.channel))
        && is_in(&filter.campaign_ids, lead.campaign_id.as_ref())
        && is_in(&filter.facility_ids, lead.facility_id.as_ref())
        && is_in(&filter.lead_types, Some(&lead.lead_type))
}

fn in_cohort(lead: &Model, viewer: &Viewer, filter: &Filter) -> bool {
    matches(lead, viewer, filter) && (filter.from..filter.to).contains(&lead.received_at)
}

/// Hands out every minor unit of every campaign, one by one and in turn, to the lines that it promotes.
fn spend(town: &Town, viewer: &Viewer, filter: &Filter) -> Vec<Piece> {
    let by_team = matches!(
        viewer,
        Viewer::Staff {
            role: Role::IntakeCoordinator | Role::ServiceLineLead | Role::ClinicalReviewer,
            ..
        }
    );
    if by_team || !filter.facility_ids.is_empty() || !filter.lead_types.is_empty() {
        return Vec::new();
    }
    let midnight = |day: NaiveDate| {
        zone(town, filter)
            .from_local_datetime(&day.and_time(NaiveTime::MIN))
            .unwrap()
            .to_utc()
    };
    let mut pieces = Vec::new();
    for (plan, lines) in &town.plans {
        let mut lines = lines.clone();
        lines.sort();
        let mut days: Vec<_> = town
            .spend
            .iter()
            .filter(|spend| spend.campaign_id == plan.id)
            .filter(|spend| (filter.from..filter.to).contains(&midnight(spend.day)))
            .collect();
        days.sort_by_key(|spend| spend.day);
        let mut turn = 0;
        for spend in days {
            let mut parts = vec![0_i64; lines.len().max(1)];
            for _ in 0..spend.amount_minor {
                let count = parts.len();
                parts[turn % count] += 1;
                turn += 1;
            }
            for (at, amount) in parts.into_iter().enumerate() {
                let (campaign, channel, currency) = (plan.id, plan.channel, plan.currency.clone());
                pieces.push(Piece {
                    campaign,
                    channel,
                    line: lines.get(at).copied(),
                    currency,
                    day: spend.day,
                    amount,
                });
            }
        }
    }
    pieces.retain(|piece| {
        (filter.campaign_ids.is_empty() || filter.campaign_ids.contains(&piece.campaign))
            && (filter.channels.is_empty() || filter.channels.contains(&piece.channel))
            && (filter.service_line_ids.is_empty()
                || piece
                    .line
                    .is_some_and(|line| filter.service_line_ids.contains(&line)))
    });
    pieces
}

fn totals(leads: &[&Model], spend: &[&Piece]) -> FunnelTotals {
    let count = |test: &dyn Fn(&Model) -> bool| {
        i64::try_from(leads.iter().filter(|lead| test(lead)).count()).unwrap()
    };
    let all = count(&|_| true);
    let reached = count(&|lead| lead.first_reached_at.is_some());
    let qualified = count(&|lead| lead.qualified_at.is_some());
    let scheduled = count(&|lead| lead.scheduled_at.is_some());
    let completed = count(&|lead| lead.completed_at.is_some());
    let currencies: BTreeSet<&str> = spend.iter().map(|piece| piece.currency.as_str()).collect();
    let spent = (currencies.len() == 1).then(|| spend.iter().map(|piece| piece.amount).sum::<i64>());
    let cost = |of: i64| match spent {
        Some(spent) if of > 0 => Some((spent as f64 / of as f64).round() as i64),
        _ => None,
    };
    FunnelTotals {
        leads: all,
        attempted: count(&|lead| lead.first_attempt_at.is_some()),
        reached,
        qualified,
        scheduled,
        completed,
        closed: count(&|lead| lead.closed_at.is_some()),
        contact_rate: if all == 0 {
            None
        } else {
            Some(reached as f64 / all as f64)
        },
        spend_minor: spent,
        currency: spent.map(|_| (*currencies.first().unwrap()).to_owned()),
        cost_per_lead_minor: cost(all),
        cost_per_qualified_minor: cost(qualified),
        cost_per_scheduled_minor: cost(scheduled),
        cost_per_completed_minor: cost(completed),
    }
}

fn table<K: Copy + Ord>(
    leads: &[&Model],
    spend: &[Piece],
    of_lead: impl Fn(&Model) -> Option<K>,
    of_piece: impl Fn(&Piece) -> Option<K>,
    name: impl Fn(&Option<K>) -> String,
) -> Vec<Row<K>> {
    let mut keys: Vec<Option<K>> = leads.iter().map(|lead| of_lead(lead)).collect();
    keys.extend(spend.iter().map(&of_piece));
    keys.sort();
    keys.dedup();
    let mut rows: Vec<Row<K>> = keys
        .into_iter()
        .map(|id| {
            let leads: Vec<&Model> = leads.iter().copied().filter(|lead| of_lead(lead) == id).collect();
            let spend: Vec<&Piece> = spend.iter().filter(|piece| of_piece(piece) == id).collect();
            Row {
                id,
                name: name(&id),
                totals: totals(&leads, &spend),
            }
        })
        .collect();
    rows.sort_by_key(|row| (-row.totals.leads, row.name.clone()));
    rows
}

fn outcomes(town: &Town, leads: &[&Model]) -> Vec<OutcomeCount> {
    let ids: BTreeSet<_> = leads.iter().map(|lead| lead.id).collect();
    let mut counts: BTreeMap<AttemptOutcome, i64> =
        AttemptOutcome::ALL.iter().map(|outcome| (*outcome, 0)).collect();
    for attempt in town
        .attempts
        .iter()
        .filter(|attempt| ids.contains(&attempt.lead_id))
    {
        *counts.get_mut(&attempt.outcome).unwrap() += 1;
    }
    counts
        .into_iter()
        .map(|(outcome, count)| OutcomeCount { outcome, count })
        .collect()
}

fn waits(leads: &[&Model]) -> TimeToContact {
    let mut clock: Vec<i64> = leads
        .iter()
        .filter_map(|lead| Some((lead.first_attempt_at? - lead.received_at).num_seconds()))
        .collect();
    let mut business: Vec<i64> = leads
        .iter()
        .filter_map(|lead| lead.first_attempt_business_secs)
        .collect();
    clock.sort_unstable();
    business.sort_unstable();
    // The smallest value that at least `tenths` tenths of the values do not exceed.
    let nearest = |sorted: &[i64], tenths: usize| {
        sorted
            .iter()
            .copied()
            .find(|value| sorted.iter().filter(|other| *other <= value).count() * 10 >= sorted.len() * tenths)
    };
    let edges = [0, 300, 900, 1_800, 3_600, 14_400, 86_400, 259_200, i64::MAX];
    let histogram = edges.windows(2).map(|edge| Bucket {
        from_secs: edge[0],
        to_secs: Some(edge[1]).filter(|to| *to < i64::MAX),
        count: i64::try_from(
            clock
                .iter()
                .filter(|secs| (edge[0]..edge[1]).contains(secs))
                .count(),
        )
        .unwrap(),
    });
    TimeToContact {
        median_secs: nearest(&clock, 5),
        p90_secs: nearest(&clock, 9),
        business_median_secs: nearest(&business, 5),
        business_p90_secs: nearest(&business, 9),
        histogram: histogram.collect(),
    }
}

fn sla(leads: &[&Model], now: DateTime<Utc>) -> SlaSummary {
    let mut sla = SlaSummary::default();
    for lead in leads {
        match (lead.first_attempt_at, lead.closed_at) {
            (Some(attempt), _) if attempt < lead.sla_due_at => sla.met += 1,
            (Some(_), _) => sla.missed += 1,
            (None, Some(closed)) if lead.stage == LeadStage::Closed => {
                if lead.sla_due_at <= now && lead.sla_due_at <= closed {
                    sla.missed += 1;
                } else {
                    sla.ended += 1;
                }
            }
            (None, _) if lead.sla_due_at <= now => {
                sla.missed += 1;
                sla.late_now += 1;
            }
            (None, _) => sla.open += 1,
        }
    }
    sla
}

fn arrivals(town: &Town, viewer: &Viewer, filter: &Filter, received: usize) -> Vec<Arrival> {
    let leads: BTreeSet<_> = town
        .leads
        .iter()
        .filter(|lead| matches(lead, viewer, filter))
        .map(|lead| lead.id)
        .collect();
    let count = |stage: LeadStage| {
        town.events
            .iter()
            .filter(|event| event.kind == LeadEventKind::StageChanged && event.to_stage == Some(stage))
            .filter(|event| (filter.from..filter.to).contains(&event.at) && leads.contains(&event.lead_id))
            .count()
    };
    let of = |stage| {
        if stage == LeadStage::New {
            received
        } else {
            count(stage)
        }
    };
    LeadStage::ALL
        .iter()
        .map(|stage| Arrival {
            stage: *stage,
            count: i64::try_from(of(*stage)).unwrap(),
        })
        .collect()
}
