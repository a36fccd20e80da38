//! What stands in the database, for tests that say what must not be there.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::db::{self, Pool};
use entity::date_occasion::{self, DateOccasionState};
use entity::enrollment::{self, EnrollmentState};
use entity::enrollment_move::{self, EnrollmentMoveState};
use entity::follow_up::{self, FollowUpState};
use entity::form_draft;
use entity::inbound_mail::{self, InboundState};
use entity::mailing_progress::{self, MailingWork};
use entity::message::{self, MessageState};
use entity::{capacity_pace, lead, link_visit, outreach_release, sla_pause};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, PaginatorTrait, QueryFilter,
    Statement,
};

/// Every table's rows, in an order of their own.
#[derive(Clone, PartialEq, Eq)]
pub struct Contents(BTreeMap<String, String>);

impl std::fmt::Debug for Contents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map()
            .entries(self.0.iter().map(|(table, rows)| (table, rows.len())))
            .finish()
    }
}

impl Contents {
    /// Names of the tables in which a text stands, in letters or as the bytes of a blob.
    pub fn holding(&self, text: &str) -> Vec<&str> {
        let bytes: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        let holds = |rows: &String| {
            let rows = rows.to_lowercase();
            rows.contains(&text.to_lowercase()) || rows.contains(&bytes)
        };
        let holding = self.0.iter().filter(|(_, rows)| holds(rows));
        holding.map(|(table, _)| table.as_str()).collect()
    }

    /// Names of the tables that differ.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let tables = self.0.keys().chain(other.0.keys());
        let mut differ: Vec<_> = tables
            .filter(|table| self.0.get(*table) != other.0.get(*table))
            .cloned()
            .collect();
        differ.sort();
        differ.dedup();
        differ
    }
}

pub(super) async fn contents(db: &DatabaseConnection) -> Contents {
    let backend = db.get_database_backend();
    let parts: Vec<String> = tables(db)
        .await
        .into_iter()
        .map(|(table, columns)| match backend {
            DbBackend::Postgres => format!(
                "SELECT '{table}' AS name, COALESCE(string_agg(t::text, ',' ORDER BY t::text), '') AS content \
                 FROM \"{table}\" AS t"
            ),
            _ => {
                let row = columns.iter().map(|column| format!("quote(\"{column}\")")).collect::<Vec<_>>().join("||','||");
                format!(
                    "SELECT '{table}' AS name, COALESCE(group_concat(r, ';'), '') AS content \
                     FROM (SELECT {row} AS r FROM \"{table}\" ORDER BY 1)"
                )
            }
        })
        .collect();
    let rows = db
        .query_all_raw(Statement::from_string(backend, parts.join(" UNION ALL ")))
        .await;
    let pair = |row: sea_orm::QueryResult| {
        (
            row.try_get("", "name").unwrap(),
            row.try_get("", "content").unwrap(),
        )
    };
    Contents(rows.expect("tables can be read").into_iter().map(pair).collect())
}

/// Tables and their columns.
async fn tables(db: &DatabaseConnection) -> BTreeMap<String, Vec<String>> {
    let backend = db.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => {
            "SELECT table_name::text AS t, column_name::text AS c FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name <> 'seaql_migrations' ORDER BY 1, 2"
        }
        _ => {
            "SELECT m.name AS t, c.name AS c FROM sqlite_master AS m, pragma_table_info(m.name) AS c \
             WHERE m.type = 'table' AND m.name <> 'seaql_migrations' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, 2"
        }
    };
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in db
        .query_all_raw(Statement::from_string(backend, sql))
        .await
        .expect("tables can be listed")
    {
        let column = row.try_get("", "c").expect("a column has a name");
        tables
            .entry(row.try_get("", "t").expect("a table has a name"))
            .or_default()
            .push(column);
    }
    tables
}

