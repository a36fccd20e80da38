//! How long leads waited for the first attempt.

use entity::lead::{Column, Entity};
use sea_orm::sea_query::{
    CaseStatement, Expr, ExprTrait, Func, Order, Query, SelectStatement, WindowStatement,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoSimpleExpr, QueryFilter, QuerySelect,
    QueryTrait,
};

use super::Filter;
use crate::db::span::whole_seconds;
use crate::error::Result;

/// Where the bars of the histogram begin, in seconds: at once, 5 min, 15 min, 30 min, 1 h, 4 h, 1 day, 3 days. The
/// marks are those of the research on answering leads: five minutes, an hour, a day.
pub const HISTOGRAM_EDGES_SECS: [i64; 8] = [0, 300, 900, 1_800, 3_600, 14_400, 86_400, 259_200];

/// How long leads waited for the first attempt. Leads that still wait are not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeToContact {
    /// Median in clock seconds; none without attempts.
    pub median_secs: Option<i64>,
    /// 90th percentile in clock seconds.
    pub p90_secs: Option<i64>,
    /// Median in business seconds of the facilities' calendars.
    pub business_median_secs: Option<i64>,
    /// 90th percentile in business seconds.
    pub business_p90_secs: Option<i64>,
    /// Leads by clock seconds: all bars, empty ones too.
    pub histogram: Vec<Bucket>,
}

/// One bar of the histogram: `[from_secs, to_secs)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Where it begins.
    pub from_secs: i64,
    /// Where it ends; none for the last.
    pub to_secs: Option<i64>,
    /// Leads.
    pub count: i64,
}

pub(super) async fn time_to_first_contact(
    conn: &impl ConnectionTrait,
    filter: &Filter,
    seen: &Condition,
) -> Result<TimeToContact> {
    let clock = || {
        let backend = conn.get_database_backend();
        let secs = whole_seconds(
            backend,
            "\"lead\".\"received_at\"",
            "\"lead\".\"first_attempt_at\"",
        );
        waits(filter, seen, secs, Column::FirstAttemptAt.is_not_null())
    };
    let business = waits(
        filter,
        seen,
        Column::FirstAttemptBusinessSecs.into_simple_expr(),
        Column::FirstAttemptBusinessSecs.is_not_null(),
    );
    let (median_secs, p90_secs) = percentiles(conn, clock()).await?;
    let (business_median_secs, business_p90_secs) = percentiles(conn, business).await?;
    let histogram = histogram(conn, clock()).await?;
    Ok(TimeToContact {
        median_secs,
        p90_secs,
        business_median_secs,
        business_p90_secs,
        histogram,
    })
}

/// One row per lead of the cohort that has a wait: its seconds, as `secs`.
fn waits(filter: &Filter, seen: &Condition, secs: Expr, has_one: Expr) -> SelectStatement {
    Entity::find()
        .select_only()
        .column_as(secs, "secs")
        .filter(filter.cohort(seen))
        .filter(has_one)
        .into_query()
}

/// Median and 90th percentile by nearest rank: of `n` values in order, the ones at `ceil(n / 2)` and `ceil(n * 9 /
/// 10)`, counted from one. Neither database has to bring a percentile function, and the result is always a value that
/// occurred.
async fn percentiles(
    conn: &impl ConnectionTrait,
    waits: SelectStatement,
) -> Result<(Option<i64>, Option<i64>)> {
    let ranked = Query::select()
        .column("secs")
        .expr_window_as(
            Func::cust("row_number"),
            WindowStatement::new().order_by("secs", Order::Asc).take(),
            "place",
        )
        .expr_window_as(Expr::col("secs").count(), WindowStatement::new(), "n")
        .from_subquery(waits, "waits")
        .take();
    let picked = Query::select()
        .columns(["secs", "place", "n"])
        .from_subquery(ranked, "ranked")
        .cond_where(Condition::any().add(is_at(50)).add(is_at(90)))
        .take();
    let (mut median, mut p90) = (None, None);
    for row in conn.query_all(&picked).await? {
        let (secs, place, n): (i64, i64, i64) = (
            row.try_get("", "secs")?,
            row.try_get("", "place")?,
            row.try_get("", "n")?,
        );
        // A few values have the same place for both.
        if place == rank_of(50, n) {
            median = Some(secs);
        }
        if place == rank_of(90, n) {
            p90 = Some(secs);
        }
    }
    Ok((median, p90))
}

/// The place of a percentile among `n` values in order, counted from one.
pub(super) const fn rank_of(percent: i64, n: i64) -> i64 {
    (n * percent + 99) / 100
}

/// The same, as a condition over `place` and `n`.
pub(super) fn is_at(percent: i64) -> Expr {
    Expr::col("place").eq(Expr::col("n").mul(percent).add(99).div(100))
}

async fn histogram(conn: &impl ConnectionTrait, waits: SelectStatement) -> Result<Vec<Bucket>> {
    let mut bar = CaseStatement::new();
    for edge in HISTOGRAM_EDGES_SECS.iter().skip(1).rev() {
        bar = bar.case(Expr::col("secs").gte(*edge), *edge);
    }
    let barred = Query::select()
        .expr_as(bar.finally(HISTOGRAM_EDGES_SECS[0]), "bar")
        .from_subquery(waits, "waits")
        .take();
    let counted = Query::select()
        .column("bar")
        .expr_as(Expr::col("bar").count(), "count")
        .from_subquery(barred, "barred")
        .group_by_col("bar")
        .take();
    let mut buckets: Vec<Bucket> = HISTOGRAM_EDGES_SECS
        .iter()
        .enumerate()
        .map(|(at, from)| Bucket {
            from_secs: *from,
            to_secs: HISTOGRAM_EDGES_SECS.get(at + 1).copied(),
            count: 0,
        })
        .collect();
    for row in conn.query_all(&counted).await? {
        let from: i64 = row.try_get("", "bar")?;
        if let Some(bucket) = buckets.iter_mut().find(|bucket| bucket.from_secs == from) {
            bucket.count = row.try_get("", "count")?;
        }
    }
    Ok(buckets)
}
