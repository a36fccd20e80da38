//! Reading and writing what a contact wishes.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::id::{ContactId, ServiceLineId};
use entity::{contact_line_preference, contact_preference, lead};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::change::{LineWish, Wishes};
use crate::error::Result;
use crate::id::new_id;

/// Most service lines that are shown to a contact; a hospital has fewer.
const MAX_LINES: u64 = 100;

/// What a contact wishes for mail as a whole.
pub(super) async fn wishes(conn: &impl ConnectionTrait, contact_id: ContactId) -> Result<Wishes> {
    let row = contact_preference::Entity::find()
        .filter(contact_preference::Column::ContactId.eq(contact_id))
        .one(conn)
        .await?;
    Ok(row.map_or_else(Wishes::default, |row| Wishes {
        paused_until: row.paused_until,
        max_per_week: row.max_per_week,
    }))
}

/// The lines that a contact asked or spoke about, each with whether mail about it is wanted.
pub(super) async fn lines(
    conn: &impl ConnectionTrait,
    contact_id: ContactId,
) -> Result<BTreeMap<ServiceLineId, bool>> {
    let asked: Vec<Option<ServiceLineId>> = lead::Entity::find()
        .select_only()
        .column(lead::Column::ServiceLineId)
        .distinct()
        .filter(lead::Column::ContactId.eq(contact_id))
        .filter(lead::Column::ServiceLineId.is_not_null())
        .order_by_asc(lead::Column::ServiceLineId)
        .limit(MAX_LINES)
        .into_tuple()
        .all(conn)
        .await?;
    let said = contact_line_preference::Entity::find()
        .filter(contact_line_preference::Column::ContactId.eq(contact_id))
        .limit(MAX_LINES)
        .all(conn)
        .await?;
    let mut lines: BTreeMap<ServiceLineId, bool> = asked.into_iter().flatten().map(|id| (id, true)).collect();
    lines.extend(said.into_iter().map(|row| (row.service_line_id, row.wanted)));
    Ok(lines)
}

/// Keeps what a contact wishes for mail as a whole.
pub(super) async fn keep_wishes(
    tx: &impl ConnectionTrait,
    contact_id: ContactId,
    wishes: Wishes,
    now: DateTime<Utc>,
) -> Result<()> {
    let row = contact_preference::ActiveModel {
        id: Set(new_id(now)),
        contact_id: Set(contact_id),
        paused_until: Set(wishes.paused_until),
        max_per_week: Set(wishes.max_per_week),
        updated_at: Set(now),
    };
    let instead = OnConflict::column(contact_preference::Column::ContactId)
        .update_columns([
            contact_preference::Column::PausedUntil,
            contact_preference::Column::MaxPerWeek,
            contact_preference::Column::UpdatedAt,
        ])
        .to_owned();
    contact_preference::Entity::insert(row)
        .on_conflict(instead)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Keeps what a contact wishes for some lines.
pub(super) async fn keep_lines(
    tx: &impl ConnectionTrait,
    contact_id: ContactId,
    lines: &[LineWish],
    now: DateTime<Utc>,
) -> Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let rows = lines.iter().map(|line| contact_line_preference::ActiveModel {
        id: Set(new_id(now)),
        contact_id: Set(contact_id),
        service_line_id: Set(line.service_line_id),
        wanted: Set(line.wanted),
        updated_at: Set(now),
    });
    let instead = OnConflict::columns([
        contact_line_preference::Column::ContactId,
        contact_line_preference::Column::ServiceLineId,
    ])
    .update_columns([
        contact_line_preference::Column::Wanted,
        contact_line_preference::Column::UpdatedAt,
    ])
    .to_owned();
    contact_line_preference::Entity::insert_many(rows)
        .on_conflict(instead)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
