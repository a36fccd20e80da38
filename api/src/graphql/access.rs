//! Who may ask for what: one table of every root field, and the guard that keeps it.
//!
//! A root field that is not in the table is refused to everybody, so a new one cannot be forgotten. Which *rows* a viewer
//! sees of what it may ask for is decided where the SQL is built, by `visible_to`.

use std::sync::Arc;

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, NextValidation, ResolveInfo,
};
use async_graphql::{Context, Error, Response, ServerError, ServerResult, ValidationResult, Value};
use domain::viewer::Viewer;
use entity::enums::Role;

use super::ask::Ask;
use super::errors::{
    BAD_USER_INPUT, FORBIDDEN, GRAPHQL_VALIDATION_FAILED, UNAUTHENTICATED, coded, has_code, set_code,
};

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
/// Those who write sequences.
const AUTHORS: May = May::Roles(&[
    Role::Admin,
    Role::MarketingStrategist,
    Role::ContentLead,
    Role::MarketingOps,
]);
/// Those who let sequences loose on people.
const PUBLISHERS: May = May::Roles(&[Role::Admin, Role::MarketingStrategist, Role::MarketingOps]);

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
    query("contact", PEOPLE),
    query("contacts", PEOPLE),
    query("campaign", ALL),
    query("campaigns", ALL),
    query("serviceLines", ALL),
    query("facilities", ALL),
    query("teams", ALL),
    query("followUps", PEOPLE),
    query("sequence", ALL),
    query("sequences", ALL),
    query("message", PEOPLE),
    query("messages", PEOPLE),
    query("dashboard", ALL),
    mutation("signIn", May::Anybody),
    mutation("signOut", May::Anybody),
    // The form's key, which the operation checks, is what opens it.
    mutation("submitLead", May::Anybody),
    mutation("updateLead", PEOPLE),
    mutation("assignLead", DESK),
    mutation("logAttempt", DESK),
    mutation("qualifyLead", PEOPLE),
    mutation("scheduleAppointment", DESK),
    mutation("completeVisit", DESK),
    mutation("closeLead", PEOPLE),
    mutation("reopenLead", PEOPLE),
    mutation("recordConsent", DESK),
    // Whoever hears a person say no can write it down.
    mutation("withdrawConsent", PEOPLE),
    mutation("suppressAddress", DESK),
    mutation("createCampaign", MARKETING),
    mutation("updateCampaign", MARKETING),
    mutation("launchCampaign", MARKETING),
    mutation("pauseCampaign", MARKETING),
    mutation("recordSpend", MARKETING),
    mutation("createSequence", AUTHORS),
    mutation("publishSequence", PUBLISHERS),
    mutation("pauseSequence", PUBLISHERS),
    mutation("createTemplate", AUTHORS),
    mutation("updateTemplate", AUTHORS),
    mutation("enrollLead", DESK),
    mutation("unenrollLead", DESK),
    mutation("completeFollowUp", PEOPLE),
    mutation("snoozeFollowUp", PEOPLE),
    mutation("assignFollowUp", PEOPLE),
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

/// Checks a subscription before it starts; the guard checks it again with every event.
///
/// # Errors
/// As [`check`].
pub fn check_subscription(ctx: &Context<'_>, field: &str) -> Result<(), Error> {
    check(Ask::of(ctx).viewer(), Root::Subscription.name(), field)
}

/// Keeps the table, and gives every error that has none a code.
pub struct Guard;

impl ExtensionFactory for Guard {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait::async_trait]
impl Extension for Guard {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        next.run(ctx).await.map_err(|mut errors| {
            for error in errors.iter_mut().filter(|error| !has_code(error)) {
                let about_input = error.message.starts_with("Invalid value for argument");
                set_code(
                    error,
                    if about_input {
                        BAD_USER_INPUT
                    } else {
                        GRAPHQL_VALIDATION_FAILED
                    },
                );
            }
            errors
        })
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        if let Some(ask) = ctx.data_opt::<Arc<Ask>>() {
            ask.begin_execution();
        }
        let mut response = next.run(ctx, name).await;
        // Our own errors have codes; what the engine adds during execution is about arguments.
        for error in response.errors.iter_mut().filter(|error| !has_code(error)) {
            set_code(error, BAD_USER_INPUT);
        }
        response
    }

    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let is_root = matches!(info.parent_type, "Query" | "Mutation" | "Subscription");
        // `__schema` and `__type` are for everybody.
        if is_root && !info.name.starts_with("__") {
            let viewer = ctx
                .data_opt::<Arc<Ask>>()
                .map_or(&Viewer::Public, |ask| ask.viewer());
            check(viewer, info.parent_type, info.name)
                .map_err(|error| error.into_server_error(info.field.name.pos))?;
        }
        next.run(ctx, info).await
    }
}
