//! The document. Every part is optional, so a file may hold all of a hospital or only its forms.

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;
use entity::audit_rubric::{AuditSubject, Criterion as RubricCriterion};
use entity::business_calendar::hours::WeeklyHours;
use entity::campaign::CampaignState;
use entity::checklist::Item;
use entity::condition::Condition;
use entity::enums::{Channel, EligibilityFlag, LeadType, Medium, Purpose, Role};
use entity::form::Field;
use entity::intake_script::Question;
use entity::lead_profile::Criterion;
use entity::placement::PlacementKind;
use entity::retention_policy::RetentionKind;
use entity::routing_rule::PersonStrategy;
use entity::sequence_version::{Exits, Step, Trigger};
use entity::service_line;
use serde::{Deserialize, Deserializer};

use crate::error::{Code, Error, Result};

/// Configuration, named by slugs and keys.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Setup {
    /// Places, with their opening hours.
    pub facilities: Vec<FacilitySetup>,
    /// Departments of places.
    pub departments: Vec<DepartmentSetup>,
    /// People who work here.
    pub staff: Vec<StaffSetup>,
    /// Teams and their members.
    pub teams: Vec<TeamSetup>,
    /// Service lines and what people call them.
    pub service_lines: Vec<ServiceLineSetup>,
    /// Texts that people agree to.
    pub consent_wordings: Vec<WordingSetup>,
    /// Frames of templates. They are not stored apart: a template's version holds its own.
    pub layouts: Vec<LayoutSetup>,
    /// Texts of mails.
    pub templates: Vec<TemplateSetup>,
    /// Campaigns and their placements.
    pub campaigns: Vec<CampaignSetup>,
    /// Forms that visitors fill in.
    pub forms: Vec<FormSetup>,
    /// How fast leads are answered; the first that holds counts.
    pub sla_policies: Vec<SlaSetup>,
    /// Where leads go; the first that holds counts.
    pub routing_rules: Vec<RoutingSetup>,
    /// What gives points.
    pub scoring_rules: Vec<ScoringSetup>,
    /// What is to be asked or done while a follow-up is worked on.
    pub checklists: Vec<ChecklistSetup>,
    /// What to ask, say and not say, while leads are talked with.
    pub scripts: Vec<ScriptSetup>,
    /// What is hoped for of the leads of channels and campaigns.
    pub lead_profiles: Vec<ProfileSetup>,
    /// By what work is judged.
    pub rubrics: Vec<RubricSetup>,
    /// Work that is opened by hand again and again.
    pub follow_up_templates: Vec<FollowUpTemplateSetup>,
    /// Plans of mails, follow-ups, waits and branches.
    pub sequences: Vec<SequenceSetup>,
    /// The hours in which nurture may go, by law and by house policy.
    pub send_windows: Vec<SendWindowSetup>,
    /// How many promotional mails a contact may get.
    pub frequency_cap: Option<FrequencyCapSetup>,
    /// How long personal data is kept unasked. A kind that is left out stays as it is.
    pub retention: Vec<RetentionSetup>,
}

impl Setup {
    /// Reads a document.
    ///
    /// # Errors
    /// [`Error::Refused`] with the line and column of what cannot be read, in the words of the JSON reader. They may
    /// name what stands there: the document is the operator's own and holds nobody's health.
    pub fn parse(json: &str) -> Result<Self> {
        serde_json::from_str(json).map_err(|error| {
            Error::refused(
                Code::Invalid,
                "",
                format!("The document cannot be read: {error}."),
            )
        })
    }

    /// This document and another one, as if they were one.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.facilities.extend(other.facilities);
        self.departments.extend(other.departments);
        self.staff.extend(other.staff);
        self.teams.extend(other.teams);
        self.service_lines.extend(other.service_lines);
        self.consent_wordings.extend(other.consent_wordings);
        self.layouts.extend(other.layouts);
        self.templates.extend(other.templates);
        self.campaigns.extend(other.campaigns);
        self.forms.extend(other.forms);
        self.sla_policies.extend(other.sla_policies);
        self.routing_rules.extend(other.routing_rules);
        self.scoring_rules.extend(other.scoring_rules);
        self.checklists.extend(other.checklists);
        self.scripts.extend(other.scripts);
        self.lead_profiles.extend(other.lead_profiles);
        self.rubrics.extend(other.rubrics);
        self.follow_up_templates.extend(other.follow_up_templates);
        self.sequences.extend(other.sequences);
        self.send_windows.extend(other.send_windows);
        self.frequency_cap = other.frequency_cap.or(self.frequency_cap);
        self.retention.extend(other.retention);
        self
    }
}

