//! Days on which sequences enroll, and moves of running enrollments to another version.

use sea_orm_migration::prelude::*;

use crate::columns::{
    Keys, big, create_indexes, create_tables, drop_tables, id, index, index_where, json, one_of, table, text,
    time, time_null,
};
use crate::vocabulary::ACTOR_KINDS;

const OCCASION_STATES: &[&str] = &["WAITING", "DONE", "CANCELLED"];
const MOVE_STATES: &[&str] = &["RUNNING", "DONE"];

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [date_occasion(), enrollment_move()]).await?;
        create_indexes(
            manager,
            [
                // What the sweep takes next.
                index_where("date_occasion", &["due_at", "id"], "state = 'WAITING'"),
                // What goes when an appointment is called off.
                index_where("date_occasion", &["lead_id"], "state = 'WAITING'"),
                // One move at a time leaves a version.
                index_where("enrollment_move", &["from_version_id"], "state = 'RUNNING'")
                    .unique()
                    .take(),
                index_where("enrollment_move", &["due_at", "id"], "state = 'RUNNING'"),
                index("enrollment_move", &["sequence_id", "id"]),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["enrollment_move", "date_occasion"]).await
    }
}

fn date_occasion() -> TableCreateStatement {
    table("date_occasion")
        .col(id())
        .key("sequence_id", "sequence")
        .key("lead_id", "lead")
        .key_null("appointment_id", "appointment")
        .col(text("origin_key").unique_key())
        .col(one_of("state", OCCASION_STATES))
        .col(time("due_at"))
        .col(time("created_at"))
        .col(time_null("settled_at"))
        .take()
}

fn enrollment_move() -> TableCreateStatement {
    table("enrollment_move")
        .col(id())
        .key("sequence_id", "sequence")
        .key("from_version_id", "sequence_version")
        .key("to_version_id", "sequence_version")
        .col(json("step_map"))
        .col(one_of("state", MOVE_STATES))
        .col(big("moved"))
        .col(time("due_at"))
        .col(one_of("actor_kind", ACTOR_KINDS))
        // No foreign key: the kind says in which table it is.
        .col(ColumnDef::new("actor_id").uuid().null())
        .col(time("created_at"))
        .col(time_null("finished_at"))
        .take()
}
