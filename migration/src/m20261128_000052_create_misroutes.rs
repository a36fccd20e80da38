//! Leads that went to the wrong team.

use sea_orm_migration::prelude::*;

use crate::columns::{
    Keys, create_indexes, create_tables, drop_tables, flag, id, index, index_where, int, one_of, rule, table,
    text, text_null, time,
};
use crate::vocabulary::ACTOR_KINDS;

const REASONS: &[&str] = &[
    "WRONG_SERVICE_LINE",
    "WRONG_FACILITY",
    "WRONG_LANGUAGE",
    "WRONG_LEAD_TYPE",
    "NO_CAPACITY",
    "OTHER",
];

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [misroute()]).await?;
        create_indexes(
            manager,
            [
                index("misroute", &["lead_id", "id"]),
                // A rule is wrong about a lead once.
                index_where("misroute", &["lead_id"], "by_rule").unique().take(),
                index("misroute", &["rule_id", "id"]),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["misroute"]).await
    }
}

fn misroute() -> TableCreateStatement {
    table("misroute")
        .col(id())
        .key("lead_id", "lead")
        .key_null("rule_id", "routing_rule")
        .col(text("rule"))
        .col(int("rule_version"))
        .col(flag("by_rule"))
        .key("from_team_id", "team")
        .key("to_team_id", "team")
        .col(one_of("reason", REASONS))
        .col(text_null("note"))
        .col(one_of("actor_kind", ACTOR_KINDS))
        // No foreign key: the kind says in which table it is.
        .col(ColumnDef::new("actor_id").uuid().null())
        .col(time("at"))
        .check(rule(
            "misroute_leads_to_another_team",
            "from_team_id <> to_team_id",
        ))
        .take()
}
