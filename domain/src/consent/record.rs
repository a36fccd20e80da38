//! Writing down a consent that a person gave or refused, by voice, on paper or through another program.

use chrono::{DateTime, Datelike, Utc};
use entity::consent_event::{
    ConsentAction, ConsentEvidence, ConsentLevel, ConsentMethod, ConsentSource, Model,
};
use entity::enums::{ActorKind, Medium, Purpose};
use entity::id::{ConsentWordingId, ContactId};
use entity::{consent_wording, contact};
use sea_orm::{ActiveModelTrait, IntoActiveModel};

use super::entry::{Entry, Shown};
use super::lock::lock_contacts;
use super::subject::visible_contact;
use crate::contact::email::EmailAddress;
use crate::contact::phone::PhoneNumber;
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::playbook::Playbook;
use crate::viewer::Viewer;
use crate::{clock, db};

/// The first year in which a person who is alive can have said something.
const FIRST_YEAR: i32 = 1900;
/// Longest description of the evidence, in characters.
pub const MAX_EVIDENCE_CHARS: usize = 500;

/// The text that a person agreed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WordingRef {
    /// This version of it.
    Id(ConsentWordingId),
    /// The newest version of this key, in the contact's language.
    Key(String),
}

/// A consent to be written down.
#[derive(Clone, Debug)]
pub struct RecordConsent {
    /// Whose consent it is.
    pub contact_id: ContactId,
    /// The medium.
    pub medium: Medium,
    /// The address it is about; the contact's own when none is named.
    pub address: Option<String>,
    /// The purpose.
    pub purpose: Purpose,
    /// The text that was shown or read out.
    pub wording: Option<WordingRef>,
    /// Whether the person allowed it; else the person was asked and did not.
    pub granted: bool,
    /// When the person said it; now when not named.
    pub occurred_at: Option<DateTime<Utc>>,
    /// When a grant ends by itself; never when not named.
    pub expires_at: Option<DateTime<Utc>>,
    /// What proves it, for example `said so on the phone`.
    pub evidence: Option<String>,
}

/// Writes a consent down.
///
/// # Errors
/// [`Error::Missing`] when the viewer may not see the contact. [`Error::Refused`] when the address cannot be read or is
/// missing, the wording is unknown or about something else, the time is in the future, or a grant has neither a wording
/// nor evidence: a consent that nobody can prove is worth nothing.
pub async fn record(h: &Hospital, viewer: &Viewer, input: RecordConsent) -> Result<Done<Model>> {
    let playbook = h.playbook().await?;
    let tx = db::begin_write(&h.db).await?;
    let contact = visible_contact(&tx, viewer, input.contact_id).await?;
    lock_contacts(&tx, &[contact.id]).await?;
    // Read after the lock: a consent that waited for a withdrawal comes after it.
    let now = h.now();
    let event = check(input, &contact, &playbook, viewer, now)?
        .row(now)
        .into_active_model()
        .insert(&tx)
        .await?;
    tx.commit().await?;
    Ok(Done::quiet(event))
}

