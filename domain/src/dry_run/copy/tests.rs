use std::collections::BTreeMap;

use migration::{Migrator, MigratorTrait};
use sea_orm::Statement;

use super::*;
use crate::db::{Pool, connect};

/// A table that is forgotten would be empty in every dry run, and decisions that look at it would be other ones than in
/// truth. Whoever adds one says here whether a decision about a mail or a step may look at it.
#[tokio::test]
async fn every_table_of_the_schema_is_copied_or_knowingly_left_out() {
    let pool = Pool {
        max_connections: 1,
        ..Pool::default()
    };
    let db = connect("sqlite::memory:", &pool).await.unwrap();
    Migrator::up(&db, None).await.unwrap();
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'seaql_migrations' \
               AND name NOT LIKE 'sqlite_%'";
    let rows = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), sql))
        .await
        .unwrap();
    let mut named: BTreeMap<String, usize> = rows
        .iter()
        .map(|row| (row.try_get_by_index(0).unwrap(), 0))
        .collect();
    for table in COPIED.into_iter().chain([LEFT_OUT]).flatten() {
        let times = named
            .get_mut(*table)
            .unwrap_or_else(|| panic!("{table} is no table of the schema"));
        *times += 1;
    }
    named.retain(|_, times| *times != 1);
    assert!(
        named.is_empty(),
        "named not exactly once in dry_run/copy.rs: {named:?}"
    );
}
