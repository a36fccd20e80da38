//! Who may ask for what: one table of every root field, and the guard that keeps it.
//!
//! A root field that is not in the table is refused to everybody, so a new one cannot be forgotten. Which *rows* a viewer
//! sees of what it may ask for is decided where the SQL is built, by `visible_to`.

mod guard;

use async_graphql::Error;
use domain::viewer::Viewer;
use entity::enums::Role;

use super::errors::{FORBIDDEN, UNAUTHENTICATED, coded};

pub use guard::Guarded;

#[cfg(test)]
mod tests;

/// The three root types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Root {
    /// Reads.
    Query,
    /// Changes.
    Mutation,
    /// News.
    Subscription,
}

impl Root {
    /// The type's name in the schema.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Query => "Query",
            Self::Mutation => "Mutation",
            Self::Subscription => "Subscription",
        }
    }
}

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// Everybody, signed in or not.
    Anybody,
    /// Staff and tokens of these roles.
    Roles(&'static [Role]),
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The root type.
    pub root: Root,
    /// The field.
    pub field: &'static str,
    /// Who may ask for it.
    pub may: May,
}

impl Rule {
    /// Whether this viewer may.
    pub fn allows(&self, viewer: &Viewer) -> bool {
        match self.may {
            May::Anybody => true,
            May::Roles(roles) => viewer.role().is_some_and(|role| roles.contains(&role)),
        }
    }
}

/// Anybody who works here: plans, lists and figures, but no people.
const ALL: May = May::Roles(Role::ALL);
/// Those who work with people's data, each within the leads that they may see.
const PEOPLE: May = May::Roles(&[
    Role::Admin,
    Role::MarketingOps,
    Role::IntakeCoordinator,
    Role::ServiceLineLead,
    Role::ClinicalReviewer,
]);
/// Those who contact leads and move them on.
const DESK: May = May::Roles(&[
    Role::Admin,
    Role::MarketingOps,
    Role::IntakeCoordinator,
    Role::ServiceLineLead,
]);
/// Those who plan and buy media.
const MARKETING: May = May::Roles(&[
    Role::Admin,
    Role::MarketingStrategist,
    Role::PerformanceMarketer,
    Role::MarketingOps,
]);
/// Those who write sequences and prepare mailings.
const AUTHORS: May = May::Roles(&[
    Role::Admin,
    Role::MarketingStrategist,
    Role::ContentLead,
    Role::MarketingOps,
]);
/// Those who agree to the words of mails.
const REVIEWERS: May = May::Roles(&[Role::ClinicalReviewer]);
/// Those who write mails, and those who agree to them.
const COPY: May = May::Roles(&[
    Role::Admin,
    Role::MarketingStrategist,
    Role::ContentLead,
    Role::MarketingOps,
    Role::ClinicalReviewer,
]);
/// Those who answer for the installation.
const ADMINS: May = May::Roles(&[Role::Admin]);
/// Those who see to it that mail goes out and what comes back is heard.
const OPERATORS: May = May::Roles(&[Role::Admin, Role::MarketingOps]);
/// Those who review the work of others; they see every lead.
const AUDITORS: May = May::Roles(&[Role::Admin, Role::MarketingOps]);
/// Those who let sequences and mailings loose on people.
const PUBLISHERS: May = May::Roles(&[Role::Admin, Role::MarketingStrategist, Role::MarketingOps]);

/// Those who know how many more a service line can serve.
const PACERS: May = May::Roles(&[
    Role::Admin,
    Role::MarketingStrategist,
    Role::MarketingOps,
    Role::ServiceLineLead,
]);

const fn query(field: &'static str, may: May) -> Rule {
    Rule {
        root: Root::Query,
        field,
        may,
    }
}

const fn mutation(field: &'static str, may: May) -> Rule {
    Rule {
        root: Root::Mutation,
        field,
        may,
    }
}