/// A text, written as one string or as a list of its lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a string or a list of lines")]
        enum Written {
            Whole(String),
            Lines(Vec<String>),
        }
        Ok(Self(match Written::deserialize(deserializer)? {
            Written::Whole(text) => text,
            Written::Lines(lines) => lines.join("\n"),
        }))
    }
}

fn yes() -> bool {
    true
}

fn united_states() -> String {
    "US".to_owned()
}

fn dollars() -> String {
    "USD".to_owned()
}

fn english() -> String {
    "en".to_owned()
}

/// A place, known by its slug.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FacilitySetup {
    /// Short name in rules and forms.
    pub slug: String,
    /// The name that people read.
    pub name: String,
    /// Street and number.
    pub address_line: String,
    /// City.
    pub city: String,
    /// State, a two-letter USPS code in the United States.
    pub region: String,
    /// Postal code.
    pub postal_code: String,
    /// ISO 3166 two-letter country; the United States if not said.
    #[serde(default = "united_states")]
    pub country: String,
    /// IANA time zone.
    pub time_zone: String,
    /// Main number.
    #[serde(default)]
    pub phone: Option<String>,
    /// Opening hours; see [`entity::business_calendar::hours`]. Kept as they are if not said.
    #[serde(default)]
    pub hours: Option<serde_json::Value>,
}

/// A checklist, known by its key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChecklistSetup {
    /// Short name in templates.
    pub key: String,
    /// The name that people read.
    pub name: String,
    /// The lead types whose first contact has it; all if none is named but a service line is.
    #[serde(default)]
    pub lead_types: Vec<LeadType>,
    /// Slugs of the service lines whose first contact has it; all if none is named but a lead type is.
    #[serde(default)]
    pub service_lines: Vec<String>,
    /// What is on it, in order.
    pub items: Vec<Item>,
}

/// An intake script, known by its key. One that says something else is a new version.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScriptSetup {
    /// Short name.
    pub key: String,
    /// The name that people read.
    pub name: String,
    /// The types of leads that it is for; all if not said.
    #[serde(default)]
    pub lead_types: Vec<LeadType>,
    /// Slugs of the service lines that it is for; all if not said. What names a line comes before what names a type.
    #[serde(default)]
    pub service_lines: Vec<String>,
    /// How to begin.
    #[serde(default)]
    pub opening: Option<Text>,
    /// What to ask, in order.
    #[serde(default)]
    pub questions: Vec<Question>,
    /// Documents that are needed.
    #[serde(default)]
    pub documents: Vec<String>,
    /// How to schedule.
    #[serde(default)]
    pub scheduling: Option<Text>,
    /// What not to say.
    #[serde(default)]
    pub avoid: Vec<String>,
}

/// An ideal lead profile, known by its key. One of a campaign comes before one of a channel, and that before one that
/// names neither.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProfileSetup {
    /// Short name.
    pub key: String,
    /// The name that people read.
    pub name: String,
    /// The channel whose leads it is for.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// Code of the campaign whose leads it is for.
    #[serde(default)]
    pub campaign: Option<String>,
    /// What is hoped for, each with its weight beside the others.
    pub criteria: Vec<Criterion>,
}

/// An audit rubric, known by its key. One that says something else is a new version.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RubricSetup {
    /// Short name.
    pub key: String,
    /// The name that people read.
    pub name: String,
    /// What it judges.
    pub of: AuditSubject,
    /// By what it judges, in order.
    pub criteria: Vec<RubricCriterion>,
}

/// A template of follow-ups, known by its key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FollowUpTemplateSetup {
    /// Short name.
    pub key: String,
    /// What is to be done.
    pub title: String,
    /// Business minutes until it is due.
    pub due_mins: i64,
    /// Key of its checklist.
    #[serde(default)]
    pub checklist: Option<String>,
}

/// A department, known by its facility and name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DepartmentSetup {
    /// Slug of the facility.
    pub facility: String,
    /// The name that people read.
    pub name: String,
}

