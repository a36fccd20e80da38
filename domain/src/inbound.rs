//! What comes back about mails: bounces, complaints, replies, and what providers tell after a mail was sent.
//!
//! It is stored as it came ([`store()`]), then applied ([`apply_due`]): read, and taken as evidence about a message, whatever
//! door it came by. [`classify`] reads a mail and is pure: the same for the pollers and for `leadward mail classify`.

pub mod apply;
mod automatic;
mod classify;
mod complaint;
mod contents;
pub(crate) mod evidence;
mod failure;
pub mod find;
mod mail;
mod notice;
mod own_words;
pub mod provider;
mod reading;
mod references;
mod report;
pub mod retain;
pub mod settle;
pub mod store;
mod text;

pub use apply::apply_due;
pub use classify::classify;
pub use mail::EXAMINED_MAX;
pub use reading::{Failed, Reading};
pub use settle::{SettleMessage, settle_message};
pub use store::{Came, store};
