//! Pages of the chain, read so that a row that cannot be read is an answer and not an error.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::consent_event::Model;
use entity::id::{ConsentEventId, TypedId};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, QueryResult, Statement, Value};
use uuid::Uuid;

use crate::error::Result;

/// Links of one page. A page and its events are all that a walk holds in memory.
const PAGE: i64 = 1_000;

/// A row that holds what its type does not allow: a byte of a name, an id or a document was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// A link as it is stored.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) seq: i64,
    pub(super) event_id: ConsentEventId,
    pub(super) digest: Vec<u8>,
    pub(super) hash: Vec<u8>,
    pub(super) sealed_at: DateTime<Utc>,
}

/// The links after `seq` up to `head`, in order; empty at the end.
pub(super) async fn links(
    conn: &impl ConnectionTrait,
    seq: i64,
    head: i64,
) -> Result<Vec<Result<Link, Unreadable>>> {
    let sql = "SELECT seq, event_id, digest, hash, sealed_at FROM consent_seal WHERE seq > $1 AND seq <= $2 \
               ORDER BY seq LIMIT $3";
    let values: [Value; 3] = [seq.into(), head.into(), PAGE.into()];
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, values);
    let rows = conn.query_all_raw(statement).await?;
    Ok(rows.iter().map(|row| link(row).map_err(|_| Unreadable)).collect())
}

fn link(row: &QueryResult) -> Result<Link, DbErr> {
    Ok(Link {
        seq: row.try_get("", "seq")?,
        event_id: ConsentEventId::from_uuid(row.try_get("", "event_id")?),
        digest: row.try_get("", "digest")?,
        hash: row.try_get("", "hash")?,
        sealed_at: row.try_get("", "sealed_at")?,
    })
}

/// The events of these links. One whose id cannot be read is not found under it.
pub(super) async fn events(
    conn: &impl ConnectionTrait,
    links: &[Result<Link, Unreadable>],
) -> Result<HashMap<ConsentEventId, Result<Model, Unreadable>>> {
    let ids: Vec<Value> = links
        .iter()
        .flatten()
        .map(|link| Value::from(link.event_id.0))
        .collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let places: Vec<String> = (1..=ids.len()).map(|n| format!("${n}")).collect();
    let sql = format!("SELECT * FROM consent_event WHERE id IN ({})", places.join(", "));
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, ids);
    let mut found = HashMap::new();
    for row in conn.query_all_raw(statement).await? {
        let Ok(id) = row.try_get::<Uuid>("", "id") else {
            continue;
        };
        let event = Model::from_query_result(&row, "").map_err(|_| Unreadable);
        found.insert(ConsentEventId::from_uuid(id), event);
    }
    Ok(found)
}
