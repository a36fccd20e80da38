//! Forms that visitors fill in, and the texts of mails.

use sea_orm_migration::prelude::*;

use crate::columns::{
    Keys, create_indexes, create_tables, drop_tables, flag, id, index, index_where, int, json, one_of, rule,
    table, text, text_null, time, time_null,
};
use crate::vocabulary::{ACTOR_KINDS, CHANNELS, LEAD_TYPES, PURPOSES};

const TEMPLATE_STATES: &[&str] = &["DRAFT", "IN_REVIEW", "APPROVED", "REJECTED", "SUPERSEDED"];

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
            [
                index("template_version", &["template_id", "version"])
                    .unique()
                    .take(),
                // A template has one version that counts; the others were superseded by it.
                index_where("template_version", &["template_id"], "state <> 'SUPERSEDED'")
                    .unique()
                    .take(),
            ],
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
        .col(one_of("state", TEMPLATE_STATES))
        .col(text("default_language"))
        .col(text("layout"))
        .col(json("bodies"))
        .col(one_of("author_kind", ACTOR_KINDS))
        .col(ColumnDef::new("author_id").uuid().null())
        .col(text("content_sha256"))
        .col(time("created_at"))
        .col(time_null("submitted_at"))
        .col(time_null("reviewed_at"))
        .key_null("reviewed_by", "staff")
        .col(text_null("note"))
        .col(text_null("approved_sha256"))
        .check(rule("template_version_counts_from_one", "version >= 1"))
        .check(rule(
            "template_version_approved_by_somebody",
            "state <> 'APPROVED' OR (approved_sha256 IS NOT NULL AND reviewed_by IS NOT NULL AND reviewed_at IS NOT NULL)",
        ))
        .check(rule(
            "template_version_not_approved_by_its_author",
            "state <> 'APPROVED' OR author_id IS NULL OR author_id <> reviewed_by",
        ))
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
