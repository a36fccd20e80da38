//! The rows that plan a mail. Whoever plans writes them in the transaction that caused the mail; the gate decides later,
//! when it is about to go.

use chrono::{DateTime, TimeDelta, Utc};
use entity::consent_event::{self, ConsentAction};
use entity::enums::Purpose;
use entity::form::FinishLater;
use entity::id::{ContactId, LeadId, MessageEventId, MessageId};
use entity::message::{self, Lane, MessageKind, MessageState};
use entity::message_event::{self, MessageEventKind};
use entity::{contact, enrollment, form, lead, sequence, template_version};
use sea_orm::ActiveValue::Set;

use crate::consent::SecondYes;
use crate::error::{Code, Refusal};
use crate::hospital::Site;
use crate::id::new_id;
use crate::nudge::Subject;
use crate::playbook::Playbook;

/// How long a confirmation may be tried: as long as mail servers are asked to try (RFC 5321, 4.5.4.1).
pub const CONFIRMATION_TTL: TimeDelta = TimeDelta::days(4);
/// How long a nurture mail makes sense. A pause or a long weekend of quiet hours is shorter; a mail that was held longer
/// would come out of nowhere.
pub const NURTURE_TTL: TimeDelta = TimeDelta::days(14);

/// The mail that answers a form: due now, waited for. None when the contact has no email address or the form has no
/// template. It is never held by the campaign: the person asked for it.
#[must_use]
pub fn confirmation(
    site: &Site,
    playbook: &Playbook,
    form: &form::Model,
    lead: &lead::Model,
    contact: &contact::Model,
    now: DateTime<Utc>,
) -> Option<message::ActiveModel> {
    contact.email.as_ref()?;
    let version_id = playbook.template_current.get(&form.confirmation_template_id?)?;
    let version = playbook.template_versions.get(version_id)?;
    let blank = Blank {
        contact_id: contact.id,
        version: Some(version),
        now,
        ttl: CONFIRMATION_TTL,
    };
    Some(message::ActiveModel {
        kind: Set(MessageKind::Confirmation),
        lane: Set(Lane::Waiting),
        purpose: Set(Purpose::CareCoordination),
        origin_key: Set(Some(format!("confirmation/{}", lead.id.0))),
        lead_id: Set(Some(lead.id)),
        ..blank.row(site)
    })
}

/// The mail that asks for the second yes to the consents that a form has just collected.
///
/// It is due now, waited for, and about nothing else. None when nothing is pending. Its words are built in, as what it asks for must be said plainly.
#[must_use]
pub fn opt_in(
    site: &Site,
    contact: &contact::Model,
    lead_id: Option<LeadId>,
    asks: SecondYes,
    consents: &[consent_event::Model],
    now: DateTime<Utc>,
) -> Option<message::ActiveModel> {
    let asked = || {
        consents
            .iter()
            .filter(|event| event.action == ConsentAction::Pending)
    };
    let first = asked().next()?;
    // It is for what mails are for. Who ticked nothing but that clicks may be seen is asked as about the request itself.
    let purpose = asked()
        .filter_map(|event| event.purpose)
        .find(|purpose| purpose.is_of_mails());
    let id = asks.message_id;
    let blank = Blank {
        contact_id: contact.id,
        version: None,
        now,
        ttl: CONFIRMATION_TTL.min(asks.until - now),
    };
    Some(message::ActiveModel {
        id: Set(id),
        rfc_message_id: Set(rfc_message_id(id, site)),
        subject: Set(opt_in_subject(&contact.language).to_owned()),
        kind: Set(MessageKind::OptIn),
        lane: Set(Lane::Waiting),
        purpose: Set(purpose.unwrap_or(Purpose::CareCoordination)),
        origin_key: Set(Some(format!("opt-in/{}", first.id.0))),
        lead_id: Set(lead_id),
        ..blank.row(site)
    })
}

