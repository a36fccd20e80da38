//! The people and organizations we can reach, and the pairs of them that may be one.

use sea_orm_migration::prelude::*;

use crate::columns::{
    Keys, create_indexes, create_tables, drop_tables, id, index, int, one_of, rule, table, text, text_null,
    time, time_null,
};

const CONTACT_KINDS: &[&str] = &["PERSON", "ORGANIZATION"];
const CANDIDATE_STATES: &[&str] = &["OPEN", "SAME", "DIFFERENT"];

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [contact(), contact_candidate()]).await?;
        create_indexes(
            manager,
            [
                // Intake looks for the same address and number. Not unique: parent and child may share one.
                index("contact", &["email_normalized"]),
                index("contact", &["phone"]),
                // The two orders of the contact list.
                index("contact", &["family_name", "given_name", "id"]),
                index("contact", &["created_at", "id"]),
                // A pair is put before a person once. Also serves the candidates of a contact.
                index("contact_candidate", &["contact_id", "other_contact_id"])
                    .unique()
                    .take(),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["contact_candidate", "contact"]).await
    }
}

fn contact() -> TableCreateStatement {
    table("contact")
        .col(id())
        .col(one_of("kind", CONTACT_KINDS))
        .col(text("given_name"))
        .col(text("family_name"))
        .col(text_null("organization"))
        .col(text_null("email"))
        // Beside the address as it was written, because people want theirs shown as they wrote it.
        .col(text_null("email_normalized"))
        .col(text_null("phone"))
        .col(text("language"))
        .col(text_null("time_zone"))
        .col(text_null("region"))
        .col(text_null("postal_code"))
        // A merged contact stays, so that a merge can be undone.
        .col(ColumnDef::new("merged_into_id").uuid().null())
        .col(int("link_generation").default(0))
        .col(time_null("erased_at"))
        .col(time("created_at"))
        .col(time("updated_at"))
        // RESTRICT forbids the same, but row by row: SQLite then cannot drop a table that points at itself.
        .foreign_key(
            ForeignKey::create()
                .from_col("merged_into_id")
                .to_tbl("contact")
                .to_col("id")
                .on_delete(ForeignKeyAction::NoAction),
        )
        .take()
}

fn contact_candidate() -> TableCreateStatement {
    table("contact_candidate")
        .col(id())
        .key("contact_id", "contact")
        .key("other_contact_id", "contact")
        .col(text("reason"))
        .col(one_of("state", CANDIDATE_STATES))
        .col(time("created_at"))
        .check(rule(
            "contact_candidate_is_a_pair",
            "contact_id <> other_contact_id",
        ))
        .take()
}
