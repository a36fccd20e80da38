//! Conditions over a lead, as stored in routing rules, scoring rules, triggers, branches and SLA policies.

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

text_enum!(/// A fact of a lead that a condition can look at.
Fact {
    /// The lead's type, by its enum name.
    LeadType = "LEAD_TYPE",
    /// The stage, by its enum name.
    Stage = "STAGE",
    /// The service line's slug.
    ServiceLine = "SERVICE_LINE",
    /// What the person wrote as the wanted service, lower case.
    RequestedService = "REQUESTED_SERVICE",
    /// The facility's slug.
    Facility = "FACILITY",
    /// The channel, by its enum name.
    Channel = "CHANNEL",
    /// The campaign's code.
    Campaign = "CAMPAIGN",
    /// The contact's language, a BCP 47 tag.
    Language = "LANGUAGE",
    /// The contact's postal code.
    PostalCode = "POSTAL_CODE",
    /// An eligibility flag, by its enum name.
    Flag = "FLAG",
    /// A form answer; the clause names the field.
    Answer = "ANSWER",
    /// The coverage that the person named: the answer to the form's field `coverage`.
    Coverage = "COVERAGE",
    /// The score's grade.
    Grade = "GRADE",
    /// The score's points, 0 to 100. Not known while the score is made.
    Score = "SCORE",
    /// The hour at which it came in, 0 to 23, on the clock of the facility.
    ReceivedHour = "RECEIVED_HOUR",
    /// The weekday on which it came in, such as `MONDAY`, at the facility.
    ReceivedWeekday = "RECEIVED_WEEKDAY",
    /// `YES` when it came in while the facility was open by its business calendar, else `NO`.
    BusinessHours = "BUSINESS_HOURS",
    /// `YES` when the lead goes first, else `NO`. Not known until a rule has routed it.
    Urgent = "URGENT",
    /// `EMAIL` and `PHONE`, whichever we have.
    Reachable = "REACHABLE",
});

text_enum!(/// How a fact is compared.
Comparison {
    /// One of the values is equal, letter case aside.
    In = "IN",
    /// None of the values is equal.
    NotIn = "NOT_IN",
    /// One of the values is contained.
    Contains = "CONTAINS",
    /// One of the values is a prefix.
    StartsWith = "STARTS_WITH",
    /// There is a value at all.
    Present = "PRESENT",
    /// There is no value.
    Absent = "ABSENT",
    /// The value is a number and not smaller.
    AtLeast = "AT_LEAST",
    /// The value is a number and smaller.
    Below = "BELOW",
});

/// One comparison of one fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Clause {
    /// What is looked at.
    pub fact: Fact,
    /// The form field, for [`Fact::Answer`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// How it is compared.
    pub is: Comparison,
    /// What it is compared with; empty for present and absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// Holds when every clause holds; an empty condition always holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Condition(pub Vec<Clause>);
