//! What service lines can hold, and the line of mails that wait for it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::columns::{
    Keys, big, big_null, create_indexes, create_tables, day, day_null, drop_tables, flag, id, index, int,
    one_of, one_of_null, rule, table, time, time_null,
};
use crate::vocabulary::ACTOR_KINDS;

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(
            manager,
            [
                capacity(),
                capacity_event(),
                capacity_tick(),
                capacity_turn(),
                capacity_pace(),
            ],
        )
        .await?;
        create_indexes(
            manager,
            [
                index("capacity_event", &["service_line_id", "facility_id", "id"]),
                // The line, in its order.
                index(
                    "capacity_turn",
                    &["service_line_id", "facility_id", "since", "message_id"],
                ),
                // All lines, as a list.
                index("capacity_turn", &["since", "message_id"]),
                // What the sweep takes next.
                index("capacity_pace", &["due_at"]),
            ],
        )
        .await?;
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        run(manager, if postgres { ON_POSTGRES } else { ON_SQLITE }).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        run(
            manager,
            if postgres {
                "DROP TRIGGER message_gave_up_its_turn ON message; DROP FUNCTION free_capacity_turn()"
            } else {
                "DROP TRIGGER message_gave_up_its_turn"
            },
        )
        .await?;
        drop_tables(
            manager,
            &[
                "capacity_pace",
                "capacity_turn",
                "capacity_tick",
                "capacity_event",
                "capacity",
            ],
        )
        .await
    }
}

/// Whoever withholds a mail, its place in the line is free.
const ON_POSTGRES: &str = "CREATE FUNCTION free_capacity_turn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
       DELETE FROM capacity_turn WHERE message_id = NEW.id; RETURN NULL; END $$; \
     CREATE TRIGGER message_gave_up_its_turn AFTER UPDATE OF state ON message FOR EACH ROW \
       WHEN (NEW.state = 'WITHHELD' AND OLD.state <> 'WITHHELD') EXECUTE FUNCTION free_capacity_turn()";
const ON_SQLITE: &str = "CREATE TRIGGER message_gave_up_its_turn AFTER UPDATE OF state ON message \
       WHEN NEW.state = 'WITHHELD' AND OLD.state <> 'WITHHELD' BEGIN \
       DELETE FROM capacity_turn WHERE message_id = NEW.id; END";

async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await?;
    Ok(())
}

fn place(name: &'static str) -> TableCreateStatement {
    let mut place = table(name);
    place
        .key("service_line_id", "service_line")
        .key("facility_id", "facility")
        .take()
}

fn whole_numbers(name: &'static str) -> (&'static str, Expr) {
    rule(name, "open_slots >= 0 AND (wait_days IS NULL OR wait_days >= 0)")
}

fn int_null(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).integer().null().take()
}

fn capacity() -> TableCreateStatement {
    place("capacity")
        .col(day("monday"))
        .col(int("open_slots"))
        .col(int_null("wait_days"))
        .col(big("version"))
        .col(time("updated_at"))
        .primary_key(
            Index::create()
                .col("service_line_id")
                .col("facility_id")
                .col("monday"),
        )
        .check(whole_numbers("capacity_is_not_negative"))
        .take()
}

fn capacity_event() -> TableCreateStatement {
    table("capacity_event")
        .col(id())
        .key("service_line_id", "service_line")
        .key("facility_id", "facility")
        .col(day("monday"))
        .col(int("open_slots"))
        .col(int_null("wait_days"))
        .col(big("version"))
        .col(one_of("actor_kind", ACTOR_KINDS))
        // No foreign key: the kind says in which table it is.
        .col(ColumnDef::new("actor_id").uuid().null())
        .col(time("at"))
        .check(whole_numbers("capacity_event_is_not_negative"))
        .take()
}

fn capacity_tick() -> TableCreateStatement {
    place("capacity_tick")
        .col(day("day"))
        .col(int("let_go"))
        .primary_key(
            Index::create()
                .col("service_line_id")
                .col("facility_id")
                .col("day"),
        )
        .take()
}

fn capacity_turn() -> TableCreateStatement {
    table("capacity_turn")
        .key_of_owner("message_id", "message")
        .primary_key(Index::create().col("message_id"))
        .key("service_line_id", "service_line")
        .key("facility_id", "facility")
        .col(time("since"))
        .col(day_null("due_on"))
        .take()
}

fn capacity_pace() -> TableCreateStatement {
    place("capacity_pace")
        .primary_key(Index::create().col("service_line_id").col("facility_id"))
        .col(time("due_at"))
        .col(flag("laying"))
        .col(big("rate_micro"))
        .col(one_of_null("stopped", &["LONG_WAIT", "FEW_SLOTS"]))
        .col(big_null("demand_micro"))
        .col(big("funnel"))
        .col(big_null("conversion_micro"))
        .col(time_null("reckoned_at"))
        .col(time_null("laid_since"))
        // No foreign key: it is only a place in the line.
        .col(ColumnDef::new("laid_id").uuid().null())
        .col(day_null("tail_on"))
        .col(int("tail_used"))
        .take()
}
