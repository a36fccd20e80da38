//! What happened to a lead: events, attempts, appointments.

use async_graphql::{Context, Error, ID, Object};
use entity::enums::ActorKind as StoredActorKind;
use entity::id::{LeadId, StaffId, TokenId};
use entity::{appointment, attempt, lead_event};
use uuid::Uuid;

use super::Lead;
use crate::graphql::ask::Ask;
use crate::graphql::children::Children;
use crate::graphql::directory::{self, Facility, Staff};
use crate::graphql::id::id;
use crate::graphql::page::Order;
use crate::graphql::scalars::DateTime;
use crate::graphql::vocabulary::{
    ActorKind, AppointmentState, AttemptOutcome, LeadEventKind, LeadStage, Medium,
};

/// The events of a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TimelineOfLead;

impl Children for TimelineOfLead {
    type Entity = lead_event::Entity;
    type Parent = LeadId;

    const PARENT: lead_event::Column = lead_event::Column::LeadId;
    const ORDER: Order<lead_event::Entity> = Order {
        name: "timeline",
        columns: &[lead_event::Column::Id],
        descending: true,
    };
}

/// The attempts of a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AttemptsOfLead;

impl Children for AttemptsOfLead {
    type Entity = attempt::Entity;
    type Parent = LeadId;

    const PARENT: attempt::Column = attempt::Column::LeadId;
    const ORDER: Order<attempt::Entity> = Order {
        name: "attempts",
        columns: &[attempt::Column::At, attempt::Column::Id],
        descending: true,
    };
}

/// The appointments of a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AppointmentsOfLead;

impl Children for AppointmentsOfLead {
    type Entity = appointment::Entity;
    type Parent = LeadId;

    const PARENT: appointment::Column = appointment::Column::LeadId;
    const ORDER: Order<appointment::Entity> = Order {
        name: "appointments",
        columns: &[appointment::Column::StartsAt, appointment::Column::Id],
        descending: true,
    };
}

/// What happened to a lead, never changed afterwards.
pub struct LeadEvent(pub lead_event::Model);

/// What happened to a lead, never changed afterwards.
#[Object]
impl LeadEvent {
    /// The id; its order is the order of events.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The lead.
    async fn lead(&self, ctx: &Context<'_>) -> Result<Option<Lead>, Error> {
        super::lead(Ask::of(ctx), Some(self.0.lead_id)).await
    }

    /// What happened.
    async fn kind(&self) -> LeadEventKind {
        self.0.kind.into()
    }

    /// The stage before, for a change of stage.
    async fn from_stage(&self) -> Option<LeadStage> {
        self.0.from_stage.map(Into::into)
    }

    /// The stage after, for a change of stage.
    async fn to_stage(&self) -> Option<LeadStage> {
        self.0.to_stage.map(Into::into)
    }

    /// Who did it.
    async fn actor(&self) -> Actor {
        actor(self.0.actor_kind, self.0.actor_id)
    }

    /// More facts: names and ids, never the person's own words.
    async fn data(&self) -> serde_json::Value {
        serde_json::Value::Object(self.0.data.0.clone())
    }

    /// When it happened.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }
}

/// Who did something.
pub struct Actor {
    kind: StoredActorKind,
    id: Option<Uuid>,
}

/// Who did something, as it was written down.
pub const fn actor(kind: StoredActorKind, id: Option<Uuid>) -> Actor {
    Actor { kind, id }
}

/// Who did something.
#[Object]
impl Actor {
    /// What kind of actor.
    async fn kind(&self) -> ActorKind {
        self.kind.into()
    }

    /// The member of staff, if it was one.
    async fn staff(&self, ctx: &Context<'_>) -> Result<Option<Staff>, Error> {
        let staff = self
            .id
            .filter(|_| self.kind == StoredActorKind::Staff)
            .map(StaffId);
        directory::staff(Ask::of(ctx), staff).await
    }

    /// Name of the member of staff or of the token.
    async fn name(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        let ask = Ask::of(ctx);
        match (self.kind, self.id) {
            (StoredActorKind::Staff, Some(id)) => Ok(directory::staff(ask, Some(StaffId(id)))
                .await?
                .map(|staff| staff.0.display_name.clone())),
            (StoredActorKind::Token, Some(id)) => Ok(ask.load(TokenId(id)).await?.map(|token| token.name)),
            _ => Ok(None),
        }
    }
}

/// One human try to reach a lead.
pub struct Attempt(pub attempt::Model);

/// One human try to reach a lead.
#[Object]
impl Attempt {
    /// The id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Who tried; null when a program logged it.
    async fn staff(&self, ctx: &Context<'_>) -> Result<Option<Staff>, Error> {
        directory::staff(Ask::of(ctx), self.0.staff_id).await
    }

    /// How.
    async fn medium(&self) -> Medium {
        self.0.medium.into()
    }

    /// What came of it.
    async fn outcome(&self) -> AttemptOutcome {
        self.0.outcome.into()
    }

    /// What the coordinator wrote.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// When the person asked to be called.
    async fn callback_at(&self) -> Option<DateTime> {
        self.0.callback_at.map(Into::into)
    }

    /// When it was made.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }
}

/// A booked visit of a lead.
pub struct Appointment(pub appointment::Model);

/// A booked visit of a lead.
#[Object]
impl Appointment {
    /// The id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Where it takes place.
    async fn facility(&self, ctx: &Context<'_>) -> Result<Option<Facility>, Error> {
        directory::facility(Ask::of(ctx), self.0.facility_id).await
    }

    /// When it starts.
    async fn starts_at(&self) -> DateTime {
        self.0.starts_at.into()
    }

    /// When it ends.
    async fn ends_at(&self) -> Option<DateTime> {
        self.0.ends_at.map(Into::into)
    }

    /// Where it stands.
    async fn state(&self) -> AppointmentState {
        self.0.state.into()
    }
}