/// What a worker should have done by now, in words.
pub(super) async fn undone(url: &str, now: DateTime<Utc>) -> Vec<String> {
    let pool = Pool {
        max_connections: 1,
        acquire_timeout_secs: 30,
    };
    let db = db::connect(url, &pool)
        .await
        .expect("the test's database can be opened");
    let messages = || message::Entity::find();
    let waiting = [MessageState::Planned, MessageState::Deferred];
    let held = [MessageState::Claimed, MessageState::HandedOff];
    let open = || follow_up::Entity::find().filter(follow_up::Column::State.eq(FollowUpState::Open));
    let due = messages()
        .filter(message::Column::State.is_in(waiting))
        .filter(message::Column::DueAt.lte(now));
    let held = messages().filter(message::Column::State.is_in(held));
    let enrolled = enrollment::Entity::find()
        .filter(enrollment::Column::State.eq(EnrollmentState::Active))
        .filter(enrollment::Column::DueAt.lte(now));
    let days = date_occasion::Entity::find()
        .filter(date_occasion::Column::State.eq(DateOccasionState::Waiting))
        .filter(date_occasion::Column::DueAt.lte(now));
    let moves = enrollment_move::Entity::find()
        .filter(enrollment_move::Column::State.eq(EnrollmentMoveState::Running))
        .filter(enrollment_move::Column::DueAt.lte(now));
    let unmoved = open().filter(follow_up::Column::MovesAt.lte(now));
    let inbound = inbound_mail::Entity::find()
        .filter(inbound_mail::Column::State.eq(InboundState::Received))
        .filter(inbound_mail::Column::DueAt.lte(now));
    let mailings = mailing_progress::Entity::find()
        .filter(mailing_progress::Column::Work.ne(MailingWork::Done))
        .filter(mailing_progress::Column::DueAt.lte(now));
    let drafts = form_draft::Entity::find().filter(form_draft::Column::DueAt.lte(now));
    let visits = link_visit::Entity::find()
        .filter(link_visit::Column::Verdict.is_null())
        .filter(link_visit::Column::At.lte(now - domain::outreach::click::judge::SETTLED));
    let steps = lead::Entity::find().filter(lead::Column::SlaStepAt.lte(now));
    let pauses = sla_pause::Entity::find()
        .filter(sla_pause::Column::EndedAt.is_null())
        .filter(sla_pause::Column::EndsAt.lte(now));
    let paces = capacity_pace::Entity::find().filter(capacity_pace::Column::DueAt.lte(now));
    let counts = [
        ("paces of promotion are due", paces.count(&db).await),
        ("messages are due", due.count(&db).await),
        ("messages are claimed or on the wire", held.count(&db).await),
        ("enrollments are due", enrolled.count(&db).await),
        ("days have come", days.count(&db).await),
        ("moves of enrollments are due", moves.count(&db).await),
        ("follow-ups are to move up", unmoved.count(&db).await),
        ("steps about leads are due", steps.count(&db).await),
        ("pauses of clocks are over", pauses.count(&db).await),
        ("mails that came back are not applied", inbound.count(&db).await),
        ("saved forms are due", drafts.count(&db).await),
        ("visits of links are not judged", visits.count(&db).await),
        ("mailings are to go on", mailings.count(&db).await),
        (
            "released messages wait",
            outreach_release::Entity::find().count(&db).await,
        ),
    ];
    let counts = counts
        .into_iter()
        .map(|(what, count)| (what, count.expect("rows can be counted")));
    let undone = counts
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    db.close().await.expect("the connection closes");
    undone
}

/// When the next row is due after `now`, whatever it is.
pub(super) async fn next_due(db: &DatabaseConnection, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let questions = [
        "SELECT due_at FROM message WHERE state IN ('PLANNED', 'DEFERRED') AND due_at > $1 ORDER BY 1 LIMIT 1",
        "SELECT due_at FROM enrollment WHERE state = 'ACTIVE' AND due_at > $1 ORDER BY 1 LIMIT 1",
        "SELECT due_at FROM date_occasion WHERE state = 'WAITING' AND due_at > $1 ORDER BY 1 LIMIT 1",
        "SELECT due_at FROM enrollment_move WHERE state = 'RUNNING' AND due_at > $1 ORDER BY 1 LIMIT 1",
        "SELECT moves_at FROM follow_up WHERE state = 'OPEN' AND moves_at > $1 ORDER BY 1 LIMIT 1",
        "SELECT due_at FROM inbound_mail WHERE state = 'RECEIVED' AND due_at > $1 ORDER BY 1 LIMIT 1",
        "SELECT due_at FROM form_draft WHERE due_at > $1 ORDER BY 1 LIMIT 1",
        "SELECT due_at FROM mailing_progress WHERE work <> 'DONE' AND due_at > $1 ORDER BY 1 LIMIT 1",
        "SELECT due_at FROM capacity_pace WHERE due_at > $1 ORDER BY 1 LIMIT 1",
        "SELECT next_at FROM staff_digest WHERE next_at > $1 ORDER BY 1 LIMIT 1",
        "SELECT sla_step_at FROM lead WHERE sla_step_at > $1 ORDER BY 1 LIMIT 1",
        "SELECT ends_at FROM sla_pause WHERE ended_at IS NULL AND ends_at > $1 ORDER BY 1 LIMIT 1",
        "SELECT lease_until FROM message WHERE state IN ('CLAIMED', 'HANDED_OFF') AND lease_until > $1 ORDER BY 1 LIMIT 1",
    ];
    let mut next: Option<DateTime<Utc>> = None;
    for sql in questions {
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [now.into()]);
        let row = db.query_one_raw(statement).await.expect("rows can be read");
        let found = row.map(|row| row.try_get_by_index(0).expect("a time"));
        next = [next, found].into_iter().flatten().min();
    }
    next
}
