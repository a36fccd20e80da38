//! How long personal data is kept.

use sea_orm_migration::prelude::*;

use crate::columns::{
    create_indexes, create_tables, drop_tables, id, index, index_where, int, one_of, rule, table, time,
};

const RETENTION_KINDS: &[&str] = &[
    "CLOSED_LEADS",
    "UNENGAGED_CONTACTS",
    "CAPTURED_MAIL",
    "KEPT_ANSWERS",
    "INBOUND_MAIL",
];

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [retention_policy()]).await?;
        create_indexes(
            manager,
            [
                index("retention_policy", &["kind"]).unique().take(),
                // What the sweep looks for: what is not erased yet, by age.
                index_where("contact", &["updated_at"], "erased_at IS NULL"),
                index_where("lead", &["closed_at"], "erased_at IS NULL AND stage = 'CLOSED'"),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, columns) in [("lead", "closed_at"), ("contact", "updated_at")] {
            let name = format!("idx_{table}_{columns}");
            let drop = Index::drop().name(name).table(table).to_owned();
            manager.drop_index(drop).await?;
        }
        drop_tables(manager, &["retention_policy"]).await
    }
}

fn retention_policy() -> TableCreateStatement {
    table("retention_policy")
        .col(id())
        .col(one_of("kind", RETENTION_KINDS))
        .col(int("keep_days"))
        .col(time("updated_at"))
        .check(rule("retention_policy_keeps_a_day", "keep_days >= 1"))
        .take()
}
