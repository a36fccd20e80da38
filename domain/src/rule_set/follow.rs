//! Versions follow the rows that setup documents write.

use chrono::{DateTime, Utc};
use entity::id::RuleSetId;
use entity::rule_set::{ActiveModel, Column, Entity, Model, RuleKind, RuleSetState, Rules};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
};

use super::{find, rows};
use crate::db;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::playbook;
use crate::viewer::Actor;

/// Writes down a version of each kind whose rows are not those of the published one, as published. Call it in the
/// transaction that changes rows. Answers whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn follow(tx: &DatabaseTransaction, now: DateTime<Utc>) -> Result<bool> {
    find::hold(tx).await?;
    let mut changed = false;
    for kind in RuleKind::ALL {
        let rules = rows::document(&rows::present(tx, *kind).await?);
        let before = find::published(tx, *kind).await?;
        let is_said = before
            .as_ref()
            .map_or(rules == Rules::default(), |before| before.rules == rules);
        if is_said {
            continue;
        }
        retire_published(tx, *kind, now).await?;
        let number = find::next_number(tx, *kind).await?;
        let row = Model {
            state: RuleSetState::Published,
            published_by_kind: Some(Actor::SYSTEM.kind),
            published_at: Some(now),
            ..new(
                *kind,
                number,
                rules,
                before.map(|row| row.number),
                Actor::SYSTEM,
                now,
            )
        };
        row.into_active_model().insert(tx).await?;
        changed = true;
    }
    Ok(changed)
}

/// Makes sure that the rules that count are written down as a version. Called at every start, after the migrations:
/// rules may be older than versions are.
///
/// # Errors
/// Faults of the database.
pub async fn ensure_versions(h: &Hospital) -> Result<()> {
    let tx = db::begin_write(&h.db).await?;
    if follow(&tx, h.now()).await? {
        playbook::changed(&tx).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// A new version, as a draft.
pub(super) fn new(
    kind: RuleKind,
    number: i32,
    rules: Rules,
    based_on: Option<i32>,
    actor: Actor,
    now: DateTime<Utc>,
) -> Model {
    Model {
        id: new_id::<RuleSetId>(now),
        kind,
        number,
        state: RuleSetState::Draft,
        rules,
        based_on,
        note: None,
        created_by_kind: actor.kind,
        created_by_id: actor.id,
        created_at: now,
        published_by_kind: None,
        published_by_id: None,
        published_at: None,
        retired_at: None,
        version: 1,
        updated_at: now,
    }
}

/// Makes room for another version that counts.
pub(super) async fn retire_published(
    tx: &DatabaseTransaction,
    kind: RuleKind,
    now: DateTime<Utc>,
) -> Result<()> {
    let retired = ActiveModel {
        state: Set(RuleSetState::Retired),
        retired_at: Set(Some(now)),
        updated_at: Set(now),
        ..Default::default()
    };
    Entity::update_many()
        .set(retired)
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .filter(Column::Kind.eq(kind))
        .filter(Column::State.eq(RuleSetState::Published))
        .exec(tx)
        .await?;
    Ok(())
}
