//! Stories about Leadward, told through its own doors: one binary, one file a story.
//!
//! Each test has a database of its own, SQLite or, with `TEST_DATABASE_URL`, PostgreSQL; a clock that stands still until
//! the test moves it; and workers that run when the test drains them.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say so at once"
)]

mod access;
mod calendar;
mod capacity;
mod checklists;
mod clicks;
mod dashboard;
mod delivery;
mod demo_hospital;
mod desk;
mod digest;
mod dry_run;
mod gate;
mod graphql;
mod harness;
mod hooks;
mod house;
mod inbound;
mod intake;
mod ledger;
mod mailings;
mod nurture;
mod preferences;
mod privacy;
mod processes;
mod profiles;
mod quality;
mod routing;
mod schema_matches_entities;
mod scripts;
mod sending;
mod sequences;
mod sla;
mod templates;
mod unfinished;
mod work_list;
