//! Ideal lead profiles.

use sea_orm_migration::prelude::*;

use crate::columns::{Keys, create_tables, drop_tables, id, json, one_of_null, rule, table, text, time};
use crate::vocabulary::CHANNELS;

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [lead_profile()]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["lead_profile"]).await
    }
}

fn lead_profile() -> TableCreateStatement {
    table("lead_profile")
        .col(id())
        .col(text("key").unique_key())
        .col(text("name"))
        .col(one_of_null("channel", CHANNELS))
        .key_null("campaign_id", "campaign")
        .col(json("criteria"))
        .col(time("created_at"))
        .check(rule(
            "lead_profile_is_for_one",
            "channel IS NULL OR campaign_id IS NULL",
        ))
        .take()
}
