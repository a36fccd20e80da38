//! A hundred thousand leads: the demo hospital, each lead with its whole history copied in the database.

use std::time::Instant;

use chrono::{DateTime, Utc};
use leadward::demo;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};

use crate::ground::Ground;
use crate::report::grouped;
use crate::{Result, say};

/// Leads wanted.
const LEADS: u64 = 100_000;

/// The age between a copy and the next.
const COPIES_APART_SECS: u32 = 97;

/// What is copied, in the order in which rows point at each other.
const TABLES: [&str; 12] = [
    "contact",
    "contact_candidate",
    "lead",
    "lead_event",
    "touchpoint",
    "consent_event",
    "attempt",
    "appointment",
    "enrollment",
    "follow_up",
    "message",
    "message_event",
];

/// The id of a row's `n`th copy: as old as the row, so that it stands beside it in every index.
const COPIED_ID: &str = "CREATE FUNCTION copied(id uuid, n int) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT RETURN \
     (left(replace(id::text, '-', ''), 12) || '7' || right(md5(id::text || n), 19))::uuid";

/// What the demo hospital has left to do is put off, so that workers do nothing but what a measurement gives them.
const NOTHING_DUE: &str = "
    UPDATE enrollment SET due_at = now() + interval '30 days' WHERE state = 'ACTIVE';
    UPDATE message SET due_at = now() + interval '30 days', expires_at = now() + interval '60 days'
        WHERE state IN ('PLANNED', 'DEFERRED');
    UPDATE follow_up SET due_at = now() + interval '30 days', soon_at = now() + interval '30 days',
        moves_at = now() + interval '30 days', remind_at = NULL WHERE state = 'OPEN';
    UPDATE lead SET sla_step = NULL, sla_step_at = NULL WHERE sla_step IS NOT NULL;
    UPDATE lead SET sla_due_at = now() + interval '30 days' WHERE first_attempt_at IS NULL AND sla_missed_at IS NULL";

/// The same for SQLite, where times are text.
pub const NOTHING_DUE_EMBEDDED: &str = "
    UPDATE enrollment SET due_at = strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now', '+30 days') WHERE state = 'ACTIVE';
    UPDATE message SET due_at = strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now', '+30 days'),
        expires_at = strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now', '+60 days') WHERE state IN ('PLANNED', 'DEFERRED');
    UPDATE follow_up SET due_at = strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now', '+30 days'),
        soon_at = strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now', '+30 days'),
        moves_at = strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now', '+30 days'), remind_at = NULL WHERE state = 'OPEN';
    UPDATE lead SET sla_step = NULL, sla_step_at = NULL WHERE sla_step IS NOT NULL;
    UPDATE lead SET sla_due_at = strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now', '+30 days')
        WHERE first_attempt_at IS NULL AND sla_missed_at IS NULL";

/// Fills the database and says with what.
pub async fn fill(ground: &Ground) -> Result<String> {
    say("Filling it: the demo hospital, then copies of it.");
    let began = Instant::now();
    let made = demo::ensure(&ground.hospital).await?;
    ground.run(NOTHING_DUE).await?;
    ground.run(COPIED_ID).await?;
    let copies = (LEADS.saturating_sub(made.leads)).div_ceil(made.leads.max(1));
    let connection = one_connection(ground.database_url()?).await?;
    for table in TABLES {
        let sql = copy(&connection, table, "true", copies, COPIES_APART_SECS).await?;
        connection.execute_unprepared(&sql).await?;
    }
    connection.execute_unprepared("VACUUM ANALYZE").await?;
    connection.close().await?;
    let leads: i64 = ground.ask("SELECT count(*) FROM lead").await?;
    let size: String = ground
        .ask("SELECT pg_size_pretty(pg_database_size(current_database()))")
        .await?;
    let secs = began.elapsed().as_secs();
    say(&format!("That took {secs} s."));
    Ok(format!("{} leads ({size})", grouped(leads.unsigned_abs())))
}

/// Copies the rows of contacts that were made at this instant or later, with what they asked and agreed to, so many times.
pub async fn copy_since(ground: &Ground, since: DateTime<Utc>, copies: u64) -> Result<()> {
    let connection = one_connection(ground.database_url()?).await?;
    let millis = u64::try_from(since.timestamp_millis())?;
    let first = uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid();
    for (table, contact) in [
        ("contact", "id"),
        ("consent_event", "contact_id"),
        ("lead", "contact_id"),
    ] {
        let sql = copy(&connection, table, &format!("{contact} >= '{first}'"), copies, 0).await?;
        connection.execute_unprepared(&sql).await?;
    }
    connection.close().await?;
    Ok(())
}

/// A connection whose session keeps its settings.
async fn one_connection(url: &str) -> Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    let connection = Database::connect(options).await?;
    // Copies point where their originals point, so nothing has to be looked up. Only a superuser may say so; for
    // others it takes longer.
    let _ = connection
        .execute_unprepared("SET session_replication_role = replica")
        .await;
    connection
        .execute_unprepared("SET synchronous_commit = off")
        .await?;
    Ok(connection)
}

/// The statement that copies the rows of a table that fit, each copy so many seconds older than the one before.
async fn copy(
    connection: &DatabaseConnection,
    table: &str,
    which: &str,
    copies: u64,
    apart_secs: u32,
) -> Result<String> {
    let columns = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "SELECT column_name::text, data_type::text FROM information_schema.columns \
         WHERE table_schema = 'public' AND table_name = $1 ORDER BY ordinal_position",
        [table.into()],
    );
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for row in connection.query_all_raw(columns).await? {
        let (name, kind): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        values.push(copied(&name, &kind, apart_secs));
        names.push(name);
    }
    let (names, values) = (names.join(", "), values.join(", "));
    Ok(format!(
        "INSERT INTO {table} ({names}) SELECT {values} FROM {table}, generate_series(1, {copies}) AS n WHERE {which}"
    ))
}

/// What a column holds in the `n`th copy.
fn copied(column: &str, kind: &str, apart_secs: u32) -> String {
    let phone = |column: &str| {
        format!(
            "left({column}, 5) || lpad(((right({column}, 7)::int + n * 104729) % 10000000)::text, 7, '0')"
        )
    };
    match column {
        "id" | "contact_id" | "other_contact_id" | "merged_into_id" | "lead_id" | "enrollment_id"
        | "follow_up_id" | "message_id" | "consent_event_id" | "refers_to_id" => {
            format!("copied({column}, n)")
        }
        "email" | "email_normalized" | "external_id" | "origin_key" | "rfc_message_id" => {
            format!("'c' || n || '.' || {column}")
        }
        "phone" => phone(column),
        "address" => format!(
            "CASE WHEN address LIKE '%@%' THEN 'c' || n || '.' || address ELSE {} END",
            phone(column)
        ),
        // What is still to come stays where it is; what has been lies a little further back in each copy.
        "due_at" | "sla_due_at" | "soon_at" | "moves_at" | "remind_at" | "expires_at" | "lease_until"
        | "starts_at" | "ends_at" => column.to_owned(),
        _ if kind == "timestamp with time zone" => format!("{column} - n * interval '{apart_secs} seconds'"),
        _ => column.to_owned(),
    }
}
