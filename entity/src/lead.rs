//! One inquiry of one contact for one service line.

use chrono::{DateTime, Utc};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::condition::Clause;
use crate::enums::{Channel, Disposition, EligibilityFlag, LeadStage, LeadType, ScoreGrade};
use crate::id::{
    CampaignId, ContactId, FacilityId, FormId, LeadId, PlacementId, RoutingRuleId, ServiceLineId,
    SlaPolicyId, StaffId, TeamId,
};
use crate::sla_policy::SlaStep;

/// Campaign parameters of the landing URL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase", default)]
pub struct Utm {
    /// `utm_source`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `utm_medium`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medium: Option<String>,
    /// `utm_campaign`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// `utm_term`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term: Option<String>,
    /// `utm_content`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// `utm_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// What the person answered to one field of the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The field's name.
    pub field: String,
    /// The label that was shown.
    pub label: String,
    /// What the person wrote or chose.
    pub value: String,
}

/// Every answer of a form, in the form's order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Answers(pub Vec<Answer>);

/// The eligibility flags of a lead, without repetition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Flags(pub Vec<EligibilityFlag>);

/// Why a score has these points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScoreReason {
    /// The rule's name.
    pub rule: String,
    /// Points it gave, negative when it took some.
    pub points: i32,
    /// The rule's explanation.
    pub text: String,
}

/// Every reason of a score.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct ScoreReasons(pub Vec<ScoreReason>);

/// Why a lead went where it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase")]
pub struct Routing {
    /// The rule that matched; none for the catch-all.
    pub rule_id: Option<RoutingRuleId>,
    /// The rule's name, as it was then.
    pub rule: String,
    /// The team chosen.
    pub team_id: TeamId,
    /// The person chosen.
    pub owner_id: Option<StaffId>,
    /// Sentences: what was tried and why this one was taken.
    pub explanation: String,
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// On what it was decided.
    #[serde(default)]
    pub basis: Basis,
}

/// On what it was decided where a lead goes. Empty for leads of before this was stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Basis {
    /// Numbers of the versions of the rules that decided.
    pub versions: RuleVersions,
    /// Every rule that was tried, in order; the last one holds, unless none does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<Tried>,
    /// Flags that the rule added to those that follow from the inquiry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub added_flags: Vec<EligibilityFlag>,
    /// What was known when the lead came in and may have been corrected since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intake: Option<Intake>,
}

/// Numbers of the versions of the rules that decided about a lead; 0 where there was none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RuleVersions {
    /// Of the rules that route.
    pub routing: i32,
    /// Of the rules that score.
    pub scoring: i32,
    /// Of the policies.
    pub sla: i32,
}

/// A routing rule that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tried {
    /// The rule.
    pub rule_id: RoutingRuleId,
    /// Its name, as it was then.
    pub rule: String,
    /// The first clause that does not hold; none when the rule holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmet: Option<Clause>,
    /// Why it holds or does not, in words that come from the rule and never from the person.
    pub because: String,
}

/// What was known when a lead came in and may have been corrected since. The rest stands in the lead unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intake {
    /// Its type.
    pub lead_type: LeadType,
    /// The service line that the sender or the form named.
    pub service_line_id: Option<ServiceLineId>,
    /// The facility that was asked for.
    pub facility_id: Option<FacilityId>,
    /// Whether the contact might have been one that was known.
    pub possible_duplicate: bool,
}

