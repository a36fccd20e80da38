//! The rules that route, score and time leads, and the number by which processes notice that they changed.

use sea_orm_migration::prelude::*;

use crate::columns::{Keys, big, create_tables, drop_tables, flag, id, int, json, rule, table, text, time};

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // No index: the rules are few, read together and kept in memory until the revision changes.
        create_tables(
            manager,
            [routing_rule(), scoring_rule(), sla_policy(), playbook_revision()],
        )
        .await?;
        let first = Query::insert()
            .into_table("playbook_revision")
            .columns(["id", "revision"])
            .values_panic([1.into(), 1.into()])
            .take();
        manager.execute(first).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(
            manager,
            &["playbook_revision", "sla_policy", "scoring_rule", "routing_rule"],
        )
        .await
    }
}

fn routing_rule() -> TableCreateStatement {
    table("routing_rule")
        .col(id())
        .col(text("name"))
        // Not unique, so that two rules can change places one after the other.
        .col(int("position"))
        .col(json("condition"))
        .key("team_id", "team")
        .key_null("facility_id", "facility")
        .key_null("owner_id", "staff")
        .col(flag("urgent"))
        .col(flag("active"))
        .col(time("created_at"))
        .take()
}

fn scoring_rule() -> TableCreateStatement {
    table("scoring_rule")
        .col(id())
        // A score's reasons name their rule by this.
        .col(text("name").unique_key())
        .col(json("condition"))
        .col(int("points"))
        .col(text("text"))
        .col(flag("active"))
        .col(time("created_at"))
        .take()
}

fn sla_policy() -> TableCreateStatement {
    table("sla_policy")
        .col(id())
        .col(text("name"))
        .col(int("position"))
        .col(json("condition"))
        .col(big("first_attempt_mins"))
        .col(int("attempts_wanted"))
        .col(big("spacing_mins"))
        .col(big("remind_before_mins"))
        .col(time("created_at"))
        .take()
}

fn playbook_revision() -> TableCreateStatement {
    table("playbook_revision")
        .col(int("id").primary_key())
        .col(big("revision"))
        .check(rule("playbook_revision_has_one_row", "id = 1"))
        .take()
}
