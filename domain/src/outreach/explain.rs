//! What would happen if a mail were sent to a lead's contact now: the gate's own answer, by the same reading and the
//! same rules as in the claim, and nothing is written.

use chrono::{DateTime, Utc};
use entity::id::{LeadId, MessageId, SequenceId, TemplateId};
use entity::message::{self, Decision, MessageKind, MessageState};
use entity::{lead, sequence};

use super::claim::known::Known;
use super::claim::rows::Contacts;
use super::plan::{NURTURE_TTL, nurture_lane};
use crate::db;
use crate::error::{Error, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::lead::find as leads;
use crate::playbook::Playbook;
use crate::sequence::find as sequences;
use crate::viewer::Viewer;

/// A mail that is only asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExplainMessage {
    /// The lead that it would be about.
    pub lead_id: LeadId,
    /// The text that it would be made of.
    pub template_id: TemplateId,
    /// The sequence that would send it, whose pause, campaign and purpose then count.
    pub sequence_id: Option<SequenceId>,
}

/// What the gate says of a mail of this template to the contact of this lead, now. The template that answers the lead's
/// own form is asked about as that answer, any other as nurture.
///
/// # Errors
/// [`Error::Missing`] when lead, template or sequence are absent or the viewer may not see them; or a fault of the
/// database.
pub async fn explain(h: &Hospital, viewer: &Viewer, input: ExplainMessage) -> Result<Decision> {
    let playbook = h.playbook().await?;
    let tx = db::begin_read(&h.db).await?;
    let lead = leads::by_id(&tx, viewer, input.lead_id).await?;
    let sequence = match input.sequence_id {
        Some(id) => Some(sequences::by_id(&tx, viewer, id).await?),
        None => None,
    };
    let message = supposed(&playbook, &lead, input.template_id, sequence.as_ref(), h.now())?;
    let messages = [message];
    let known = Known::read(&tx, h, &playbook, &messages, Contacts::Seen).await?;
    let asked = known
        .ask(&messages[0])
        .ok_or_else(|| Error::fault("a lead's contact is always there to be read"))?;
    Ok(asked.decision)
}

/// The message as it would be planned.
fn supposed(
    playbook: &Playbook,
    lead: &lead::Model,
    template_id: TemplateId,
    sequence: Option<&sequence::Model>,
    now: DateTime<Utc>,
) -> Result<message::Model> {
    let missing = Error::Missing { noun: "template" };
    let template = playbook.templates.get(&template_id).ok_or(missing)?;
    let answers_form = lead
        .form_id
        .and_then(|id| playbook.forms.get(&id))
        .is_some_and(|form| form.confirmation_template_id == Some(template_id));
    let kind = if answers_form && sequence.is_none() {
        MessageKind::Confirmation
    } else {
        MessageKind::Nurture
    };
    let purpose = sequence.map_or(template.purpose, |sequence| sequence.purpose);
    let id: MessageId = new_id(now);
    Ok(message::Model {
        id,
        kind,
        lane: nurture_lane(purpose),
        purpose,
        origin_key: None,
        lead_id: Some(lead.id),
        contact_id: Some(lead.contact_id),
        staff_id: None,
        follow_up_id: None,
        enrollment_id: None,
        step_key: None,
        occurrence: None,
        sequence_id: sequence.map(|sequence| sequence.id),
        campaign_id: sequence.and_then(|sequence| sequence.campaign_id),
        mailing_id: None,
        template_version_id: playbook.template_current.get(&template_id).copied(),
        language: None,
        subject: String::new(),
        rfc_message_id: String::new(),
        state: MessageState::Planned,
        due_at: now,
        expires_at: now + NURTURE_TTL,
        attempts: 0,
        fence: 0,
        lease_until: None,
        decision: None,
        consent_event_id: None,
        response: None,
        route: None,
        created_at: now,
        handed_off_at: None,
        sent_at: None,
        paced_on: None,
        settled_at: None,
    })
}
