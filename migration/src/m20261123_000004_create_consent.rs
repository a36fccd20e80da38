//! What people agreed to, in which words, and the addresses that must not be written to.

use sea_orm_migration::prelude::*;

use crate::columns::{
    Keys, bytes, bytes_null, create_indexes, create_tables, drop_tables, flag, id, index, int, json,
    json_null, one_of, one_of_null, rule, table, text, text_null, time, time_null,
};
use crate::vocabulary::{ACTOR_KINDS, CONSENT_PURPOSES, MEDIA};

const CONSENT_ACTIONS: &[&str] = &["GRANT", "PENDING", "DENY", "WITHDRAW", "EXPIRE"];
const CONSENT_LEVELS: &[&str] = &[
    "NONE",
    "IMPLIED",
    "EXPRESS",
    "EXPRESS_WRITTEN",
    "HIPAA_AUTHORIZATION",
];
const CONSENT_METHODS: &[&str] = &[
    "WEB_FORM",
    "API",
    "STAFF",
    "ONE_CLICK",
    "UNSUBSCRIBE_PAGE",
    "PREFERENCE_PAGE",
    "IMPORT",
    "REPLY",
    "WEBHOOK",
    "DOUBLE_OPT_IN",
];
const SUPPRESSION_REASONS: &[&str] = &["HARD_BOUNCE", "COMPLAINT", "SOFT_BOUNCES", "DO_NOT_CONTACT"];

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [consent_wording(), consent_event(), suppression()]).await?;
        create_indexes(
            manager,
            [
                index("consent_wording", &["key", "language", "version"])
                    .unique()
                    .take(),
                // The gate folds the events of one contact on one medium, in the order they were written down.
                index("consent_event", &["contact_id", "medium", "id"]),
                // A first yes is completed once.
                index("consent_event", &["refers_to_id"]).unique().take(),
                index("suppression", &["medium", "address_hash"]).unique().take(),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["suppression", "consent_event", "consent_wording"]).await
    }
}

fn consent_wording() -> TableCreateStatement {
    table("consent_wording")
        .col(id())
        .col(text("key"))
        .col(int("version"))
        .col(text("language"))
        .col(one_of("medium", MEDIA))
        .col(one_of("purpose", CONSENT_PURPOSES))
        .col(text("text"))
        .col(text("sha256"))
        .col(flag("by_line"))
        .col(time("created_at"))
        .check(rule("consent_wording_counts_from_one", "version >= 1"))
        .take()
}

fn consent_event() -> TableCreateStatement {
    table("consent_event")
        .col(id())
        .key("contact_id", "contact")
        .col(one_of("medium", MEDIA))
        .col(text_null("address"))
        .col(one_of_null("purpose", CONSENT_PURPOSES))
        .col(one_of("action", CONSENT_ACTIONS))
        .col(one_of("level", CONSENT_LEVELS))
        .key_null("wording_id", "consent_wording")
        .col(text_null("wording_sha256"))
        .col(text_null("language"))
        .col(one_of("method", CONSENT_METHODS))
        .col(json("source"))
        .col(json_null("evidence"))
        .col(bytes_null("personal_salt"))
        .col(bytes("commitment"))
        .key_null("refers_to_id", "consent_event")
        .col(time_null("expires_at"))
        .col(one_of("actor_kind", ACTOR_KINDS))
        // No foreign key: the kind says in which table it is.
        .col(ColumnDef::new("actor_id").uuid().null())
        .col(time("occurred_at"))
        .col(time("recorded_at"))
        .col(time_null("erased_at"))
        .check(rule(
            "consent_event_erased_holds_nothing_personal",
            "(erased_at IS NULL AND personal_salt IS NOT NULL) OR (erased_at IS NOT NULL AND personal_salt IS NULL \
             AND address IS NULL AND evidence IS NULL)",
        ))
        .take()
}

fn suppression() -> TableCreateStatement {
    table("suppression")
        .col(id())
        .col(one_of("medium", MEDIA))
        // Not tied to a contact: it outlives the contact's erasure.
        .col(bytes("address_hash"))
        .col(one_of("reason", SUPPRESSION_REASONS))
        .col(time("created_at"))
        .take()
}
