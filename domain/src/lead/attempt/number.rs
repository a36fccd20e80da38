//! What an attempt says about the phone number itself. It acts on the contact at once, for all its leads.

use entity::attempt::Model;
use entity::consent_event::{ConsentEvidence, ConsentSource};
use entity::contact;
use entity::enums::{AttemptOutcome, Medium};
use entity::lead_event::LeadEventKind;
use entity::suppression::SuppressionReason;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, IntoActiveModel};

use crate::consent::lock::lock_contacts;
use crate::consent::record::method;
use crate::consent::withdraw::{TakeBack, take_back};
use crate::error::Result;
use crate::lead::change::Change;
use crate::lead::event::NewEvent;
use crate::outreach::suppress;

/// A wrong number leaves the contact, so that nobody calls a stranger again. Who asked not to be called takes back every
/// consent to be called, and the number is suppressed, whoever else may have it.
pub(super) async fn heed(change: &mut Change<'_>, attempt: &Model) -> Result<()> {
    let by_number = matches!(attempt.medium, Medium::Phone | Medium::Sms);
    match attempt.outcome {
        AttemptOutcome::WrongNumber if by_number => forget(change, attempt).await,
        AttemptOutcome::DoNotCall => never_call(change, attempt).await,
        _ => Ok(()),
    }
}

async fn forget(change: &mut Change<'_>, attempt: &Model) -> Result<()> {
    let contact = held(change).await?;
    if contact.phone.is_none() {
        return Ok(());
    }
    let edited = contact::ActiveModel {
        phone: Set(None),
        updated_at: Set(change.now),
        ..contact.into_active_model()
    };
    edited.update(&change.tx).await?;
    let event = NewEvent::new(attempt.lead_id, LeadEventKind::Updated, change.actor, change.now)
        .with("contactFields", vec!["phone"])
        .with("attemptId", attempt.id.to_string());
    change.record(event).await
}

async fn never_call(change: &mut Change<'_>, attempt: &Model) -> Result<()> {
    let contact = held(change).await?;
    let said = TakeBack {
        contact_id: contact.id,
        media: &[Medium::Phone],
        purpose: None,
        method: method(change.actor.kind),
        source: ConsentSource::default(),
        evidence: ConsentEvidence {
            note: Some(format!("Asked not to be called: {}", attempt.id)),
            ..ConsentEvidence::default()
        },
        actor: change.actor,
    };
    let taken = take_back(&change.tx, said, change.now).await?;
    change.tell(taken.signals.into_iter());
    if let Some(number) = &contact.phone {
        let reason = SuppressionReason::DoNotContact;
        suppress::keep_number(&change.tx, change.h, Medium::Phone, number, reason, change.now).await?;
    }
    Ok(())
}

/// The contact, held as everybody holds it who writes what it agrees to.
async fn held(change: &Change<'_>) -> Result<contact::Model> {
    lock_contacts(&change.tx, &[change.lead.contact_id]).await?;
    change.contact().await
}
