//! When the oldest row of each subject was due. Each question is answered by the first entry of a partial index, so it
//! costs the same with ten rows and with ten million. Conditions are literals, as the indexes have them.

use chrono::{DateTime, Utc};
use domain::error::Error;
use domain::nudge::Subject;
use domain::outreach::claim::oldest_due;
use entity::message::Lane;
use sea_orm::{ConnectionTrait, Statement};

const ENROLLMENT: &str = "SELECT due_at FROM enrollment WHERE state = 'ACTIVE' ORDER BY due_at LIMIT 1";
const REMINDER: &str =
    "SELECT remind_at FROM follow_up WHERE remind_at IS NOT NULL ORDER BY remind_at LIMIT 1";
const LATE_FOLLOW_UP: &str =
    "SELECT due_at FROM follow_up WHERE state = 'OPEN' AND late_at IS NULL ORDER BY due_at LIMIT 1";
const MISSED_LEAD: &str = "SELECT sla_due_at FROM lead WHERE first_attempt_at IS NULL AND sla_missed_at IS NULL \
                           AND stage = 'NEW' ORDER BY sla_due_at LIMIT 1";

/// When the oldest row of each subject is or was due; none when no row waits.
pub(super) async fn oldest(
    conn: &impl ConnectionTrait,
) -> Result<[(Subject, Option<DateTime<Utc>>); 4], Error> {
    let mut follow_ups = None;
    for sql in [REMINDER, LATE_FOLLOW_UP, MISSED_LEAD] {
        let found = first(conn, sql).await?;
        follow_ups = [follow_ups, found].into_iter().flatten().min();
    }
    Ok([
        (Subject::WaitingMail, oldest_due(conn, Lane::Waiting).await?),
        (Subject::BulkMail, oldest_due(conn, Lane::Bulk).await?),
        (Subject::Enrollments, first(conn, ENROLLMENT).await?),
        (Subject::FollowUps, follow_ups),
    ])
}

async fn first(conn: &impl ConnectionTrait, sql: &'static str) -> Result<Option<DateTime<Utc>>, Error> {
    let statement = Statement::from_string(conn.get_database_backend(), sql);
    let row = conn.query_one_raw(statement).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
}
