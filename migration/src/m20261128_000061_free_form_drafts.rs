//! Saved forms of one address side by side: whoever types an address does not reach what was saved for it before.

use sea_orm_migration::prelude::*;

use crate::columns::{bytes, create_indexes, create_tables, drop_tables, id, index, table, time};

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [form_draft_mail()]).await?;
        let unique = "DROP INDEX idx_form_draft_form_id_email_normalized";
        manager.get_connection().execute_unprepared(unique).await?;
        create_indexes(
            manager,
            [
                index("form_draft", &["form_id", "email_normalized"]),
                // The share of an address.
                index("form_draft_mail", &["email_hash", "goes_at"]),
                // What is forgotten next.
                index("form_draft_mail", &["goes_at"]),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for sql in [
            "DROP INDEX idx_form_draft_form_id_email_normalized",
            // Only one for each form and address had room before: the newest.
            "DELETE FROM form_draft WHERE EXISTS (SELECT 1 FROM form_draft AS newer WHERE newer.form_id = form_draft.form_id \
             AND newer.email_normalized = form_draft.email_normalized AND newer.id > form_draft.id)",
        ] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        create_indexes(
            manager,
            [index("form_draft", &["form_id", "email_normalized"])
                .unique()
                .take()],
        )
        .await?;
        drop_tables(manager, &["form_draft_mail"]).await
    }
}

fn form_draft_mail() -> TableCreateStatement {
    table("form_draft_mail")
        .col(id())
        .col(bytes("email_hash"))
        .col(time("goes_at"))
        .take()
}