/// The subject of the mail that asks for the second yes.
fn opt_in_subject(language: &str) -> &'static str {
    if language.starts_with("es") {
        "Confirme su dirección de correo"
    } else {
        "Please confirm your email address"
    }
}

/// The mail with the link to a form that was saved to be finished later: due at `at`, waited for.
///
/// Its words are built in, because it goes to an address that nobody has proved: it names neither the person nor the
/// form.
#[must_use]
pub fn form_saved(
    site: &Site,
    form: &form::Model,
    contact: &contact::Model,
    terms: FinishLater,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> message::ActiveModel {
    let blank = Blank {
        contact_id: contact.id,
        version: None,
        now,
        ttl: at - now + CONFIRMATION_TTL.min(TimeDelta::days(terms.kept_days.into())),
    };
    let row = blank.row(site);
    message::ActiveModel {
        due_at: Set(at),
        origin_key: Set(Some(format!("form-saved/{}", row.id.as_ref().0))),
        subject: Set(form_saved_subject(&form.language).to_owned()),
        kind: Set(MessageKind::FormSaved),
        lane: Set(Lane::Waiting),
        purpose: Set(Purpose::CareCoordination),
        lead_id: Set(None),
        language: Set(Some(form.language.clone())),
        ..row
    }
}

/// The subject of the mail with the link to a saved form.
fn form_saved_subject(language: &str) -> &'static str {
    if language.starts_with("es") {
        "Puede terminar su formulario cuando quiera"
    } else {
        "Finish your form whenever you like"
    }
}

/// A step of a sequence that sends a mail.
#[derive(Clone, Copy, Debug)]
pub struct NurtureStep<'a> {
    /// The sequence.
    pub sequence: &'a sequence::Model,
    /// The lead's place in it.
    pub enrollment: &'a enrollment::Model,
    /// The step's key.
    pub step_key: &'a str,
    /// Which visit of the step it is.
    pub occurrence: i32,
    /// The text.
    pub version: &'a template_version::Model,
    /// When the visit begins that the lead has booked, if it is a reminder: after it nobody has to be reminded.
    pub visit_at: Option<DateTime<Utc>>,
}

/// The mail of one visit of a step: due now. It is made even for a contact without an address or consent, so that the
/// gate's reason can be read on it.
#[must_use]
pub fn nurture(site: &Site, step: &NurtureStep<'_>, now: DateTime<Utc>) -> message::ActiveModel {
    let NurtureStep {
        sequence,
        enrollment,
        step_key,
        occurrence,
        version,
        visit_at,
    } = *step;
    let blank = Blank {
        contact_id: enrollment.contact_id,
        version: Some(version),
        now,
        ttl: visit_at.map_or(NURTURE_TTL, |at| NURTURE_TTL.min(at - now)),
    };
    message::ActiveModel {
        kind: Set(MessageKind::Nurture),
        lane: Set(nurture_lane(sequence.purpose)),
        purpose: Set(sequence.purpose),
        origin_key: Set(None),
        lead_id: Set(Some(enrollment.lead_id)),
        enrollment_id: Set(Some(enrollment.id)),
        step_key: Set(Some(step_key.to_owned())),
        occurrence: Set(Some(occurrence)),
        sequence_id: Set(Some(sequence.id)),
        campaign_id: Set(sequence.campaign_id),
        ..blank.row(site)
    }
}

/// When a mail loses its sense that waits in line for capacity: the wait uses up none of its time. What is about a day, such
/// as a visit, has less time than others from the beginning, and keeps it.
#[must_use]
pub fn kept_while_waiting(
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    until: DateTime<Utc>,
) -> DateTime<Utc> {
    if expires_at - created_at < NURTURE_TTL {
        expires_at
    } else {
        expires_at.max(until + NURTURE_TTL)
    }
}

/// Refuses a purpose that people consent to and for which no mail is sent.
pub(crate) fn not_for_mails(purpose: Purpose, field: &str) -> Option<Refusal> {
    let message = "No mail is sent for this purpose: people only allow it, or do not.";
    (!purpose.is_of_mails()).then(|| Refusal::new(Code::Invalid, field, message))
}

