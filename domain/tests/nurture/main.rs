//! Consent and sequences against the database: on SQLite and, with `TEST_DATABASE_URL`, on PostgreSQL.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say so at once"
)]

#[macro_use]
mod stand;

mod consent;
mod engine;
mod sequence;
