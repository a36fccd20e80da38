//! The consent ledger is only ever added to, and its rows are sealed into a chain of hashes.
//!
//! The database itself refuses to change or delete what was written down. The one thing that may happen to an event
//! later is the erasure of what it says of the person; the commitment to it stays.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::columns::{Keys, big, bytes, create_tables, drop_tables, int, rule, table, time};

/// The columns of an event that nothing may ever change.
const KEPT: &[&str] = &[
    "id",
    "contact_id",
    "medium",
    "purpose",
    "action",
    "level",
    "wording_id",
    "wording_sha256",
    "language",
    "method",
    "source",
    "commitment",
    "refers_to_id",
    "expires_at",
    "actor_kind",
    "actor_id",
    "occurred_at",
    "recorded_at",
];

/// What an event has lost after its person was erased.
const ERASED: &str = "OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL AND NEW.address IS NULL \
                      AND NEW.evidence IS NULL AND NEW.personal_salt IS NULL";

const REFUSAL: &str = "the consent ledger is only ever added to";

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [consent_seal(), consent_unsealed(), consent_head()]).await?;
        let sql = match manager.get_database_backend() {
            DbBackend::Postgres => postgres(),
            _ => sqlite(),
        };
        manager.get_connection().execute_unprepared(&sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let names = [
            "consent_event_is_queued",
            "consent_event_is_not_changed",
            "consent_event_is_not_deleted",
        ];
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        for name in names {
            let sql = if postgres {
                format!("DROP TRIGGER {name} ON consent_event")
            } else {
                format!("DROP TRIGGER {name}")
            };
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        if postgres {
            let sql = "DROP TRIGGER consent_event_is_not_emptied ON consent_event; \
                       DROP TABLE consent_head; DROP TABLE consent_unsealed; DROP TABLE consent_seal; \
                       DROP FUNCTION queue_consent_event(); DROP FUNCTION keep_consent_event(); \
                       DROP FUNCTION keep_consent_ledger()";
            manager.get_connection().execute_unprepared(sql).await?;
            return Ok(());
        }
        drop_tables(manager, &["consent_head", "consent_unsealed", "consent_seal"]).await
    }
}

fn consent_seal() -> TableCreateStatement {
    table("consent_seal")
        .col(big("seq").primary_key().take())
        .key("event_id", "consent_event")
        .col(bytes("digest"))
        .col(bytes("hash"))
        .col(time("sealed_at"))
        .index(Index::create().unique().col("event_id"))
        .check(rule("consent_seal_counts_from_one", "seq >= 1"))
        .take()
}

fn consent_unsealed() -> TableCreateStatement {
    table("consent_unsealed")
        .key("event_id", "consent_event")
        .primary_key(Index::create().col("event_id"))
        .take()
}

fn consent_head() -> TableCreateStatement {
    table("consent_head")
        .col(int("id").primary_key().take())
        .col(big("sealed"))
        .col(bytes("hash"))
        .col(bytes("tag"))
        .col(time("sealed_at"))
        .check(rule("consent_head_is_one", "id = 1"))
        .take()
}

fn sqlite() -> String {
    let kept: Vec<String> = KEPT
        .iter()
        .map(|column| format!("NEW.{column} IS OLD.{column}"))
        .collect();
    let refuse = format!("BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END");
    let mut sql = format!(
        "CREATE TRIGGER consent_event_is_queued AFTER INSERT ON consent_event BEGIN \
           INSERT INTO consent_unsealed (event_id) VALUES (NEW.id); END; \
         CREATE TRIGGER consent_event_is_not_changed BEFORE UPDATE ON consent_event \
           WHEN NOT ({ERASED} AND {kept}) {refuse}; \
         CREATE TRIGGER consent_event_is_not_deleted BEFORE DELETE ON consent_event {refuse};",
        kept = kept.join(" AND "),
    );
    for (name, what) in [("changed", "UPDATE"), ("deleted", "DELETE")] {
        sql.push_str(&format!(
            "CREATE TRIGGER consent_seal_is_not_{name} BEFORE {what} ON consent_seal {refuse};"
        ));
    }
    sql
}

fn postgres() -> String {
    let kept: Vec<String> = KEPT
        .iter()
        .map(|column| format!("NEW.{column} IS NOT DISTINCT FROM OLD.{column}"))
        .collect();
    let kept = kept.join(" AND ");
    format!(
        "CREATE FUNCTION queue_consent_event() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
           INSERT INTO consent_unsealed (event_id) SELECT id FROM written; RETURN NULL; END $$; \
         CREATE FUNCTION keep_consent_ledger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
           RAISE EXCEPTION '{REFUSAL}'; END $$; \
         CREATE FUNCTION keep_consent_event() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
           IF {ERASED} AND {kept} THEN RETURN NEW; END IF; RAISE EXCEPTION '{REFUSAL}'; END $$; \
         CREATE TRIGGER consent_event_is_queued AFTER INSERT ON consent_event \
           REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION queue_consent_event(); \
         CREATE TRIGGER consent_event_is_not_changed BEFORE UPDATE ON consent_event \
           FOR EACH ROW EXECUTE FUNCTION keep_consent_event(); \
         CREATE TRIGGER consent_event_is_not_deleted BEFORE DELETE ON consent_event \
           FOR EACH ROW EXECUTE FUNCTION keep_consent_ledger(); \
         CREATE TRIGGER consent_event_is_not_emptied BEFORE TRUNCATE ON consent_event \
           FOR EACH STATEMENT EXECUTE FUNCTION keep_consent_ledger(); \
         CREATE TRIGGER consent_seal_is_not_changed BEFORE UPDATE OR DELETE ON consent_seal \
           FOR EACH ROW EXECUTE FUNCTION keep_consent_ledger(); \
         CREATE TRIGGER consent_seal_is_not_emptied BEFORE TRUNCATE ON consent_seal \
           FOR EACH STATEMENT EXECUTE FUNCTION keep_consent_ledger();"
    )
}