/// What to write down, or everything that is wrong with the input.
fn check(
    input: RecordConsent,
    contact: &contact::Model,
    playbook: &Playbook,
    viewer: &Viewer,
    now: DateTime<Utc>,
) -> Result<Entry> {
    let mut refusals = Vec::new();
    let address = address(&input, contact).unwrap_or_else(|refusal| {
        refusals.push(refusal);
        None
    });
    let wording = wording(&input, contact, playbook).unwrap_or_else(|refusal| {
        refusals.push(refusal);
        None
    });
    if input.purpose == Purpose::Tracking && input.medium != Medium::Email {
        let message = "Links are opened in mails alone: TRACKING is said of EMAIL.";
        refusals.push(Refusal::new(Code::Invalid, "medium", message));
    }
    let occurred_at = clock::to_micros(input.occurred_at.unwrap_or(now));
    if occurred_at > now {
        refusals.push(Refusal::new(
            Code::Invalid,
            "occurredAt",
            "A consent cannot be given in the future.",
        ));
    }
    if occurred_at.year() < FIRST_YEAR {
        refusals.push(Refusal::new(Code::Invalid, "occurredAt", "This is too long ago."));
    }
    if input
        .expires_at
        .is_some_and(|at| !input.granted || at <= occurred_at)
    {
        let message = "Only a grant ends by itself, and later than it begins.";
        refusals.push(Refusal::new(Code::Invalid, "expiresAt", message));
    }
    let evidence = input
        .evidence
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty());
    if evidence
        .as_ref()
        .is_some_and(|text| text.chars().count() > MAX_EVIDENCE_CHARS)
    {
        refusals.push(Refusal::new(
            Code::TooLarge,
            "evidence",
            "The evidence has at most 500 characters.",
        ));
    }
    if evidence
        .as_ref()
        .is_some_and(|text| text.chars().any(|c| c.is_control() && c != '\n'))
    {
        let message = "The evidence is text, without control characters.";
        refusals.push(Refusal::new(Code::Invalid, "evidence", message));
    }
    if input.granted && input.wording.is_none() && evidence.is_none() {
        refusals.push(Refusal::new(
            Code::Required,
            "wordingId",
            "Name the text that the person agreed to, or say what proves the consent.",
        ));
    }
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let actor = viewer.actor();
    let (action, level) = if input.granted {
        (ConsentAction::Grant, ConsentLevel::Express)
    } else {
        (ConsentAction::Deny, ConsentLevel::None)
    };
    Ok(Entry {
        contact_id: contact.id,
        medium: input.medium,
        address,
        purpose: Some(input.purpose),
        action,
        level,
        shown: wording.map(Shown::from),
        method: method(actor.kind),
        source: ConsentSource::default(),
        evidence: ConsentEvidence {
            note: evidence,
            ..ConsentEvidence::default()
        },
        refers_to_id: None,
        expires_at: input.expires_at.map(clock::to_micros),
        actor,
        occurred_at,
    })
}

/// By which door an actor's words come.
pub(crate) const fn method(kind: ActorKind) -> ConsentMethod {
    match kind {
        ActorKind::Staff => ConsentMethod::Staff,
        _ => ConsentMethod::Api,
    }
}

/// The address in its normalized form; none for paper mail.
fn address(input: &RecordConsent, contact: &contact::Model) -> Result<Option<String>, Refusal> {
    let own = match input.medium {
        Medium::Email => &contact.email_normalized,
        Medium::Phone | Medium::Sms => &contact.phone,
        Medium::Post => return Ok(None),
    };
    let Some(named) = &input.address else {
        let missing = || {
            Refusal::new(
                Code::Required,
                "address",
                "The contact has no address for this medium; name one.",
            )
        };
        return own.clone().map(Some).ok_or_else(missing);
    };
    let read = match input.medium {
        Medium::Email => EmailAddress::parse(named).map(|address| address.normalized()),
        _ => PhoneNumber::parse(named).map(|number| number.as_str().to_owned()),
    };
    read.map(Some)
        .map_err(|invalid| Refusal::new(Code::Invalid, "address", invalid.message))
}

/// The wording, which must be about the same medium and purpose.
fn wording<'a>(
    input: &RecordConsent,
    contact: &contact::Model,
    playbook: &'a Playbook,
) -> Result<Option<&'a consent_wording::Model>, Refusal> {
    let (field, found) = match &input.wording {
        None => return Ok(None),
        Some(WordingRef::Id(id)) => ("wordingId", playbook.wordings.get(id)),
        Some(WordingRef::Key(key)) => ("wordingKey", playbook.wording(key, &contact.language)),
    };
    let wording =
        found.ok_or_else(|| Refusal::new(Code::NotFound, field, "There is no such consent text."))?;
    if wording.medium != input.medium || wording.purpose != input.purpose {
        let message = "This consent text is about another medium or purpose.";
        return Err(Refusal::new(Code::Invalid, field, message));
    }
    Ok(Some(wording))
}
