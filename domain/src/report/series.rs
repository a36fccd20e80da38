//! The figures of a period, day by day, week by week or month by month.

use std::ops::Range;

use chrono::{DateTime, Utc};
use entity::lead::{Column, Entity};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, QueryTrait,
};

use super::spend::{self, Spend};
use super::totals::Counts;
use super::{Filter, FunnelTotals, Grain, cohort, period};
use crate::db;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::viewer::Viewer;

/// Most points of a series.
pub const POINTS_MAX: usize = 400;

/// The figures of one day, week or month.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Its first instant; that of the period, if the period starts in it.
    pub starts_at: DateTime<Utc>,
    /// The instant at which it has ended, by the calendar or with the period.
    pub ends_at: DateTime<Utc>,
    /// The cohort of leads received in it.
    pub totals: FunnelTotals,
}

/// The filter's period cut into days, weeks or months of the facility that it names, else of the hospital. The points
/// sum to the totals of the dashboard; pieces without leads are there, with zeros.
///
/// # Errors As for [`dashboard`](super::dashboard), and refused when there would be more than [`POINTS_MAX`] points.
pub async fn series(h: &Hospital, viewer: &Viewer, filter: &Filter, grain: Grain) -> Result<Vec<Point>> {
    let filter = filter.clone().checked()?;
    let seen = cohort::seen_by(viewer)?;
    let playbook = h.playbook().await?;
    let zone = period::zone(&playbook, &filter);
    let pieces = period::cut(zone, filter.from, filter.to, grain, POINTS_MAX).ok_or_else(|| {
        Error::refused(
            Code::TooLarge,
            "grain",
            "Choose a coarser grain or a shorter period: 400 points at most.",
        )
    })?;
    let tx = db::begin_read(&h.db).await?;
    let counts = count_each(&tx, &filter, &seen, &pieces, h.now()).await?;
    let spends = if filter.has_costs() && cohort::sees_all(viewer) {
        let days: Vec<_> = pieces
            .iter()
            .map(|piece| period::days(zone, piece.start, piece.end))
            .collect();
        spend::costs_of_each(&tx, &filter, &days).await?
    } else {
        vec![Spend::default(); pieces.len()]
    };
    tx.commit().await?;
    let point = |((piece, counts), spend): ((Range<DateTime<Utc>>, Counts), Spend)| Point {
        starts_at: piece.start,
        ends_at: piece.end,
        totals: FunnelTotals::new(&counts, &spend),
    };
    Ok(pieces.into_iter().zip(counts).zip(spends).map(point).collect())
}

/// Counts the leads of each piece in one statement. The pieces go along as a table, so that both databases need to
/// know nothing about zones and can read each piece from the index by time.
async fn count_each(
    tx: &DatabaseTransaction,
    filter: &Filter,
    seen: &sea_orm::Condition,
    pieces: &[Range<DateTime<Utc>>],
    now: DateTime<Utc>,
) -> Result<Vec<Counts>> {
    let numbered = (0_i64..)
        .zip(pieces)
        .map(|(number, piece)| (number, piece.start, piece.end));
    let leads = Entity::find().select_only().filter(filter.cohort(seen));
    let mut statement = Counts::select(leads, now).into_query();
    let received_at = || Expr::col((Entity, Column::ReceivedAt));
    statement
        .expr_as(Expr::col(("piece", "column1")), "piece")
        .from_values(numbered, "piece")
        .and_where(received_at().gte(Expr::col(("piece", "column2"))))
        .and_where(received_at().lt(Expr::col(("piece", "column3"))))
        .add_group_by([Expr::col(("piece", "column1"))]);
    let mut counts = vec![Counts::default(); pieces.len()];
    for row in tx.query_all(&statement).await? {
        let piece: i64 = row.try_get("", "piece")?;
        if let Some(count) = usize::try_from(piece)
            .ok()
            .and_then(|piece| counts.get_mut(piece))
        {
            *count = Counts::from_query_result(&row, "")?;
        }
    }
    Ok(counts)
}
