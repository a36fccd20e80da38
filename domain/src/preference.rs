//! What people want to hear of, how often and when: wishes beside consent, which the gate keeps, and the page on which
//! they are set.
//!
//! A wish never allows what no consent allows; it only makes less of it. What is allowed and taken back on the page goes
//! to the consent ledger like what comes in by any other door.

pub mod change;
pub mod link;
pub mod look;
pub mod mask;
mod rows;
pub mod save;
pub mod staff;

#[cfg(test)]
mod tests;

pub use change::{Change, LineWish, Wishes};
pub use look::{Line, Offer, Shown, look};
pub use save::{Saved, Sent, save, stop_everything};
