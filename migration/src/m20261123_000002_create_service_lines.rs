//! The services of the hospital under their canonical names, and the other names that people use.

use sea_orm_migration::prelude::*;

use crate::columns::{Keys, create_indexes, create_tables, drop_tables, flag, id, index, table, text, time};

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [service_line(), service_line_alias()]).await?;
        create_indexes(manager, [index("service_line_alias", &["service_line_id"])]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["service_line_alias", "service_line"]).await
    }
}

fn service_line() -> TableCreateStatement {
    table("service_line")
        .col(id())
        .col(text("slug").unique_key())
        .col(text("name"))
        .col(flag("direct_scheduling"))
        .col(flag("referral_required"))
        .col(flag("order_required"))
        .col(flag("triage_required"))
        .col(flag("active"))
        .col(time("created_at"))
        .take()
}

fn service_line_alias() -> TableCreateStatement {
    table("service_line_alias")
        // The alias is the key: a name can mean one line only.
        .col(text("alias").primary_key())
        .key("service_line_id", "service_line")
        .take()
}
