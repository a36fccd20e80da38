//! Quality audits: rubrics, samples of work, and what reviewers say of it.

use sea_orm_migration::prelude::*;

use crate::columns::{
    Keys, big, create_indexes, create_tables, drop_tables, flag, id, index, int, json, one_of, rule, table,
    text, text_null, time,
};
use crate::vocabulary::ACTOR_KINDS;

const AUDIT_SUBJECTS: &[&str] = &["ATTEMPT", "DISPOSITION", "FORM_DATA"];

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = [audit_rubric(), quality_sample(), quality_item(), quality_review()];
        create_tables(manager, tables).await?;
        create_indexes(
            manager,
            [
                index("audit_rubric", &["key", "version"]).unique().take(),
                index("quality_item", &["sample_id", "place"]).unique().take(),
                // What an erasure empties and an export tells.
                index("quality_item", &["lead_id"]),
                index("quality_review", &["item_id", "reviewer_id"])
                    .unique()
                    .take(),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = ["quality_review", "quality_item", "quality_sample", "audit_rubric"];
        drop_tables(manager, &tables).await
    }
}

fn audit_rubric() -> TableCreateStatement {
    table("audit_rubric")
        .col(id())
        .col(text("key"))
        .col(int("version"))
        .col(text("name"))
        .col(one_of("subject", AUDIT_SUBJECTS))
        .col(json("criteria"))
        .col(time("created_at"))
        .check(rule("audit_rubric_counts_versions", "version > 0"))
        .take()
}

fn quality_sample() -> TableCreateStatement {
    table("quality_sample")
        .col(id())
        .key("rubric_id", "audit_rubric")
        .col(big("seed"))
        .col(time("from_at"))
        .col(time("to_at"))
        .key_null("team_id", "team")
        .col(int("population"))
        .col(int("size"))
        .col(int("twice"))
        .col(one_of("drawn_by_kind", ACTOR_KINDS))
        // No foreign key: the kind says in which table it is.
        .col(ColumnDef::new("drawn_by_id").uuid().null())
        .col(time("created_at"))
        .check(rule("quality_sample_has_a_period", "from_at < to_at"))
        .check(rule(
            "quality_sample_is_part_of_the_population",
            "size > 0 AND size <= population AND twice >= 0 AND twice <= size",
        ))
        .take()
}

fn quality_item() -> TableCreateStatement {
    table("quality_item")
        .col(id())
        .key_of_owner("sample_id", "quality_sample")
        .col(int("place"))
        .key("lead_id", "lead")
        .key_null("attempt_id", "attempt")
        .col(flag("twice"))
        .check(rule("quality_item_counts_places", "place > 0"))
        .take()
}

fn quality_review() -> TableCreateStatement {
    table("quality_review")
        .col(id())
        .key_of_owner("item_id", "quality_item")
        .key("reviewer_id", "staff")
        .col(json("scores"))
        .col(text_null("finding"))
        .key_null("follow_up_id", "follow_up")
        .col(time("created_at"))
        .take()
}
