//! Browser sessions of staff.
//!
//! The cookie carries a secret of 256 random bits, of which the database knows the hash. A session ends when it is
//! not used for [`IDLE_HOURS`], after [`WHOLE_DAYS`] whatever happens, when the person signs out, and when the person
//! leaves.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::ActorKind;
use entity::id::{SessionId, StaffId};
use entity::session::{ActiveModel, Column, Entity, Model};
use entity::staff;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, JoinType, QueryFilter,
    QuerySelect, RelationDef,
};
use subtle::ConstantTimeEq;

use crate::audit;
use crate::db;
use crate::done::Done;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::link::{Secrets, new_secret, secret_hash};
use crate::viewer::Actor;

/// Hours without use after which a session ends.
pub const IDLE_HOURS: i64 = 12;
/// Days after which a session ends, used or not.
pub const WHOLE_DAYS: i64 = 7;
/// How often use is written down, in seconds: not with every request.
pub const SEEN_EVERY_SECS: i64 = 60;

/// A new session and its secret.
pub(super) fn new(staff_id: StaffId, now: DateTime<Utc>) -> (String, ActiveModel) {
    let secret = new_secret();
    let row = ActiveModel {
        id: Set(new_id(now)),
        staff_id: Set(staff_id),
        secret_hash: Set(secret_hash(&secret).to_vec()),
        created_at: Set(now),
        seen_at: Set(now),
        expires_at: Set(now + TimeDelta::days(WHOLE_DAYS)),
        ended_at: Set(None),
    };
    (secret, row)
}

/// The session that a cookie's secret belongs to, with the person, if it has not ended and the person still works
/// here.
///
/// Found by the secret's hash, so that the time a wrong one takes tells nothing about right ones.
///
/// # Errors When the database fails.
pub async fn open(h: &Hospital, secret: &str) -> Result<Option<(Model, staff::Model)>> {
    let now = h.now();
    let to_staff: RelationDef = Entity::belongs_to(staff::Entity)
        .from(Column::StaffId)
        .to(staff::Column::Id)
        .into();
    let found = Entity::find()
        .filter(alive(secret, now))
        .filter(staff::Column::Active.eq(true))
        .join(JoinType::InnerJoin, to_staff)
        .select_also(staff::Entity)
        .one(&h.db)
        .await?;
    let Some((mut session, Some(staff))) = found else {
        return Ok(None);
    };
    let seen_before = now - TimeDelta::seconds(SEEN_EVERY_SECS);
    if session.seen_at <= seen_before {
        Entity::update_many()
            .col_expr(Column::SeenAt, Expr::value(now))
            .filter(Column::Id.eq(session.id))
            // Of several requests at one moment, one writes.
            .filter(Column::SeenAt.lte(seen_before))
            .exec(&h.db)
            .await?;
        session.seen_at = now;
    }
    Ok(Some((session, staff)))
}

/// Signs out: the secret is worth nothing from now on. Answers whether there was a session to end.
///
/// # Errors
/// When the database fails.
pub async fn close(h: &Hospital, secret: &str) -> Result<Done<bool>> {
    let now = h.now();
    let tx = db::begin_write(&h.db).await?;
    let ended = Entity::update_many()
        .col_expr(Column::EndedAt, Expr::value(now))
        .filter(alive(secret, now))
        .exec_with_returning(&tx)
        .await?;
    for session in &ended {
        // There is one at most.
        let actor = Actor {
            kind: ActorKind::Staff,
            id: Some(session.staff_id.0),
        };
        audit::record(actor, "staff.sign_out", Some(&session.id), None, now)
            .insert(&tx)
            .await?;
    }
    tx.commit().await?;
    Ok(Done::quiet(!ended.is_empty()))
}

/// The text that a form or a script of this session must send along to change anything.
///
/// A foreign page can make the browser
/// send the cookie, but cannot read this. It follows from the operator's key, so it needs no row.
pub fn csrf_token(secrets: &Secrets, session_id: SessionId) -> String {
    URL_SAFE_NO_PAD.encode(secrets.derive(&format!("csrf/{session_id}")))
}

/// Whether `presented` is the session's CSRF token, compared in constant time.
pub fn csrf_matches(secrets: &Secrets, session_id: SessionId, presented: &str) -> bool {
    csrf_token(secrets, session_id)
        .as_bytes()
        .ct_eq(presented.as_bytes())
        .into()
}

/// Removes the ended sessions of a person, so that the table does not grow for ever.
pub(super) async fn clear_ended(
    tx: &DatabaseTransaction,
    staff_id: StaffId,
    now: DateTime<Utc>,
) -> Result<()> {
    let ended = Condition::any()
        .add(Column::EndedAt.is_not_null())
        .add(Column::ExpiresAt.lte(now));
    Entity::delete_many()
        .filter(Column::StaffId.eq(staff_id))
        .filter(ended)
        .exec(tx)
        .await?;
    Ok(())
}

/// The session of this secret, as long as it has not ended.
fn alive(secret: &str, now: DateTime<Utc>) -> Condition {
    Condition::all()
        .add(Column::SecretHash.eq(secret_hash(secret).to_vec()))
        .add(Column::EndedAt.is_null())
        .add(Column::ExpiresAt.gt(now))
        .add(Column::SeenAt.gt(now - TimeDelta::hours(IDLE_HOURS)))
}
