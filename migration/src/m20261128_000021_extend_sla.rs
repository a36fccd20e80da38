//! What is done about leads that nobody tries to reach: targets, steps with their due times, and who answers for a team.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::columns::{create_indexes, index_where};

/// The steps, in the order in which they are taken.
const STEPS: &str = "('WARN_OWNER', 'TELL_LEAD', 'TAKE_BACK')";

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        let (time, id, big) = if postgres {
            ("timestamp with time zone", "uuid", "bigint")
        } else {
            ("timestamp_with_timezone_text", "uuid_text", "integer")
        };
        for column in [
            "target_mins",
            "warn_owner_mins",
            "tell_lead_mins",
            "take_back_mins",
        ] {
            run(
                manager,
                &format!("ALTER TABLE sla_policy ADD COLUMN {column} {big} NULL"),
            )
            .await?;
        }
        run(
            manager,
            &format!("ALTER TABLE team ADD COLUMN lead_id {id} NULL REFERENCES staff (id)"),
        )
        .await?;
        // PostgreSQL has its lists of names in domains.
        let step = if postgres {
            run(
                manager,
                &format!("CREATE DOMAIN lead_sla_step AS text CHECK (VALUE IN {STEPS})"),
            )
            .await?;
            "lead_sla_step NULL".to_owned()
        } else {
            format!("text NULL CHECK (\"sla_step\" IN {STEPS})")
        };
        for column in [
            format!("sla_target_at {time} NULL"),
            format!("sla_step {step}"),
            format!(
                "sla_step_at {time} NULL CONSTRAINT lead_step_has_a_time \
                 CHECK ((sla_step IS NULL) = (sla_step_at IS NULL))"
            ),
            format!("taken_back_at {time} NULL"),
            format!("taken_from_id {id} NULL REFERENCES staff (id)"),
        ] {
            run(manager, &format!("ALTER TABLE lead ADD COLUMN {column}")).await?;
        }
        // What the sweep takes next: small, because a lead leaves it with its first attempt.
        create_indexes(
            manager,
            [index_where(
                "lead",
                &["sla_step_at", "id"],
                "sla_step IS NOT NULL",
            )],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, "DROP INDEX idx_lead_sla_step_at_id").await?;
        for column in [
            "taken_from_id",
            "taken_back_at",
            "sla_step_at",
            "sla_step",
            "sla_target_at",
        ] {
            run(manager, &format!("ALTER TABLE lead DROP COLUMN {column}")).await?;
        }
        if manager.get_database_backend() == DbBackend::Postgres {
            run(manager, "DROP DOMAIN lead_sla_step").await?;
        }
        run(manager, "ALTER TABLE team DROP COLUMN lead_id").await?;
        for column in [
            "take_back_mins",
            "tell_lead_mins",
            "warn_owner_mins",
            "target_mins",
        ] {
            run(manager, &format!("ALTER TABLE sla_policy DROP COLUMN {column}")).await?;
        }
        Ok(())
    }
}

async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await?;
    Ok(())
}
