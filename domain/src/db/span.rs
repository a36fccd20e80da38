//! The time between two instants, counted by the database.

use sea_orm::DbBackend;
use sea_orm::sea_query::Expr;

/// Whole seconds from `earlier` to `later`, rounded down. Both are columns as SQL writes them, such as
/// `"lead"."received_at"`; null if either is.
///
/// PostgreSQL subtracts instants. SQLite keeps them as RFC 3339 text in UTC (`2026-11-23T12:00:00.25+00:00`): the
/// whole seconds are read from the first 19 characters, and a second is taken off if the fraction after them is
/// smaller.
pub(crate) fn whole_seconds(backend: DbBackend, earlier: &'static str, later: &'static str) -> Expr {
    if backend == DbBackend::Postgres {
        return Expr::cust(format!(
            "FLOOR(EXTRACT(EPOCH FROM ({later} - {earlier})))::bigint"
        ));
    }
    let seconds = |column: &str| format!("unixepoch(substr({column}, 1, 19))");
    // A cast to REAL reads as far as there is a number, so the zone behind it does no harm.
    let fraction = |column: &str| format!("CAST('0' || substr({column}, 20) AS REAL)");
    Expr::cust(format!(
        "({} - {} - ({} < {}))",
        seconds(later),
        seconds(earlier),
        fraction(later),
        fraction(earlier)
    ))
}
