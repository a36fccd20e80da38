//! Median and 90th percentile of business time to the first attempt, for every key at once.

use std::collections::HashMap;

use entity::lead::{Column, Entity};
use sea_orm::sea_query::{Expr, ExprTrait, Func, Order, Query, WindowStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect,
    QueryTrait,
};

use super::SlaKey;
use super::key::Keyed;
use crate::error::Result;
use crate::report::Filter;
use crate::report::timing::{is_at, rank_of};

/// Both, in business seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Waits {
    pub(super) median: Option<i64>,
    pub(super) p90: Option<i64>,
}

/// By nearest rank, as for all leads.
pub(super) async fn by_key(
    tx: &DatabaseTransaction,
    keyed: &Keyed,
    filter: &Filter,
    seen: &Condition,
) -> Result<HashMap<SlaKey, Waits>> {
    let waits = Entity::find()
        .select_only()
        .column_as(keyed.expr.clone(), "key")
        .column_as(Column::FirstAttemptBusinessSecs, "secs")
        .filter(filter.cohort(seen))
        .filter(Column::FirstAttemptBusinessSecs.is_not_null())
        .into_query();
    let of_key = || WindowStatement::partition_by("key");
    let ranked = Query::select()
        .columns(["key", "secs"])
        .expr_window_as(
            Func::cust("row_number"),
            of_key().order_by("secs", Order::Asc).take(),
            "place",
        )
        .expr_window_as(Expr::col("secs").count(), of_key(), "n")
        .from_subquery(waits, "waits")
        .take();
    let picked = Query::select()
        .columns(["key", "secs", "place", "n"])
        .from_subquery(ranked, "ranked")
        .cond_where(Condition::any().add(is_at(50)).add(is_at(90)))
        .take();
    let mut found: HashMap<SlaKey, Waits> = HashMap::new();
    for row in tx.query_all(&picked).await? {
        let (secs, place, n): (i64, i64, i64) = (
            row.try_get("", "secs")?,
            row.try_get("", "place")?,
            row.try_get("", "n")?,
        );
        let waits = found.entry(keyed.read(&row)?).or_default();
        // A few values have the same place for both.
        if place == rank_of(50, n) {
            waits.median = Some(secs);
        }
        if place == rank_of(90, n) {
            waits.p90 = Some(secs);
        }
    }
    Ok(found)
}
