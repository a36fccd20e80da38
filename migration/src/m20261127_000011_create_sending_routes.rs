//! Mail servers that mail may go through, what came of it hour by hour, and how much may go.

use sea_orm_migration::prelude::*;

use crate::columns::{
    big, create_indexes, create_tables, day, drop_tables, flag, index, int, leave_room_for_changes, one_of,
    one_of_null, rule, table, text, text_null, time, time_null,
};

const LANES: &[&str] = &["WAITING", "BULK"];
const STOP_REASONS: &[&str] = &["COMPLAINTS", "BOUNCES", "BLOCKED", "STAFF"];

/// What is counted of each route, lane, domain and hour: what came of mails, and how many answers took how long.
const COUNTS: &[&str] = &[
    "accepted",
    "refused",
    "dead",
    "deferred",
    "unknown",
    "bounced_hard",
    "bounced_soft",
    "complained",
    "took_10_ms",
    "took_25_ms",
    "took_50_ms",
    "took_100_ms",
    "took_250_ms",
    "took_500_ms",
    "took_1_s",
    "took_2500_ms",
    "took_10_s",
    "took_30_s",
    "took_longer",
];

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(
            manager,
            [
                sending_route(),
                sending_tally(),
                sending_allowance(),
                sending_day(),
            ],
        )
        .await?;
        // The figures of a time, whatever the route.
        create_indexes(manager, [index("sending_tally", &["hour"])]).await?;
        leave_room_for_changes(manager, "sending_tally").await?;
        leave_room_for_changes(manager, "sending_allowance").await?;
        add(manager, "message", text_null("route")).await?;
        add(manager, "sending_stop", text_null("route")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        remove(manager, "sending_stop", "route").await?;
        remove(manager, "message", "route").await?;
        drop_tables(
            manager,
            &[
                "sending_day",
                "sending_allowance",
                "sending_tally",
                "sending_route",
            ],
        )
        .await
    }
}

async fn add(manager: &SchemaManager<'_>, table: &'static str, mut column: ColumnDef) -> Result<(), DbErr> {
    let change = Table::alter().table(table).add_column(&mut column).take();
    manager.alter_table(change).await
}

async fn remove(manager: &SchemaManager<'_>, table: &'static str, column: &'static str) -> Result<(), DbErr> {
    manager
        .alter_table(Table::alter().table(table).drop_column(column).take())
        .await
}

fn sending_route() -> TableCreateStatement {
    table("sending_route")
        .col(text("name"))
        .col(flag("serves_waiting"))
        .col(flag("serves_bulk"))
        .col(int("priority"))
        .col(ColumnDef::new("per_second").integer().null().take())
        .col(ColumnDef::new("per_hour").integer().null().take())
        .col(time("announced_at"))
        // A person said no.
        .col(time_null("paused_at"))
        .col(text_null("pause_note"))
        // The mail server could not be reached.
        .col(int("failures"))
        .col(time_null("rest_until"))
        .col(text_null("failure"))
        // Too many bounces or complaints.
        .col(time_null("stopped_at"))
        .col(one_of_null("stop_reason", STOP_REASONS))
        .col(text_null("stop_note"))
        // Evidence came that nobody has judged yet.
        .col(flag("unjudged"))
        .primary_key(Index::create().col("name"))
        .check(rule(
            "sending_route_stop_has_reason",
            "(stopped_at IS NULL) = (stop_reason IS NULL)",
        ))
        .take()
}

fn sending_tally() -> TableCreateStatement {
    let mut tally = table("sending_tally");
    tally
        .col(text("route"))
        .col(one_of("lane", LANES))
        .col(time("hour"))
        .col(text("domain"))
        // Several rows of one hour, so that those who count at one moment need not wait for each other.
        .col(int("shard"));
    for count in COUNTS {
        tally.col(big(count));
    }
    tally
        .primary_key(
            Index::create()
                .col("route")
                .col("lane")
                .col("hour")
                .col("domain")
                .col("shard"),
        )
        .take()
}

fn sending_allowance() -> TableCreateStatement {
    table("sending_allowance")
        .col(text("key"))
        .col(time("next_at"))
        .col(time("queued_until"))
        .primary_key(Index::create().col("key"))
        .take()
}

fn sending_day() -> TableCreateStatement {
    table("sending_day")
        .col(text("domain"))
        .col(day("day"))
        .col(big("sent"))
        .primary_key(Index::create().col("domain").col("day"))
        .take()
}