/// A member of staff, known by the email address.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StaffSetup {
    /// Sign-in name and address of reminders.
    pub email: String,
    /// The name that people read.
    pub name: String,
    /// What the person may do.
    pub role: Role,
    /// IANA time zone.
    pub time_zone: String,
    /// First password, for a person who is new. Never changes the password of a person who is known.
    #[serde(default)]
    pub password: Option<String>,
    /// Most open follow-ups that the rules give the person, 1 to 200. Stays as it is if not said.
    #[serde(default)]
    pub max_open: Option<i32>,
    /// Languages that the person speaks, as BCP 47 tags; added to those that are known.
    #[serde(default)]
    pub languages: Vec<String>,
    /// Slugs of service lines that the person knows; added to those that are known.
    #[serde(default)]
    pub service_lines: Vec<String>,
    /// Whether the person works here.
    #[serde(default = "yes")]
    pub active: bool,
}

impl fmt::Debug for StaffSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StaffSetup(hidden)")
    }
}

/// A team, known by its slug.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TeamSetup {
    /// Short name in rules.
    pub slug: String,
    /// The name that people read.
    pub name: String,
    /// Slug of the facility whose calendar and zone it keeps.
    #[serde(default)]
    pub facility: Option<String>,
    /// Name of a department of that facility.
    #[serde(default)]
    pub department: Option<String>,
    /// Whether leads that no rule can place come here. One team has it.
    #[serde(default)]
    pub review: bool,
    /// Addresses of members; added to those that it has.
    #[serde(default)]
    pub members: Vec<String>,
    /// Address of the person who answers for it, a member or not. Stays as it is if not said.
    #[serde(default)]
    pub lead: Option<String>,
}

/// A service line, known by its slug.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceLineSetup {
    /// Short name in rules and forms.
    pub slug: String,
    /// The canonical name.
    pub name: String,
    /// What else people call it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Whether intake may book it without a clinician's look.
    #[serde(default)]
    pub direct_scheduling: bool,
    /// Whether a referral must exist before a visit.
    #[serde(default)]
    pub referral_required: bool,
    /// Whether a provider's order must exist before a visit.
    #[serde(default)]
    pub order_required: bool,
    /// Whether a clinician triages every lead.
    #[serde(default)]
    pub triage_required: bool,
    /// Names of the procedures that can be booked without a call.
    #[serde(default)]
    pub direct_procedures: Vec<String>,
    /// Demand-making mails that bring one completed visit.
    #[serde(default = "mails_per_visit")]
    pub mails_per_visit: i32,
    /// How many weeks are looked ahead, the present one included.
    #[serde(default = "pacing_weeks")]
    pub pacing_weeks: i32,
    /// Promotion stops when people wait longer than so many days.
    #[serde(default)]
    pub max_wait_days: Option<i32>,
    /// Promotion stops when fewer slots are open in the week.
    #[serde(default)]
    pub min_open_slots: Option<i32>,
    /// Whether leads can still be received for it.
    #[serde(default = "yes")]
    pub active: bool,
}

const fn mails_per_visit() -> i32 {
    service_line::MAILS_PER_VISIT
}

const fn pacing_weeks() -> i32 {
    service_line::PACING_WEEKS
}

/// A text that people agree to, known by its key and language. Another text is a new version.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WordingSetup {
    /// Names it across versions and languages.
    pub key: String,
    /// A BCP 47 tag.
    #[serde(default = "english")]
    pub language: String,
    /// The medium that it allows.
    pub medium: Medium,
    /// The purpose that it allows.
    pub purpose: Purpose,
    /// The text as it is shown.
    pub text: Text,
    /// Whether a person who agrees to it may choose the service lines that mail is about.
    #[serde(default)]
    pub by_line: bool,
}

/// The MJML frame of templates, with the slots that their words fill.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LayoutSetup {
    /// The name by which templates of this document ask for it.
    pub key: String,
    /// MJML source. Slots stand in it as `{{ slot.name }}`.
    pub mjml: Text,
}

