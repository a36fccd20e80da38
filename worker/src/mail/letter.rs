//! Which words a message is made of.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::{DateTime, TimeDelta, Utc};
use domain::hospital::Hospital;
use domain::lead::form_draft;
use domain::outreach::claim::{Recipient, Sendable};
use domain::outreach::click;
use domain::outreach::template::{LinkAddress, MailFacts, Renderer, TemplateFault, sample};
use domain::playbook::Playbook;
use domain::preference;
use entity::enums::Purpose;
use entity::message::{GateReason, MessageKind};
use entity::{contact, staff};

use super::paper::Words;
use super::{
    BadAddress, Letterhead, LetterheadError, Mail, Parts, Postage, form_saved, opt_in, staff_notice,
};

/// Why a message cannot be written. Trying again does not cure it. Holds nothing of the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unwritable {
    /// The recipient's address cannot stand in an envelope.
    Address,
    /// The template failed, or is none.
    Template(Option<TemplateFault>),
    /// It could not be signed.
    Unsigned,
}

impl Unwritable {
    /// Why the message is withheld then.
    pub(crate) const fn reason(&self) -> GateReason {
        match self {
            Self::Address => GateReason::NoAddress,
            Self::Template(_) | Self::Unsigned => GateReason::TemplateFailed,
        }
    }
}

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address => f.write_str("the address cannot be used"),
            Self::Template(Some(fault)) => fault.fmt(f),
            Self::Template(None) => f.write_str("there is no text for it"),
            Self::Unsigned => f.write_str("it cannot be signed"),
        }
    }
}

impl From<BadAddress> for Unwritable {
    fn from(_: BadAddress) -> Self {
        Self::Address
    }
}

impl From<TemplateFault> for Unwritable {
    fn from(fault: TemplateFault) -> Self {
        Self::Template(Some(fault))
    }
}

/// Writes messages.
#[derive(Debug)]
pub(crate) struct Writer {
    letterhead: Letterhead,
    renderer: Renderer,
    postage: Postage,
}

impl Writer {
    pub(crate) fn new(hospital: &Hospital, postage: Postage) -> Result<Self, LetterheadError> {
        Ok(Self {
            postage,
            letterhead: Letterhead::new(&hospital.site)?,
            renderer: Renderer::default(),
        })
    }

    /// Writes one message. One that makes the renderer panic cannot be written: it must not hold up those beside it, now
    /// and at every claim.
    pub(crate) fn write(
        &self,
        h: &Hospital,
        playbook: &Playbook,
        sendable: &Sendable,
        now: DateTime<Utc>,
    ) -> Result<Mail, Unwritable> {
        let write = || {
            let mail = self.write_or_panic(h, playbook, sendable, now)?;
            let stamped = self.postage.stamp(&h.secrets, sendable.id(), mail);
            stamped.ok_or(Unwritable::Unsigned)
        };
        catch_unwind(AssertUnwindSafe(write)).unwrap_or(Err(Unwritable::Template(None)))
    }

    fn write_or_panic(
        &self,
        h: &Hospital,
        playbook: &Playbook,
        sendable: &Sendable,
        now: DateTime<Utc>,
    ) -> Result<Mail, Unwritable> {
        match sendable.recipient() {
            Recipient::Contact(contact) => self.to_contact(h, playbook, sendable, contact, now),
            Recipient::Staff(staff) if sendable.message().kind == MessageKind::TemplateTest => {
                self.test_mail(h, sendable, staff, now)
            }
            Recipient::Staff(staff) => {
                let site = &h.site;
                let message = sendable.message();
                let words = if message.kind == MessageKind::SequenceNotice {
                    let lead = message.lead_id.ok_or(Unwritable::Template(None))?;
                    staff_notice::words_of_sequence(site, lead, &message.subject)
                } else if message.kind == MessageKind::FollowUpDigest {
                    let digest = sendable.digest().ok_or(Unwritable::Template(None))?;
                    staff_notice::words_of_digest(site, digest, staff, &message.subject, now)
                } else if matches!(message.kind, MessageKind::SlaWarning | MessageKind::SlaTakenBack) {
                    let lead = message.lead_id.ok_or(Unwritable::Template(None))?;
                    staff_notice::words_of_silence(site, message.kind, lead, &message.subject)
                } else if message.kind == MessageKind::SendingAlert {
                    staff_notice::words_of_alert(site, &message.subject)
                } else {
                    let follow_up = sendable.follow_up().ok_or(Unwritable::Template(None))?;
                    staff_notice::words(site, message.kind, follow_up, staff, &message.subject)
                };
                self.built_in(sendable, &staff.display_name, words, now)
            }
        }
    }