const fn subscription(field: &'static str, may: May) -> Rule {
    Rule {
        root: Root::Subscription,
        field,
        may,
    }
}

/// Every root field.
static TABLE: &[Rule] = &[
    query("viewer", May::Anybody),
    query("node", ALL),
    query("nodes", ALL),
    query("lead", PEOPLE),
    query("leads", PEOPLE),
    query("consentHistory", PEOPLE),
    query("contact", PEOPLE),
    query("contacts", PEOPLE),
    query("campaign", ALL),
    query("campaigns", ALL),
    query("serviceLines", ALL),
    query("facilities", ALL),
    query("teams", ALL),
    query("followUps", PEOPLE),
    query("followUpTemplates", ALL),
    // Everybody their own.
    query("calendarFeeds", ALL),
    query("sequence", ALL),
    query("sequences", ALL),
    query("previewSequenceMove", PUBLISHERS),
    query("sequenceMove", PUBLISHERS),
    query("stuckEnrollments", PEOPLE),
    query("message", PEOPLE),
    query("messages", PEOPLE),
    query("explainMessage", PEOPLE),
    query("inboundMail", OPERATORS),
    query("mailing", ALL),
    query("mailings", ALL),
    query("previewMailing", AUTHORS),
    query("outreachHolds", ALL),
    query("sendingStops", ALL),
    query("sendWindows", ALL),
    query("capacity", ALL),
    query("capacityHolds", PACERS),
    query("sendingRoutes", ALL),
    query("deliveryStats", ALL),
    query("template", ALL),
    query("templates", ALL),
    query("templateFields", ALL),
    query("lintTemplate", ALL),
    query("previewTemplate", PEOPLE),
    query("dashboard", ALL),
    query("slaReport", ALL),
    query("profileReport", ALL),
    query("retentionPolicies", ALL),
    query("misroutes", OPERATORS),
    query("misrouteReport", ALL),
    query("ruleSet", OPERATORS),
    query("ruleSets", OPERATORS),
    query("previewRules", OPERATORS),
    query("auditRubrics", AUDITORS),
    query("qualitySample", AUDITORS),
    query("qualitySamples", AUDITORS),
    mutation("signIn", May::Anybody),
    mutation("signOut", May::Anybody),
    // The form's key, which the operation checks, is what opens it.
    mutation("submitLead", May::Anybody),
    mutation("updateLead", PEOPLE),
    mutation("assignLead", DESK),
    mutation("rerouteLead", DESK),
    mutation("logAttempt", DESK),
    mutation("pauseSla", DESK),
    mutation("resumeSla", DESK),
    mutation("qualifyLead", PEOPLE),
    mutation("scheduleAppointment", DESK),
    mutation("completeVisit", DESK),
    mutation("missAppointment", DESK),
    mutation("closeLead", PEOPLE),
    mutation("reopenLead", PEOPLE),
    mutation("recordConsent", DESK),
    // Whoever hears a person say no can write it down.
    mutation("withdrawConsent", PEOPLE),
    // So can whoever hears how often a person wants to be written to.
    mutation("updateContactPreferences", PEOPLE),
    mutation("revokePreferenceLinks", DESK),
    mutation("suppressAddress", DESK),
    mutation("settleMessage", OPERATORS),
    // Those who answer for capacity, beside those who plan.
    mutation("holdOutreach", PACERS),
    mutation("releaseOutreach", PACERS),
    mutation("setCapacity", PACERS),
    mutation("importCapacity", PACERS),
    mutation("stopSending", PUBLISHERS),
    mutation("resumeSending", PUBLISHERS),
    mutation("pauseSendingRoute", PUBLISHERS),
    mutation("resumeSendingRoute", PUBLISHERS),
    mutation("exportContact", ADMINS),
    mutation("eraseContact", ADMINS),
    mutation("setRetention", ADMINS),
    mutation("createCampaign", MARKETING),
    mutation("updateCampaign", MARKETING),
    mutation("launchCampaign", MARKETING),
    mutation("pauseCampaign", MARKETING),
    mutation("recordSpend", MARKETING),
    mutation("createMailing", AUTHORS),
    mutation("startMailing", PUBLISHERS),
    mutation("stopMailing", PUBLISHERS),
    mutation("createSequence", AUTHORS),
    mutation("publishSequence", PUBLISHERS),
    mutation("pauseSequence", PUBLISHERS),
    mutation("moveEnrollments", PUBLISHERS),
    // Real leads are those that the viewer may see; whoever sees none may still try samples.
    mutation("simulateSequence", PUBLISHERS),
    mutation("createTemplate", AUTHORS),
    mutation("updateTemplate", AUTHORS),
    mutation("submitTemplate", AUTHORS),
    // In person only: a token of the role is refused by the operation.
    mutation("approveTemplate", REVIEWERS),
    mutation("rejectTemplate", REVIEWERS),
    mutation("sendTestMail", COPY),
    mutation("enrollLead", DESK),
    mutation("unenrollLead", DESK),
    mutation("completeFollowUp", PEOPLE),
    mutation("snoozeFollowUp", PEOPLE),
    mutation("assignFollowUp", PEOPLE),
    // Everybody their own, and administrators everybody's: the operation looks.
    mutation("addAbsence", ALL),
    mutation("endAbsence", ALL),
    mutation("setStaffLimit", ADMINS),
    // Everybody their own; a program has none.
    mutation("createCalendarFeed", ALL),
    mutation("revokeCalendarFeed", ALL),
    mutation("setStaffSkills", ADMINS),
    mutation("createRuleDraft", OPERATORS),
    mutation("updateRuleDraft", OPERATORS),
    mutation("publishRuleDraft", OPERATORS),
    mutation("discardRuleDraft", OPERATORS),
    // In person only: a token has nothing in hand.
    mutation("nextFollowUp", PEOPLE),
    mutation("completeFollowUps", PEOPLE),
    mutation("snoozeFollowUps", PEOPLE),
    mutation("assignFollowUps", PEOPLE),
    mutation("handOverFollowUps", DESK),
    mutation("openFollowUp", DESK),
    mutation("checkItem", PEOPLE),
    mutation("answerScript", DESK),
    mutation("drawQualitySample", AUDITORS),
    // In person only: a token is refused by the operation.
    mutation("reviewQualityItem", AUDITORS),
    mutation("openQualityFinding", AUDITORS),
    subscription("leadReceived", PEOPLE),
    subscription("leadChanged", PEOPLE),
    subscription("followUpChanged", PEOPLE),
    subscription("dashboardChanged", ALL),
];

/// Whether a viewer may enter a lead field by field, as `submitLead` takes it without a form's key.
pub fn may_enter_leads(viewer: &Viewer) -> bool {
    Rule {
        root: Root::Mutation,
        field: "submitLead",
        may: DESK,
    }
    .allows(viewer)
}

/// The whole table.
pub fn table() -> &'static [Rule] {
    TABLE
}

/// The rule of a root field.
pub fn rule(root: &str, field: &str) -> Option<&'static Rule> {
    TABLE
        .iter()
        .find(|rule| rule.root.name() == root && rule.field == field)
}

/// Whether a viewer may ask for a root field.
///
/// # Errors
/// `UNAUTHENTICATED` for somebody unknown, `FORBIDDEN` for a wrong role.
pub fn check(viewer: &Viewer, root: &str, field: &str) -> Result<(), Error> {
    if rule(root, field).is_some_and(|rule| rule.allows(viewer)) {
        return Ok(());
    }
    Err(match viewer.role() {
        None => coded(UNAUTHENTICATED, "Sign in, or send a bearer token."),
        Some(_) => coded(FORBIDDEN, "Your role may not do this."),
    })
}
