//! What an inquiry is about and what it needs: service line, flags and score. Pure.

use chrono::{DateTime, Utc};
use entity::enums::{Channel, EligibilityFlag, LeadStage, LeadType};
use entity::id::{CampaignId, FacilityId, ServiceLineId};
use entity::lead::{Answer, Intake};
use entity::{contact, service_line};

use super::score::{self, Score};
use crate::condition::{Facts, Received};
use crate::playbook::Playbook;

/// Name of the form field by which a person says `yes`, the referral exists.
pub const REFERRAL_FIELD: &str = "has_referral";
/// Name of the form field by which a person says `yes`, the provider's order exists.
pub const ORDER_FIELD: &str = "has_order";

/// What an inquiry is about and what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Triage {
    /// The service line; none when the words name none.
    pub service_line_id: Option<ServiceLineId>,
    /// What it needs.
    pub flags: Vec<EligibilityFlag>,
    /// Its score.
    pub score: Score,
}

/// What is known of an inquiry when it comes in, in the light of the playbook.
///
/// Every rule is asked about this, by whatever door the inquiry comes, and when it is asked what other rules would have
/// made of it.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The rules and lists.
    pub playbook: &'a Playbook,
    /// Who asks.
    pub contact: &'a contact::Model,
    /// The service in the person's words.
    pub requested_service: Option<&'a str>,
    /// What was answered.
    pub answers: &'a [Answer],
    /// Where it came from.
    pub channel: Channel,
    /// The campaign that it answers.
    pub campaign_id: Option<CampaignId>,
    /// What may be corrected later.
    pub intake: Intake,
    /// When it came in.
    pub at: DateTime<Utc>,
}

impl<'a> Arrival<'a> {
    /// The facts, with what triage has found so far.
    pub fn facts(
        self,
        line: Option<ServiceLineId>,
        facility: Option<FacilityId>,
        flags: &'a [EligibilityFlag],
        score: Option<&Score>,
    ) -> Facts<'a> {
        let playbook = self.playbook;
        Facts {
            lead_type: self.intake.lead_type,
            stage: LeadStage::New,
            service_line: line
                .and_then(|id| playbook.lines.get(&id))
                .map(|line| line.slug.as_str()),
            requested_service: self.requested_service,
            facility: facility
                .and_then(|id| playbook.facilities.get(&id))
                .map(|row| row.slug.as_str()),
            channel: self.channel,
            campaign: self
                .campaign_id
                .and_then(|id| playbook.campaigns.get(&id))
                .map(|row| row.code.as_str()),
            contact: self.contact,
            flags,
            answers: self.answers,
            grade: score.map(|score| score.grade),
            points: score.map(|score| score.points),
            received: Received {
                at: self.at,
                calendar: playbook.calendar_if_any(facility),
            },
            urgent: None,
        }
    }

    /// The facts once triage is done.
    pub fn triaged(self, triage: &'a Triage) -> Facts<'a> {
        self.facts(
            triage.service_line_id,
            self.intake.facility_id,
            &triage.flags,
            Some(&triage.score),
        )
    }
}

/// Names the service line, sets the flags and scores.
pub fn triage(arrival: Arrival<'_>) -> Triage {
    let Arrival {
        playbook,
        intake,
        answers,
        ..
    } = arrival;
    let named = || {
        arrival
            .requested_service
            .and_then(|name| playbook.line_named(name))
    };
    let service_line_id = intake.service_line_id.or_else(|| named().map(|line| line.id));
    let line = service_line_id.and_then(|id| playbook.lines.get(&id));
    let flags = flags(
        line.map(AsRef::as_ref),
        intake.lead_type,
        answers,
        intake.possible_duplicate,
    );
    let score = score::score(
        &playbook.scoring,
        &arrival.facts(service_line_id, intake.facility_id, &flags, None),
    );
    Triage {
        service_line_id,
        flags,
        score,
    }
}

/// What a lead needs before it can be scheduled, from its service line and answers.
pub fn flags(
    line: Option<&service_line::Model>,
    lead_type: LeadType,
    answers: &[Answer],
    possible_duplicate: bool,
) -> Vec<EligibilityFlag> {
    let says_yes = |field: &str| {
        answers
            .iter()
            .any(|answer| answer.field == field && answer.value.eq_ignore_ascii_case("yes"))
    };
    // A referral is itself the referral.
    let has_referral = lead_type == LeadType::Referral || says_yes(REFERRAL_FIELD);
    let needs = [
        (EligibilityFlag::ServiceUnclear, line.is_none()),
        (
            EligibilityFlag::ReferralRequired,
            line.is_some_and(|line| line.referral_required) && !has_referral,
        ),
        (
            EligibilityFlag::TriageNeeded,
            line.is_some_and(|line| line.triage_required),
        ),
        (
            EligibilityFlag::OrderMissing,
            line.is_some_and(|line| line.order_required) && !says_yes(ORDER_FIELD),
        ),
        (
            EligibilityFlag::DirectScheduling,
            line.is_some_and(|line| line.direct_scheduling),
        ),
        (EligibilityFlag::PossibleDuplicateContact, possible_duplicate),
    ];
    needs
        .into_iter()
        .filter_map(|(flag, set)| set.then_some(flag))
        .collect()
}
