//! What leads are grouped by, as an expression that both databases read.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use entity::enums::Channel;
use entity::lead::{Column, Entity};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, SimpleExpr};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, FromQueryResult, QueryResult, Select};
use uuid::Uuid;

use super::{SlaBy, SlaKey};
use crate::error::{Error, Result};
use crate::report::Filter;
use crate::sla::calendar::offsets;

const HOURS_OF_WEEK: i64 = 7 * 24;
/// Seconds are counted from a Thursday.
const HOURS_FROM_MONDAY: i64 = 3 * 24;
const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// The key of a lead.
pub(super) struct Keyed {
    pub(super) expr: SimpleExpr,
    by: SlaBy,
}

impl Keyed {
    pub(super) fn new(tx: &DatabaseTransaction, by: SlaBy, zone: Tz, filter: &Filter) -> Self {
        let column = |column: Column| Expr::col((Entity, column));
        let expr = match by {
            SlaBy::Team => column(Column::TeamId),
            SlaBy::Person => column(Column::OwnerId),
            SlaBy::ServiceLine => column(Column::ServiceLineId),
            SlaBy::Channel => column(Column::Channel),
            SlaBy::HourOfWeek => hour_of_week(tx.get_database_backend(), zone, filter.from, filter.to),
        };
        Self { expr, by }
    }

    /// Runs a statement that selects the key as `key`.
    pub(super) async fn rows<Row: FromQueryResult>(
        &self,
        tx: &DatabaseTransaction,
        select: Select<Entity>,
    ) -> Result<Vec<(SlaKey, Row)>> {
        let statement = sea_orm::QueryTrait::build(&select, tx.get_database_backend());
        let found = tx.query_all_raw(statement).await?;
        found
            .iter()
            .map(|row| Ok((self.read(row)?, Row::from_query_result(row, "")?)))
            .collect()
    }

    /// The key of a row.
    pub(super) fn read(&self, row: &QueryResult) -> Result<SlaKey> {
        Ok(match self.by {
            SlaBy::Team | SlaBy::Person | SlaBy::ServiceLine => {
                SlaKey::Id(row.try_get::<Option<Uuid>>("", "key")?)
            }
            SlaBy::Channel => {
                let text: String = row.try_get("", "key")?;
                let channel = Channel::from_text(&text);
                SlaKey::Channel(channel.ok_or_else(|| Error::fault("a lead has an unknown channel"))?)
            }
            SlaBy::HourOfWeek => SlaKey::HourOfWeek(row.try_get("", "key")?),
        })
    }
}

/// The local hour of the week at which a lead came in. SQLite knows no time zones, so the offsets of the period are
/// written out: there are few, since clocks seldom change.
fn hour_of_week(backend: DbBackend, zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> SimpleExpr {
    let secs = Expr::cust(match backend {
        DbBackend::Postgres => "CAST(floor(extract(epoch from \"lead\".\"received_at\")) AS bigint)",
        _ => "CAST(strftime('%s', \"lead\".\"received_at\") AS INTEGER)",
    });
    // Written out and not bound: the same expression stands in GROUP BY, where PostgreSQL takes two parameters for two
    // different ones.
    let literal = |number: i64| Expr::cust(number.to_string());
    let mut spans = offsets(zone, from, to);
    let last = spans.pop().map_or(0, |(_, offset)| offset);
    let offset: SimpleExpr = if spans.is_empty() {
        literal(last)
    } else {
        let mut case = CaseStatement::new();
        for (until, offset) in spans {
            let before = secs.clone().lt(literal(until.timestamp()));
            case = case.case(before, literal(offset));
        }
        case.finally(literal(last)).into()
    };
    secs.add(offset)
        .div(literal(3600))
        .add(literal(HOURS_FROM_MONDAY))
        .modulo(literal(HOURS_OF_WEEK))
}

/// `Monday, 09:00`.
pub(super) fn hour_name(hour: i64) -> String {
    let day = usize::try_from(hour / 24).ok().and_then(|day| DAYS.get(day));
    format!("{}, {:02}:00", day.copied().unwrap_or_default(), hour % 24)
}
