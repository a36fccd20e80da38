//! Values of the enums that several tables share, as of the first release.
//!
//! Released changes use these lists, so they are never edited: a change that adds a value writes its own list.

/// What a lead asks for.
pub(crate) const LEAD_TYPES: &[&str] = &[
    "PATIENT_APPOINTMENT",
    "REFERRAL",
    "SERVICE_INQUIRY",
    "EMPLOYER_PARTNER",
    "CLINICAL_TRIAL",
];

/// How far a lead has come.
pub(crate) const LEAD_STAGES: &[&str] = &[
    "NEW",
    "CONTACTED",
    "QUALIFIED",
    "APPOINTMENT_SCHEDULED",
    "VISIT_COMPLETED",
    "CLOSED",
];

/// Where a lead came from.
pub(crate) const CHANNELS: &[&str] = &[
    "PAID_SEARCH",
    "ORGANIC_SEARCH",
    "SOCIAL",
    "DISPLAY",
    "EMAIL",
    "WEBSITE",
    "PHONE",
    "CHAT",
    "EVENT",
    "DIRECT_MAIL",
    "PROVIDER_OUTREACH",
    "PARTNER",
    "REFERRAL",
    "OTHER",
];

/// How we speak to a contact.
pub(crate) const MEDIA: &[&str] = &["EMAIL", "PHONE", "SMS", "POST"];

/// What a message is for.
pub(crate) const PURPOSES: &[&str] = &["MARKETING", "CARE_COORDINATION", "REMINDER", "RESEARCH"];

/// What a consent is for. People may allow more than what mails are sent for.
pub(crate) const CONSENT_PURPOSES: &[&str] = &[
    "MARKETING",
    "CARE_COORDINATION",
    "REMINDER",
    "RESEARCH",
    "TRACKING",
];

/// What a member of staff or a token may do.
pub(crate) const ROLES: &[&str] = &[
    "ADMIN",
    "MARKETING_STRATEGIST",
    "PERFORMANCE_MARKETER",
    "CONTENT_LEAD",
    "MARKETING_OPS",
    "INTAKE_COORDINATOR",
    "CLINICAL_REVIEWER",
    "SERVICE_LINE_LEAD",
    "ANALYST",
];

/// Who did something.
pub(crate) const ACTOR_KINDS: &[&str] = &["STAFF", "TOKEN", "CONTACT", "VISITOR", "SYSTEM"];
