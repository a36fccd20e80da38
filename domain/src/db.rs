//! Connections and transactions, and every difference between SQLite and PostgreSQL that this crate knows of.

pub(crate) mod each;
pub(crate) mod span;
pub(crate) mod together;

use std::time::Duration;

use sea_orm::sea_query::{Query, SelectStatement, UnionType};
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    AccessMode, ColumnTrait, ConnectOptions, ConnectionTrait, Database, DatabaseConnection,
    DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};

use crate::error::Result;

/// Rows of one write at the most, which keeps every statement far below PostgreSQL's 65,535 parameters.
pub const BATCH_MAX: usize = 500;

/// How to reach a database.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Most connections at a time.
    pub max_connections: u32,
    /// How long a request waits for a free connection, in seconds.
    pub acquire_timeout_secs: u64,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            max_connections: 16,
            acquire_timeout_secs: 10,
        }
    }
}

/// Opens a pool. SQLite gets a write-ahead log, foreign keys, and patience while another connection writes.
///
/// # Errors
/// When the address cannot be read or the server does not answer.
pub async fn connect(url: &str, pool: &Pool) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(pool.max_connections)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(pool.acquire_timeout_secs))
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                // NORMAL may forget the last commits when the machine loses power, among them that a mail was
                // handed off; it would then be sent twice.
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(10))
        });
    Database::connect(options).await
}

/// Opens the one transaction of an operation that writes. On SQLite it takes the write lock at once: a transaction
/// that reads first and writes later fails under concurrency.
///
/// # Errors
/// When no connection can be had in time.
pub async fn begin_write(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    db.begin_with_options(TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    })
    .await
}

/// Opens a transaction in which every statement sees the same state, for figures that must agree with each other.
///
/// # Errors
/// When no connection can be had in time.
pub async fn begin_read(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    // SQLite reads one state within a deferred transaction by itself and knows no isolation levels.
    let isolation_level = match db.get_database_backend() {
        DbBackend::Postgres => Some(sea_orm::IsolationLevel::RepeatableRead),
        _ => None,
    };
    let access_mode = isolation_level.map(|_| AccessMode::ReadOnly);
    db.begin_with_options(TransactionOptions {
        isolation_level,
        access_mode,
        ..Default::default()
    })
    .await
}

/// The ids that any of these selects finds. Each may be ordered and limited by itself, so that an index gives the first
/// rows of a list that no index gives as a whole. Finds nothing if there are none.
pub fn union_of_ids<E: EntityTrait>(
    id: E::Column,
    selects: impl IntoIterator<Item = Select<E>>,
) -> SelectStatement {
    let ids = selects.into_iter().map(|select| {
        let piece = select.select_only().column(id).into_query();
        // SQLite takes no ordered or limited part of a union but from a subquery.
        Query::select()
            .column("id")
            .from_subquery(piece, "piece")
            .to_owned()
    });
    let union = ids.reduce(|mut all, piece| all.union(UnionType::All, piece).to_owned());
    union.unwrap_or_else(|| {
        let nothing = E::find().filter(id.is_null());
        nothing.select_only().column(id).into_query()
    })
}

/// Makes operations about the same address wait for each other until the transaction ends, so that two inquiries at
/// one moment do not become two contacts. SQLite's write lock does that already.
///
/// # Errors
/// When the database fails.
pub async fn lock_keys(tx: &DatabaseTransaction, keys: &[i64]) -> Result<(), DbErr> {
    if tx.get_database_backend() != DbBackend::Postgres || keys.is_empty() {
        return Ok(());
    }
    // Everybody locks in the same order, so nobody waits in a circle.
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let calls: Vec<String> = (1..=sorted.len())
        .map(|n| format!("pg_advisory_xact_lock(${n})"))
        .collect();
    let sql = format!("SELECT {}", calls.join(", "));
    let values: Vec<sea_orm::Value> = sorted.into_iter().map(Into::into).collect();
    tx.query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
        .await?;
    Ok(())
}

/// Takes a key until the transaction ends if nobody holds it, and says whether it did.
///
/// For work that one process at a time does and the others leave to it. On SQLite the transaction holds the write lock already.
///
/// # Errors
/// When the database fails.
pub async fn try_lock_key(tx: &DatabaseTransaction, key: i64) -> Result<bool, DbErr> {
    if tx.get_database_backend() != DbBackend::Postgres {
        return Ok(true);
    }
    let sql = "SELECT pg_try_advisory_xact_lock($1)";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [key.into()]);
    let row = tx.query_one_raw(statement).await?;
    row.map_or(Ok(false), |row| row.try_get_by_index(0))
}
