//! The consents that come in with an inquiry.

use chrono::{DateTime, Utc};
use entity::consent_event::{ActiveModel, ConsentAction, ConsentLevel, ConsentMethod, ConsentSource};
use entity::contact;
use entity::enums::Medium;
use sea_orm::ActiveValue::Set;

use crate::id::new_id;
use crate::lead::inquiry::ConsentAnswer;
use crate::playbook::Playbook;
use crate::viewer::Actor;

/// Where consents were given.
#[derive(Clone, Copy, Debug)]
pub struct AtIntake<'a> {
    /// Whose they are, as the contact stands after the inquiry.
    pub contact: &'a contact::Model,
    /// By which door they came.
    pub method: ConsentMethod,
    /// Where they were given.
    pub source: &'a ConsentSource,
    /// Who gave them.
    pub actor: Actor,
    /// When.
    pub now: DateTime<Utc>,
    /// Knows the wordings.
    pub playbook: &'a Playbook,
}

/// The events to write down: one per answer, each naming the exact wording that was shown and its language.
///
/// A consent is for an address, so an answer about a medium for which the contact has none is left out. An answer about
/// a wording that does not exist is left out too; the door has refused it before.
#[must_use]
pub fn at_intake(intake: AtIntake<'_>, answers: &[ConsentAnswer]) -> Vec<ActiveModel> {
    answers
        .iter()
        .filter_map(|answer| event(intake, *answer))
        .collect()
}

fn event(intake: AtIntake<'_>, answer: ConsentAnswer) -> Option<ActiveModel> {
    let wording = intake.playbook.wordings.get(&answer.wording_id)?;
    let address = match wording.medium {
        Medium::Email => Some(intake.contact.email_normalized.clone()?),
        Medium::Phone | Medium::Sms => Some(intake.contact.phone.clone()?),
        // Paper goes to the person; the hospital keeps no address to name.
        Medium::Post => None,
    };
    let (action, level) = if answer.granted {
        (ConsentAction::Grant, ConsentLevel::Express)
    } else {
        (ConsentAction::Deny, ConsentLevel::None)
    };
    Some(ActiveModel {
        id: Set(new_id(intake.now)),
        contact_id: Set(intake.contact.id),
        medium: Set(wording.medium),
        address: Set(address),
        purpose: Set(Some(wording.purpose)),
        action: Set(action),
        level: Set(level),
        wording_id: Set(Some(wording.id)),
        language: Set(Some(wording.language.clone())),
        method: Set(intake.method),
        source: Set(intake.source.clone()),
        actor_kind: Set(intake.actor.kind),
        actor_id: Set(intake.actor.id),
        occurred_at: Set(intake.now),
        recorded_at: Set(intake.now),
    })
}
