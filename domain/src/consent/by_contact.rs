//! What contacts give and take back themselves, on the page that a link of a mail opens.

use chrono::{DateTime, Utc};
use entity::consent_event::{self, ConsentEvidence, ConsentMethod, ConsentSource};
use entity::contact;
use entity::enums::{ActorKind, Medium, Purpose};
use entity::id::{ConsentWordingId, MessageId};
use sea_orm::{DatabaseTransaction, EntityTrait, IntoActiveModel};

use super::intake::{AtIntake, at_intake};
use super::withdraw::{TakeBack, take_back};
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
            form_id: None,
            message_id: Some(self.message_id),
        }
    }

    /// Writes down that the contact agrees to this text, which the page showed.
    pub(crate) async fn agree(&self, tx: &DatabaseTransaction, wording_id: ConsentWordingId) -> Result<()> {
        let source = self.source();
        let intake = AtIntake {
            contact: self.contact,
            method: ConsentMethod::PreferencePage,
            source: &source,
            evidence: &ConsentEvidence::default(),
            // The link in a mail is the proof that the address is theirs.
            second_yes: None,
            actor: self.actor(),
            now: self.now,
            playbook: self.playbook,
        };
        let answer = ConsentAnswer {
            wording_id,
            granted: true,
        };
        let events = at_intake(intake, &[answer]);
        consent_event::Entity::insert_many(events.into_iter().map(IntoActiveModel::into_active_model))
            .exec_without_returning(tx)
            .await?;
        Ok(())
    }

    /// Takes a consent back, of one purpose or of all, with all that follows in the same transaction.
    pub(crate) async fn take_back(
        &self,
        tx: &DatabaseTransaction,
        medium: Medium,
        purpose: Option<Purpose>,
    ) -> Result<Vec<Signal>> {
        let said = TakeBack {
            contact_id: self.contact.id,
            media: &[medium],
            purpose,
            method: ConsentMethod::PreferencePage,
            source: self.source(),
            evidence: ConsentEvidence::default(),
            actor: self.actor(),
        };
        Ok(take_back(tx, said, self.now).await?.signals)
    }
}
