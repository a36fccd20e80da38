//! Addresses under which people subscribe to their follow-ups in a calendar.

use sea_orm_migration::prelude::*;

use crate::columns::{Keys, bytes, create_indexes, create_tables, drop_tables, id, index, table, text, time};

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [calendar_feed()]).await?;
        create_indexes(
            manager,
            [
                index("calendar_feed", &["secret_hash"]).unique().take(),
                index("calendar_feed", &["staff_id", "id"]),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["calendar_feed"]).await
    }
}

fn calendar_feed() -> TableCreateStatement {
    table("calendar_feed")
        .col(id())
        .key("staff_id", "staff")
        .col(text("name"))
        .col(bytes("secret_hash"))
        .col(time("created_at"))
        .take()
}
