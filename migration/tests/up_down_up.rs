//! The schema goes up, down and up again, on both databases, and is the same both times.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say so at once"
)]

use std::hash::{BuildHasher, Hasher};

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};

/// Everything that makes up the schema of a SQLite database, a line each.
const SQLITE_SCHEMA: &str = "SELECT type || ' ' || name || ': ' || coalesce(sql, '') AS line FROM sqlite_master \
     WHERE tbl_name <> 'seaql_migrations' ORDER BY 1";

/// The same for PostgreSQL: columns, constraints, indexes and storage settings.
const POSTGRES_SCHEMA: &str = "SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable AS line \
       FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'seaql_migrations' \
     UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) \
       FROM pg_constraint WHERE conrelid <> 0 AND connamespace = 'public'::regnamespace \
         AND conrelid::regclass::text <> 'seaql_migrations' \
     UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'seaql_migrations' \
     UNION ALL SELECT 'options ' || relname || ' ' || array_to_string(reloptions, ',') FROM pg_class WHERE reloptions IS NOT NULL \
         AND relnamespace = 'public'::regnamespace \
     ORDER BY 1";

/// Two contacts of which one was merged into the other, a lead, and a message with its proof: what a `down` meets.
const ROWS: &[&str] = &[
    "INSERT INTO contact (id, kind, given_name, family_name, language, created_at, updated_at) \
     VALUES ('00000000-0000-0000-0000-000000000001', 'PERSON', 'Ada', 'North', 'en', '2026-11-23 10:00:00+00:00', '2026-11-23 10:00:00+00:00')",
    "INSERT INTO contact (id, kind, given_name, family_name, language, merged_into_id, created_at, updated_at) \
     VALUES ('00000000-0000-0000-0000-000000000002', 'PERSON', 'A', 'North', 'en', '00000000-0000-0000-0000-000000000001', '2026-11-23 10:00:00+00:00', '2026-11-23 10:00:00+00:00')",
    "INSERT INTO message (id, kind, lane, purpose, origin_key, contact_id, subject, rfc_message_id, state, due_at, expires_at, attempts, fence, created_at) \
     VALUES ('00000000-0000-0000-0000-000000000003', 'CONFIRMATION', 'WAITING', 'CARE_COORDINATION', 'o', '00000000-0000-0000-0000-000000000001', 's', 'm@x', 'PLANNED', '2026-11-23 10:00:00+00:00', '2026-11-24 10:00:00+00:00', 0, 0, '2026-11-23 10:00:00+00:00')",
    "INSERT INTO message_event (id, message_id, kind, at) \
     VALUES ('00000000-0000-0000-0000-000000000004', '00000000-0000-0000-0000-000000000003', 'PLANNED', '2026-11-23 10:00:00+00:00')",
];

async fn schema_of(db: &DatabaseConnection, query: &str) -> Vec<String> {
    let rows = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), query))
        .await
        .unwrap();
    rows.iter().map(|row| row.try_get("", "line").unwrap()).collect()
}

async fn goes_up_down_and_up(db: &DatabaseConnection, query: &str) {
    Migrator::up(db, None).await.unwrap();
    let first = schema_of(db, query).await;
    assert!(
        first.len() > 100,
        "the query sees the schema: {} lines",
        first.len()
    );
    for row in ROWS {
        db.execute_unprepared(row).await.unwrap();
    }

    Migrator::down(db, None).await.unwrap();
    assert_eq!(
        schema_of(db, query).await,
        Vec::<String>::new(),
        "down leaves nothing behind"
    );

    Migrator::up(db, None).await.unwrap();
    assert_eq!(schema_of(db, query).await, first);

    let revision = Statement::from_string(
        db.get_database_backend(),
        "SELECT id, revision FROM playbook_revision",
    );
    let rows = db.query_all_raw(revision).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].try_get::<i32>("", "id").unwrap(), 1);
    assert_eq!(rows[0].try_get::<i64>("", "revision").unwrap(), 1);
}

#[tokio::test]
async fn sqlite_goes_up_down_and_up_with_rows_in_it() {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    goes_up_down_and_up(&db, SQLITE_SCHEMA).await;
}

#[tokio::test]
async fn each_change_alone_can_be_taken_back_and_made_again() {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..Migrator::migrations().len() {
        seen.push(schema_of(&db, SQLITE_SCHEMA).await);
        Migrator::up(&db, Some(1)).await.unwrap();
    }
    while let Some(before) = seen.pop() {
        Migrator::down(&db, Some(1)).await.unwrap();
        assert_eq!(schema_of(&db, SQLITE_SCHEMA).await, before);
    }
}

/// Runs where `TEST_DATABASE_URL` names a PostgreSQL server on which databases may be created.
#[tokio::test]
async fn postgresql_goes_up_down_and_up_with_rows_in_it() {
    let Ok(url) = std::env::var("TEST_DATABASE_URL") else {
        return;
    };
    if !url.starts_with("postgres") {
        return;
    }
    let random = std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish();
    let name = format!("leadward_mig_{random:016x}");
    let server = Database::connect(&url).await.unwrap();
    server
        .execute_unprepared(&format!("CREATE DATABASE {name}"))
        .await
        .unwrap();

    let (before_name, _) = url.rsplit_once('/').unwrap();
    let url = format!("{before_name}/{name}");
    // In a task of its own, so that the database is dropped even if the test fails.
    let outcome = tokio::spawn(async move {
        let db = Database::connect(url).await.unwrap();
        goes_up_down_and_up(&db, POSTGRES_SCHEMA).await;
        db.close().await.unwrap();
    })
    .await;
    server
        .execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)"))
        .await
        .unwrap();
    outcome.unwrap();
}
