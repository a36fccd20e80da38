//! When the oldest row of each subject was due.
//!
//! Each question is answered by the first entry of a partial index, so it costs the same with ten rows and with ten
//! million. Conditions are literals, as the indexes have them.

use chrono::{DateTime, Utc};
use entity::message::Lane;
use sea_orm::{ConnectionTrait, Statement};

use crate::error::Result;
use crate::nudge::Subject;
use crate::outreach::claim::oldest_due;
use crate::outreach::release::oldest as oldest_release;

const ENROLLMENT: &str = "SELECT due_at FROM enrollment WHERE state = 'ACTIVE' ORDER BY due_at LIMIT 1";
const DAY: &str = "SELECT due_at FROM date_occasion WHERE state = 'WAITING' ORDER BY due_at LIMIT 1";
const MOVE: &str = "SELECT due_at FROM enrollment_move WHERE state = 'RUNNING' ORDER BY due_at LIMIT 1";
const FORM_DRAFT: &str = "SELECT due_at FROM form_draft ORDER BY due_at LIMIT 1";
const FOLLOW_UP: &str = "SELECT moves_at FROM follow_up WHERE state = 'OPEN' AND moves_at IS NOT NULL \
                         ORDER BY moves_at LIMIT 1";
const DIGEST: &str = "SELECT next_at FROM staff_digest ORDER BY next_at LIMIT 1";
const MISSED_LEAD: &str = "SELECT sla_due_at FROM lead WHERE first_attempt_at IS NULL AND sla_missed_at IS NULL \
                           AND unfinished_at IS NULL AND stage = 'NEW' ORDER BY sla_due_at LIMIT 1";

const STEP: &str = "SELECT sla_step_at FROM lead WHERE sla_step IS NOT NULL ORDER BY sla_step_at LIMIT 1";
const PAUSE: &str = "SELECT ends_at FROM sla_pause WHERE ended_at IS NULL ORDER BY ends_at LIMIT 1";

const INBOUND: &str = "SELECT due_at FROM inbound_mail WHERE state = 'RECEIVED' ORDER BY due_at LIMIT 1";

const MAILING: &str = "SELECT due_at FROM mailing_progress WHERE (work = 'PLANNING' OR work = 'WITHHOLDING') \
                       ORDER BY due_at LIMIT 1";

const PACE: &str = "SELECT due_at FROM capacity_pace ORDER BY due_at LIMIT 1";

/// When the oldest row of each subject is or was due, whether or not that lies in the past; none when no row waits.
///
/// # Errors
/// When the database fails.
pub async fn oldest(conn: &impl ConnectionTrait) -> Result<[(Subject, Option<DateTime<Utc>>); 7]> {
    let follow_ups = earliest(conn, [FOLLOW_UP, MISSED_LEAD, STEP, PAUSE, DIGEST]).await?;
    let bulk = [oldest_due(conn, Lane::Bulk).await?, oldest_release(conn).await?];
    Ok([
        (Subject::WaitingMail, oldest_due(conn, Lane::Waiting).await?),
        (Subject::BulkMail, bulk.into_iter().flatten().min()),
        (
            Subject::Enrollments,
            earliest(conn, [FORM_DRAFT, ENROLLMENT, DAY, MOVE]).await?,
        ),
        (Subject::FollowUps, follow_ups),
        (Subject::InboundMail, first(conn, INBOUND).await?),
        (Subject::Mailings, first(conn, MAILING).await?),
        (Subject::Capacity, first(conn, PACE).await?),
    ])
}

async fn earliest(
    conn: &impl ConnectionTrait,
    questions: impl IntoIterator<Item = &'static str>,
) -> Result<Option<DateTime<Utc>>> {
    let mut earliest = None;
    for sql in questions {
        let found = first(conn, sql).await?;
        earliest = [earliest, found].into_iter().flatten().min();
    }
    Ok(earliest)
}

async fn first(conn: &impl ConnectionTrait, sql: &'static str) -> Result<Option<DateTime<Utc>>> {
    let statement = Statement::from_string(conn.get_database_backend(), sql);
    let row = conn.query_one_raw(statement).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
}
