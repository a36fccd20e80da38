//! Bulk mail is stopped to keep the good name of the sending domain, and let run again.
//!
//! Requested replies, reminders and mail to staff go on: see [`super::gate`].

use chrono::{DateTime, Utc};
use entity::sending_route;
use entity::sending_stop::{ActiveModel, Column, EVERY_DOMAIN, Entity, Model, StopReason};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, ModelTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::release::{self, Released};
use crate::audit;
use crate::db::{self, BATCH_MAX};
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::viewer::Viewer;

/// The longest note, in characters.
pub const MAX_NOTE_CHARS: usize = 500;
/// The longest name of a domain, in characters (RFC 1035, 2.3.4).
const MAX_DOMAIN_CHARS: usize = 253;

/// A stop to set.
#[derive(Clone, Debug)]
pub struct StopSending {
    /// The domain of the `From` address; none for every domain.
    pub domain: Option<String>,
    /// Why.
    pub reason: StopReason,
    /// More, in words. No personal data.
    pub note: Option<String>,
}

/// Stops bulk mail. Stopping again changes reason and note; the stop stands since it was first set.
///
/// # Errors
/// [`Error::Missing`] for a viewer without a role; [`Error::Refused`] when the domain is none or the note too long; or a
/// fault of the database.
pub async fn stop(h: &Hospital, viewer: &Viewer, input: StopSending) -> Result<Done<Model>> {
    let domain = read_domain(viewer, input.domain.as_deref())?;
    let note = input
        .note
        .map(|note| note.trim().to_owned())
        .filter(|note| !note.is_empty());
    if note
        .as_ref()
        .is_some_and(|note| note.chars().count() > MAX_NOTE_CHARS)
    {
        let message = "A note has at most 500 characters.";
        return Err(Error::refused(Code::TooLarge, "note", message));
    }
    let tx = db::begin_write(&h.db).await?;
    let now = h.now();
    let row = ActiveModel {
        id: Set(new_id(now)),
        domain: Set(domain),
        reason: Set(input.reason),
        note: Set(note),
        route: Set(None),
        since: Set(now),
    };
    let mut known = OnConflict::column(Column::Domain);
    known.update_columns([Column::Reason, Column::Note, Column::Route]);
    let row = Entity::insert(row)
        .on_conflict(known)
        .exec_with_returning(&tx)
        .await?;
    audit::record(viewer.actor(), "sending.stop", Some(&row.id), None, now)
        .insert(&tx)
        .await?;
    tx.commit().await?;
    Ok(Done::quiet(row))
}

/// Lets bulk mail run again. What the stop held back goes out as soon as the gate lets it. Without a stop it changes
/// nothing; the answer is the stop that was.
///
/// # Errors
/// As [`stop`].
pub async fn resume(h: &Hospital, viewer: &Viewer, domain: Option<&str>) -> Result<Done<Option<Model>>> {
    let domain = read_domain(viewer, domain)?;
    let tx = db::begin_write(&h.db).await?;
    let now = h.now();
    let Some(row) = Entity::find().filter(Column::Domain.eq(domain)).one(&tx).await? else {
        return Ok(Done::quiet(None));
    };
    row.clone().delete(&tx).await?;
    if row.route.is_some() {
        // Whoever lets the domain run again means the routes that stopped it.
        sending_route::Entity::update_many()
            .col_expr(
                sending_route::Column::StoppedAt,
                Expr::value(None::<DateTime<Utc>>),
            )
            .col_expr(sending_route::Column::StopReason, Expr::value(None::<String>))
            .col_expr(sending_route::Column::StopNote, Expr::value(None::<String>))
            .exec(&tx)
            .await?;
    }
    let ended = audit::record(viewer.actor(), "sending.resume", Some(&row.id), None, now);
    release::end(tx, Released::Everything, ended, row, now).await
}

/// The stops that stand, the newest first; at most [`BATCH_MAX`].
///
/// # Errors
/// [`Error::Missing`] for a viewer without a role; or a fault of the database.
pub async fn all(conn: &impl ConnectionTrait, viewer: &Viewer) -> Result<Vec<Model>> {
    if viewer.role().is_none() {
        return Err(Error::Missing { noun: "stop" });
    }
    Ok(Entity::find()
        .order_by_desc(Column::Id)
        .limit(BATCH_MAX as u64)
        .all(conn)
        .await?)
}

/// Whether bulk mail of this installation's domain is stopped.
///
/// # Errors
/// When the database fails.
pub async fn is_stopped(h: &Hospital) -> Result<bool> {
    let domain = h.site.mail_domain().to_ascii_lowercase();
    let found = Entity::find()
        .filter(Column::Domain.is_in([domain.as_str(), EVERY_DOMAIN]))
        .limit(1)
        .one(&h.db)
        .await?;
    Ok(found.is_some())
}

fn read_domain(viewer: &Viewer, domain: Option<&str>) -> Result<String> {
    if viewer.role().is_none() {
        return Err(Error::Missing { noun: "stop" });
    }
    let Some(domain) = domain else {
        return Ok(EVERY_DOMAIN.to_owned());
    };
    let domain = domain.trim().to_ascii_lowercase();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    if domain.is_empty() || domain.len() > MAX_DOMAIN_CHARS || !domain.chars().all(plain) {
        let message = "Write a domain, for example mail.example.org.";
        return Err(Error::refused(Code::Invalid, "domain", message));
    }
    Ok(domain)
}
