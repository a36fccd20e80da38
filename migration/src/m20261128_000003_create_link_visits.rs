//! Visits of the links in mails, of people who consented to that.

use sea_orm_migration::prelude::*;

use crate::columns::{
    Keys, create_indexes, create_tables, drop_tables, id, index, index_where, int, one_of, one_of_null,
    table, time,
};

const WAYS: &[&str] = &["HEAD", "PREFETCH", "PROGRAM", "NOT_NAVIGATED", "NAVIGATED"];
const VERDICTS: &[&str] = &["HUMAN", "SCANNER", "UNCLEAR"];
const REASONS: &[&str] = &[
    "SAID_SO",
    "TOO_SOON",
    "SEVERAL_LINKS",
    "NOT_NAVIGATED",
    "BESIDE_A_SCANNER",
    "NAVIGATED",
];

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [link_visit()]).await?;
        create_indexes(
            manager,
            [
                index("link_visit", &["message_id", "id"]),
                // What is to be judged next. Judged visits are not in it, so it stays small.
                index_where("link_visit", &["at", "id"], "verdict IS NULL"),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["link_visit"]).await
    }
}

fn link_visit() -> TableCreateStatement {
    table("link_visit")
        .col(id())
        .key_of_owner("message_id", "message")
        .col(int("link"))
        .col(time("at"))
        .col(one_of("way", WAYS))
        .col(one_of_null("verdict", VERDICTS))
        .col(one_of_null("reason", REASONS))
        .take()
}