    /// A template to look at, filled in with what is known of nobody. It says so in its subject.
    fn test_mail(
        &self,
        h: &Hospital,
        sendable: &Sendable,
        staff: &staff::Model,
        now: DateTime<Utc>,
    ) -> Result<Mail, Unwritable> {
        let message = sendable.message();
        let template = sendable.template().ok_or(Unwritable::Template(None))?;
        let wanted = message.language.as_deref().unwrap_or(&template.default_language);
        let body = template.body(wanted).ok_or(Unwritable::Template(None))?;
        let facts = MailFacts {
            postal_address: &h.site.postal_address,
            hospital_name: &h.site.name,
            ..sample::everything_known()
        };
        // Not remembered: what is tried need not be what was approved.
        let rendered = self.renderer.render_body(body, &facts)?;
        Ok(self.letterhead.write(Parts {
            to_name: &staff.display_name,
            to_address: sendable.address(),
            subject: format!("[Test] {}", rendered.subject),
            text: rendered.text,
            html: rendered.html,
            message_id: &message.rfc_message_id,
            unsubscribe_url: None,
            automatic: true,
            date: now,
        })?)
    }

    fn to_contact(
        &self,
        h: &Hospital,
        playbook: &Playbook,
        sendable: &Sendable,
        contact: &contact::Model,
        now: DateTime<Utc>,
    ) -> Result<Mail, Unwritable> {
        let message = sendable.message();
        if message.kind == MessageKind::OptIn {
            return self.ask_again(h, sendable, contact, now);
        }
        if message.kind == MessageKind::FormSaved {
            return self.bring_link(h, sendable, now);
        }
        let token = h.secrets.unsubscribe_token(message.id.0);
        let unsubscribe_url = format!("{}/u/{token}", h.site.public_url);
        let template = sendable.template().ok_or(Unwritable::Template(None))?;
        let (lead, visit) = (sendable.lead(), sendable.next_visit());
        let preferences_url = preference::link::url(h, message, contact);
        let draft = sendable.draft();
        // Never a link that leads nowhere: without a saved form it is the first page, which names all forms alike.
        let finish_url = draft.map_or_else(
            || format!("{}/", h.site.public_url),
            |draft| form_draft::url(&h.site, &h.secrets, draft.id),
        );
        let facts = MailFacts {
            unsubscribe_url: &unsubscribe_url,
            preferences_url: &preferences_url,
            finish_url: &finish_url,
            ..MailFacts::of(&h.site, playbook, contact, lead, visit)
        };
        let wanted = message.language.as_deref().unwrap_or(&contact.language);
        let address = |target: &str| click::address(h, message.id, target);
        let opaque: Option<&LinkAddress<'_>> = sendable.shows_clicks().then_some(&address);
        let rendered = self.renderer.render(template, wanted, &facts, opaque)?;
        // A confirmation was asked for, so there is no list to leave (facts: transactional mail is exempt).
        let is_nurture = message.kind == MessageKind::Nurture;
        Ok(self.letterhead.write(Parts {
            to_name: &contact.display_name(),
            to_address: sendable.address(),
            subject: rendered.subject,
            text: rendered.text,
            html: rendered.html,
            message_id: &message.rfc_message_id,
            unsubscribe_url: is_nurture.then_some(&unsubscribe_url),
            automatic: !is_nurture || message.purpose == Purpose::Reminder,
            date: now,
        })?)
    }

    /// The mail with the link to a saved form. It names nobody and no form.
    fn bring_link(&self, h: &Hospital, sendable: &Sendable, now: DateTime<Utc>) -> Result<Mail, Unwritable> {
        let message = sendable.message();
        let draft = sendable.draft().ok_or(Unwritable::Template(None))?;
        let url = form_draft::url(&h.site, &h.secrets, draft.id);
        let language = message.language.as_deref().unwrap_or("en");
        // A day that has begun is told whole: the mail goes a moment after the form was saved.
        let kept_days = (draft.expires_at - now - TimeDelta::seconds(1)).num_days() + 1;
        let words = form_saved::words(&h.site, language, &message.subject, &url, kept_days);
        self.built_in(sendable, "", words, now)
    }

    /// The mail that asks for the second yes. It names nobody: whose address it is, is not proved yet.
    fn ask_again(
        &self,
        h: &Hospital,
        sendable: &Sendable,
        contact: &contact::Model,
        now: DateTime<Utc>,
    ) -> Result<Mail, Unwritable> {
        let message = sendable.message();
        let token = h.secrets.opt_in_token(message.id.0);
        let url = format!("{}/c/{token}", h.site.public_url);
        let words = opt_in::words(&h.site, &contact.language, &message.subject, &url);
        self.built_in(sendable, "", words, now)
    }

    /// A mail whose words are built in. None of them is of a list.
    fn built_in(
        &self,
        sendable: &Sendable,
        to_name: &str,
        words: Words,
        now: DateTime<Utc>,
    ) -> Result<Mail, Unwritable> {
        let message = sendable.message();
        Ok(self.letterhead.write(Parts {
            to_name,
            to_address: sendable.address(),
            subject: message.subject.clone(),
            text: words.text,
            html: words.html,
            message_id: &message.rfc_message_id,
            unsubscribe_url: None,
            automatic: true,
            date: now,
        })?)
    }
}
