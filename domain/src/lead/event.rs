//! Lead events: the history that every change appends to, in its own transaction.

use chrono::{DateTime, Utc};
use entity::enums::LeadStage;
use entity::id::{LeadEventId, LeadId};
use entity::lead_event::{ActiveModel, EventData, LeadEventKind};
use sea_orm::ActiveValue::Set;
use serde_json::Value;

use crate::id::new_id;
use crate::signal::Signal;
use crate::viewer::Actor;

/// An event about to be written.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// The id, known before the row is written so that signals can name it.
    pub id: LeadEventId,
    lead_id: LeadId,
    kind: LeadEventKind,
    stages: Option<(LeadStage, LeadStage)>,
    actor: Actor,
    data: EventData,
    at: DateTime<Utc>,
}

impl NewEvent {
    /// Something that happened to a lead at `at`.
    pub fn new(lead_id: LeadId, kind: LeadEventKind, actor: Actor, at: DateTime<Utc>) -> Self {
        Self {
            id: new_id(at),
            lead_id,
            kind,
            stages: None,
            actor,
            data: EventData::default(),
            at,
        }
    }

    /// A change of stage.
    pub fn stage(lead_id: LeadId, from: LeadStage, to: LeadStage, actor: Actor, at: DateTime<Utc>) -> Self {
        Self {
            stages: Some((from, to)),
            ..Self::new(lead_id, LeadEventKind::StageChanged, actor, at)
        }
    }

    /// A closed lead that was opened again. It names the stages, and is no arrival in one.
    pub fn reopened(lead_id: LeadId, to: LeadStage, actor: Actor, at: DateTime<Utc>) -> Self {
        Self {
            kind: LeadEventKind::Reopened,
            ..Self::stage(lead_id, LeadStage::Closed, to, actor, at)
        }
    }

    /// Adds a fact: a name or an id, never the person's own words.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.data.0.insert(key.to_owned(), value.into());
        self
    }

    /// What listeners are told of it.
    pub fn signal(&self) -> Signal {
        Signal::LeadChanged {
            lead_id: self.lead_id,
            event_id: self.id,
        }
    }

    /// The row.
    pub fn row(self) -> ActiveModel {
        ActiveModel {
            id: Set(self.id),
            lead_id: Set(self.lead_id),
            kind: Set(self.kind),
            from_stage: Set(self.stages.map(|(from, _)| from)),
            to_stage: Set(self.stages.map(|(_, to)| to)),
            actor_kind: Set(self.actor.kind),
            actor_id: Set(self.actor.id),
            data: Set(self.data),
            at: Set(self.at),
        }
    }
}
