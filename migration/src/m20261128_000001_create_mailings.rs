//! Mailings: one mail of a campaign to everybody of an audience, how far each has come, and what became of its mails.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::columns::{
    Keys, big, create_indexes, create_tables, drop_tables, id, index, index_where, json, one_of, table, text,
    time, time_null,
};
use crate::vocabulary::{ACTOR_KINDS, PURPOSES};

const MAILING_STATES: &[&str] = &["DRAFT", "STARTED", "STOPPED"];
const WORK: &[&str] = &["PLANNING", "WITHHOLDING", "DONE"];

/// What is counted of each mailing.
const COUNTS: &[&str] = &[
    "looked_at",
    "planned",
    "deferred",
    "accepted",
    "refused",
    "withheld",
    "unknown",
];

/// Changes of state that change a count: to one of these or away from it.
const IS_COUNTED: &str = "NEW.mailing_id IS NOT NULL AND NEW.state <> OLD.state \
     AND (NEW.state IN ('DEFERRED', 'ACCEPTED', 'REFUSED', 'WITHHELD', 'UNKNOWN') \
     OR OLD.state IN ('DEFERRED', 'ACCEPTED', 'REFUSED', 'WITHHELD', 'UNKNOWN'))";

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [mailing(), mailing_progress(), mailing_change()]).await?;
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        let kind = if postgres { "uuid" } else { "uuid_text" };
        let column = format!("ALTER TABLE message ADD COLUMN mailing_id {kind} NULL REFERENCES mailing (id)");
        run(manager, &column).await?;
        create_indexes(
            manager,
            [
                index("mailing", &["campaign_id", "id"]),
                // What the sweep takes next.
                index_where(
                    "mailing_progress",
                    &["due_at", "mailing_id"],
                    "work = 'PLANNING' OR work = 'WITHHOLDING'",
                ),
                index("mailing_change", &["mailing_id"]),
                // The mails of a mailing, as a list and to go through them by their ids. That a contact gets one of them
                // is kept by the origin key.
                index_where("message", &["mailing_id", "id"], "mailing_id IS NOT NULL"),
            ],
        )
        .await?;
        run(manager, &if postgres { on_postgres() } else { on_sqlite() }).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        run(
            manager,
            if postgres {
                "DROP TRIGGER message_of_mailing_changed ON message; DROP FUNCTION note_mailing_change()"
            } else {
                "DROP TRIGGER message_of_mailing_changed"
            },
        )
        .await?;
        run(manager, "DROP INDEX idx_message_mailing_id_id").await?;
        run(manager, "ALTER TABLE message DROP COLUMN mailing_id").await?;
        drop_tables(manager, &["mailing_change", "mailing_progress", "mailing"]).await
    }
}

async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await?;
    Ok(())
}

fn mailing() -> TableCreateStatement {
    table("mailing")
        .col(id())
        .key("campaign_id", "campaign")
        .key("template_id", "template")
        .col(text("name"))
        .col(one_of("purpose", PURPOSES))
        .col(json("audience"))
        .col(one_of("state", MAILING_STATES))
        .col(time_null("send_at"))
        .col(one_of("created_by_kind", ACTOR_KINDS))
        // No foreign key: the kind says in which table it is.
        .col(ColumnDef::new("created_by_id").uuid().null())
        .col(big("version"))
        .col(time("created_at"))
        .col(time("updated_at"))
        .col(time_null("started_at"))
        .col(time_null("stopped_at"))
        .take()
}

/// A table of its own: workers change it all the time, while claims hold the mailing so that nobody stops it meanwhile.
fn mailing_progress() -> TableCreateStatement {
    let mut progress = table("mailing_progress");
    progress
        .key("mailing_id", "mailing")
        .primary_key(Index::create().col("mailing_id"))
        .col(one_of("work", WORK))
        // No foreign keys: a lead may be gone, and these are only places in the order of ids.
        .col(ColumnDef::new("from_lead_id").uuid().not_null())
        .col(ColumnDef::new("before_lead_id").uuid().not_null())
        .col(ColumnDef::new("withheld_to_id").uuid().null());
    for count in COUNTS {
        progress.col(big(count));
    }
    progress.col(time("due_at")).col(time_null("finished_at")).take()
}

/// Changes of state that are not added to the counts yet. Whoever changes the state of a mailing's mail, the database
/// writes one down; none waits for another, as they would at one row of counts.
fn mailing_change() -> TableCreateStatement {
    table("mailing_change")
        .col(id())
        .col(ColumnDef::new("mailing_id").uuid().not_null())
        .col(text("was"))
        .col(text("became"))
        .take()
}

fn on_postgres() -> String {
    format!(
        "CREATE FUNCTION note_mailing_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
           INSERT INTO mailing_change (id, mailing_id, was, became) \
           VALUES (gen_random_uuid(), NEW.mailing_id, OLD.state, NEW.state); \
           RETURN NULL; END $$; \
         CREATE TRIGGER message_of_mailing_changed AFTER UPDATE OF state ON message FOR EACH ROW \
           WHEN ({IS_COUNTED}) EXECUTE FUNCTION note_mailing_change()"
    )
}

fn on_sqlite() -> String {
    format!(
        "CREATE TRIGGER message_of_mailing_changed AFTER UPDATE OF state ON message WHEN {IS_COUNTED} BEGIN \
           INSERT INTO mailing_change (id, mailing_id, was, became) \
           VALUES (randomblob(16), NEW.mailing_id, OLD.state, NEW.state); END"
    )
}
