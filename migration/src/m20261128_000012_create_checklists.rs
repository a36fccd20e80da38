//! Templates of follow-ups, checklists, and what of them is done.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::columns::{Keys, big, create_tables, drop_tables, id, json, rule, table, text, time};

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [checklist(), follow_up_template(), follow_up_check()]).await?;
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        let kind = if postgres { "uuid" } else { "uuid_text" };
        let column = format!(
            "ALTER TABLE follow_up ADD COLUMN template_id {kind} NULL REFERENCES follow_up_template (id)"
        );
        manager.get_connection().execute_unprepared(&column).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = "ALTER TABLE follow_up DROP COLUMN template_id";
        manager.get_connection().execute_unprepared(column).await?;
        drop_tables(manager, &["follow_up_check", "follow_up_template", "checklist"]).await
    }
}

fn checklist() -> TableCreateStatement {
    table("checklist")
        .col(id())
        .col(text("key").unique_key())
        .col(text("name"))
        .col(json("lead_types"))
        .col(json("service_lines"))
        .col(json("items"))
        .col(time("created_at"))
        .take()
}

fn follow_up_template() -> TableCreateStatement {
    table("follow_up_template")
        .col(id())
        .col(text("key").unique_key())
        .col(text("title"))
        .col(big("due_mins"))
        .key_null("checklist_id", "checklist")
        .col(time("created_at"))
        .check(rule("follow_up_template_is_due_later", "due_mins > 0"))
        .take()
}

fn follow_up_check() -> TableCreateStatement {
    table("follow_up_check")
        .key_of_owner("follow_up_id", "follow_up")
        .col(text("item"))
        .col(time("done_at"))
        .key_null("done_by_id", "staff")
        .primary_key(Index::create().col("follow_up_id").col("item"))
        .take()
}
