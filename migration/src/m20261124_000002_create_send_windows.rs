//! What decides when mail may go: windows by law and by house policy, frequency caps, holds, stops, and what was
//! released from them.

use sea_orm_migration::prelude::*;

use crate::columns::{
    Keys, create_indexes, create_tables, day, drop_tables, id, index, index_where, int, one_of, rule, table,
    text, text_null, time, time_null,
};

const WEEKDAYS: &[&str] = &[
    "MONDAY",
    "TUESDAY",
    "WEDNESDAY",
    "THURSDAY",
    "FRIDAY",
    "SATURDAY",
    "SUNDAY",
];
const STOP_REASONS: &[&str] = &["COMPLAINTS", "BOUNCES", "BLOCKED", "STAFF"];

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(
            manager,
            [
                send_window(),
                frequency_cap(),
                outreach_hold(),
                sending_stop(),
                outreach_release(),
            ],
        )
        .await?;
        create_indexes(
            manager,
            [
                index(
                    "send_window",
                    &["jurisdiction", "version", "weekday", "start_minute"],
                )
                .unique()
                .take(),
                // A campaign or a sequence is held once.
                index_where("outreach_hold", &["campaign_id"], "campaign_id IS NOT NULL")
                    .unique()
                    .take(),
                index_where("outreach_hold", &["sequence_id"], "sequence_id IS NOT NULL")
                    .unique()
                    .take(),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(
            manager,
            &[
                "outreach_release",
                "sending_stop",
                "outreach_hold",
                "frequency_cap",
                "send_window",
            ],
        )
        .await
    }
}

fn send_window() -> TableCreateStatement {
    table("send_window")
        .col(id())
        .col(text("jurisdiction"))
        .col(int("version"))
        .col(one_of("weekday", WEEKDAYS))
        .col(int("start_minute"))
        .col(int("end_minute"))
        .col(text("source"))
        .col(day("reviewed_on"))
        .col(time("created_at"))
        .check(rule("send_window_has_version", "version > 0"))
        .check(rule(
            "send_window_within_a_day",
            "0 <= start_minute AND start_minute < end_minute AND end_minute <= 1440",
        ))
        .take()
}

fn frequency_cap() -> TableCreateStatement {
    let mut version = int("version");
    table("frequency_cap")
        .col(id())
        .col(version.unique_key())
        .col(int("per_day"))
        .col(int("per_week"))
        .col(time("created_at"))
        .check(rule(
            "frequency_cap_allows_something",
            "version > 0 AND per_day > 0 AND per_week > 0",
        ))
        .take()
}

fn outreach_hold() -> TableCreateStatement {
    table("outreach_hold")
        .col(id())
        .key_null("campaign_id", "campaign")
        .key_null("sequence_id", "sequence")
        .col(time_null("until"))
        .col(text("reason"))
        .col(time("created_at"))
        .check(rule(
            "outreach_hold_holds_one_thing",
            "(campaign_id IS NULL) <> (sequence_id IS NULL)",
        ))
        .take()
}

fn sending_stop() -> TableCreateStatement {
    let mut domain = text("domain");
    table("sending_stop")
        .col(id())
        .col(domain.unique_key())
        .col(one_of("reason", STOP_REASONS))
        .col(text_null("note"))
        .col(time("since"))
        .take()
}

fn outreach_release() -> TableCreateStatement {
    table("outreach_release")
        .col(id())
        .key_null("campaign_id", "campaign")
        .key_null("sequence_id", "sequence")
        // How far the deferred messages have been looked through, by id.
        .col(ColumnDef::new("after_id").uuid().null().take())
        .col(time("created_at"))
        .take()
}
