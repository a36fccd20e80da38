//! One UPDATE that gives every row values of its own.
//!
//! A statement per row would make a batch of 500 messages cost 500 round trips. Both databases join an UPDATE with a
//! list of VALUES and name its columns `column1`, `column2` and so on, so the statement is the same text on both.

use sea_orm::{ConnectionTrait, DbErr, Statement, Value};
use uuid::Uuid;

/// Runs `sql` once over all `rows` and answers the ids that it returned.
///
/// In `sql` the parameters `$1`, `$2` … are `fixed`, and `{rows}` stands for the list of rows; a column of it is written
/// as `v.column1` after `FROM ({rows}) AS v`. The statement has to end in `RETURNING` and one column of ids.
///
/// Every row must give a column the same type: a missing value is a typed null, never a null of another type.
///
/// # Errors
/// When the database fails.
pub(crate) async fn update_each<const N: usize>(
    conn: &impl ConnectionTrait,
    sql: &str,
    fixed: Vec<Value>,
    rows: Vec<[Value; N]>,
) -> Result<Vec<Uuid>, DbErr> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let list = values_list(fixed.len(), rows.len(), N);
    let mut values = fixed;
    values.extend(rows.into_iter().flatten());
    let sql = sql.replace("{rows}", &list);
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, values);
    let changed = conn.query_all_raw(statement).await?;
    changed.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// `VALUES ($3, $4), ($5, $6)` for two rows of two after two fixed parameters.
fn values_list(fixed: usize, rows: usize, columns: usize) -> String {
    let mut list = String::with_capacity(8 + rows * columns * 6);
    list.push_str("VALUES ");
    let mut next = fixed;
    for row in 0..rows {
        list.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            next += 1;
            list.push_str(if column == 0 { "$" } else { ", $" });
            list.push_str(&next.to_string());
        }
        list.push(')');
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_the_rows_are_numbered_after_the_fixed_ones() {
        assert_eq!(values_list(2, 2, 2), "VALUES ($3, $4), ($5, $6)");
        assert_eq!(values_list(0, 1, 3), "VALUES ($1, $2, $3)");
    }
}
