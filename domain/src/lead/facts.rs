//! What conditions can look at, taken from a stored lead.

use entity::{contact, lead};

use crate::condition::{Facts, Received};
use crate::playbook::Playbook;

/// The facts of a lead as it stands.
pub fn of<'a>(lead: &'a lead::Model, contact: &'a contact::Model, playbook: &'a Playbook) -> Facts<'a> {
    Facts {
        lead_type: lead.lead_type,
        stage: lead.stage,
        service_line: lead
            .service_line_id
            .and_then(|id| playbook.lines.get(&id))
            .map(|line| line.slug.as_str()),
        requested_service: lead.requested_service.as_deref(),
        facility: lead
            .facility_id
            .and_then(|id| playbook.facilities.get(&id))
            .map(|row| row.slug.as_str()),
        channel: lead.channel,
        campaign: lead
            .campaign_id
            .and_then(|id| playbook.campaigns.get(&id))
            .map(|row| row.code.as_str()),
        contact,
        flags: &lead.flags.0,
        answers: &lead.answers.0,
        grade: Some(lead.score_grade),
        points: Some(lead.score_points),
        received: Received {
            at: lead.received_at,
            calendar: playbook.calendar_if_any(lead.facility_id),
        },
        urgent: Some(lead.urgent),
    }
}