/// The queue of a sequence's mails: somebody waits for a reminder, nobody for the rest.
#[must_use]
pub const fn nurture_lane(purpose: Purpose) -> Lane {
    match purpose {
        Purpose::Reminder => Lane::Waiting,
        Purpose::Marketing | Purpose::CareCoordination | Purpose::Research | Purpose::Tracking => Lane::Bulk,
    }
}

/// What to nudge after planning a mail in this queue.
#[must_use]
pub const fn nudge_for(lane: Lane) -> Subject {
    match lane {
        Lane::Waiting => Subject::WaitingMail,
        Lane::Bulk => Subject::BulkMail,
    }
}

/// The `Message-ID` without its brackets: globally unique, the same for every try of one message, and without a word
/// about the person.
#[must_use]
pub fn rfc_message_id(message_id: MessageId, site: &Site) -> String {
    format!("{message_id}@{}", site.mail_domain())
}

/// The first event of a message that is planned here.
///
/// # Panics
/// When the row has no id, which every builder of this module sets.
#[must_use]
pub fn planned_event(message: &message::ActiveModel, now: DateTime<Utc>) -> message_event::ActiveModel {
    event(*message.id.as_ref(), MessageEventKind::Planned, None, now)
}

/// Something that happened to a message; `detail` holds no personal data.
#[must_use]
pub fn event(
    message_id: MessageId,
    kind: MessageEventKind,
    detail: Option<&str>,
    now: DateTime<Utc>,
) -> message_event::ActiveModel {
    message_event::ActiveModel {
        id: Set(new_id::<MessageEventId>(now)),
        message_id: Set(message_id),
        kind: Set(kind),
        detail: Set(detail.map(str::to_owned)),
        at: Set(now),
    }
}

/// The subject of a version in its default language, not filled in.
#[must_use]
pub fn own_subject(version: &template_version::Model) -> String {
    let body = version.body(&version.default_language);
    body.map(|body| body.subject.clone()).unwrap_or_default()
}

/// The message that a `Message-ID` of ours names, with or without its brackets; none for one that is not of ours.
#[must_use]
pub fn message_of(rfc_message_id: &str) -> Option<MessageId> {
    let bare = rfc_message_id
        .trim()
        .trim_start_matches('<')
        .trim_end_matches('>');
    let (id, _) = bare.split_once('@')?;
    id.parse().ok()
}

/// What every planned mail to a contact has in common.
struct Blank<'a> {
    contact_id: ContactId,
    version: Option<&'a template_version::Model>,
    now: DateTime<Utc>,
    ttl: TimeDelta,
}

impl Blank<'_> {
    fn row(&self, site: &Site) -> message::ActiveModel {
        let id: MessageId = new_id(self.now);
        message::ActiveModel {
            id: Set(id),
            contact_id: Set(Some(self.contact_id)),
            staff_id: Set(None),
            follow_up_id: Set(None),
            enrollment_id: Set(None),
            step_key: Set(None),
            occurrence: Set(None),
            sequence_id: Set(None),
            mailing_id: Set(None),
            campaign_id: Set(None),
            template_version_id: Set(self.version.map(|version| version.id)),
            // The template's own words until it is sent; then what was sent.
            subject: Set(self.version.map(own_subject).unwrap_or_default()),
            language: Set(None),
            rfc_message_id: Set(rfc_message_id(id, site)),
            state: Set(MessageState::Planned),
            due_at: Set(self.now),
            expires_at: Set(self.now + self.ttl),
            attempts: Set(0),
            fence: Set(0),
            lease_until: Set(None),
            decision: Set(None),
            consent_event_id: Set(None),
            response: Set(None),
            route: Set(None),
            created_at: Set(self.now),
            handed_off_at: Set(None),
            sent_at: Set(None),
            paced_on: Set(None),
            settled_at: Set(None),
            ..message::ActiveModel::default()
        }
    }
}
