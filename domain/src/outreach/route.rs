//! Sending routes: mail servers that mail may go through, and which of them may be used now.
//!
//! What a route is (address, password, lanes, limits) is a setting of the workers. Whether it may be used is a row, so that
//! all workers agree and it outlives them: a person **paused** it, it is **stopped** for bulk mail to keep its good name,
//! or it **rests** because it could not be reached. A worker claims mail for a route, never the other way round, so a
//! route that is away or slow holds no mail: the next one takes what is due.

use chrono::{DateTime, TimeDelta, Utc};
use entity::message::Lane;
use entity::sending_route::{ActiveModel, Column, Entity, Model};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::reputation;
use crate::audit;
use crate::db::{self, BATCH_MAX};
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::nudge::Subject;
use crate::viewer::Viewer;

/// Most routes of an installation.
pub const ROUTES_MAX: usize = 16;
/// The longest name of a route, in letters.
pub const NAME_MAX: usize = 40;
/// The longest note, in characters.
const NOTE_MAX: usize = 500;
/// First and longest rest after a route could not be reached, in seconds.
const RESTS_SECS: (i64, i64) = (1, 60);

/// A route as the settings of a worker have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// Its name: letters, digits and `-`.
    pub name: String,
    /// Whether it carries mail that somebody waits for.
    pub serves_waiting: bool,
    /// Whether it carries mail that nobody waits for.
    pub serves_bulk: bool,
    /// Routes of a higher number are used when none of a lower number can be.
    pub priority: i32,
    /// Most mails in a second.
    pub per_second: Option<u32>,
    /// Most mails in an hour.
    pub per_hour: Option<u32>,
}

/// Whether a route may be used. When several hold, the one that a person has to end is named first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RouteState {
    /// It is used.
    Up,
    /// It could not be reached and is left alone for a moment.
    Resting,
    /// It carries no bulk mail, to keep its good name.
    Stopped,
    /// A person holds it.
    Paused,
}

/// Whether a route may be used now.
#[must_use]
pub fn state(route: &Model, now: DateTime<Utc>) -> RouteState {
    if route.paused_at.is_some() {
        RouteState::Paused
    } else if route.stopped_at.is_some() {
        RouteState::Stopped
    } else if rests(route, now) {
        RouteState::Resting
    } else {
        RouteState::Up
    }
}

/// Whether a route may carry mail of a lane now.
#[must_use]
pub fn carries(route: &Model, lane: Lane, now: DateTime<Utc>) -> bool {
    let serves = match lane {
        Lane::Waiting => route.serves_waiting,
        Lane::Bulk => route.serves_bulk && route.stopped_at.is_none(),
    };
    serves && route.paused_at.is_none() && !rests(route, now)
}

fn rests(route: &Model, now: DateTime<Utc>) -> bool {
    route.rest_until.is_some_and(|until| until > now)
}

/// Whether it is a route's turn: it may carry the lane, and no route of a lower number may.
#[must_use]
pub fn is_first(route: &Model, all: &[Model], lane: Lane, now: DateTime<Utc>) -> bool {
    carries(route, lane, now)
        && !all
            .iter()
            .any(|other| other.priority < route.priority && carries(other, lane, now))
}

/// Writes down the routes of a worker's settings. What was written of their state stays.
///
/// # Errors
/// When the database fails.
pub async fn announce(h: &Hospital, routes: &[Announced]) -> Result<()> {
    let now = h.now();
    let number = |n: Option<u32>| n.and_then(|n| i32::try_from(n).ok());
    // In one order, so that workers which start together do not wait in a circle.
    let mut routes: Vec<&Announced> = routes.iter().collect();
    routes.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let rows = routes.into_iter().map(|route| ActiveModel {
        name: Set(route.name.clone()),
        serves_waiting: Set(route.serves_waiting),
        serves_bulk: Set(route.serves_bulk),
        priority: Set(route.priority),
        per_second: Set(number(route.per_second)),
        per_hour: Set(number(route.per_hour)),
        announced_at: Set(now),
        paused_at: Set(None),
        pause_note: Set(None),
        failures: Set(0),
        rest_until: Set(None),
        failure: Set(None),
        stopped_at: Set(None),
        stop_reason: Set(None),
        stop_note: Set(None),
        unjudged: Set(false),
    });
    let mut known = OnConflict::column(Column::Name);
    known.update_columns([
        Column::ServesWaiting,
        Column::ServesBulk,
        Column::Priority,
        Column::PerSecond,
        Column::PerHour,
        Column::AnnouncedAt,
    ]);
    Entity::insert_many(rows)
        .on_conflict(known)
        .exec_without_returning(&h.db)
        .await?;
    Ok(())
}

