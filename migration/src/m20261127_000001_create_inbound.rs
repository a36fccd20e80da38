//! What comes back about mails, whom it is about, and how often mails came back from an address.

use sea_orm_migration::prelude::*;

use crate::columns::{
    Keys, bytes, bytes_null, create_indexes, create_tables, drop_tables, id, index, index_where, int, one_of,
    one_of_null, rule, table, text, text_null, time, time_null,
};

const SOURCES: &[&str] = &["MAILDIR", "SES", "SENDGRID", "POSTMARK"];
const STATES: &[&str] = &["RECEIVED", "APPLIED", "UNMATCHED", "IGNORED", "FAILED"];
const KINDS: &[&str] = &[
    "BOUNCE",
    "COMPLAINT",
    "AUTO_REPLY",
    "REPLY",
    "UNSUBSCRIBE",
    "OTHER",
];
const CLASSES: &[&str] = &["HARD", "SOFT", "CONTENT", "BLOCKED"];

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [inbound_mail(), inbound_party(), soft_bounce()]).await?;
        create_indexes(
            manager,
            [
                // What is to be applied next.
                index_where("inbound_mail", &["due_at", "id"], "state = 'RECEIVED'"),
                // What a person looks for.
                index_where(
                    "inbound_mail",
                    &["state", "id"],
                    "state = 'UNMATCHED' OR state = 'FAILED'",
                ),
                // What holds personal data for too long.
                index_where("inbound_mail", &["received_at"], "raw IS NOT NULL"),
                index("inbound_party", &["inbound_id"]),
                // What an erasure or an export of a contact looks for.
                index_where("inbound_party", &["contact_id"], "contact_id IS NOT NULL"),
                index_where("inbound_party", &["address_hash"], "address_hash IS NOT NULL"),
                index("soft_bounce", &["address_hash"]).unique().take(),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["soft_bounce", "inbound_party", "inbound_mail"]).await
    }
}

fn inbound_mail() -> TableCreateStatement {
    let mut dedupe_key = text("dedupe_key");
    table("inbound_mail")
        .col(id())
        .col(one_of("source", SOURCES))
        .col(dedupe_key.unique_key())
        .col(bytes_null("raw"))
        .col(one_of("state", STATES))
        .col(one_of_null("kind", KINDS))
        .col(one_of_null("class", CLASSES))
        .col(text_null("status"))
        .col(text_null("reason"))
        .key_null("message_id", "message")
        .col(time("due_at"))
        .col(int("attempts"))
        .col(time("received_at"))
        .col(time_null("applied_at"))
        .check(rule(
            "inbound_mail_waits_or_is_done",
            "(state = 'RECEIVED') = (applied_at IS NULL)",
        ))
        .take()
}

fn inbound_party() -> TableCreateStatement {
    table("inbound_party")
        .col(id())
        .key_of_owner("inbound_id", "inbound_mail")
        .col(bytes_null("address_hash"))
        .key_null("contact_id", "contact")
        .check(rule(
            "inbound_party_is_somebody",
            "address_hash IS NOT NULL OR contact_id IS NOT NULL",
        ))
        .take()
}

fn soft_bounce() -> TableCreateStatement {
    table("soft_bounce")
        .col(id())
        .col(bytes("address_hash"))
        .col(int("fails"))
        .col(time("first_at"))
        .col(time("last_at"))
        .check(rule("soft_bounce_counts", "fails >= 1"))
        .take()
}
