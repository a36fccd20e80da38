//! Joins what a dry run needs: the schema for its copy, and the worker's writer of mails.

use std::sync::Arc;

use async_trait::async_trait;
use domain::db::{self, Pool};
use domain::dry_run::{BlankDatabase, Limits, Simulator};
use domain::error::Result;
use domain::hospital::Hospital;
use migration::{Migrator, MigratorTrait};
use sea_orm::DatabaseConnection;
use worker::mail::{DryRunWriter, LetterheadError};

/// Databases in memory.
struct InMemory;

#[async_trait]
impl BlankDatabase for InMemory {
    async fn blank(&self) -> Result<DatabaseConnection> {
        // Each connection to memory is a database of its own, so there must be one.
        let pool = Pool {
            max_connections: 1,
            ..Pool::default()
        };
        let connection = db::connect("sqlite::memory:", &pool).await?;
        Migrator::up(&connection, None).await?;
        Ok(connection)
    }
}

/// The simulator of a process.
///
/// # Errors
/// When the sender or the public address of the site cannot stand in a mail.
pub fn simulator(hospital: &Hospital, limits: Limits) -> Result<Simulator, LetterheadError> {
    let writer = DryRunWriter::new(hospital)?;
    Ok(Simulator::new(Arc::new(InMemory), Arc::new(writer), limits))
}