/// Every route that was ever announced, by name; at most [`BATCH_MAX`].
///
/// # Errors
/// When the database fails.
pub async fn all(conn: &impl ConnectionTrait) -> Result<Vec<Model>> {
    Ok(Entity::find()
        .order_by_asc(Column::Name)
        .limit(BATCH_MAX as u64)
        .all(conn)
        .await?)
}

/// The routes, for those who work here.
///
/// # Errors
/// [`Error::Missing`] for a viewer without a role; or a fault of the database.
pub async fn listed(conn: &impl ConnectionTrait, viewer: &Viewer) -> Result<Vec<Model>> {
    if viewer.role().is_none() {
        return Err(Error::Missing { noun: "route" });
    }
    all(conn).await
}

/// A route could not be reached: it is left alone for a moment, longer with each time in a row.
///
/// Workers that find out together count once. `said` is what the network or the server said, without addresses.
///
/// # Errors
/// When the database fails.
pub async fn rest(h: &Hospital, name: &str, said: &str) -> Result<()> {
    let Some(row) = Entity::find_by_id(name).one(&h.db).await? else {
        return Ok(());
    };
    let now = h.now();
    if rests(&row, now) {
        return Ok(());
    }
    let doublings = u32::try_from(row.failures).unwrap_or_default().min(10);
    let secs = (RESTS_SECS.0 << doublings).min(RESTS_SECS.1);
    Entity::update_many()
        .col_expr(Column::Failures, Expr::value(row.failures.saturating_add(1)))
        .col_expr(Column::RestUntil, Expr::value(now + TimeDelta::seconds(secs)))
        .col_expr(Column::Failure, Expr::value(said.to_owned()))
        .filter(Column::Name.eq(name))
        .filter(Column::Failures.eq(row.failures))
        .exec(&h.db)
        .await?;
    Ok(())
}

/// A route was reached again.
///
/// # Errors
/// When the database fails.
pub async fn reached(h: &Hospital, name: &str) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Failures, Expr::value(0))
        .col_expr(Column::RestUntil, Expr::value(None::<DateTime<Utc>>))
        .col_expr(Column::Failure, Expr::value(None::<String>))
        .filter(Column::Name.eq(name))
        .filter(Column::Failures.gt(0))
        .exec(&h.db)
        .await?;
    Ok(())
}

/// Pauses a route: workers claim nothing more for it, in either lane, until it is resumed. What is on the wire is
/// finished. Doing it again changes the note.
///
/// # Errors
/// [`Error::Missing`] for a viewer without a role, or when there is no such route; [`Error::Refused`] when the note is too
/// long; or a fault of the database.
pub async fn pause(h: &Hospital, viewer: &Viewer, name: &str, note: Option<String>) -> Result<Done<Model>> {
    let note = note
        .map(|note| note.trim().to_owned())
        .filter(|note| !note.is_empty());
    if note.as_ref().is_some_and(|note| note.chars().count() > NOTE_MAX) {
        let message = "A note has at most 500 characters.";
        return Err(Error::refused(Code::TooLarge, "note", message));
    }
    let tx = db::begin_write(&h.db).await?;
    let row = of_viewer(&tx, viewer, name).await?;
    let now = h.now();
    let since = row.paused_at.unwrap_or(now);
    let mut changed = row.into_active_model();
    changed.paused_at = Set(Some(since));
    changed.pause_note = Set(note);
    let row = changed.update(&tx).await?;
    audit::record(viewer.actor(), "route.pause", Some(&name), None, now)
        .insert(&tx)
        .await?;
    tx.commit().await?;
    Ok(Done::quiet(row))
}

