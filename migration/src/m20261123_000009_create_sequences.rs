//! Sequences, their versions, and each lead's place in one.

use sea_orm_migration::prelude::*;

use crate::columns::{
    Keys, big, create_indexes, create_tables, drop_tables, flag, id, index, index_where, int, json,
    leave_room_for_changes, one_of, one_of_null, rule, table, text, text_null, time, time_null,
};
use crate::vocabulary::PURPOSES;

const SEQUENCE_STATES: &[&str] = &["DRAFT", "PUBLISHED", "PAUSED"];
const ENROLLMENT_STATES: &[&str] = &["ACTIVE", "COMPLETED", "EXITED"];
const EXIT_REASONS: &[&str] = &[
    "STAGE",
    "CLOSED",
    "WITHDRAWN",
    "UNENROLLED",
    "EXPIRED",
    "RESTARTED",
    "BROKEN",
    "REPLIED",
    "FORM_FINISHED",
];

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [sequence(), sequence_version(), enrollment()]).await?;
        leave_room_for_changes(manager, "enrollment").await?;
        create_indexes(
            manager,
            [
                // Also serves the newest version of a sequence.
                index("sequence_version", &["sequence_id", "number"])
                    .unique()
                    .take(),
                // A lead has at most one active enrollment in a sequence.
                index_where("enrollment", &["sequence_id", "lead_id"], "state = 'ACTIVE'")
                    .unique()
                    .take(),
                // What the sweep moves on next.
                index_where("enrollment", &["due_at", "id"], "state = 'ACTIVE'"),
                index("enrollment", &["lead_id"]),
                // A withdrawal ends what rests on the consent.
                index_where("enrollment", &["contact_id"], "state = 'ACTIVE'"),
                // Who stands at which step of a version, for a move to another.
                index_where(
                    "enrollment",
                    &["sequence_version_id", "step_key"],
                    "state = 'ACTIVE'",
                ),
                // What fails again and again, for the watchdog.
                index_where(
                    "enrollment",
                    &["fault_count"],
                    "state = 'ACTIVE' AND fault_count > 0",
                ),
                // How many stand where, per sequence.
                index("enrollment", &["sequence_id", "state"]),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["enrollment", "sequence_version", "sequence"]).await
    }
}

fn sequence() -> TableCreateStatement {
    table("sequence")
        .col(id())
        .col(text("name").unique_key())
        .col(one_of("state", SEQUENCE_STATES))
        .col(one_of("purpose", PURPOSES))
        .key_null("campaign_id", "campaign")
        // No foreign key: sequence and version name each other, and SQLite cannot add a key to a table that exists.
        .col(ColumnDef::new("current_version_id").uuid().null())
        .col(big("version"))
        .col(time("created_at"))
        .col(time("updated_at"))
        .take()
}

fn sequence_version() -> TableCreateStatement {
    table("sequence_version")
        .col(id())
        .key("sequence_id", "sequence")
        .col(int("number"))
        .col(json("trigger"))
        .col(json("steps"))
        .col(json("exits"))
        .col(time_null("published_at"))
        .col(time("created_at"))
        .check(rule("sequence_version_counts_from_one", "number >= 1"))
        .take()
}

fn enrollment() -> TableCreateStatement {
    table("enrollment")
        .col(id())
        // The version says it too; here for the unique index.
        .key("sequence_id", "sequence")
        .key("sequence_version_id", "sequence_version")
        .key("lead_id", "lead")
        .key("contact_id", "contact")
        .col(one_of("state", ENROLLMENT_STATES))
        .col(one_of_null("exit_reason", EXIT_REASONS))
        .col(text_null("goal_key"))
        .col(text("step_key"))
        .col(flag("entered_step"))
        .col(flag("happened"))
        .col(int("occurrence"))
        .col(time("due_at"))
        .col(int("fault_count"))
        .col(time("created_at"))
        .col(time("updated_at"))
        .col(time_null("ended_at"))
        .take()
}
