//! All that the rules decide about an inquiry, in one pure function: what intake stores, what the demo hospital's history
//! is made of, and what a preview of other rules compares.
//!
//! Only the person is chosen afterwards, because that depends on who has how much to do at that moment.

use chrono::{DateTime, Utc};
use entity::contact;
use entity::enums::EligibilityFlag;
use entity::id::FacilityId;
use entity::lead::{Intake, Model};

use super::inquiry::Inquiry;
use super::triage::{self, Arrival, Triage};
use super::visit::Source;
use crate::condition::Facts;
use crate::contact::resolve::Resolution;
use crate::playbook::Playbook;
use crate::routing::{self, Match};
use crate::sla::policy::{self, Wanted};

/// What the rules decide about an inquiry.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision<'a> {
    /// Service line, flags of the inquiry, and score.
    pub triage: Triage,
    /// The routing rule.
    pub found: Match<'a>,
    /// The facility that serves the lead: the rule's, else the one asked for, else the team's.
    pub facility: Option<FacilityId>,
    /// The flags, with those that the rule adds.
    pub flags: Vec<EligibilityFlag>,
    /// What the policy asks for.
    pub wanted: Wanted,
}

/// Decides.
pub fn decide(arrival: Arrival<'_>) -> Decision<'_> {
    let playbook = arrival.playbook;
    let triage = triage::triage(arrival);
    let found = routing::find_rule(playbook, &arrival.triaged(&triage));
    let of_team = || playbook.teams.get(&found.team).and_then(|team| team.facility_id);
    let facility = found.facility.or(arrival.intake.facility_id).or_else(of_team);
    let flags = found.flags(&triage.flags);
    let routed = Facts {
        urgent: Some(found.urgent),
        ..arrival.facts(triage.service_line_id, facility, &flags, Some(&triage.score))
    };
    let policy = policy::pick(playbook, &routed);
    let wanted = policy::wanted(policy, &playbook.calendar(facility), arrival.at);
    Decision {
        facility,
        flags,
        wanted,
        triage,
        found,
    }
}

/// What is known of an inquiry of this source, as it comes in at the instant `at`.
pub fn arrival<'a>(
    playbook: &'a Playbook,
    inquiry: &'a Inquiry,
    source: Source,
    who: &'a Resolution,
    at: DateTime<Utc>,
) -> Arrival<'a> {
    Arrival {
        playbook,
        contact: who.contact(),
        requested_service: inquiry.requested_service.as_deref(),
        answers: &inquiry.answers,
        channel: source.channel,
        campaign_id: source.campaign_id,
        intake: Intake {
            lead_type: inquiry.lead_type,
            service_line_id: inquiry.service_line_id,
            facility_id: inquiry.facility_id,
            possible_duplicate: matches!(who, Resolution::New { candidates, .. } if !candidates.is_empty()),
        },
        at,
    }
}

/// The same, of a lead that is stored. What is known of the person is what is known today. A lead of before its
/// [`Intake`] was stored is taken as it stands.
pub fn arrival_of<'a>(lead: &'a Model, contact: &'a contact::Model, playbook: &'a Playbook) -> Arrival<'a> {
    Arrival {
        playbook,
        contact,
        requested_service: lead.requested_service.as_deref(),
        answers: &lead.answers.0,
        channel: lead.channel,
        campaign_id: lead.campaign_id,
        intake: lead.routing.basis.intake.unwrap_or_else(|| as_it_stands(lead)),
        at: lead.received_at,
    }
}

fn as_it_stands(lead: &Model) -> Intake {
    Intake {
        lead_type: lead.lead_type,
        service_line_id: lead.service_line_id,
        facility_id: lead.facility_id,
        possible_duplicate: lead.flags.0.contains(&EligibilityFlag::PossibleDuplicateContact),
    }
}
