//! Versions of the rules that route, score and time leads.
//!
//! The rows of the rule tables are the rules that count; leads and figures point at them, and a rule keeps its row
//! through all versions. A version is a copy of all rules of a kind as one document: a draft is such a document before it
//! counts, and publishing it brings the rows in line with it. Setup documents change rows too, and the version that they
//! make is written down in the same transaction, so the published version always says what the rows say.

pub mod draft;
pub mod find;
pub mod follow;
pub mod preview;
pub mod publish;
mod rows;
#[cfg(test)]
mod tests;

pub use preview::overlay;
