//! Times during which a lead's clock does not run.

use sea_orm_migration::prelude::*;

use crate::columns::{
    Keys, create_indexes, create_tables, drop_tables, id, index, index_where, one_of, rule, table, time,
    time_null,
};

const REASONS: &[&str] = &[
    "WAITING_FOR_LEAD",
    "WAITING_FOR_REFERRAL",
    "WAITING_FOR_COVERAGE",
    "LEAD_ASKED_LATER",
];

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [sla_pause()]).await?;
        create_indexes(
            manager,
            [
                index("sla_pause", &["lead_id", "starts_at"]),
                // A clock that stands does not stop a second time.
                index_where("sla_pause", &["lead_id"], "ended_at IS NULL")
                    .unique()
                    .take(),
                // Whose clock runs again next.
                index_where("sla_pause", &["ends_at", "id"], "ended_at IS NULL"),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["sla_pause"]).await
    }
}

fn sla_pause() -> TableCreateStatement {
    table("sla_pause")
        .col(id())
        .key("lead_id", "lead")
        .col(one_of("reason", REASONS))
        .col(time("starts_at"))
        .col(time("ends_at"))
        .col(time_null("ended_at"))
        .check(rule(
            "sla_pause_ends_not_before_it_starts",
            "ends_at >= starts_at",
        ))
        .take()
}
