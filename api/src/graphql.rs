//! GraphQL: the schema, and the doors by which it is reached.

pub mod access;
pub mod ask;
mod at_once;
pub mod calendar_feed;
pub mod campaign;
pub mod capacity;
pub mod checklist;
mod children;
pub mod consent;
pub mod contact;
#[cfg(test)]
mod core_contract;
pub mod dashboard;
pub mod directory;
pub mod errors;
pub mod follow_up;
pub mod http;
pub mod id;
pub mod idempotency;
mod inbound;
pub mod lead;
pub mod lead_profile;
pub mod limits;
pub mod loaders;
pub mod mailing;
pub mod message;
mod misroute;
pub mod mutation;
pub mod node;
pub mod outreach;
pub mod page;
pub mod preferences;
pub mod quality;
mod retention;
pub mod rule_set;
mod run;
pub mod scalars;
pub mod script;
pub mod sending;
pub mod sequence;
pub mod simulation;
mod sla_report;
mod sse;
pub mod subscription;
pub mod template;
pub mod viewer;
pub mod vocabulary;
pub(crate) mod ws;

#[cfg(test)]
mod tests;

use async_graphql::{MergedObject, SDLExportOptions};

use self::access::{Guarded, Root};
use self::page::Connection;
use crate::state::ApiSettings;

/// Reads.
// In groups, for the same reason as mutations: the way to a field through one long row of parts takes a thread's stack, and
// more than the compiler follows.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
pub struct Query(
    viewer::ViewerQuery,
    node::NodeQuery,
    LeadQueries,
    PlanQueries,
    MailQueries,
    ReportQueries,
);

/// Reads of leads, and of the work about them.
#[derive(MergedObject, Default)]
pub struct LeadQueries(
    lead::LeadQuery,
    contact::ContactQuery,
    consent::ConsentQuery,
    directory::DirectoryQuery,
    follow_up::FollowUpQuery,
    checklist::ChecklistQuery,
    calendar_feed::CalendarFeedQuery,
    quality::QualityQuery,
    retention::RetentionQuery,
);

/// Reads of what is planned.
#[derive(MergedObject, Default)]
pub struct PlanQueries(
    campaign::CampaignQuery,
    capacity::CapacityQuery,
    sequence::SequenceQuery,
    sequence::MoveQuery,
    sequence::StuckQuery,
    rule_set::RuleSetQuery,
    rule_set::PreviewQuery,
);

/// Reads of what goes out by mail and comes back.
#[derive(MergedObject, Default)]
pub struct MailQueries(
    message::MessageQuery,
    template::TemplateQuery,
    mailing::MailingQuery,
    outreach::OutreachQuery,
    sending::SendingQuery,
    inbound::InboundQuery,
);

/// Reads of figures.
#[derive(MergedObject, Default)]
pub struct ReportQueries(
    dashboard::DashboardQuery,
    sla_report::SlaReportQuery,
    lead_profile::LeadProfileQuery,
    misroute::MisrouteQuery,
);

pub use mutation::Mutation;

/// The schema.
pub type Schema =
    async_graphql::Schema<Guarded<Query>, Guarded<Mutation>, Guarded<subscription::SubscriptionRoot>>;

/// The schema with these limits. It holds nothing of the installation: every request brings its own.
pub fn schema(settings: &ApiSettings) -> Schema {
    Schema::build(
        Guarded::new(Root::Query, Query::default()),
        Guarded::new(Root::Mutation, Mutation::default()),
        Guarded::new(Root::Subscription, subscription::SubscriptionRoot),
    )
    .register_output_type::<errors::UserError>()
    .override_output_type_description::<Connection<campaign::Campaign>>("A page of campaigns.")
    .override_output_type_description::<Connection<capacity::CapacityHold>>(
        "A page of mails that wait for capacity.",
    )
    .override_output_type_description::<Connection<consent::ConsentEvent>>("A page of consent events.")
    .override_output_type_description::<Connection<contact::Contact>>("A page of contacts.")
    .override_output_type_description::<Connection<follow_up::FollowUp>>("A page of follow-ups.")
    .override_output_type_description::<Connection<inbound::InboundMail>>(
        "A page of what came back about mails.",
    )
    .override_output_type_description::<Connection<lead::Lead>>("A page of leads.")
    .override_output_type_description::<Connection<lead::LeadEvent>>("A page of a lead's events.")
    .override_output_type_description::<Connection<mailing::Mailing>>("A page of mailings.")
    .override_output_type_description::<Connection<message::Message>>("A page of messages.")
    .override_output_type_description::<Connection<misroute::Misroute>>("A page of misroutes.")
    .override_output_type_description::<Connection<rule_set::RuleSet>>("A page of versions of rules.")
    .override_output_type_description::<Connection<quality::QualityItem>>("A page of a sample.")
    .override_output_type_description::<Connection<quality::QualitySample>>("A page of samples.")
    .override_output_type_description::<Connection<sequence::Sequence>>("A page of sequences.")
    .override_output_type_description::<Connection<sequence::StuckEnrollment>>(
        "A page of enrollments that do not move.",
    )
    .override_output_type_description::<Connection<template::Template>>("A page of templates.")
    // Nesting is limited in `limits`, where introspection is not counted.
    .limit_complexity(settings.query_cost_max)
    .limit_directives(10)
    .finish()
}

/// The schema in GraphQL's own language, as it is published.
pub fn sdl() -> String {
    let options = SDLExportOptions::new()
        .sorted_fields()
        .sorted_enum_items()
        .prefer_single_line_descriptions();
    schema(&ApiSettings::default()).sdl_with_options(options)
}
