//! The order of the work list: urgent, late, due soon, open by score, not yet; and who has what in hand.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::columns::{create_indexes, index_where};

/// The indexes of the order before, which go.
const BEFORE: [&str; 5] = [
    "idx_follow_up_rank_due_at_id",
    "idx_follow_up_team_id_rank_due_at_id",
    "idx_follow_up_assignee_id_rank_due_at_id",
    "idx_follow_up_due_at",
    "idx_follow_up_remind_at",
];

const SINCE: [&str; 6] = [
    "idx_follow_up_rank_weight_due_at_id",
    "idx_follow_up_team_id_rank_weight_due_at_id",
    "idx_follow_up_assignee_id_rank_weight_due_at_id",
    "idx_follow_up_free_team_id_rank_weight_due_at_id",
    "idx_follow_up_moves_at",
    "idx_follow_up_taken_by_id",
];

/// Open work is put in its place by the first sweep, which every row is due for.
const PLACE: &str = "UPDATE follow_up SET soon_at = COALESCE(remind_at, due_at), \
     moves_at = CASE WHEN state = 'OPEN' THEN created_at END, \
     rank = CASE WHEN urgent THEN 0 ELSE 3 END, \
     weight = CASE WHEN urgent THEN 0 ELSE -(SELECT score_points FROM lead WHERE lead.id = follow_up.lead_id) END";

/// The places of the order before.
const PLACE_BEFORE: &str = "UPDATE follow_up SET rank = CASE WHEN late_at IS NOT NULL AND urgent THEN 0 \
     WHEN late_at IS NOT NULL THEN 1 WHEN urgent THEN 2 ELSE 3 END";

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_indexes(manager, &BEFORE).await?;
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        let (time, id) = if postgres {
            ("timestamp with time zone", "uuid")
        } else {
            ("timestamp_with_timezone_text", "uuid_text")
        };
        for sql in [
            "ALTER TABLE follow_up ADD COLUMN weight integer NOT NULL DEFAULT 0",
            &format!(
                "ALTER TABLE follow_up ADD COLUMN soon_at {time} NOT NULL DEFAULT '1970-01-01T00:00:00+00:00'"
            ),
            &format!(
                "ALTER TABLE follow_up ADD COLUMN moves_at {time} NULL \
                      CONSTRAINT follow_up_moves_while_open CHECK (moves_at IS NULL OR state = 'OPEN')"
            ),
            &format!("ALTER TABLE follow_up ADD COLUMN taken_by_id {id} NULL REFERENCES staff (id)"),
            &format!(
                "ALTER TABLE follow_up ADD COLUMN taken_until {time} NULL \
                      CONSTRAINT follow_up_is_taken_by_somebody CHECK ((taken_by_id IS NULL) = (taken_until IS NULL))"
            ),
            PLACE,
        ] {
            run(manager, sql).await?;
        }
        create_indexes(
            manager,
            [
                // The work list in its order: of everybody, of a team, of a person, and what nobody of a team has yet.
                index_where("follow_up", &["rank", "weight", "due_at", "id"], "state = 'OPEN'"),
                index_where(
                    "follow_up",
                    &["team_id", "rank", "weight", "due_at", "id"],
                    "state = 'OPEN'",
                ),
                index_where(
                    "follow_up",
                    &["assignee_id", "rank", "weight", "due_at", "id"],
                    "state = 'OPEN'",
                ),
                index_where(
                    "follow_up",
                    &["team_id", "rank", "weight", "due_at", "id"],
                    "state = 'OPEN' AND assignee_id IS NULL",
                )
                .name("idx_follow_up_free_team_id_rank_weight_due_at_id")
                .take(),
                // What the sweep takes next.
                index_where(
                    "follow_up",
                    &["moves_at"],
                    "state = 'OPEN' AND moves_at IS NOT NULL",
                ),
                // What a person has in hand.
                index_where("follow_up", &["taken_by_id"], "taken_by_id IS NOT NULL"),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_indexes(manager, &SINCE).await?;
        for column in ["taken_until", "taken_by_id", "moves_at", "soon_at", "weight"] {
            run(manager, &format!("ALTER TABLE follow_up DROP COLUMN {column}")).await?;
        }
        run(manager, PLACE_BEFORE).await?;
        create_indexes(
            manager,
            [
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
                index_where("follow_up", &["due_at"], "state = 'OPEN' AND late_at IS NULL"),
                index_where("follow_up", &["remind_at"], "remind_at IS NOT NULL"),
            ],
        )
        .await
    }
}

async fn drop_indexes(manager: &SchemaManager<'_>, names: &[&str]) -> Result<(), DbErr> {
    for name in names {
        run(manager, &format!("DROP INDEX {name}")).await?;
    }
    Ok(())
}

async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await?;
    Ok(())
}
