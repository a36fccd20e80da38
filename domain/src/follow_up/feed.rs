//! Calendar feeds: addresses under which a person's own follow-ups can be subscribed to.
//!
//! A calendar program cannot sign in, so the address is the secret, and what it shows is as little as helps: when something
//! is due and what kind of work it is. It names no lead, and not the title either, which people write by hand.

use chrono::{DateTime, TimeDelta, Utc};
use entity::calendar_feed::{ActiveModel, Column, Entity, Model};
use entity::follow_up::{self, FollowUpKind, FollowUpState};
use entity::id::{CalendarFeedId, FollowUpId, StaffId};
use entity::staff;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, ModelTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::{Hospital, Site};
use crate::id::new_id;
use crate::link::{new_secret, secret_hash};
use crate::readable::misleads;
use crate::viewer::Viewer;

/// Longest name, in characters.
pub const MAX_NAME_CHARS: usize = 120;
/// Most feeds of a person.
pub const FEEDS_MAX: u64 = 10;
/// Most follow-ups that a feed shows, the soonest first.
pub const ENTRIES_MAX: u64 = 500;
/// How long a feed shows what was not done when it was due.
pub const SHOWN_LATE: TimeDelta = TimeDelta::days(14);

/// A follow-up, as a calendar shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The follow-up.
    pub id: FollowUpId,
    /// What kind of work it is.
    pub kind: FollowUpKind,
    /// Whether it goes first.
    pub urgent: bool,
    /// When it is due.
    pub due_at: DateTime<Utc>,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// Rises with every change.
    pub version: i64,
}

/// The address of a feed.
#[must_use]
pub fn url(site: &Site, secret: &str) -> String {
    format!("{}/calendar/{secret}.ics", site.public_url)
}

/// Makes a feed of the viewer's own follow-ups. The second value is its secret, which cannot be read again.
///
/// # Errors
/// [`Error::Refused`] for a name that is empty, too long or cannot be read, and for one feed too many; [`Error::Missing`]
/// for a viewer who is not a person.
pub async fn create(h: &Hospital, viewer: &Viewer, name: &str) -> Result<Done<(Model, String)>> {
    let staff_id = viewer.staff_id().ok_or(Error::Missing { noun: "staff" })?;
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARS || name.chars().any(misleads) {
        let message = "A name has 1 to 120 characters.";
        return Err(Error::refused(Code::Invalid, "name", message));
    }
    let tx = db::begin_write(&h.db).await?;
    // Held, so that two feeds made at one moment are both counted.
    let held = staff::Entity::find_by_id(staff_id).lock(LockType::NoKeyUpdate);
    held.one(&tx).await?.ok_or(Error::Missing { noun: "staff" })?;
    let theirs = Entity::find().filter(Column::StaffId.eq(staff_id));
    if theirs.count(&tx).await? >= FEEDS_MAX {
        let message = "You have 10 calendar feeds already. Revoke one that you no longer use.";
        return Err(Error::refused(Code::TooLarge, "name", message));
    }
    let (now, secret) = (h.now(), new_secret());
    let row = ActiveModel {
        id: Set(new_id(now)),
        staff_id: Set(staff_id),
        name: Set(name),
        secret_hash: Set(secret_hash(&secret).to_vec()),
        created_at: Set(now),
    };
    let row = row.insert(&tx).await?;
    tx.commit().await?;
    Ok(Done::quiet((row, secret)))
}

/// Takes a feed of the viewer's away: its address shows nothing from now on.
///
/// # Errors
/// [`Error::Missing`] when there is none, or it is somebody else's.
pub async fn revoke(h: &Hospital, viewer: &Viewer, id: CalendarFeedId) -> Result<Done<Model>> {
    let tx = db::begin_write(&h.db).await?;
    let found = Entity::find_by_id(id).one(&tx).await?;
    let feed = found.filter(|feed| viewer.staff_id() == Some(feed.staff_id));
    let feed = feed.ok_or(Error::Missing {
        noun: "calendar-feed",
    })?;
    feed.clone().delete(&tx).await?;
    tx.commit().await?;
    Ok(Done::quiet(feed))
}

/// The viewer's feeds, the oldest first.
///
/// # Errors
/// When the database fails.
pub async fn mine(h: &Hospital, viewer: &Viewer) -> Result<Vec<Model>> {
    let Some(staff_id) = viewer.staff_id() else {
        return Ok(Vec::new());
    };
    let theirs = Entity::find().filter(Column::StaffId.eq(staff_id));
    Ok(theirs
        .order_by_asc(Column::Id)
        .limit(FEEDS_MAX)
        .all(&h.db)
        .await?)
}

/// What the feed of this secret shows: the open follow-ups of a person who works here, by due time.
///
/// # Errors
/// [`Error::Missing`] for a secret that opens nothing.
pub async fn read(h: &Hospital, secret: &str) -> Result<Vec<Entry>> {
    let missing = || Error::Missing {
        noun: "calendar-feed",
    };
    let of_secret = Entity::find().filter(Column::SecretHash.eq(secret_hash(secret).to_vec()));
    let feed = of_secret.one(&h.db).await?.ok_or_else(missing)?;
    let works_here = staff::Entity::find_by_id(feed.staff_id).filter(staff::Column::Active.eq(true));
    works_here.one(&h.db).await?.ok_or_else(missing)?;
    entries(h, feed.staff_id).await
}

async fn entries(h: &Hospital, staff_id: StaffId) -> Result<Vec<Entry>> {
    let rows = follow_up::Entity::find()
        .filter(follow_up::Column::AssigneeId.eq(staff_id))
        .filter(follow_up::Column::State.eq(FollowUpState::Open))
        .filter(follow_up::Column::DueAt.gt(h.now() - SHOWN_LATE))
        .order_by_asc(follow_up::Column::DueAt)
        .order_by_asc(follow_up::Column::Id)
        .limit(ENTRIES_MAX)
        .all(&h.db)
        .await?;
    let entry = |row: follow_up::Model| Entry {
        id: row.id,
        kind: row.kind,
        urgent: row.urgent,
        due_at: row.due_at,
        created_at: row.created_at,
        version: row.version,
    };
    Ok(rows.into_iter().map(entry).collect())
}
