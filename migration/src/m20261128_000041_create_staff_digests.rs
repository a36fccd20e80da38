//! The morning digest of each member of staff.

use sea_orm_migration::prelude::*;

use crate::columns::{Keys, create_indexes, create_tables, drop_tables, index, table, time};

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [staff_digest()]).await?;
        create_indexes(manager, [index("staff_digest", &["next_at"])]).await?;
        let everybody = "INSERT INTO staff_digest (staff_id, next_at) SELECT id, created_at FROM staff";
        manager.get_connection().execute_unprepared(everybody).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["staff_digest"]).await
    }
}

fn staff_digest() -> TableCreateStatement {
    table("staff_digest")
        .key("staff_id", "staff")
        .primary_key(Index::create().col("staff_id"))
        .col(time("next_at"))
        .take()
}
