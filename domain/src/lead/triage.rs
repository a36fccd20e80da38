//! What an inquiry is about and what it needs: service line, flags, score and SLA. Pure.

use chrono::{DateTime, Utc};
use entity::enums::{EligibilityFlag, LeadStage, LeadType, ScoreGrade};
use entity::id::{FacilityId, ServiceLineId};
use entity::lead::Answer;
use entity::{contact, service_line};

use super::inquiry::Inquiry;
use super::score::{self, Score};
use super::visit::Source;
use crate::condition::Facts;
use crate::contact::resolve::Resolution;
use crate::playbook::Playbook;
use crate::sla::policy::{self, Wanted};

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

/// An inquiry in the light of the playbook, from which facts are taken for every rule.
#[derive(Clone, Copy, Debug)]
pub struct Light<'a> {
    /// The rules and lists.
    pub playbook: &'a Playbook,
    /// The inquiry.
    pub inquiry: &'a Inquiry,
    /// Its source.
    pub source: Source,
    /// Who asks.
    pub contact: &'a contact::Model,
}

impl<'a> Light<'a> {
    /// The facts, with what triage has found so far.
    pub fn facts(
        self,
        line: Option<ServiceLineId>,
        facility: Option<FacilityId>,
        flags: &'a [EligibilityFlag],
        grade: Option<ScoreGrade>,
    ) -> Facts<'a> {
        let Self {
            playbook,
            inquiry,
            source,
            contact,
        } = self;
        Facts {
            lead_type: inquiry.lead_type,
            stage: LeadStage::New,
            service_line: line
                .and_then(|id| playbook.lines.get(&id))
                .map(|line| line.slug.as_str()),
            requested_service: inquiry.requested_service.as_deref(),
            facility: facility
                .and_then(|id| playbook.facilities.get(&id))
                .map(|row| row.slug.as_str()),
            channel: source.channel,
            campaign: source
                .campaign_id
                .and_then(|id| playbook.campaigns.get(&id))
                .map(|row| row.code.as_str()),
            contact,
            flags,
            answers: &inquiry.answers,
            grade,
            urgent: None,
        }
    }

    /// The facts once triage is done.
    pub fn triaged(self, triage: &'a Triage) -> Facts<'a> {
        self.facts(
            triage.service_line_id,
            self.inquiry.facility_id,
            &triage.flags,
            Some(triage.score.grade),
        )
    }
}

/// Names the service line, sets the flags and scores.
pub fn triage(light: Light<'_>, who: &Resolution) -> Triage {
    let Light {
        playbook, inquiry, ..
    } = light;
    let named = || {
        inquiry
            .requested_service
            .as_deref()
            .and_then(|name| playbook.line_named(name))
    };
    let service_line_id = inquiry.service_line_id.or_else(|| named().map(|line| line.id));
    let line = service_line_id.and_then(|id| playbook.lines.get(&id));
    let possible_duplicate = matches!(who, Resolution::New { candidates, .. } if !candidates.is_empty());
    let flags = flags(
        line.map(AsRef::as_ref),
        inquiry.lead_type,
        &inquiry.answers,
        possible_duplicate,
    );
    let score = score::score(
        &playbook.scoring,
        &light.facts(service_line_id, inquiry.facility_id, &flags, None),
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

/// What the SLA wants of the lead at the facility that serves it; `urgent` as it was routed.
pub fn wanted(
    light: Light<'_>,
    triage: &Triage,
    facility: Option<FacilityId>,
    urgent: bool,
    now: DateTime<Utc>,
) -> Wanted {
    let facts = Facts {
        urgent: Some(urgent),
        ..light.facts(
            triage.service_line_id,
            facility,
            &triage.flags,
            Some(triage.score.grade),
        )
    };
    let policy = policy::pick(light.playbook, &facts);
    policy::wanted(policy, &light.playbook.calendar(facility), now)
}
