//! Versions of the rules that route, score and time leads, and how a rule chooses the person.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::columns::{
    Keys, big, create_indexes, create_tables, drop_tables, id, index, index_where, int, json, one_of,
    one_of_null, rule, table, text, text_null, time, time_null,
};
use crate::vocabulary::ACTOR_KINDS;

const KINDS: &[&str] = &["ROUTING", "SCORING", "SLA"];
const STATES: &[&str] = &["DRAFT", "PUBLISHED", "RETIRED"];
const SKILLS: &[&str] = &["LANGUAGE", "SERVICE_LINE"];
const STRATEGIES: &str = "('NAMED', 'LEAST_OPEN_WORK', 'ROUND_ROBIN', 'SKILL_MATCH')";
const RULES: [&str; 3] = ["routing_rule", "scoring_rule", "sla_policy"];

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [rule_set(), routing_turn(), staff_skill()]).await?;
        create_indexes(
            manager,
            [
                index("rule_set", &["kind", "number"]).unique().take(),
                // One version of a kind counts.
                index_where("rule_set", &["kind"], "state = 'PUBLISHED'")
                    .unique()
                    .take(),
            ],
        )
        .await?;
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        // PostgreSQL has its lists of names in domains.
        let (strategy, json, time) = if postgres {
            let domain = format!("CREATE DOMAIN routing_rule_strategy AS text CHECK (VALUE IN {STRATEGIES})");
            run(manager, &domain).await?;
            let strategy = "routing_rule_strategy NOT NULL DEFAULT 'LEAST_OPEN_WORK'".to_owned();
            (strategy, "jsonb", "timestamp with time zone")
        } else {
            let strategy =
                format!("text NOT NULL DEFAULT 'LEAST_OPEN_WORK' CHECK (\"strategy\" IN {STRATEGIES})");
            (strategy, "jsonb_text", "timestamp_with_timezone_text")
        };
        for sql in [
            format!("ALTER TABLE routing_rule ADD COLUMN strategy {strategy}"),
            format!("ALTER TABLE routing_rule ADD COLUMN flags {json} NOT NULL DEFAULT '[]'"),
            "UPDATE routing_rule SET strategy = 'NAMED' WHERE owner_id IS NOT NULL".to_owned(),
        ] {
            run(manager, &sql).await?;
        }
        for table in RULES {
            let sql = format!("ALTER TABLE {table} ADD COLUMN retired_at {time} NULL");
            run(manager, &sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in RULES {
            run(manager, &format!("ALTER TABLE {table} DROP COLUMN retired_at")).await?;
        }
        run(manager, "ALTER TABLE routing_rule DROP COLUMN flags").await?;
        run(manager, "ALTER TABLE routing_rule DROP COLUMN strategy").await?;
        drop_tables(manager, &["staff_skill", "routing_turn", "rule_set"]).await
    }
}

async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await?;
    Ok(())
}

fn rule_set() -> TableCreateStatement {
    table("rule_set")
        .col(id())
        .col(one_of("kind", KINDS))
        .col(int("number"))
        .col(one_of("state", STATES))
        .col(json("rules"))
        .col(ColumnDef::new("based_on").integer().null())
        .col(text_null("note"))
        .col(one_of("created_by_kind", ACTOR_KINDS))
        // No foreign keys: the kinds say in which table they are.
        .col(ColumnDef::new("created_by_id").uuid().null())
        .col(time("created_at"))
        .col(one_of_null("published_by_kind", ACTOR_KINDS))
        .col(ColumnDef::new("published_by_id").uuid().null())
        .col(time_null("published_at"))
        .col(time_null("retired_at"))
        .col(big("version"))
        .col(time("updated_at"))
        .check(rule(
            "rule_set_counts_from_its_publication",
            "state <> 'PUBLISHED' OR (published_at IS NOT NULL AND retired_at IS NULL)",
        ))
        .check(rule(
            "rule_set_that_is_a_draft_was_never_published",
            "state <> 'DRAFT' OR (published_at IS NULL AND retired_at IS NULL)",
        ))
        .take()
}

fn routing_turn() -> TableCreateStatement {
    table("routing_turn")
        .key("rule_id", "routing_rule")
        .primary_key(Index::create().col("rule_id"))
        .col(json("given"))
        .take()
}

fn staff_skill() -> TableCreateStatement {
    table("staff_skill")
        .key("staff_id", "staff")
        .col(one_of("kind", SKILLS))
        .col(text("value"))
        .primary_key(Index::create().col("staff_id").col("kind").col("value"))
        .take()
}