/// One inquiry of one contact for one service line.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lead")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LeadId,
    /// Who asked.
    pub contact_id: ContactId,
    /// What is asked for.
    pub lead_type: LeadType,
    /// How far it has come.
    pub stage: LeadStage,
    /// Why it was closed.
    pub disposition: Option<Disposition>,
    /// The service line; none until a person names it.
    pub service_line_id: Option<ServiceLineId>,
    /// The service as the person wrote it.
    pub requested_service: Option<String>,
    /// Where it will be served.
    pub facility_id: Option<FacilityId>,
    /// The team that serves it.
    pub team_id: TeamId,
    /// The person who serves it.
    pub owner_id: Option<StaffId>,
    /// Whether it goes first.
    pub urgent: bool,
    /// Where it came from.
    pub channel: Channel,
    /// The campaign that it answers.
    pub campaign_id: Option<CampaignId>,
    /// The placement that it answers.
    pub placement_id: Option<PlacementId>,
    /// The form that was filled in.
    pub form_id: Option<FormId>,
    /// The sender's id of this inquiry; unique within the channel.
    pub external_id: Option<String>,
    /// Path of the first page of the visit, without its query.
    pub landing_page: Option<String>,
    /// Host of the page before the visit.
    pub referrer_host: Option<String>,
    /// Campaign parameters of the first page.
    #[sea_orm(column_type = "JsonBinary")]
    pub utm: Utm,
    /// Code on a mail piece, event list or placement.
    pub source_code: Option<String>,
    /// Which click id came along: `gclid`, `gbraid`, `wbraid`, `fbclid`, `msclkid`.
    pub click_id_kind: Option<String>,
    /// Keyed hash of the click id, for joins; the id itself is not kept.
    pub click_id_hash: Option<Vec<u8>>,
    /// The form's answers.
    #[sea_orm(column_type = "JsonBinary")]
    pub answers: Answers,
    /// What it needs before it can be scheduled.
    #[sea_orm(column_type = "JsonBinary")]
    pub flags: Flags,
    /// Points of the score.
    pub score_points: i32,
    /// Grade of the score.
    pub score_grade: ScoreGrade,
    /// Why it has these points.
    #[sea_orm(column_type = "JsonBinary")]
    pub score_reasons: ScoreReasons,
    /// The revision of the rules that scored it.
    pub score_revision: i64,
    /// Why it went where it went.
    #[sea_orm(column_type = "JsonBinary")]
    pub routing: Routing,
    /// The policy that set the due time.
    pub sla_policy_id: Option<SlaPolicyId>,
    /// When the first attempt is due.
    pub sla_due_at: DateTime<Utc>,
    /// By when the first attempt is aimed at; none for leads of before there were targets, whose due time counts.
    pub sla_target_at: Option<DateTime<Utc>>,
    /// What is done next if nobody tries to reach the person; none when nothing is.
    pub sla_step: Option<SlaStep>,
    /// When that is done.
    pub sla_step_at: Option<DateTime<Utc>>,
    /// When it was taken back from its owner.
    pub taken_back_at: Option<DateTime<Utc>>,
    /// From whom it was taken back.
    pub taken_from_id: Option<StaffId>,
    /// When the sweep found the first attempt late.
    pub sla_missed_at: Option<DateTime<Utc>>,
    /// How many attempts the policy wants.
    pub attempts_wanted: i32,
    /// How many attempts were made.
    pub attempts_made: i32,
    /// When it came in.
    pub received_at: DateTime<Utc>,
    /// When it was made of a form that was saved and left. None for every lead that somebody sent: what was not sent is
    /// no inquiry yet, and is counted and listed nowhere unless asked for.
    pub unfinished_at: Option<DateTime<Utc>>,
    /// The first human attempt.
    pub first_attempt_at: Option<DateTime<Utc>>,
    /// Business seconds from received to the first attempt, on the facility's calendar.
    pub first_attempt_business_secs: Option<i64>,
    /// The first two-way contact.
    pub first_reached_at: Option<DateTime<Utc>>,
    /// When it first reached `QUALIFIED`.
    pub qualified_at: Option<DateTime<Utc>>,
    /// When it first reached `APPOINTMENT_SCHEDULED`.
    pub scheduled_at: Option<DateTime<Utc>>,
    /// When it first reached `VISIT_COMPLETED`.
    pub completed_at: Option<DateTime<Utc>>,
    /// When it was last closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// When all personal data of it was erased.
    pub erased_at: Option<DateTime<Utc>>,
    /// Rises with every change, for optimistic concurrency.
    pub version: i64,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
