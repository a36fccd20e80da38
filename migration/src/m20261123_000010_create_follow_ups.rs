//! Work for people, with due times.

use sea_orm_migration::prelude::*;

use crate::columns::{
    Keys, big, create_indexes, create_tables, drop_tables, flag, id, index, index_where, int,
    leave_room_for_changes, one_of, rule, table, text, text_null, time, time_null,
};

const FOLLOW_UP_KINDS: &[&str] = &[
    "FIRST_CONTACT",
    "NEXT_ATTEMPT",
    "CALLBACK",
    "SEQUENCE",
    "REPLY",
    "BY_HAND",
];
const FOLLOW_UP_STATES: &[&str] = &["OPEN", "DONE", "CANCELLED"];

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [follow_up()]).await?;
        leave_room_for_changes(manager, "follow_up").await?;
        create_indexes(
            manager,
            [
                // The work list in its order: of everybody, of a team, of a person.
                index_where("follow_up", &["rank", "due_at", "id"], "state = 'OPEN'"),
                index_where(
                    "follow_up",
                    &["team_id", "rank", "due_at", "id"],
                    "state = 'OPEN'",
                ),
                index_where(
                    "follow_up",
                    &["assignee_id", "rank", "due_at", "id"],
                    "state = 'OPEN'",
                ),
                index("follow_up", &["lead_id", "id"]),
                // What the sweep for late work looks through.
                index_where("follow_up", &["due_at"], "state = 'OPEN' AND late_at IS NULL"),
                // What the sweep for reminders looks through; a reminder that was made is cleared.
                index_where("follow_up", &["remind_at"], "remind_at IS NOT NULL"),
                index_where("follow_up", &["enrollment_id"], "enrollment_id IS NOT NULL"),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["follow_up"]).await
    }
}

fn follow_up() -> TableCreateStatement {
    table("follow_up")
        .col(id())
        .key("lead_id", "lead")
        .key("team_id", "team")
        .key_null("assignee_id", "staff")
        .col(one_of("kind", FOLLOW_UP_KINDS))
        .col(text("title"))
        .col(one_of("state", FOLLOW_UP_STATES))
        .col(flag("urgent"))
        // Stored, not computed in the query, so that an index gives the work list in its order.
        .col(int("rank"))
        .col(time("due_at"))
        .col(time_null("remind_at"))
        .col(time_null("late_at"))
        .col(int("snoozed_count"))
        .col(text_null("outcome"))
        .key_null("enrollment_id", "enrollment")
        .col(text_null("origin_key").unique_key())
        .col(big("version"))
        .col(time("created_at"))
        .col(time_null("completed_at"))
        .check(rule("follow_up_rank_is_known", "rank BETWEEN 0 AND 4"))
        .take()
}
