//! Forms that visitors fill in, and the texts of mails.

use sea_orm_migration::prelude::*;

use crate::columns::{
    Keys, create_indexes, create_tables, drop_tables, flag, id, index, int, json, one_of, rule, table, text,
    time,
};
use crate::vocabulary::{CHANNELS, LEAD_TYPES, PURPOSES};

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [template(), template_version(), form()]).await?;
        create_indexes(
            manager,
            // Also serves the newest version of a template.
            [index("template_version", &["template_id", "version"])
                .unique()
                .take()],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["form", "template_version", "template"]).await
    }
}

fn template() -> TableCreateStatement {
    table("template")
        .col(id())
        .col(text("key").unique_key())
        .col(text("name"))
        .col(one_of("purpose", PURPOSES))
        .col(time("created_at"))
        .take()
}

fn template_version() -> TableCreateStatement {
    table("template_version")
        .col(id())
        .key("template_id", "template")
        .col(int("version"))
        .col(text("subject"))
        .col(text("html"))
        .col(text("text"))
        .col(time("created_at"))
        .check(rule("template_version_counts_from_one", "version >= 1"))
        .take()
}

fn form() -> TableCreateStatement {
    table("form")
        .col(id())
        .col(text("slug").unique_key())
        .col(text("title"))
        .col(text("intro"))
        .col(text("thanks"))
        .col(text("language"))
        .col(one_of("lead_type", LEAD_TYPES))
        .col(one_of("channel", CHANNELS))
        .key_null("service_line_id", "service_line")
        .key_null("facility_id", "facility")
        .key_null("campaign_id", "campaign")
        .col(json("fields"))
        .col(json("wordings"))
        .col(ColumnDef::new("opt_in_days").integer().null())
        .key_null("confirmation_template_id", "template")
        .col(text("public_key").unique_key())
        .col(flag("active"))
        .col(time("created_at"))
        .check(rule(
            "form_waits_for_the_second_yes",
            "opt_in_days BETWEEN 1 AND 30",
        ))
        .take()
}