/// A mail's text, known by its key. Another text is a new version.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TemplateSetup {
    /// Name in steps and forms.
    pub key: String,
    /// The name that people read.
    pub name: String,
    /// What mails made of it are for. It never changes, because consent is asked by it.
    pub purpose: Purpose,
    /// Key of the layout around it.
    pub layout: String,
    /// The language of those whose own is not there.
    #[serde(default = "english")]
    pub default_language: String,
    /// The words, one body a language.
    pub bodies: Vec<BodySetup>,
    /// Address of the person who wrote it. Needed to load it as approved.
    #[serde(default)]
    pub written_by: Option<String>,
    /// Address of the clinical reviewer who approved these very words, not the person who wrote them. Without it, new
    /// words are a draft, and no mail is made of them.
    #[serde(default)]
    pub approved_by: Option<String>,
}

/// The words of a mail in one language.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BodySetup {
    /// A BCP 47 tag.
    #[serde(default = "english")]
    pub language: String,
    /// Liquid source of the subject.
    pub subject: String,
    /// Liquid source of the line beside the subject.
    #[serde(default)]
    pub preheader: String,
    /// What stands in the slots of the layout.
    #[serde(default)]
    pub slots: BTreeMap<String, Text>,
    /// The plain-text part; derived from the rest if it is not written.
    #[serde(default)]
    pub text: Option<Text>,
}

/// A campaign, known by its code.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CampaignSetup {
    /// Code in links and lists.
    pub code: String,
    /// The name that people read.
    pub name: String,
    /// Where it runs.
    pub channel: Channel,
    /// Where a new campaign stands; a draft if not said. A known one stays where people have put it.
    #[serde(default)]
    pub state: Option<CampaignState>,
    /// What it is for, in words.
    #[serde(default)]
    pub goal: Option<String>,
    /// First day.
    #[serde(default)]
    pub starts_on: Option<NaiveDate>,
    /// Last day.
    #[serde(default)]
    pub ends_on: Option<NaiveDate>,
    /// Budget in minor units.
    #[serde(default)]
    pub budget_minor: Option<i64>,
    /// ISO 4217 code.
    #[serde(default = "dollars")]
    pub currency: String,
    /// Whether its mails ask people to come who would not have, and so wait for capacity.
    #[serde(default)]
    pub demand_making: bool,
    /// Slugs of the lines that it promotes; added to those that it has.
    #[serde(default)]
    pub service_lines: Vec<String>,
    /// Its pieces.
    #[serde(default)]
    pub placements: Vec<PlacementSetup>,
}

/// A piece of a campaign, known by its source code.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlacementSetup {
    /// Code by which answers name it.
    pub source_code: String,
    /// The name that people read.
    pub name: String,
    /// What it is.
    pub kind: PlacementKind,
    /// Path of the page it leads to.
    #[serde(default)]
    pub landing_page: Option<String>,
    /// Its own phone number.
    #[serde(default)]
    pub tracking_number: Option<String>,
}

/// The hours in which a jurisdiction lets nurture go. Other hours are a new version.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SendWindowSetup {
    /// `HOUSE` for the hospital's own policy, `US`, or a state such as `US-FL`.
    pub jurisdiction: String,
    /// The open hours of each weekday, as of a calendar; a day that is left out is closed.
    pub hours: WeeklyHours,
    /// The text or decision it was taken from.
    pub source: String,
    /// When a person last held it against its source.
    pub reviewed_on: NaiveDate,
}

/// How many promotional mails a contact may get, over all campaigns. Another cap is a new version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FrequencyCapSetup {
    /// Most in any 24 hours.
    pub per_day: i32,
    /// Most in any 7 days.
    pub per_week: i32,
}

/// How long personal data of one kind is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RetentionSetup {
    /// What it is about.
    pub kind: RetentionKind,
    /// For how many days, 1 to 36500.
    pub keep_days: i32,
}

/// A form, known by its slug.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FormSetup {
    /// Name in the address `/f/{slug}`.
    pub slug: String,
    /// Heading of the page.
    pub title: String,
    /// Text under the heading.
    #[serde(default)]
    pub intro: Text,
    /// Text of the confirmation page.
    pub thanks: Text,
    /// A BCP 47 tag.
    #[serde(default = "english")]
    pub language: String,
    /// Type of the leads it makes.
    pub lead_type: LeadType,
    /// Channel of its leads when the visit names none.
    pub channel: Channel,
    /// Slug of the service line it is for; none when a field asks for it.
    #[serde(default)]
    pub service_line: Option<String>,
    /// Slug of the facility it is for.
    #[serde(default)]
    pub facility: Option<String>,
    /// Code of the campaign it belongs to when the visit names none.
    #[serde(default)]
    pub campaign: Option<String>,
    /// Its fields, in order.
    pub fields: Vec<Field>,
    /// Keys of the consents it asks for.
    #[serde(default)]
    pub wordings: Vec<String>,
    /// Whether its email consents count only when the person confirms them by the link of a mail.
    #[serde(default)]
    pub double_opt_in: Option<DoubleOptInSetup>,
    /// Whether a visitor can save it and finish it later.
    #[serde(default)]
    pub finish_later: Option<FinishLaterSetup>,
    /// Key of the template that answers it.
    #[serde(default)]
    pub confirmation: Option<String>,
    /// Whether it can be filled in.
    #[serde(default = "yes")]
    pub active: bool,
}

