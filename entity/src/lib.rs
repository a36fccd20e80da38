//! What a row is: typed ids, text enums, typed JSON columns, and one file per table.
//!
//! No rule lives here. A file is named by the noun that also names its file in `domain` and `api`.
//! Times are UTC with microsecond precision, money is in minor units, and text enums are stored by their names.

#[macro_use]
mod macros;

pub mod appointment;
pub mod attempt;
pub mod audit_event;
pub mod business_calendar;
pub mod campaign;
pub mod campaign_service_line;
pub mod campaign_spend;
pub mod captured_mail;
pub mod condition;
pub mod consent_event;
pub mod consent_head;
pub mod consent_seal;
pub mod consent_unsealed;
pub mod consent_wording;
pub mod contact;
pub mod contact_candidate;
pub mod contact_line_preference;
pub mod contact_preference;
pub mod date_occasion;
pub mod department;
pub mod enrollment;
pub mod enrollment_move;
pub mod enums;
pub mod facility;
pub mod follow_up;
pub mod form;
pub mod form_draft;
pub mod frequency_cap;
pub mod id;
pub mod idempotency;
pub mod inbound_mail;
pub mod inbound_party;
pub mod lead;
pub mod lead_event;
pub mod link_visit;
pub mod mailing;
pub mod mailing_change;
pub mod mailing_progress;
pub mod message;
pub mod message_event;
pub mod outreach_hold;
pub mod outreach_release;
pub mod placement;
pub mod playbook_revision;
pub mod retention_policy;
pub mod routing_rule;
pub mod scoring_rule;
pub mod send_window;
pub mod sending_allowance;
pub mod sending_day;
pub mod sending_route;
pub mod sending_stop;
pub mod sending_tally;
pub mod sequence;
pub mod sequence_version;
pub mod service_line;
pub mod service_line_alias;
pub mod session;
pub mod sla_pause;
pub mod sla_policy;
pub mod soft_bounce;
pub mod staff;
pub mod staff_absence;
pub mod staff_digest;
pub mod suppression;
pub mod team;
pub mod team_member;
pub mod template;
pub mod template_version;
pub mod token;
pub mod touchpoint;
