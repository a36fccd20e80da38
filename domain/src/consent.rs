//! Consent: the ledger of what each contact allows, what follows from it, and what follows from a withdrawal.
//!
//! Events are only ever added. [`standing`] folds them into what holds at a moment; nothing else keeps that answer.
//! A withdrawal takes effect in the transaction that records it: what is planned is withheld, even what a worker has
//! already claimed, and what rests on the consent ends. [`seal`] chains the events by their hashes, and
//! [`verify`](mod@verify) tells whether any of them was changed since.

pub(crate) mod by_contact;
pub mod chain;
pub mod entry;
pub(crate) mod erase;
pub mod find;
pub mod intake;
pub mod lock;
pub mod opt_in;
pub mod record;
pub mod seal;
pub mod standing;
mod subject;
pub mod unsubscribe;
pub mod verify;
pub mod withdraw;
pub mod words;

pub use entry::{Entry, Shown};
pub use intake::{AtIntake, SecondYes, at_intake};
pub use lock::lock_contacts;
pub use record::{RecordConsent, WordingRef, record};
pub use standing::Standing;
pub use unsubscribe::{LinkShows, Method, Unsubscribed, look_up, unsubscribe};
pub use verify::{Verification, verify};
pub use withdraw::{TakeBack, WithdrawConsent, Withdrawal, take_back, withdraw};
