//! Quality audits: work is drawn by chance, reviewed by a rubric, part of it by two people, and what is found is followed up.
//!
//! Reviewers are blind to each other: what others say of a piece of work is shown to whoever has reviewed it.

pub mod agreement;
pub mod draw;
pub mod figures;
pub mod find;
mod population;
pub mod review;
pub mod sample;
pub mod scores;

/// Most pieces of work in a sample.
pub const SIZE_MAX: i32 = 200;
/// The longest period that a sample is drawn from, in days.
pub const PERIOD_MAX_DAYS: i64 = 92;
/// The most pieces of work within the period, of all teams.
pub const POPULATION_MAX: usize = 50_000;
