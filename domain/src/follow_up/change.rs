//! One change of one follow-up: locked in its transaction, written with its event, told after the commit.

use chrono::{DateTime, Utc};
use entity::follow_up::{ActiveModel, FollowUpState, Model};
use entity::id::FollowUpId;
use entity::lead_event::{self, LeadEventKind};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, EntityTrait, IntoActiveModel};

use super::find;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::lead::event::NewEvent;
use crate::nudge::Subject;
use crate::signal::Signal;
use crate::viewer::{Actor, Viewer};

/// The event that a lead's history gets when a follow-up about it changes. `change` is one of `OPENED`, `DONE`,
/// `CANCELLED`, `SNOOZED`, `MOVED`, `ASSIGNED`.
pub(crate) fn changed_event(row: &Model, change: &'static str, actor: Actor, now: DateTime<Utc>) -> NewEvent {
    NewEvent::new(row.lead_id, LeadEventKind::FollowUpChanged, actor, now)
        .with("followUpId", row.id.to_string())
        .with("kind", row.kind.as_str())
        .with("change", change)
}

/// An open follow-up, held until the transaction ends.
pub(super) struct Change {
    pub(super) tx: DatabaseTransaction,
    pub(super) actor: Actor,
    pub(super) now: DateTime<Utc>,
    pub(super) row: Model,
}

impl Change {
    /// Holds the follow-up. Only open ones change.
    pub(super) async fn begin(
        h: &Hospital,
        viewer: &Viewer,
        id: FollowUpId,
        version: Option<i64>,
    ) -> Result<Self> {
        let now = h.now();
        let tx = db::begin_write(&h.db).await?;
        let row = find::for_change(&tx, viewer, id).await?;
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
        Ok(Self {
            tx,
            actor: viewer.actor(),
            now,
            row,
        })
    }

    /// Writes the changed row.
    pub(super) async fn save(&mut self, edit: impl FnOnce(&mut ActiveModel)) -> Result<()> {
        let mut row = self.row.clone().into_active_model();
        edit(&mut row);
        row.version = Set(self.row.version + 1);
        self.row = row.update(&self.tx).await?;
        Ok(())
    }

    /// Appends the event and commits.
    pub(super) async fn commit(self, event: NewEvent, nudges: Vec<Subject>) -> Result<Done<Model>> {
        let signals = vec![
            event.signal(),
            Signal::FollowUpChanged {
                follow_up_id: self.row.id,
            },
        ];
        lead_event::Entity::insert(event.row())
            .exec_without_returning(&self.tx)
            .await?;
        self.tx.commit().await?;
        Ok(Done {
            value: self.row,
            signals,
            nudges,
        })
    }
}