/// How long a form waits for the second yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DoubleOptInSetup {
    /// Days, from 1 to 30.
    #[serde(default = "a_week")]
    pub days: i32,
}

const fn a_week() -> i32 {
    7
}

/// How long a form that was saved to be finished later waits and is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FinishLaterSetup {
    /// After how many days it counts as abandoned, from 1 to 30.
    #[serde(default = "three_days")]
    pub abandoned_after_days: i32,
    /// For how many days it is kept, longer than that and at most 90.
    #[serde(default = "a_month")]
    pub kept_days: i32,
}

const fn three_days() -> i32 {
    3
}

const fn a_month() -> i32 {
    30
}

/// How fast leads are answered, known by its name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SlaSetup {
    /// The name that people read.
    pub name: String,
    /// When it holds; empty means always.
    pub when: Condition,
    /// Business minutes to the first attempt; whoever comes later has missed it.
    pub first_attempt_mins: i64,
    /// Business minutes in which the first attempt is aimed at, not more than the above, which counts if not said.
    #[serde(default)]
    pub target_mins: Option<i64>,
    /// Business minutes until the owner is warned that nobody has tried; never if not said.
    #[serde(default)]
    pub warn_owner_mins: Option<i64>,
    /// Business minutes until the lead of the team is told, later than the warning; never if not said.
    #[serde(default)]
    pub tell_lead_mins: Option<i64>,
    /// Business minutes until the owner loses the lead, later than both; never if not said.
    #[serde(default)]
    pub take_back_mins: Option<i64>,
    /// How many attempts are wanted.
    pub attempts_wanted: i32,
    /// Business minutes between attempts.
    pub spacing_mins: i64,
    /// Minutes before the due time at which the assignee is reminded.
    pub remind_before_mins: i64,
}

/// Where leads go, known by its name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoutingSetup {
    /// The name that people read.
    pub name: String,
    /// When it holds; empty means always.
    pub when: Condition,
    /// Slug of the team.
    pub team: String,
    /// Slug of the facility that serves the lead.
    #[serde(default)]
    pub facility: Option<String>,
    /// How the person is chosen; `NAMED` where there is an `owner`, else `LEAST_OPEN_WORK` if not said.
    #[serde(default)]
    pub strategy: Option<PersonStrategy>,
    /// Address of the person, for `NAMED` and only then.
    #[serde(default)]
    pub owner: Option<String>,
    /// Flags that it adds.
    #[serde(default)]
    pub flags: Vec<EligibilityFlag>,
    /// Whether the lead goes first.
    #[serde(default)]
    pub urgent: bool,
    /// Whether it is tried.
    #[serde(default = "yes")]
    pub active: bool,
}

/// What gives points, known by its name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScoringSetup {
    /// The name in a score's reasons.
    pub name: String,
    /// When it holds.
    pub when: Condition,
    /// Points, negative to take some.
    pub points: i32,
    /// The explanation in a score's reasons.
    pub text: String,
    /// Whether it counts.
    #[serde(default = "yes")]
    pub active: bool,
}

/// A sequence, known by its name. It is published; other steps are a new version.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SequenceSetup {
    /// The name that people read.
    pub name: String,
    /// What its mails are for. It never changes, because consent is asked by it.
    pub purpose: Purpose,
    /// Code of the campaign whose pause holds it too.
    #[serde(default)]
    pub campaign: Option<String>,
    /// Whether its mails ask people to come who would not have, and so wait for capacity.
    #[serde(default)]
    pub demand_making: bool,
    /// When a lead is enrolled.
    pub trigger: Trigger,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// What ends it early.
    #[serde(default)]
    pub exits: Exits,
}
