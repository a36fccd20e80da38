//! What contacts give and take back themselves, on the page that a link of a mail opens.

use chrono::{DateTime, Utc};
use entity::consent_event::{ConsentMethod, ConsentSource};
use entity::contact;
use entity::enums::{ActorKind, Medium, Purpose};
use entity::id::{ConsentWordingId, MessageId};
use sea_orm::{ActiveModelTrait, DatabaseTransaction};

use super::intake::{AtIntake, at_intake};
use super::withdraw::{Said, take_effect};
use crate::error::Result;
use crate::lead::inquiry::ConsentAnswer;
use crate::playbook::Playbook;
use crate::signal::Signal;
use crate::viewer::Actor;

/// A contact that says something on its page. It must be locked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnThePage<'a> {
    /// Who says it.
    pub(crate) contact: &'a contact::Model,
    /// The mail whose link opened the page.
    pub(crate) message_id: MessageId,
    /// When.
    pub(crate) now: DateTime<Utc>,
    /// Knows the wordings.
    pub(crate) playbook: &'a Playbook,
}

impl OnThePage<'_> {
    /// How the contact's own deeds are written down.
    pub(crate) fn actor(&self) -> Actor {
        Actor {
            kind: ActorKind::Contact,
            id: Some(self.contact.id.0),
        }
    }

    fn source(&self) -> ConsentSource {
        ConsentSource {
            message_id: Some(self.message_id),
            ..ConsentSource::default()
        }
    }

    /// Writes down that the contact agrees to this text, which the page showed.
    pub(crate) async fn agree(&self, tx: &DatabaseTransaction, wording_id: ConsentWordingId) -> Result<()> {
        let source = self.source();
        let intake = AtIntake {
            contact: self.contact,
            method: ConsentMethod::PreferencePage,
            source: &source,
            actor: self.actor(),
            now: self.now,
            playbook: self.playbook,
        };
        let answer = ConsentAnswer {
            wording_id,
            granted: true,
        };
        for event in at_intake(intake, &[answer]) {
            event.insert(tx).await?;
        }
        Ok(())
    }

    /// Takes a consent back, of one purpose or of all, with all that follows in the same transaction.
    pub(crate) async fn take_back(
        &self,
        tx: &DatabaseTransaction,
        medium: Medium,
        purpose: Option<Purpose>,
    ) -> Result<Vec<Signal>> {
        let said = Said {
            contact_id: self.contact.id,
            purpose,
            method: ConsentMethod::PreferencePage,
            source: self.source(),
            actor: self.actor(),
            now: self.now,
        };
        let event = said.event(medium).insert(tx).await?;
        if medium == Medium::Email {
            return Ok(take_effect(tx, &said, event.id).await?.signals);
        }
        Ok(Vec::new())
    }
}
