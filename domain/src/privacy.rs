//! What a person may ask of us about data: to see all of it, and to have it erased; and how long we keep it unasked.
//!
//! An erasure removes words, addresses and names and keeps the rows, so that no figure changes: what came in, how far it
//! went and what was agreed to can still be counted, of nobody in particular. The keyed hash of a suppressed address
//! stays, so that the address stays suppressed.

pub mod erase;
pub mod export;
mod inbound;
pub mod retention;

pub(crate) mod contacts;
pub(crate) mod leads;
