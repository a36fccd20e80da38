//! Which mails make demand, what a service line promises about its capacity, and when a mail has taken its turn.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Tables with their new columns, which stand for today's rows too.
fn columns(postgres: bool) -> [(&'static str, &'static str, String); 8] {
    let (day, json) = if postgres {
        ("date", "jsonb")
    } else {
        ("date_text", "jsonb_text")
    };
    let flag = || "boolean NOT NULL DEFAULT FALSE".to_owned();
    [
        ("campaign", "demand_making", flag()),
        ("sequence", "demand_making", flag()),
        (
            "service_line",
            "direct_procedures",
            format!("{json} NOT NULL DEFAULT '[]'"),
        ),
        (
            "service_line",
            "mails_per_visit",
            "integer NOT NULL DEFAULT 20 CHECK (mails_per_visit > 0)".to_owned(),
        ),
        (
            "service_line",
            "pacing_weeks",
            "integer NOT NULL DEFAULT 4 CHECK (pacing_weeks > 0)".to_owned(),
        ),
        (
            "service_line",
            "max_wait_days",
            "integer NULL CHECK (max_wait_days >= 0)".to_owned(),
        ),
        (
            "service_line",
            "min_open_slots",
            "integer NULL CHECK (min_open_slots >= 0)".to_owned(),
        ),
        ("message", "paced_on", format!("{day} NULL")),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        for (table, name, kind) in columns(postgres) {
            run(manager, &format!("ALTER TABLE {table} ADD COLUMN {name} {kind}")).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        for (table, name, _) in columns(postgres).into_iter().rev() {
            run(manager, &format!("ALTER TABLE {table} DROP COLUMN {name}")).await?;
        }
        Ok(())
    }
}

async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await?;
    Ok(())
}
