//! Intake scripts, and what people answered to their questions.

use sea_orm_migration::prelude::*;

use crate::columns::{
    Keys, create_indexes, create_tables, drop_tables, id, index, int, json, rule, table, text, time,
};

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [intake_script(), script_answer()]).await?;
        create_indexes(
            manager,
            [index("intake_script", &["key", "version"]).unique().take()],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["script_answer", "intake_script"]).await
    }
}

fn intake_script() -> TableCreateStatement {
    table("intake_script")
        .col(id())
        .col(text("key"))
        .col(int("version"))
        .col(text("name"))
        .col(json("lead_types"))
        .col(json("service_lines"))
        .col(json("content"))
        .col(time("created_at"))
        .check(rule("intake_script_counts_versions", "version > 0"))
        .take()
}

fn script_answer() -> TableCreateStatement {
    table("script_answer")
        .key_of_owner("lead_id", "lead")
        .col(text("script_key"))
        .col(text("question"))
        .key("script_id", "intake_script")
        .col(text("value"))
        .col(time("answered_at"))
        .key_null("answered_by_id", "staff")
        .primary_key(Index::create().col("lead_id").col("script_key").col("question"))
        .take()
}
