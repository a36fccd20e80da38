//! Consent: the ledger of what each contact allows, what follows from it, and what follows from a withdrawal.
//!
//! Events are only ever added. [`standing`] folds them into what holds at a moment; nothing else keeps that answer.
//! A withdrawal takes effect in the transaction that records it: what is planned is withheld, even what a worker has
//! already claimed, and what rests on the consent ends.

pub(crate) mod by_contact;
pub(crate) mod erase;
pub mod find;
pub mod intake;
pub mod lock;
pub mod record;
pub mod standing;
mod subject;
pub mod unsubscribe;
pub mod withdraw;

pub use intake::{AtIntake, at_intake};
pub use lock::lock_contacts;
pub use record::{RecordConsent, WordingRef, record};
pub use standing::Standing;
pub use unsubscribe::{LinkShows, Method, Unsubscribed, look_up, unsubscribe};
pub use withdraw::{WithdrawConsent, Withdrawal, withdraw};
