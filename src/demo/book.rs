//! The rows of the history, and the ids that they get.

use chrono::{DateTime, Utc};
use domain::lead::event::NewEvent;
use entity::id::TypedId;
use entity::{
    appointment, attempt, campaign_spend, consent_event, contact, enrollment, follow_up, lead, lead_event,
    message, message_event, suppression, touchpoint,
};
use sea_orm::ActiveValue::Set;
use sea_orm::prelude::Uuid;

use super::chance::Chance;

/// Everything that is written at the end.
pub(super) struct Book {
    pub(super) contacts: Vec<contact::Model>,
    pub(super) leads: Vec<lead::Model>,
    pub(super) events: Vec<lead_event::ActiveModel>,
    pub(super) consents: Vec<consent_event::Model>,
    pub(super) suppressions: Vec<suppression::Model>,
    pub(super) touchpoints: Vec<touchpoint::Model>,
    pub(super) attempts: Vec<attempt::Model>,
    pub(super) appointments: Vec<appointment::Model>,
    pub(super) enrollments: Vec<enrollment::Model>,
    pub(super) follow_ups: Vec<follow_up::Model>,
    pub(super) messages: Vec<message::ActiveModel>,
    pub(super) message_events: Vec<message_event::ActiveModel>,
    pub(super) spend: Vec<campaign_spend::Model>,
    /// How many mails of which nobody knows are in it.
    pub(super) unknown: usize,
    chance: Chance,
    ids_made: u64,
}

impl Book {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            contacts: Vec::new(),
            leads: Vec::new(),
            events: Vec::new(),
            consents: Vec::new(),
            suppressions: Vec::new(),
            touchpoints: Vec::new(),
            attempts: Vec::new(),
            appointments: Vec::new(),
            enrollments: Vec::new(),
            follow_ups: Vec::new(),
            messages: Vec::new(),
            message_events: Vec::new(),
            spend: Vec::new(),
            unknown: 0,
            chance: Chance::new(seed, u64::MAX / 2),
            ids_made: 0,
        }
    }

    /// An id of the instant `at` (RFC 9562, 5.7): milliseconds, then a counter that keeps the order within one, then
    /// chance. The program's own ids only go forward, so they cannot tell of the past.
    pub(super) fn id<T: TypedId>(&mut self, at: DateTime<Utc>) -> T {
        self.ids_made += 1;
        let millis = u128::from(at.timestamp_millis().unsigned_abs()) & 0xffff_ffff_ffff;
        let counter = u128::from(self.ids_made & 0x3fff_ffff);
        let (high, low) = (counter >> 18, counter & 0x3_ffff);
        let chance = u128::from(self.chance.bits()) & 0xfff_ffff_ffff;
        T::from_uuid(Uuid::from_u128(
            millis << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low << 44 | chance,
        ))
    }

    /// Takes down an event of a lead.
    pub(super) fn event(&mut self, event: NewEvent, at: DateTime<Utc>) {
        let id = self.id(at);
        let mut row = event.row();
        row.id = Set(id);
        self.events.push(row);
    }

    /// Takes down an event of a message.
    pub(super) fn message_event(&mut self, mut row: message_event::ActiveModel, at: DateTime<Utc>) {
        row.id = Set(self.id(at));
        self.message_events.push(row);
    }
}
