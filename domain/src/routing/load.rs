//! How much open work people have.

use std::collections::HashMap;

use entity::id::StaffId;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement, Value};

use super::person::limit;
use crate::db;
use crate::error::Result;
use crate::playbook::Playbook;

/// Open follow-ups of a person are counted up to here: enough to tell who has least, and never a scan that grows.
pub const LOAD_COUNT_MAX: i64 = 50;
/// People whose work one statement counts.
const LOADS_AT_ONCE: usize = 100;

/// Open follow-ups of each of these people, counted up to [`LOAD_COUNT_MAX`] or to the person's own limit.
///
/// Whoever has a limit is held until the transaction ends: of two leads at one moment, only one is the last that
/// the person can take.
///
/// # Errors
/// When the database fails.
pub async fn load(
    tx: &DatabaseTransaction,
    playbook: &Playbook,
    members: &[StaffId],
) -> Result<HashMap<StaffId, i64>> {
    let limited: Vec<i64> = members
        .iter()
        .filter(|id| limit(playbook, **id).is_some())
        .map(|id| key_of(*id))
        .collect();
    if members.len() < 2 && limited.is_empty() {
        return Ok(HashMap::new());
    }
    db::lock_keys(tx, &limited).await?;
    let mut load = HashMap::with_capacity(members.len());
    for batch in members.chunks(LOADS_AT_ONCE) {
        count(tx, playbook, batch, &mut load).await?;
    }
    Ok(load)
}

/// The random half of an id, by which its person is held.
fn key_of(id: StaffId) -> i64 {
    id.0.as_u64_pair().1.cast_signed()
}

async fn count(
    tx: &DatabaseTransaction,
    playbook: &Playbook,
    members: &[StaffId],
    load: &mut HashMap<StaffId, i64>,
) -> Result<()> {
    let backend = tx.get_database_backend();
    let mut values: Vec<Value> = Vec::with_capacity(members.len());
    let counts: Vec<String> = members
        .iter()
        .enumerate()
        .map(|(index, member)| {
            values.push((*member).into());
            let most = limit(playbook, *member).unwrap_or(0).max(LOAD_COUNT_MAX);
            let parameter = if backend == DbBackend::Postgres { format!("${}", index + 1) } else { "?".to_owned() };
            format!(
                "SELECT {index} AS member, COUNT(*) AS open FROM (SELECT 1 FROM follow_up WHERE assignee_id = {parameter} \
                 AND state = 'OPEN' LIMIT {most}) AS work"
            )
        })
        .collect();
    let statement = Statement::from_sql_and_values(backend, counts.join(" UNION ALL "), values);
    for row in tx.query_all_raw(statement).await? {
        let index: i32 = row.try_get("", "member")?;
        let open: i64 = row.try_get("", "open")?;
        if let Some(member) = usize::try_from(index).ok().and_then(|index| members.get(index)) {
            load.insert(*member, open);
        }
    }
    Ok(())
}