/// Lets a route run again at once, whatever held it: a pause, a rest or a stop. What is still wrong with it is found out
/// again.
///
/// # Errors
/// [`Error::Missing`] for a viewer without a role, or when there is no such route; or a fault of the database.
pub async fn resume(h: &Hospital, viewer: &Viewer, name: &str) -> Result<Done<Model>> {
    let tx = db::begin_write(&h.db).await?;
    let row = of_viewer(&tx, viewer, name).await?;
    let now = h.now();
    let stopped = row.stopped_at.is_some();
    let mut changed = row.into_active_model();
    changed.paused_at = Set(None);
    changed.pause_note = Set(None);
    changed.failures = Set(0);
    changed.rest_until = Set(None);
    changed.failure = Set(None);
    let mut row = changed.update(&tx).await?;
    if stopped {
        row = reputation::run_again(&tx, row, viewer.actor(), now).await?;
    }
    audit::record(viewer.actor(), "route.resume", Some(&name), None, now)
        .insert(&tx)
        .await?;
    tx.commit().await?;
    Ok(Done {
        value: row,
        signals: Vec::new(),
        nudges: vec![Subject::WaitingMail, Subject::BulkMail],
    })
}

async fn of_viewer(tx: &sea_orm::DatabaseTransaction, viewer: &Viewer, name: &str) -> Result<Model> {
    let missing = Error::Missing { noun: "route" };
    if viewer.role().is_none() {
        return Err(missing);
    }
    reputation::held(tx, name).await?.ok_or(missing)
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    fn now() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 27, 12, 0, 0).unwrap()
    }

    fn route(name: &str, priority: i32) -> Model {
        Model {
            name: name.to_owned(),
            serves_waiting: true,
            serves_bulk: true,
            priority,
            per_second: None,
            per_hour: None,
            announced_at: now(),
            paused_at: None,
            pause_note: None,
            failures: 0,
            rest_until: None,
            failure: None,
            stopped_at: None,
            stop_reason: None,
            stop_note: None,
            unjudged: false,
        }
    }

    #[test]
    fn a_route_of_the_second_rank_is_used_while_the_first_is_away() {
        let (mut first, second) = (route("a", 1), route("b", 2));
        let turn = |first: &Model| {
            let all = [first.clone(), second.clone()];
            [first, &second].map(|route| is_first(route, &all, Lane::Bulk, now()))
        };
        assert_eq!(turn(&first), [true, false]);
        first.rest_until = Some(now() + TimeDelta::seconds(1));
        assert_eq!(turn(&first), [false, true]);
        first.rest_until = Some(now());
        assert_eq!(turn(&first), [true, false], "its rest is over");
        first.paused_at = Some(now());
        assert_eq!(turn(&first), [false, true]);
    }

    #[test]
    fn routes_of_one_rank_are_used_together() {
        let all = [route("a", 1), route("b", 1)];
        assert!(
            all.iter()
                .all(|route| is_first(route, &all, Lane::Waiting, now()))
        );
    }

    #[test]
    fn a_stopped_route_still_carries_what_somebody_waits_for() {
        let mut stopped = route("a", 1);
        stopped.stopped_at = Some(now());
        assert!(!carries(&stopped, Lane::Bulk, now()));
        assert!(carries(&stopped, Lane::Waiting, now()));
        assert_eq!(state(&stopped, now()), RouteState::Stopped);
        stopped.paused_at = Some(now());
        assert!(!carries(&stopped, Lane::Waiting, now()));
        assert_eq!(state(&stopped, now()), RouteState::Paused);
    }
}
