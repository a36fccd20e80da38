//! Planned marketing work, what it costs, and the pieces of it that can be answered.

use sea_orm_migration::prelude::*;

use crate::columns::{
    Keys, big, big_null, create_indexes, create_tables, day, day_null, drop_tables, id, index, one_of, rule,
    table, text, text_null, time,
};
use crate::vocabulary::CHANNELS;

const CAMPAIGN_STATES: &[&str] = &["DRAFT", "LIVE", "PAUSED", "ENDED"];
const PLACEMENT_KINDS: &[&str] = &[
    "AD_GROUP",
    "KEYWORD",
    "PAGE",
    "EVENT",
    "MAIL_PIECE",
    "NEWSLETTER",
    "OUTREACH",
];

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(
            manager,
            [campaign(), campaign_service_line(), campaign_spend(), placement()],
        )
        .await?;
        create_indexes(
            manager,
            [
                index("campaign", &["created_at", "id"]),
                index("campaign_service_line", &["service_line_id"]),
                // A dashboard sums the spend of all campaigns in a period.
                index("campaign_spend", &["day"]),
                index("placement", &["campaign_id"]),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(
            manager,
            &["placement", "campaign_spend", "campaign_service_line", "campaign"],
        )
        .await
    }
}

fn campaign() -> TableCreateStatement {
    table("campaign")
        .col(id())
        .col(text("code").unique_key())
        .col(text("name"))
        .col(one_of("channel", CHANNELS))
        .col(one_of("state", CAMPAIGN_STATES))
        .col(text_null("goal"))
        .col(day_null("starts_on"))
        .col(day_null("ends_on"))
        .col(big_null("budget_minor"))
        .col(text("currency"))
        .col(big("version"))
        .col(time("created_at"))
        .col(time("updated_at"))
        .check(rule("campaign_budget_not_negative", "budget_minor >= 0"))
        .take()
}

fn campaign_service_line() -> TableCreateStatement {
    table("campaign_service_line")
        .key_of_owner("campaign_id", "campaign")
        .key_of_owner("service_line_id", "service_line")
        .primary_key(Index::create().col("campaign_id").col("service_line_id"))
        .take()
}

fn campaign_spend() -> TableCreateStatement {
    table("campaign_spend")
        .key("campaign_id", "campaign")
        .col(day("day"))
        .col(big("amount_minor"))
        .primary_key(Index::create().col("campaign_id").col("day"))
        .check(rule("campaign_spend_not_negative", "amount_minor >= 0"))
        .take()
}

fn placement() -> TableCreateStatement {
    table("placement")
        .col(id())
        .key("campaign_id", "campaign")
        .col(text("name"))
        .col(one_of("kind", PLACEMENT_KINDS))
        // An answer names its placement by either of these, so each means one placement.
        .col(text_null("source_code").unique_key())
        .col(text_null("landing_page"))
        .col(text_null("tracking_number").unique_key())
        .col(time("created_at"))
        .take()
}
