//! The consents that come in with an inquiry.

use chrono::{DateTime, Utc};
use entity::consent_event::{
    ConsentAction, ConsentEvidence, ConsentLevel, ConsentMethod, ConsentSource, Model,
};
use entity::contact;
use entity::enums::Medium;
use entity::id::MessageId;

use super::entry::{Entry, Shown};
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
    /// What proves them.
    pub evidence: &'a ConsentEvidence,
    /// Where email consents have to be said twice: who asks for the second yes.
    pub second_yes: Option<SecondYes>,
    /// Who gave them.
    pub actor: Actor,
    /// When.
    pub now: DateTime<Utc>,
    /// Knows the wordings.
    pub playbook: &'a Playbook,
}

/// The mail that asks for the second yes to what was ticked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondYes {
    /// The mail.
    pub message_id: MessageId,
    /// Until when the second yes may come.
    pub until: DateTime<Utc>,
}

/// The events to write down: one per answer, each naming the exact wording that was shown and its language.
///
/// A consent is for an address, so an answer about a medium for which the contact has none is left out. An answer about
/// a wording that does not exist is left out too; the door has refused it before.
///
/// Where a second yes is asked for, an email consent is only pending. A consent to be called or written to on paper
/// stands at once: a click in a mail says nothing of who answers the phone.
#[must_use]
pub fn at_intake(intake: AtIntake<'_>, answers: &[ConsentAnswer]) -> Vec<Model> {
    answers
        .iter()
        .filter_map(|answer| event(intake, *answer))
        .collect()
}

fn event(intake: AtIntake<'_>, answer: ConsentAnswer) -> Option<Model> {
    let wording = intake.playbook.wordings.get(&answer.wording_id)?;
    let address = match wording.medium {
        Medium::Email => Some(intake.contact.email_normalized.clone()?),
        Medium::Phone | Medium::Sms => Some(intake.contact.phone.clone()?),
        // Paper goes to the person; the hospital keeps no address to name.
        Medium::Post => None,
    };
    let second_yes = intake
        .second_yes
        .filter(|_| answer.granted && wording.medium == Medium::Email);
    let (action, level) = match (answer.granted, second_yes) {
        (false, _) => (ConsentAction::Deny, ConsentLevel::None),
        (true, None) => (ConsentAction::Grant, ConsentLevel::Express),
        (true, Some(_)) => (ConsentAction::Pending, ConsentLevel::Express),
    };
    let mut source = intake.source.clone();
    if let Some(asks) = second_yes {
        source.message_id = Some(asks.message_id);
    }
    let entry = Entry {
        contact_id: intake.contact.id,
        medium: wording.medium,
        address,
        purpose: Some(wording.purpose),
        action,
        level,
        shown: Some(Shown::from(wording)),
        method: intake.method,
        source,
        evidence: intake.evidence.clone(),
        refers_to_id: None,
        expires_at: second_yes.map(|asks| asks.until),
        actor: intake.actor,
        occurred_at: intake.now,
    };
    Some(entry.row(intake.now))
}
