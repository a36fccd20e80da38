//! Times during which staff are away, and how much open work somebody is given at the most.

use sea_orm_migration::prelude::*;

use crate::columns::{
    Keys, create_indexes, create_tables, drop_tables, id, index, one_of, rule, table, time,
};

const REASONS: &[&str] = &["LEAVE", "OFF_SHIFT", "TRAINING", "OTHER"];

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [staff_absence()]).await?;
        let limit = "ALTER TABLE staff ADD COLUMN max_open integer NULL \
                     CONSTRAINT staff_is_given_some_work CHECK (max_open BETWEEN 1 AND 200)";
        manager.get_connection().execute_unprepared(limit).await?;
        create_indexes(manager, [index("staff_absence", &["staff_id", "ends_at"])]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let limit = "ALTER TABLE staff DROP COLUMN max_open";
        manager.get_connection().execute_unprepared(limit).await?;
        drop_tables(manager, &["staff_absence"]).await
    }
}

fn staff_absence() -> TableCreateStatement {
    table("staff_absence")
        .col(id())
        .key("staff_id", "staff")
        .col(one_of("reason", REASONS))
        .col(time("starts_at"))
        .col(time("ends_at"))
        .col(time("created_at"))
        .check(rule("staff_absence_ends_after_it_starts", "ends_at > starts_at"))
        .take()
}
