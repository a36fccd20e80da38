//! The few shapes of columns, keys and indexes that every table is made of.
//!
//! What these make is part of every released change, so they are only ever added to.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// The primary key: a UUIDv7, made by the program.
pub(crate) fn id() -> ColumnDef {
    ColumnDef::new("id").uuid().not_null().primary_key().take()
}

/// Text that is always there.
pub(crate) fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}

/// Text that may be missing.
pub(crate) fn text_null(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().null().take()
}

/// One of some names. Text with a CHECK, not a database enum: SQLite has none, and a CHECK says the same on both. On
/// PostgreSQL the CHECK becomes that of a domain, see [`names_in_domains`].
pub(crate) fn one_of(name: &'static str, values: &[&'static str]) -> ColumnDef {
    text(name).check(is_in(name, values)).take()
}

/// One of some names, or missing.
pub(crate) fn one_of_null(name: &'static str, values: &[&'static str]) -> ColumnDef {
    // A comparison with null is neither true nor false, and a CHECK lets that pass.
    text_null(name).check(is_in(name, values)).take()
}

fn is_in(name: &'static str, values: &[&'static str]) -> Expr {
    Expr::col(name).is_in(values.iter().copied())
}

/// A moment in UTC with microseconds.
pub(crate) fn time(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).timestamp_with_time_zone().not_null().take()
}

/// A moment that may not have come.
pub(crate) fn time_null(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).timestamp_with_time_zone().null().take()
}

/// A day of the calendar.
pub(crate) fn day(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).date().not_null().take()
}

/// A day that may be open.
pub(crate) fn day_null(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).date().null().take()
}

/// A whole number of 32 bits.
pub(crate) fn int(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).integer().not_null().take()
}

/// A whole number of 64 bits.
pub(crate) fn big(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

/// A whole number of 64 bits that may be missing.
pub(crate) fn big_null(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().null().take()
}

/// Yes or no.
pub(crate) fn flag(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().not_null().take()
}

/// JSON: `jsonb` on PostgreSQL, text on SQLite.
pub(crate) fn json(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).json_binary().not_null().take()
}

/// JSON that may be missing.
pub(crate) fn json_null(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).json_binary().null().take()
}

/// Bytes: hashes and raw mails.
pub(crate) fn bytes(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).blob().not_null().take()
}

/// Bytes that may be missing.
pub(crate) fn bytes_null(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).blob().null().take()
}

/// Starts a table.
pub(crate) fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).take()
}

/// A condition over several columns, named after what it promises.
pub(crate) fn rule(name: &'static str, condition: &'static str) -> (&'static str, Expr) {
    (name, Expr::cust(condition))
}

/// Columns that hold the id of another table's row. A row that is named so cannot be deleted.
pub(crate) trait Keys {
    /// Always names a row of `table`.
    fn key(&mut self, column: &'static str, table: &'static str) -> &mut Self;
    /// Names a row of `table` or none.
    fn key_null(&mut self, column: &'static str, table: &'static str) -> &mut Self;
    /// Always names a row of `table`, and goes when that row goes: rows that say nothing without it.
    fn key_of_owner(&mut self, column: &'static str, table: &'static str) -> &mut Self;
}

impl Keys for TableCreateStatement {
    fn key(&mut self, column: &'static str, table: &'static str) -> &mut Self {
        self.col(ColumnDef::new(column).uuid().not_null().take());
        self.foreign_key(&mut reference(column, table, ForeignKeyAction::Restrict))
    }

    fn key_null(&mut self, column: &'static str, table: &'static str) -> &mut Self {
        self.col(ColumnDef::new(column).uuid().null().take());
        self.foreign_key(&mut reference(column, table, ForeignKeyAction::Restrict))
    }

    fn key_of_owner(&mut self, column: &'static str, table: &'static str) -> &mut Self {
        self.col(ColumnDef::new(column).uuid().not_null().take());
        self.foreign_key(&mut reference(column, table, ForeignKeyAction::Cascade))
    }
}

fn reference(
    column: &'static str,
    table: &'static str,
    on_delete: ForeignKeyAction,
) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from_col(column)
        .to_tbl(table)
        .to_col("id")
        .on_delete(on_delete)
        .take()
}

