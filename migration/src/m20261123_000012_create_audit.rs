//! Who did or read what, and the answers kept for repeated requests.

use sea_orm_migration::prelude::*;

use crate::columns::{
    create_indexes, create_tables, drop_tables, id, index, json_null, one_of, table, text, text_null, time,
};
use crate::vocabulary::ACTOR_KINDS;

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [audit_event(), idempotency()]).await?;
        create_indexes(
            manager,
            [
                index("audit_event", &["at", "id"]),
                // Who looked at this one?
                index("audit_event", &["subject_id", "at"]),
                index("idempotency", &["principal", "operation", "key"])
                    .unique()
                    .take(),
                // Kept answers are cleared by their age.
                index("idempotency", &["created_at"]),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["idempotency", "audit_event"]).await
    }
}

fn audit_event() -> TableCreateStatement {
    table("audit_event")
        .col(id())
        .col(one_of("actor_kind", ACTOR_KINDS))
        // No foreign keys: the kind says in which table the actor is, and the subject outlives its row here.
        .col(ColumnDef::new("actor_id").uuid().null())
        .col(text("action"))
        .col(text_null("subject_id"))
        .col(text_null("request_id"))
        .col(time("at"))
        .take()
}

fn idempotency() -> TableCreateStatement {
    table("idempotency")
        .col(id())
        .col(text("principal"))
        .col(text("operation"))
        .col(text("key"))
        .col(text("request_hash"))
        .col(json_null("response"))
        .col(time("created_at"))
        .take()
}
