//! Access tokens of programs. A token has a role and no teams; its secret is told once and stored as a hash.

use chrono::TimeDelta;
use entity::enums::Role;
use entity::id::TokenId;
use entity::token::{ActiveModel, Column, Entity, Model};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::audit;
use crate::db;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::link::{new_secret, secret_hash};
use crate::viewer::Actor;

/// What every token begins with, so that people and scanners of leaked secrets know it when they see one.
pub const PREFIX: &str = "lwt_";
/// Longest name, in characters.
pub const MAX_NAME_CHARS: usize = 120;

/// Makes a token. The second value is its secret, which cannot be read again. Only the operator can do this, at the
/// command line.
///
/// # Errors When the name is empty or too long, the time to the end is not in the future, or the database fails.
pub async fn create(
    h: &Hospital,
    role: Role,
    name: &str,
    expires_in: Option<TimeDelta>,
) -> Result<(Model, String)> {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
        return Err(Error::refused(
            Code::Invalid,
            "name",
            "A name has 1 to 120 characters.",
        ));
    }
    let now = h.now();
    let expires_at = match expires_in {
        None => None,
        Some(after) if after > TimeDelta::zero() => now.checked_add_signed(after),
        Some(_) => {
            return Err(Error::refused(
                Code::Invalid,
                "expiresIn",
                "A token must end in the future.",
            ));
        }
    };
    let secret = format!("{PREFIX}{}", new_secret());
    let row = ActiveModel {
        id: Set(new_id(now)),
        name: Set(name),
        role: Set(role),
        secret_hash: Set(secret_hash(&secret).to_vec()),
        created_at: Set(now),
        expires_at: Set(expires_at),
        revoked_at: Set(None),
    };
    let tx = db::begin_write(&h.db).await?;
    let token = row.insert(&tx).await?;
    audit::record(Actor::SYSTEM, "token.create", Some(&token.id), None, now)
        .insert(&tx)
        .await?;
    tx.commit().await?;
    Ok((token, secret))
}

/// The token of this secret, if it has neither ended nor been taken back.
///
/// # Errors
/// When the database fails.
pub async fn open(h: &Hospital, secret: &str) -> Result<Option<Model>> {
    if !secret.starts_with(PREFIX) {
        return Ok(None);
    }
    let in_time = Condition::any()
        .add(Column::ExpiresAt.is_null())
        .add(Column::ExpiresAt.gt(h.now()));
    let found = Entity::find()
        .filter(Column::SecretHash.eq(secret_hash(secret).to_vec()))
        .filter(Column::RevokedAt.is_null())
        .filter(in_time)
        .one(&h.db)
        .await?;
    Ok(found)
}

/// The tokens that work, the oldest first; at most 500.
///
/// # Errors
/// When the database fails.
pub async fn in_force(h: &Hospital) -> Result<Vec<Model>> {
    let in_time = Condition::any()
        .add(Column::ExpiresAt.is_null())
        .add(Column::ExpiresAt.gt(h.now()));
    let found = Entity::find()
        .filter(Column::RevokedAt.is_null())
        .filter(in_time)
        .order_by_asc(Column::Id)
        .limit(db::BATCH_MAX as u64)
        .all(&h.db)
        .await?;
    Ok(found)
}

/// Takes a token back: it opens nothing from now on. One that was taken back before stays so.
///
/// # Errors
/// [`Error::Missing`] when there is no such token, or a fault of the database.
pub async fn revoke(h: &Hospital, id: TokenId) -> Result<Model> {
    let now = h.now();
    let tx = db::begin_write(&h.db).await?;
    let changed = Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::RevokedAt.is_null())
        .exec(&tx)
        .await?;
    if changed.rows_affected > 0 {
        audit::record(Actor::SYSTEM, "token.revoke", Some(&id), None, now)
            .insert(&tx)
            .await?;
    }
    let token = Entity::find_by_id(id)
        .one(&tx)
        .await?
        .ok_or(Error::Missing { noun: "token" })?;
    tx.commit().await?;
    Ok(token)
}
