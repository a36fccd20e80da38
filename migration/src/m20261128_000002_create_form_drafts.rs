//! Forms that are saved to be finished later, and the leads that are made of those that were left.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::columns::{
    Keys, bytes_null, create_indexes, create_tables, drop_tables, id, index, index_where, json, one_of, rule,
    table, text, text_null, time,
};

const STATES: &[&str] = &["WAITING", "ABANDONED", "FINISHED"];

/// What the sweep for late first attempts looks through, without and with this change.
const LATE_BEFORE: &str = "first_attempt_at IS NULL AND sla_missed_at IS NULL AND stage = 'NEW'";
const LATE: &str =
    "first_attempt_at IS NULL AND sla_missed_at IS NULL AND unfinished_at IS NULL AND stage = 'NEW'";

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [form_draft()]).await?;
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        let time = if postgres {
            "timestamp with time zone"
        } else {
            "timestamp_with_timezone_text"
        };
        for sql in [
            format!("ALTER TABLE lead ADD COLUMN unfinished_at {time} NULL"),
            "ALTER TABLE form ADD COLUMN abandoned_after_days integer NULL \
             CONSTRAINT form_is_abandoned_after_days CHECK (abandoned_after_days BETWEEN 1 AND 30)"
                .to_owned(),
            "ALTER TABLE form ADD COLUMN kept_days integer NULL \
             CONSTRAINT form_keeps_what_is_saved CHECK (kept_days BETWEEN 2 AND 90)"
                .to_owned(),
            "DROP INDEX idx_lead_stage_sla_due_at".to_owned(),
        ] {
            run(manager, &sql).await?;
        }
        create_indexes(
            manager,
            [
                // Who saves a form again replaces what was saved.
                index("form_draft", &["form_id", "email_normalized"])
                    .unique()
                    .take(),
                // What the sweep takes next.
                index("form_draft", &["due_at", "id"]),
                index("form_draft", &["contact_id"]),
                // What a mail about it links to.
                index_where("form_draft", &["message_id"], "message_id IS NOT NULL"),
                index_where("form_draft", &["lead_id"], "lead_id IS NOT NULL"),
                index_where("lead", &["stage", "sla_due_at"], LATE),
                // The list of unfinished leads. The other lists pass over them: they are few beside those that were sent.
                index_where("lead", &["received_at", "id"], "unfinished_at IS NOT NULL")
                    .name("idx_lead_unfinished_received_at_id")
                    .take(),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for sql in [
            "DROP INDEX idx_lead_unfinished_received_at_id",
            "DROP INDEX idx_lead_stage_sla_due_at",
            "ALTER TABLE form DROP COLUMN kept_days",
            "ALTER TABLE form DROP COLUMN abandoned_after_days",
            "ALTER TABLE lead DROP COLUMN unfinished_at",
        ] {
            run(manager, sql).await?;
        }
        create_indexes(
            manager,
            [index_where("lead", &["stage", "sla_due_at"], LATE_BEFORE)],
        )
        .await?;
        drop_tables(manager, &["form_draft"]).await
    }
}

async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await?;
    Ok(())
}

fn form_draft() -> TableCreateStatement {
    table("form_draft")
        .col(id())
        .key("form_id", "form")
        .key("contact_id", "contact")
        .col(text_null("email_normalized"))
        .col(json("fields"))
        .col(json("consents"))
        .col(json("visit"))
        .col(bytes_null("click_id_hash"))
        .col(text("agreement"))
        .col(time("agreed_at"))
        .key_null("message_id", "message")
        .key_null("lead_id", "lead")
        .col(one_of("state", STATES))
        .col(time("due_at"))
        .col(time("expires_at"))
        .col(time("created_at"))
        .check(rule(
            "form_draft_finished_names_nobody",
            "(state = 'FINISHED') = (email_normalized IS NULL)",
        ))
        .take()
}
