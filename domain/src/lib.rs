//! What may happen: rules and operations by subject.
//!
//! Rules (score, route, standing, gate, schedule) are pure functions of their arguments, time included. An operation
//! opens one transaction, asks the rules, writes, appends history and commits; what follows from it is a row with a
//! due time, written in the same transaction. This crate knows no HTTP, no GraphQL, no SMTP and no job queue.

pub mod audit;
pub mod campaign;
pub mod capacity;
pub mod clock;
pub mod condition;
pub mod consent;
pub mod contact;
pub mod db;
pub mod done;
pub mod dry_run;
pub mod due;
pub mod error;
pub mod follow_up;
#[cfg(test)]
mod ground;
pub mod hospital;
pub mod id;
pub mod idempotency;
pub mod inbound;
pub mod lead;
pub mod link;
pub mod nudge;
pub mod outreach;
pub mod patch;
pub mod playbook;
pub mod preference;
pub mod privacy;
pub mod quality;
pub mod quiet_hours;
mod readable;
pub mod report;
pub mod round;
pub mod routing;
pub mod rule_set;
pub mod sequence;
pub mod setup;
pub mod signal;
pub mod sla;
pub mod staff;
pub mod viewer;
