//! Changes of follow-ups, of one or of many by the same way: locked in their transaction, written with their events, told
//! after the commit.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::follow_up::{Column, FollowUpState, Model};
use entity::id::FollowUpId;
use entity::lead_event::{self, LeadEventKind};
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::find;
use super::write::write;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::lead::event::NewEvent;
use crate::nudge::Subject;
use crate::signal::Signal;
use crate::viewer::{Actor, Viewer};

/// Most follow-ups that are changed at once.
pub const CHANGED_MAX: usize = 100;

/// The event that a lead's history gets when a follow-up about it changes. `change` is one of `OPENED`, `DONE`,
/// `CANCELLED`, `SNOOZED`, `MOVED`, `ASSIGNED`, `CHECKED`, `UNCHECKED`.
pub(crate) fn changed_event(row: &Model, change: &'static str, actor: Actor, now: DateTime<Utc>) -> NewEvent {
    NewEvent::new(row.lead_id, LeadEventKind::FollowUpChanged, actor, now)
        .with("followUpId", row.id.to_string())
        .with("kind", row.kind.as_str())
        .with("change", change)
}

/// A follow-up that is to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The follow-up.
    pub id: FollowUpId,
    /// The version that was read, to find out if somebody was faster.
    pub version: Option<i64>,
}

/// What came of changing one of several follow-ups.
#[derive(Debug)]
pub struct Changed {
    /// The follow-up that was named.
    pub id: FollowUpId,
    /// The follow-up after it, or why it stays as it was.
    pub outcome: Result<Model>,
}

/// The ids of several follow-ups, each once.
///
/// # Errors
/// [`Error::Refused`] at `id` when there are none, more than [`CHANGED_MAX`], or one of them twice.
pub fn wanted(ids: Vec<FollowUpId>) -> Result<Vec<Wanted>> {
    if ids.is_empty() {
        return Err(Error::refused(Code::Required, "id", "Name a follow-up."));
    }
    if ids.len() > CHANGED_MAX {
        let message = format!("Name at most {CHANGED_MAX} follow-ups.");
        return Err(Error::refused(Code::TooLarge, "id", message));
    }
    let mut seen = HashSet::new();
    if !ids.iter().all(|id| seen.insert(*id)) {
        return Err(Error::refused(Code::Invalid, "id", "Name each follow-up once."));
    }
    Ok(ids.into_iter().map(|id| Wanted { id, version: None }).collect())
}

/// Follow-ups that are held until the transaction ends.
pub(super) struct Changes {
    pub(super) tx: DatabaseTransaction,
    pub(super) actor: Actor,
    pub(super) now: DateTime<Utc>,
    /// What was asked for, in that order, with what comes of it.
    asked: Vec<Changed>,
    /// Those that changed, as they are written.
    pub(super) rows: Vec<Model>,
}

impl Changes {
    /// Holds the follow-ups. Only open ones change.
    pub(super) async fn begin(h: &Hospital, viewer: &Viewer, wanted: &[Wanted]) -> Result<Self> {
        let tx = db::begin_write(&h.db).await?;
        // In the order of their ids, as everybody who holds several: nobody waits in a circle.
        let held = find::visible_to(viewer)
            .filter(Column::Id.is_in(wanted.iter().map(|wanted| wanted.id)))
            .order_by_asc(Column::Id)
            .lock(LockType::NoKeyUpdate)
            .all(&tx)
            .await?;
        let mut held: HashMap<FollowUpId, Model> = held.into_iter().map(|row| (row.id, row)).collect();
        let asked = wanted
            .iter()
            .map(|wanted| Changed {
                id: wanted.id,
                outcome: changeable(held.remove(&wanted.id), wanted.version),
            })
            .collect();
        Ok(Self {
            tx,
            actor: viewer.actor(),
            // Read after the lock: whoever waited for it comes later than whom it waited for.
            now: h.now(),
            asked,
            rows: Vec::new(),
        })
    }

    /// The first that may change.
    pub(super) fn held(&self) -> Option<&Model> {
        self.asked.iter().find_map(|asked| asked.outcome.as_ref().ok())
    }

    /// Edits and writes each row that may change. What a rule refuses stays, and so does what the edit leaves as it is.
    /// Whoever had a changed row in hand has it no longer.
    pub(super) async fn save(
        &mut self,
        edit: impl Fn(&mut Model, DateTime<Utc>) -> Result<()>,
    ) -> Result<()> {
        for asked in &mut self.asked {
            let Ok(row) = &mut asked.outcome else { continue };
            let mut edited = row.clone();
            if let Err(refusal) = edit(&mut edited, self.now) {
                asked.outcome = Err(refusal);
            } else if edited != *row {
                edited.version += 1;
                put_back(&mut edited);
                self.rows.push(edited.clone());
                *row = edited;
            }
        }
        write(&self.tx, &self.rows).await
    }

    /// Appends an event for each changed row and commits.
    pub(super) async fn commit(
        self,
        event: impl Fn(&Model) -> NewEvent,
        nudges: Vec<Subject>,
    ) -> Result<Done<Vec<Changed>>> {
        let mut signals = Vec::with_capacity(2 * self.rows.len());
        let mut events = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let event = event(row);
            signals.extend([event.signal(), Signal::FollowUpChanged { follow_up_id: row.id }]);
            events.push(event.row());
        }
        if !events.is_empty() {
            lead_event::Entity::insert_many(events)
                .exec_without_returning(&self.tx)
                .await?;
        }
        self.tx.commit().await?;
        Ok(Done {
            value: self.asked,
            signals,
            nudges,
        })
    }
}

/// Commits a change of what belongs to a held row, which stays as it is, with its event.
pub(super) async fn commit_beside(changes: Changes, row: Model, event: NewEvent) -> Result<Done<Model>> {
    let signals = vec![event.signal(), Signal::FollowUpChanged { follow_up_id: row.id }];
    lead_event::Entity::insert(event.row())
        .exec_without_returning(&changes.tx)
        .await?;
    changes.tx.commit().await?;
    Ok(Done {
        value: row,
        signals,
        nudges: Vec::new(),
    })
}

fn changeable(row: Option<Model>, version: Option<i64>) -> Result<Model> {
    let row = row.ok_or(Error::Missing { noun: "follow-up" })?;
    if version.is_some_and(|version| version != row.version) {
        let message = "The follow-up has changed since you read it; read it again.";
        return Err(Error::refused(Code::VersionConflict, "version", message));
    }
    if row.state != FollowUpState::Open {
        return Err(Error::refused(
            Code::NotAllowedNow,
            "id",
            "The follow-up is no longer open.",
        ));
    }
    Ok(row)
}

/// Nobody has the follow-up in hand any more.
pub(crate) fn put_back(row: &mut Model) {
    row.taken_by_id = None;
    row.taken_until = None;
}

/// The outcome of a change of one.
pub(super) fn only(done: Done<Vec<Changed>>) -> Result<Done<Model>> {
    let Done {
        value,
        signals,
        nudges,
    } = done;
    let changed = value.into_iter().next();
    let changed = changed.ok_or_else(|| Error::fault("a change of one answered none"))?;
    Ok(Done {
        value: changed.outcome?,
        signals,
        nudges,
    })
}
