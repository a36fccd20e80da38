//! Writes follow-ups that were changed in memory while the transaction held them.

use entity::follow_up::Model;
use sea_orm::{DatabaseTransaction, Value};

use crate::db::BATCH_MAX;
use crate::db::each::update_each;
use crate::error::Result;

/// What of a follow-up can change. What it is about, and what made it, stays.
const UPDATE: &str = "UPDATE follow_up SET \
     team_id = v.column2, assignee_id = v.column3, state = v.column4, urgent = v.column5, rank = v.column6, \
     weight = v.column7, due_at = v.column8, soon_at = v.column9, moves_at = v.column10, remind_at = v.column11, \
     late_at = v.column12, snoozed_count = v.column13, taken_by_id = v.column14, taken_until = v.column15, \
     outcome = v.column16, version = v.column17, completed_at = v.column18 \
     FROM ({rows}) AS v WHERE follow_up.id = v.column1 RETURNING follow_up.id";

/// Writes the rows, by one statement for [`BATCH_MAX`] of them.
///
/// # Errors
/// When the database fails.
pub(crate) async fn write(tx: &DatabaseTransaction, rows: &[Model]) -> Result<()> {
    for batch in rows.chunks(BATCH_MAX) {
        let values = batch.iter().map(values).collect();
        update_each(tx, UPDATE, Vec::new(), values).await?;
    }
    Ok(())
}

fn values(row: &Model) -> [Value; 18] {
    [
        row.id.into(),
        row.team_id.into(),
        row.assignee_id.into(),
        row.state.as_str().into(),
        row.urgent.into(),
        row.rank.into(),
        row.weight.into(),
        row.due_at.into(),
        row.soon_at.into(),
        row.moves_at.into(),
        row.remind_at.into(),
        row.late_at.into(),
        row.snoozed_count.into(),
        row.taken_by_id.into(),
        row.taken_until.into(),
        row.outcome.clone().into(),
        row.version.into(),
        row.completed_at.into(),
    ]
}