/// An index named `idx_<table>_<columns>`.
pub(crate) fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create()
        .name(format!("idx_{table}_{}", columns.join("_")))
        .table(table)
        .take();
    for column in columns {
        index.col(*column);
    }
    index
}

/// An index of the rows for which `condition` holds. A query uses it only if its own WHERE repeats the condition.
/// Several states are written as `a OR b`, and a query repeats them so and in that order: SQLite proves `OR` from bound
/// parameters, but not `IN`.
pub(crate) fn index_where(
    table: &'static str,
    columns: &[&'static str],
    condition: &'static str,
) -> IndexCreateStatement {
    index(table, columns).and_where(Expr::cust(condition)).take()
}

/// Creates the tables in this order.
pub(crate) async fn create_tables<const N: usize>(
    manager: &SchemaManager<'_>,
    tables: [TableCreateStatement; N],
) -> Result<(), DbErr> {
    for table in tables {
        let name = table.get_table_name().cloned();
        manager.create_table(table).await?;
        if let Some(TableRef::Table(TableName(_, name), _)) = name {
            names_in_domains(manager, &name.to_string()).await?;
        }
    }
    Ok(())
}

/// Makes each list of names of a new table a domain of its own on PostgreSQL.
///
/// PostgreSQL reads the text of a table's CHECKs anew for every statement that writes to it, which is a tenth of what a
/// lead costs it. A domain's are read once for a connection. What may be written is the same.
async fn names_in_domains(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let sql = format!(
        "DO $$ DECLARE list record; BEGIN \
           FOR list IN \
             SELECT c.conname AS rule, a.attname AS name, pg_get_expr(c.conbin, c.conrelid) AS names \
             FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] \
             WHERE c.conrelid = '{table}'::regclass AND c.contype = 'c' AND cardinality(c.conkey) = 1 \
               AND pg_get_expr(c.conbin, c.conrelid) LIKE '(' || a.attname || ' = ANY (ARRAY[%' \
           LOOP \
             EXECUTE format('CREATE DOMAIN %I AS text CHECK (%s)', '{table}_' || list.name, \
               regexp_replace(list.names, '^.' || list.name, '(VALUE')); \
             EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I, ALTER COLUMN %I TYPE %I', \
               list.rule, list.name, '{table}_' || list.name); \
           END LOOP; \
         END $$"
    );
    manager.get_connection().execute_unprepared(&sql).await?;
    Ok(())
}

/// Drops the domains that no column has any more.
async fn drop_unused_domains(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let sql = "DO $$ DECLARE unused record; BEGIN \
                 FOR unused IN SELECT t.typname AS name FROM pg_type t \
                   WHERE t.typtype = 'd' AND t.typnamespace = current_schema()::regnamespace \
                     AND NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.atttypid = t.oid AND NOT a.attisdropped) \
                 LOOP EXECUTE format('DROP DOMAIN %I', unused.name); END LOOP; \
               END $$";
    manager.get_connection().execute_unprepared(sql).await?;
    Ok(())
}

/// Creates the indexes.
pub(crate) async fn create_indexes<const N: usize>(
    manager: &SchemaManager<'_>,
    indexes: [IndexCreateStatement; N],
) -> Result<(), DbErr> {
    for index in indexes {
        manager.create_index(index).await?;
    }
    Ok(())
}

/// Drops the tables with their indexes, in this order: a table goes before those that it refers to.
pub(crate) async fn drop_tables(manager: &SchemaManager<'_>, tables: &[&'static str]) -> Result<(), DbErr> {
    for table in tables {
        manager.drop_table(Table::drop().table(*table).take()).await?;
    }
    drop_unused_domains(manager).await
}

/// Leaves a part of each page empty on PostgreSQL, so that a changed row stays on its page and its indexes need no new
/// entry. For tables whose rows change many times. SQLite changes rows in place and has no such setting.
pub(crate) async fn leave_room_for_changes(
    manager: &SchemaManager<'_>,
    table: &'static str,
) -> Result<(), DbErr> {
    if manager.get_database_backend() == DbBackend::Postgres {
        let sql = format!("ALTER TABLE {table} SET (fillfactor = 85)");
        manager.get_connection().execute_unprepared(&sql).await?;
    }
    Ok(())
}
