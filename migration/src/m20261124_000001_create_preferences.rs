//! What people chose about how often, about what and until when not to be written to.

use sea_orm_migration::prelude::*;

use crate::columns::{
    Keys, create_indexes, create_tables, drop_tables, flag, id, index, rule, table, time, time_null,
};

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [contact_preference(), contact_line_preference()]).await?;
        create_indexes(
            manager,
            [
                // One row a contact: the gate reads it for each contact of a batch.
                index("contact_preference", &["contact_id"]).unique().take(),
                index("contact_line_preference", &["contact_id", "service_line_id"])
                    .unique()
                    .take(),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["contact_line_preference", "contact_preference"]).await
    }
}

fn contact_preference() -> TableCreateStatement {
    table("contact_preference")
        .col(id())
        .key("contact_id", "contact")
        .col(time_null("paused_until"))
        .col(ColumnDef::new("max_per_week").integer().null())
        .col(time("updated_at"))
        .check(rule("contact_preference_allows_some", "max_per_week >= 1"))
        .take()
}

fn contact_line_preference() -> TableCreateStatement {
    table("contact_line_preference")
        .col(id())
        .key("contact_id", "contact")
        .key("service_line_id", "service_line")
        .col(flag("wanted"))
        .col(time("updated_at"))
        .take()
}
